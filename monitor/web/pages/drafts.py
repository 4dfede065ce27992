"""A draft on the pages: what it says, its edition, and the button that publishes it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from monitor.report.counting import FIRST_PAGE
from monitor.report.replies import spoken
from monitor.report.voice import Voice
from monitor.web import auth
from monitor.web.api.handlers import picture_of
from monitor.web.pages.replies import link_to
from monitor.web.problems import Refused
from monitor.web.reports import file_made, file_wanted, opened
from monitor.web.reviewing import draft_asked, may_review, signed
from monitor.web.site import page, speaker_of
from monitor.web.telling import Telling


async def draft(request: web.Request) -> web.Response:
    """For who may sign it off; others are told where to sign in."""
    if not may_review(request):
        return await page(request, "report_draft.html", status=403, fill=lambda telling: {"draft": None})
    return await _shown(request)


async def _shown(request: web.Request, *, superseded: bool = False) -> web.Response:
    """`superseded`: what was signed is no longer it."""
    read = await draft_asked(request)

    def fill(telling: Telling) -> dict[str, Any]:
        voice = Voice(telling.speaker.language, read.document)
        return {
            "voice": voice,
            "replies": spoken(read.document.replies, voice),
            "reply_link": link_to(read.draft.label, request.query.get("entity", "")),
            "d": read.document,
            "draft": read.draft,
            "first_page": FIRST_PAGE,
            "asked": _asked(request),
            "file_of": lambda form, **more: _file_link(request, form, **more),
            "superseded": superseded,
        }

    return await page(request, "report_draft.html", status=409 if superseded else 200, fill=fill)


async def file(request: web.Request) -> web.Response:
    """One of its files, which says that it is a draft."""
    read, wanted = await draft_asked(request), file_wanted(request)
    language = speaker_of(request, picture_of(request).catalogue).language
    response = opened(await file_made(wanted, read.text, language, draft=True))
    response.headers["Cache-Control"] = "no-store"
    return response


async def send(request: web.Request) -> web.Response:
    """Signed off: to the report it is now. One that was made anew is shown as it is now, to be read first."""
    sent = await request.post()
    auth.check_csrf(request, sent)
    try:
        done = await signed(request, sent.get("sha256"))
    except Refused as refused:
        if refused.status != 409:
            raise
        return await _shown(request, superseded=True)
    return web.Response(status=303, headers={"Location": f"/reports/{done.label}{_asked(request)}"})


def _file_link(request: web.Request, form: str, **more: str) -> str:
    entity = request.query.get("entity", "")
    asked = ({"entity": entity} if entity else {}) | more
    return f"/reports/{request.match_info['label']}/draft/files/{form}?{urlencode(asked)}"


def _asked(request: web.Request) -> str:
    entity = request.query.get("entity", "")
    return f"?{urlencode({'entity': entity})}" if entity else ""
