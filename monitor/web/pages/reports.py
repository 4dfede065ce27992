"""Published reports on the pages: the list, one with its versions and files, and the edition itself."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from monitor.language import Ltr
from monitor.report.counting import FIRST_PAGE
from monitor.report.document import decode, figures_of_json
from monitor.report.figures import FIGURES, Unit
from monitor.report.replies import spoken
from monitor.report.voice import Voice
from monitor.store import report_drafts
from monitor.store import reports as table
from monitor.store.report_drafts import Draft
from monitor.store.reports import ReportLine
from monitor.web import replying
from monitor.web.api.handlers import picture_of
from monitor.web.pages.replies import link_to
from monitor.web.reports import file_made, file_wanted, opened, scope_asked, text_asked, versions_asked
from monitor.web.reviewing import may_review
from monitor.web.site import SITE, bare_page, page, speaker_of
from monitor.web.telling import Telling
from monitor.web.undelivered import owner_of, told, undelivered

SHOWN = 60  # of each list
SHOWN_OF_ALL = ("F01", "F03", "F06", "F08", "F14")


async def reports(request: web.Request) -> web.Response:
    """The last version of each: the government's, and of an entity when it is asked for."""
    site = request.app[SITE]
    if site.live.picture is None:
        return await bare_page(request, "waiting.html", status=503)
    scope = scope_asked(request, picture_of(request).catalogue)
    found = await table.newest(site.store, scope=scope, limit=SHOWN)
    drafts = await report_drafts.waiting(site.store) if may_review(request) else []
    troubles = await undelivered(request)

    def fill(telling: Telling) -> dict[str, Any]:
        return {
            "lines": [(each, _Line(telling, each)) for each in found],
            "entities": telling.picture.catalogue.entities,
            "entity": request.query.get("entity", ""),
            "codes": SHOWN_OF_ALL,
            "drafts": [_draft(telling, each) for each in drafts],
            "undelivered": [told(telling, each) for each in troubles],
        }

    return await page(request, "reports.html", fill=fill)


def _draft(telling: Telling, draft: Draft) -> tuple[Draft, str, str]:
    """A draft, its page, and whose it is."""
    catalogue, speaker = telling.picture.catalogue, telling.speaker
    owner = owner_of(telling, draft.scope)
    link = f"/reports/{draft.label}/draft" + (f"?entity={owner.slug}" if owner else "")
    name = speaker.plain_name(owner.name, owner.slug) if owner else speaker.name(catalogue.government, "")
    return draft, link, name


class _Line:
    """A row of the list: its figures as they are printed, and where it leads."""

    def __init__(self, telling: Telling, line: ReportLine) -> None:
        self._telling, self.figures = telling, figures_of_json(line.figures)
        self.link = report_link(telling, line)
        first, last = (telling.speaker.local(ms).date() for ms in (line.from_ms, line.to_ms - 1))
        self.days = telling.speaker.text(
            "reports.days", first=telling.speaker.date(first), last=telling.speaker.date(last)
        )

    def said(self, code: str) -> str:
        """The digits of a figure, or why there are none."""
        value = self.figures.get(code)
        if value is None or value.text is None:
            says = "no_data" if value is None else value.says.value
            return self._telling.speaker.plain(f"availability.says.{says}")
        if code == "F03":
            return self._telling.speaker.plain("headline.met" if value.text == "yes" else "headline.not_met")
        if value.whole is not None and FIGURES[code].unit is Unit.COUNT:
            return self._telling.speaker.plain("entity.share", available=value.part, total=value.whole)
        return Ltr(f"{value.text}%" if FIGURES[code].unit is Unit.PERCENT else value.text)


def report_link(telling: Telling, line: ReportLine, **query: str) -> str:
    """The page of a report."""
    owner = owner_of(telling, line.scope)
    asked = ({"entity": owner.slug} if owner else {}) | query
    return f"/reports/{line.label}" + (f"?{urlencode(asked)}" if asked else "")


async def report(request: web.Request) -> web.Response:
    """One report: what it says first, its files, its versions."""
    site = request.app[SITE]
    if site.live.picture is None:
        return await bare_page(request, "waiting.html", status=503)
    scope = scope_asked(request, picture_of(request).catalogue)
    lines = await versions_asked(request, scope)
    document = decode(await text_asked(request, scope))
    rows = await replying.readable(request, document.about.label, scope)
    came, gone = replying.later(document, rows)
    shown = next(line for line in lines if line.version == document.about.version)

    def fill(telling: Telling) -> dict[str, Any]:
        catalogue, voice = telling.picture.catalogue, Voice(telling.speaker.language, document)
        return {
            "voice": voice,
            "replies": spoken(document.replies, voice),
            "came": replying.lines_of(came, catalogue, telling.speaker),
            "gone": replying.lines_of(gone, catalogue, telling.speaker),
            "reply_link": link_to(document.about.label, request.query.get("entity", "")),
            "d": document,
            "shown": shown,
            "lines": lines,
            "first_page": FIRST_PAGE,
            "meeting": _meeting_link(request, shown),
            "page_of": lambda line: report_link(telling, line, version=str(line.version)),
            "figure_of": lambda code: _link(request, shown, f"figures/{code}"),
            "file_of": lambda form, **more: _file_link(request, shown, form, **more),
        }

    return await page(request, "report.html", fill=fill)


def _meeting_link(request: web.Request, line: ReportLine) -> str:
    """The view for the wall of just this version."""
    entity = request.query.get("entity", "")
    asked = {"label": line.label, "version": str(line.version)} | ({"scope": entity} if entity else {})
    return f"/committee/meeting?{urlencode(asked)}"


def _file_link(request: web.Request, line: ReportLine, form: str, **more: str) -> str:
    return _link(request, line, f"files/{form}", **more)


def _link(request: web.Request, line: ReportLine, below: str, **more: str) -> str:
    """Something of just this version."""
    entity = request.query.get("entity", "")
    asked = ({"entity": entity} if entity else {}) | {"version": str(line.version)} | more
    return f"/reports/{line.label}/{below}?{urlencode(asked)}"


async def file(request: web.Request) -> web.Response:
    """A file to keep; the HTML edition opens in the browser, under a policy of its own."""
    catalogue, wanted = picture_of(request).catalogue, file_wanted(request)
    text = await text_asked(request, scope_asked(request, catalogue))
    return opened(await file_made(wanted, text, speaker_of(request, catalogue).language))
