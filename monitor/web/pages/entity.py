"""One entity: its services with their channels, what is wrong among them, and whom to call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from monitor.model import Service
from monitor.web import replying
from monitor.web.pages import traffic
from monitor.web.pages.availability import panel
from monitor.web.pages.replies import link_to
from monitor.web.problems import Refused
from monitor.web.site import SITE, Site, page
from monitor.web.telling import Telling
from monitor.web.wrong import Item, what_is_wrong


def _concerns(item: Item, slug: str) -> bool:
    own = item.service is not None and item.service.service.entity == slug
    return own or any(shown.service.entity == slug for shown in item.affected)


def _counted(site: Site, services: Sequence[Service]) -> dict[str, Any]:
    """The entity's transactions, and each service's."""
    seen = site.traffic.seen
    if seen is None or not seen.any:
        return {}
    each = [(service, traffic.figures(seen, [service])) for service in services]
    return {"figures": traffic.figures(seen, services), "by_service": each}


async def entity(request: web.Request) -> web.Response:
    site, slug = request.app[SITE], request.match_info["slug"]
    picture = site.live.picture
    if picture is not None and slug not in picture.entities:
        raise Refused(404, "Not found", f"no entity {slug!r} in the catalogue")

    def fill(telling: Telling) -> dict[str, Any]:
        shown = telling.picture.entities[slug]
        systems = [one for one in telling.picture.systems.values() if one.system.entity == slug]
        wrong = [item for item in what_is_wrong(telling.picture) if _concerns(item, slug)]
        return {
            "entity": shown,
            "systems": systems,
            "wrong": wrong,
            "wrong_shown": len(wrong),
            "figures": None,
            **_counted(site, [one.service for one in shown.services]),
            "reply_links": [
                (each.label, link_to(each.label, slug))
                for each in replying.weeks(telling.picture.catalogue, now_ms=telling.now_ms)
            ],
            "availability": panel(site.live, shown.entity.subject),
        }

    return await page(request, "entity.html", fill=fill)
