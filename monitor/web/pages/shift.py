"""The shift on one page, to be read aloud at a hand-over, printed, and signed."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from monitor.store import shift as table
from monitor.web import auth, handled
from monitor.web.api.handlers import picture_of
from monitor.web.handled import MAY_HANDLE, NOTE_MAX
from monitor.web.shift import beginning, shift_of
from monitor.web.site import HOLDER, SITE, bare_page, page
from monitor.web.telling import Telling

INCIDENTS_SHOWN, ROWS_SHOWN, NOTES_SHOWN = 10, 5, 3  # of each table, so that it prints on one page


async def shift(request: web.Request) -> web.Response:
    site, picture = request.app[SITE], request.app[SITE].live.picture
    if picture is None:
        return await bare_page(request, "waiting.html", status=503)
    asked, now_ms = request.query.get("since", ""), site.live.now_ms
    since_ms = await beginning(site.store, asked, zone=picture.catalogue.zone, now_ms=now_ms)
    found = await shift_of(site.store, picture, since_ms=since_ms, now_ms=now_ms)
    holder = request.get(HOLDER)

    def fill(telling: Telling) -> dict[str, Any]:
        return {
            "shift": found,
            "new": set(found.opened),
            "about": lambda shown: handled.behind(telling.picture, shown.incident),
            "incidents_shown": INCIDENTS_SHOWN,
            "rows_shown": ROWS_SHOWN,
            "notes_shown": NOTES_SHOWN,
            "may_handle": holder is not None and holder.role in MAY_HANDLE,
            "note_max": NOTE_MAX,
        }

    return await page(request, "shift.html", fill=fill)


async def sign(request: web.Request) -> web.Response:
    sent = await request.post()
    auth.check_csrf(request, sent)
    holder, site = handled.operator(request), request.app[SITE]
    text, since = handled.note_of(sent.get("text")), str(sent.get("since", ""))
    zone, now_ms = picture_of(request).catalogue.zone, site.live.now_ms
    since_ms = await beginning(site.store, since, zone=zone, now_ms=now_ms)
    await table.hand_over(site.store, since_ms=since_ms, author=holder.name, text=text)
    return web.Response(status=303, headers={"Location": f"/shift?since={since}" if since else "/shift"})
