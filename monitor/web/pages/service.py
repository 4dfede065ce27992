"""One service: its channels measured and derived, since when and why, its last hours, and whom to call."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from monitor.judge.picture import Picture, ServiceShown
from monitor.model import Contact, Entity, System
from monitor.web.pages import objectives, traffic
from monitor.web.pages.availability import panel
from monitor.web.pages.history import HOURS, hours_of, past
from monitor.web.problems import Refused
from monitor.web.site import SITE, bare_page, page, speaker_of
from monitor.web.telling import Telling


def call_sheet(picture: Picture, shown: ServiceShown) -> list[tuple[System | Entity, tuple[Contact, ...]]]:
    """Whom to call: the people of the system behind it first, then the entity's."""
    causes = dict.fromkeys([shown.effective.cause, *(channel.effective.cause for channel in shown.channels)])
    systems = [picture.catalogue.systems_by_subject.get(cause) for cause in causes if cause]
    sheet: list[tuple[System | Entity, tuple[Contact, ...]]] = [
        (system, system.contacts)
        for system in systems
        if system is not None and system.contacts and shown.effective.verdict != "up"
    ]
    owner = picture.catalogue.entities_by_slug.get(shown.service.entity)
    if owner is not None:
        sheet.append((owner, owner.contacts))
    return sheet


async def service(request: web.Request) -> web.Response:
    site, slug = request.app[SITE], request.match_info["slug"]
    picture = site.live.picture
    if picture is None:
        return await bare_page(request, "waiting.html", status=503)
    if slug not in picture.services:
        raise Refused(404, "Not found", f"no service {slug!r} in the catalogue")
    shown = picture.services[slug]
    hours = hours_of(request.query.get("hours"))
    speaker = speaker_of(request, picture.catalogue)
    told = await past(
        site.store,
        shown.service.channels,
        service=shown.service.subject,
        now_ms=site.live.now_ms,
        known_ms=picture.as_of_ms or 0,
        hours=hours,
        speaker=speaker,
    )
    lane = told.timelines["effective", shown.service.subject]
    counts = await traffic.of_service(
        site, shown.service, catalogue=picture.catalogue, hours=hours, speaker=speaker, lane=lane
    )
    seen, promised = site.traffic.seen, await objectives.found(request, slug)

    def fill(telling: Telling) -> dict[str, Any]:
        now = telling.picture.services.get(slug, shown)
        return {
            "service": now,
            "entity": telling.picture.catalogue.entities_by_slug.get(now.service.entity),
            "past": told,
            "counts": counts,
            "figures": traffic.figures(seen, [shown.service]) if seen and seen.any else None,
            "hours": hours,
            "hours_offered": HOURS,
            "sheet": call_sheet(telling.picture, now),
            "availability": panel(site.live, now.service.subject),
            "objectives": promised,
            "decimals": telling.picture.catalogue.policy.decimals,
        }

    return await page(request, "service.html", fill=fill)
