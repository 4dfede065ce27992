"""Acknowledging by a signed link out of a message: looking shows a button, only pressing it acknowledges."""

from __future__ import annotations

import secrets
import time
from typing import Any

from aiohttp import web

from monitor import links
from monitor.store import deliveries, incidents
from monitor.web import auth, handled
from monitor.web.site import SITE, bare_page, page
from monitor.web.telling import Telling


async def look(request: web.Request) -> web.Response:
    """A button, not an acknowledgement: what previews a link must not use it."""
    found = await _found(request)
    if found is None:
        return await bare_page(request, "acknowledge_expired.html", status=403)
    link, shown = found

    def fill(telling: Telling) -> dict[str, Any]:
        return {
            "shown": shown,
            "receiver": link.holder,
            "token": request.match_info["token"],
            "about": lambda one: handled.behind(telling.picture, one.incident),
        }

    return await page(request, "acknowledge.html", fill=fill)


async def press(request: web.Request) -> web.Response:
    """Whoever comes second sees who was first."""
    auth.check_origin(request)  # the link itself is what nobody else can know
    found = await _found(request)
    if found is None:
        return await bare_page(request, "acknowledge_expired.html", status=403)
    link, shown = found
    await incidents.acknowledge(request.app[SITE].store, shown.incident.number, actor=link.holder)
    return web.Response(status=303, headers={"Location": request.path})


async def _found(request: web.Request) -> tuple[links.Link, handled.Shown] | None:
    """What the link is for; None when it is not ours, has expired, or the incident was opened again since."""
    store = request.app[SITE].store
    fresh = secrets.token_bytes(links.KEY_BYTES)
    key = await deliveries.signing_key(store, links.ACKNOWLEDGE, fresh=fresh)
    token, now_s = request.match_info["token"], int(time.time())
    link = links.opened(token, key, purpose=links.ACKNOWLEDGE, now_s=now_s)
    kept = None if link is None else await incidents.one(store, link.about)
    if link is None or kept is None:
        return None
    shown = handled.shown(kept)
    return (link, shown) if shown.incident.reopened == link.turn else None
