"""Transactions by the API: what may be asked for, within bounds, and the answer."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from monitor.judge.picture import Picture
from monitor.model import Service
from monitor.store.tallies import DAY_MS, MINUTES_KEPT_MS
from monitor.web.api import forms
from monitor.web.api.handlers import instant, one_of, picture_of
from monitor.web.curve import POINTS_MAX, STEPS, Span, curve
from monitor.web.problems import Refused, json_response
from monitor.web.site import SITE

STEP = "1h"
MANY_MAX_MS = 100 * DAY_MS  # of more than one service


async def transactions(request: web.Request) -> web.Response:
    """Points, sums and shares of a service, an entity, or everything."""
    site, picture = request.app[SITE], picture_of(request)
    services = _services(request, picture)
    step, now_ms = one_of(request, "step", list(STEPS)) or STEP, site.live.now_ms
    span = _span(request, STEPS[step], now_ms=now_ms, zone=picture.catalogue.zone)
    if "service" not in request.query and span.to_ms - span.from_ms > MANY_MAX_MS:
        raise Refused(400, "Bad range", "of more than one service, at most 100 days; name a `service`")
    told = await curve(site.store, site.traffic, services, span, catalogue=picture.catalogue, now_ms=now_ms)
    return json_response(
        {
            "catalogue_serial": picture.serial,
            "sample": picture.catalogue.sample,
            "service": request.query.get("service"),
            "entity": request.query.get("entity"),
            "step": step,
            **forms.curve(told),
        }
    )


def _services(request: web.Request, picture: Picture) -> Sequence[Service]:
    service, entity = request.query.get("service"), request.query.get("entity")
    if service is not None and entity is not None:
        raise Refused(400, "Which?", "give `service` or `entity`, or neither for the government")
    if service is not None:
        if service not in picture.services:
            raise Refused(404, "Not found", f"no service {service!r} in the catalogue")
        return [picture.services[service].service]
    if entity is not None:
        if entity not in picture.entities:
            raise Refused(404, "Not found", f"no entity {entity!r} in the catalogue")
        return [shown.service for shown in picture.entities[entity].services]
    return picture.catalogue.services


def _span(request: web.Request, step_ms: int, *, now_ms: int, zone: str) -> Span:
    to_ms = instant(request, "to")
    to_ms = now_ms if to_ms is None else to_ms
    from_ms = instant(request, "from")
    from_ms = to_ms - DAY_MS if from_ms is None else from_ms
    if not 0 <= from_ms < to_ms <= now_ms + DAY_MS:
        raise Refused(400, "Bad range", "`from` must be before `to`, and `to` no later than tomorrow")
    if (to_ms - from_ms) // step_ms >= POINTS_MAX:
        raise Refused(400, "Bad range", f"that is more than {POINTS_MAX} points; take a longer `step`")
    if step_ms < STEPS["1h"] and from_ms < now_ms - MINUTES_KEPT_MS:
        raise Refused(400, "Bad range", "minutes are kept for 100 days; take `step` 1h or 1d")
    return Span.of(from_ms, to_ms, step_ms, zone)
