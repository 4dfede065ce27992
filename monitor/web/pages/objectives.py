"""Objectives on the pages: those at risk first, and the ones of a service on its own page."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from monitor.judge import objectives as judged
from monitor.judge.budgets import Held
from monitor.web.site import SITE, bare_page, page
from monitor.web.telling import Telling


async def found(request: web.Request, slug: str | None = None) -> list[Held]:
    """Those that have a budget, of a service or of all, the riskiest first. Raises StoreUnavailable."""
    live = request.app[SITE].live
    assert live.picture is not None, "pages without a picture do not come here"
    held = await judged.objectives(
        request.app[SITE].completions,
        live.picture.catalogue,
        live.figures.rows,
        now_ms=live.now_ms,
        service=slug,
    )
    return [one for one in held if one.budgets]


async def objectives(request: web.Request) -> web.Response:
    """Every objective, those at risk apart."""
    if request.app[SITE].live.picture is None:
        return await bare_page(request, "waiting.html", status=503)
    held = await found(request)

    def fill(telling: Telling) -> dict[str, Any]:
        return {
            "at_risk": [one for one in held if one.at_risk],
            "others": [one for one in held if not one.at_risk],
            "decimals": telling.picture.catalogue.policy.decimals,
        }

    return await page(request, "objectives.html", fill=fill)
