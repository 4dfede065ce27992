"""All shared systems and platforms in one list, with how many services stand on each."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from monitor.model import SystemKind
from monitor.web.site import page
from monitor.web.telling import Telling


async def systems(request: web.Request) -> web.Response:
    def fill(telling: Telling) -> dict[str, Any]:
        shown = telling.picture.systems.values()
        kinds = [(kind, [one for one in shown if one.system.kind is kind]) for kind in SystemKind]
        return {
            "kinds": [(kind, those) for kind, those in kinds if those],
            "services_on": {
                one.system.slug: len({way.service.slug for way in one.dependants}) for one in shown
            },
        }

    return await page(request, "systems.html", fill=fill)
