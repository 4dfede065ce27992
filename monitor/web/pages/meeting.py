"""The meeting's view of one report, for a wall: an item at a time, and how every figure was counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

from aiohttp import web

from monitor.report.counting import counted_rows
from monitor.report.document import Document, decode
from monitor.report.figures import said_of
from monitor.report.html import TILES, TOP
from monitor.report.replies import Spoken, of_figure, of_figures, of_outage, spoken
from monitor.report.voice import Voice
from monitor.store import committee as table
from monitor.store import reports
from monitor.web import agreed
from monitor.web.api.handlers import picture_of
from monitor.web.reports import scope_called, text_named
from monitor.web.site import SITE, bare_page, page
from monitor.web.telling import Telling

LISTED_MAX = 12  # actions and inquiries carried over that a wall has room for
LINES = 3  # intervals that can be read from three metres; the rest by their number
USUAL_DAYS = timedelta(days=7)  # until the next meeting


async def meeting(request: web.Request) -> web.Response:
    """Of the last weekly report, or of the one that is named; of an entity's where `scope` is its slug."""
    site = request.app[SITE]
    if site.live.picture is None:
        return await bare_page(request, "waiting.html", status=503)
    scope = request.query.get("scope", "")
    text = await _text(request, scope_called(scope, picture_of(request).catalogue))
    document = None if text is None else decode(text)
    values = {
        "d": document,
        "scope": scope,
        "tiles": TILES,
        "top": TOP,
        "actions": await table.actions(site.store, done=False, limit=LISTED_MAX),
        "inquiries": await table.inquiries(site.store, answered=False, limit=LISTED_MAX),
        "asked": _asked(request),
        "may_write": agreed.may_write(request),
        "text_max": agreed.TEXT_MAX,
        "name_max": agreed.NAME_MAX,
        "today": agreed.today(request),
        "due": agreed.today(request) + USUAL_DAYS,
        "due_max": agreed.today(request) + agreed.AHEAD_MAX,
    }

    def fill(telling: Telling) -> dict[str, Any]:
        if document is None:
            return values | {"voice": None, "counted": [], "replies": None}
        voice = Voice(telling.speaker.language, document)
        codes = [each.code for each in said_of("total")]
        replies = _replies(document, voice, codes)
        counted = counted_rows(document, voice, codes, most=LINES)
        return values | {"voice": voice, "counted": counted, "replies": replies}

    return await page(request, "meeting.html", fill=fill)


class _Replies(NamedTuple):
    """What entities replied: by the code of a figure, by the place of an outage, or in general."""

    figures: dict[str, list[Spoken]]
    outages: list[list[Spoken]]
    period: list[Spoken]


def _replies(document: Document, voice: Voice, codes: list[str]) -> _Replies:
    general = [each for each in of_figures(document) if not each.code]
    return _Replies(
        figures={code: spoken(of_figure(document, code), voice) for code in codes},
        outages=[spoken(of_outage(document, outage), voice) for outage in document.outages[:TOP]],
        period=spoken(general, voice),
    )


async def _text(request: web.Request, scope: str) -> bytes | None:
    """The frozen JSON; None before the first report. Raises Refused (404) when the named one is not there."""
    label = request.query.get("label", "")
    if not label:
        newest = await reports.newest(request.app[SITE].store, scope=scope, kind="week", limit=1)
        if not newest:
            return None
        label = newest[0].label
    return await text_named(request, scope, label)


def _asked(request: web.Request) -> int | None:
    """The number of the inquiry that was just filed."""
    text = request.query.get("asked", "")
    known = text.isascii() and text.isdigit() and len(text) <= agreed.NUMBER_DIGITS_MAX
    return int(text) if known else None
