"""The API's answer about objectives: what is promised, what is left of it, how long that lasts."""

from __future__ import annotations

from aiohttp import web

from monitor.judge import objectives as judged
from monitor.web.api import forms, objective_forms
from monitor.web.api.handlers import one_of, picture_of
from monitor.web.problems import Refused, json_response
from monitor.web.site import SITE


async def objectives(request: web.Request) -> web.Response:
    """Of one service, or of all and the headline; with `at_risk` only those that are, or are not."""
    picture, site = picture_of(request), request.app[SITE]
    slug, risk = request.query.get("service"), one_of(request, "at_risk", ["true", "false"])
    if slug is not None and slug not in picture.services:
        raise Refused(404, "Not found", f"no service {slug!r} in the catalogue")
    found = await judged.objectives(
        site.completions, picture.catalogue, site.live.figures.rows, now_ms=site.live.now_ms, service=slug
    )
    if risk:
        found = [one for one in found if one.at_risk is (risk == "true")]
    items = objective_forms.objectives(found, picture.catalogue.policy.decimals)
    return json_response({**forms.as_of(picture), "items": items})
