"""One shared system: its state, its last hours, and who depends on it and how."""

from __future__ import annotations

from typing import Any, NamedTuple

from aiohttp import web

from monitor.judge.picture import Picture, ServiceShown, SystemShown
from monitor.judge.surroundings import Dependant
from monitor.model import Entity
from monitor.web.pages.history import HOURS, hours_of, past
from monitor.web.problems import Refused
from monitor.web.site import SITE, bare_page, page, speaker_of
from monitor.web.telling import Telling


class Needing(NamedTuple):
    """A service that depends on the system, by which of its channels."""

    shown: ServiceShown
    entity: Entity | None
    ways: list[Dependant]


def needing(picture: Picture, system: SystemShown) -> list[Needing]:
    """Services that need the system, in the catalogue's order."""
    ways: dict[str, list[Dependant]] = {}
    for way in system.dependants:
        ways.setdefault(way.service.slug, []).append(way)
    entities = picture.catalogue.entities_by_slug
    return [
        Needing(shown, entities.get(shown.service.entity), ways[slug])
        for slug, shown in picture.services.items()
        if slug in ways
    ]


async def system(request: web.Request) -> web.Response:
    site, slug = request.app[SITE], request.match_info["slug"]
    picture = site.live.picture
    if picture is None:
        return await bare_page(request, "waiting.html", status=503)
    if slug not in picture.systems:
        raise Refused(404, "Not found", f"no system {slug!r} in the catalogue")
    shown = picture.systems[slug]
    hours = hours_of(request.query.get("hours"))
    told = await past(
        site.store,
        [shown.system],
        service=None,
        now_ms=site.live.now_ms,
        known_ms=picture.as_of_ms or 0,
        hours=hours,
        speaker=speaker_of(request, picture.catalogue),
    )

    def fill(telling: Telling) -> dict[str, Any]:
        now = telling.picture.systems.get(slug, shown)
        return {
            "system": now,
            "entity": telling.picture.catalogue.entities_by_slug.get(now.system.entity),
            "needing": needing(telling.picture, now),
            "needs": [
                (need, telling.picture.catalogue.systems_by_subject.get(need.system))
                for need in now.system.depends
            ],
            "past": told,
            "hours": hours,
            "hours_offered": HOURS,
        }

    return await page(request, "system.html", fill=fill)
