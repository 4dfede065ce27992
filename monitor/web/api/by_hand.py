"""The API of what people do to incidents: open and close by hand, rule on a cause, sum up."""

from __future__ import annotations

import msgspec
from aiohttp import web

from monitor.judge import desk
from monitor.judge.incidents import Ruling
from monitor.web.api.handlers import picture_of
from monitor.web.api.incidents import found_of, told
from monitor.web.handled import note_of, operator
from monitor.web.problems import Refused, json_response
from monitor.web.reporting import fitting, report_of
from monitor.web.site import SITE

EXAMPLE = (
    '{"subject": "payments", "title": "Receipts are not printed", "verdict": "degraded", "severity": "info"}'
)


async def opening(request: web.Request) -> web.Response:
    holder, site = operator(request), request.app[SITE]
    sent = await sent_json(request, EXAMPLE)
    report = report_of(sent, picture_of(request).catalogue, by=holder.name, now_ms=site.live.now_ms)
    with fitting():
        made = await desk.open_incident(site.store, report, now_ms=site.live.now_ms)
    return json_response(
        await told(request, made.number), status=201, headers={"Location": f"/api/v1/incidents/{made.number}"}
    )


async def closing(request: web.Request) -> web.Response:
    holder, found, site = operator(request), await found_of(request), request.app[SITE]
    with fitting():
        await desk.close_incident(site.store, found.incident.number, by=holder.name, now_ms=site.live.now_ms)
    return json_response(await told(request, found.incident.number))


async def cause(request: web.Request) -> web.Response:
    holder, found, site = operator(request), await found_of(request), request.app[SITE]
    ruling = ruling_of((await sent_json(request, '{"ruling": "confirmed"}')).get("ruling"))
    with fitting():
        await desk.rule(site.store, found.incident.number, ruling, by=holder.name, now_ms=site.live.now_ms)
    return json_response(await told(request, found.incident.number))


async def summary(request: web.Request) -> web.Response:
    holder, found = operator(request), await found_of(request)
    text = note_of((await sent_json(request, '{"text": "A cable was cut"}')).get("text"))
    with fitting():
        await desk.summarise(request.app[SITE].store, found.incident.number, by=holder.name, text=text)
    return json_response(await told(request, found.incident.number), status=201)


def ruling_of(value: object) -> Ruling:
    """Raises Refused (400) for what is none."""
    if value not in [each.value for each in Ruling]:
        raise Refused(400, "Bad ruling", "`ruling` must be confirmed or rejected")
    return Ruling(value)


async def sent_json(request: web.Request, example: str) -> dict[str, str]:
    """Texts by name. Raises Refused (400), with an example of what is right."""
    try:
        return msgspec.json.decode(await request.read(), type=dict[str, str])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refused(400, "Bad request", f"send JSON such as {example}") from None
