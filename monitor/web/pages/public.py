"""The form on an incident's page by which an operator adds to what the public is told."""

from __future__ import annotations

from aiohttp import web

from monitor.web import auth, handled
from monitor.web.api.handlers import picture_of
from monitor.web.api.incidents import found_of
from monitor.web.pages.by_hand import to
from monitor.web.publicly import hour_of, say, word_of
from monitor.web.site import SITE


async def send(request: web.Request) -> web.Response:
    sent = await request.post()
    auth.check_csrf(request, sent)
    holder, found = handled.operator(request), await found_of(request)
    picture, now_ms = picture_of(request), request.app[SITE].live.now_ms
    next_ms = hour_of(sent.get("next"), picture, now_ms=now_ms)
    said = word_of(sent, picture, next_ms=next_ms, now_ms=now_ms)
    await say(request, found.incident.number, said, actor=holder.name)
    return to(found.incident.number)
