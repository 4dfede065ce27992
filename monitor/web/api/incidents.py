"""The API of incidents: those open or closed last, one with its timeline, acknowledging, noting."""

from __future__ import annotations

import msgspec
from aiohttp import web

from monitor.store import incidents
from monitor.web.api import forms
from monitor.web.api.handlers import limit_of, one_of, picture_of
from monitor.web.api.openapi_incidents import INCIDENTS_MAX
from monitor.web.handled import Shown, Wanted, all_shown, note_of, operator, shown
from monitor.web.problems import Refused, json_response
from monitor.web.site import SITE


async def listed(request: web.Request) -> web.Response:
    """Open ones, the gravest first; with `state=closed` those closed last."""
    picture, site = picture_of(request), request.app[SITE]
    limit, state = limit_of(request, INCIDENTS_MAX), one_of(request, "state", ["open", "closed"])
    wanted = Wanted(entity=request.query.get("entity", ""), system=request.query.get("system", ""))
    kept = await (
        incidents.closed_ones(site.store, limit=INCIDENTS_MAX if wanted.narrow else limit)
        if state == "closed"
        else incidents.open_ones(site.store)
    )
    found = [one for one in all_shown(kept) if wanted.lets(picture.catalogue, one.incident)]
    items = [forms.incident_line(each) for each in found[:limit]]
    return json_response({**forms.as_of(picture), "items": items})


async def one(request: web.Request) -> web.Response:
    return json_response(await told(request, request.match_info["number"]))


async def acknowledge(request: web.Request) -> web.Response:
    """Whoever comes second is told who was first."""
    holder, found = operator(request), await found_of(request)
    await incidents.acknowledge(request.app[SITE].store, found.incident.number, actor=holder.name)
    return json_response(await told(request, found.incident.number))


async def note(request: web.Request) -> web.Response:
    holder, found = operator(request), await found_of(request)
    try:
        sent = msgspec.json.decode(await request.read(), type=dict[str, str])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refused(400, "Bad note", 'send JSON such as {"text": "Called the provider"}') from None
    text = note_of(sent.get("text"))
    await incidents.write_note(request.app[SITE].store, found.incident.number, actor=holder.name, text=text)
    return json_response(await told(request, found.incident.number), status=201)


async def found_of(request: web.Request) -> Shown:
    """The incident whose number the address names. Raises Refused (404)."""
    return await _found(request, request.match_info["number"])


async def _found(request: web.Request, number: str) -> Shown:
    kept = await incidents.one(request.app[SITE].store, number)
    if kept is None:
        raise Refused(404, "Not found", f"no incident {number!r}")
    return shown(kept)


async def told(request: web.Request, number: str) -> forms.Json:
    """The incident of that number as the API gives it. Raises Refused (404)."""
    picture, found = picture_of(request), await _found(request, number)
    lines = await incidents.timeline(request.app[SITE].store, number)
    return forms.incident(picture, found, lines)
