"""The API of drafts, for reviewers: the frozen JSON of one, and signing it off."""

from __future__ import annotations

from aiohttp import web

from monitor.web.problems import json_response
from monitor.web.reviewing import draft_asked, signed


async def one(request: web.Request) -> web.Response:
    """The bytes it will be published with."""
    read = await draft_asked(request)
    headers = {"Cache-Control": "no-store"}
    return web.Response(body=read.text, content_type="application/json", headers=headers)


async def sign_off(request: web.Request) -> web.Response:
    """Published now, as it is."""
    done = await signed(request)
    place = f"/api/v1/reports/{done.label}"
    told = {"scope": done.scope, "label": done.label, "version": done.version, "sha256": done.sha256}
    return json_response(told, headers={"Location": place})
