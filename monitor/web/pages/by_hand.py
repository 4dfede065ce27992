"""What people do to incidents on the pages: open and close by hand, rule on a cause, sum up."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from monitor.judge import desk
from monitor.judge.incidents import Ruling
from monitor.model import Severity
from monitor.web import auth, handled
from monitor.web.api.by_hand import ruling_of
from monitor.web.api.handlers import picture_of
from monitor.web.api.incidents import found_of
from monitor.web.handled import MAY_HANDLE
from monitor.web.reporting import TITLE_MAX, VERDICTS, fitting, report_of
from monitor.web.site import HOLDER, SITE, page
from monitor.web.telling import Telling


async def form(request: web.Request) -> web.Response:
    """The form; `?subject=` (a path) is chosen beforehand."""
    holder = request.get(HOLDER)

    def fill(telling: Telling) -> dict[str, Any]:
        return {
            "chosen": request.query.get("subject", ""),
            "severities": list(Severity),
            "verdicts": VERDICTS,
            "title_max": TITLE_MAX,
            "may_handle": holder is not None and holder.role in MAY_HANDLE,
        }

    return await page(request, "incident_new.html", fill=fill)


async def send(request: web.Request) -> web.Response:
    sent = await request.post()
    auth.check_csrf(request, sent)
    holder, site = handled.operator(request), request.app[SITE]
    report = report_of(sent, picture_of(request).catalogue, by=holder.name, now_ms=site.live.now_ms)
    with fitting():
        made = await desk.open_incident(site.store, report, now_ms=site.live.now_ms)
    return to(made.number)


async def close(request: web.Request) -> web.Response:
    auth.check_csrf(request, await request.post())
    holder, found, site = handled.operator(request), await found_of(request), request.app[SITE]
    with fitting():
        await desk.close_incident(site.store, found.incident.number, by=holder.name, now_ms=site.live.now_ms)
    return to(found.incident.number)


async def rule(request: web.Request) -> web.Response:
    sent = await request.post()
    auth.check_csrf(request, sent)
    holder, found, site = handled.operator(request), await found_of(request), request.app[SITE]
    ruling: Ruling = ruling_of(sent.get("ruling"))
    with fitting():
        await desk.rule(site.store, found.incident.number, ruling, by=holder.name, now_ms=site.live.now_ms)
    return to(found.incident.number)


async def summarise(request: web.Request) -> web.Response:
    sent = await request.post()
    auth.check_csrf(request, sent)
    holder, found = handled.operator(request), await found_of(request)
    text = handled.note_of(sent.get("text"))
    with fitting():
        await desk.summarise(request.app[SITE].store, found.incident.number, by=holder.name, text=text)
    return to(found.incident.number)


def to(number: str) -> web.Response:
    """To the incident's page."""
    return web.Response(status=303, headers={"Location": f"/incidents/{number}"})
