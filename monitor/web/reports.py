"""What pages and API share of published reports: which one an address names, and its files."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import NamedTuple

from aiohttp import web

from monitor.errors import FileNotMade
from monitor.model import GOVERNMENT, Catalogue
from monitor.report.files import FORMATS, PAPERS, TABLES, File, file_of
from monitor.report.html import policy
from monitor.report.pdf.blocks import Paper
from monitor.store import reports
from monitor.store.reports import ReportLine
from monitor.web.problems import Refused
from monitor.web.site import SITE

FILES_KEPT = 8
VERSION_MAX = 10**6


def scope_asked(request: web.Request, catalogue: Catalogue) -> str:
    """The subject of `entity`, or the government. Raises Refused (404)."""
    return scope_called(request.query.get("entity", ""), catalogue)


def scope_called(slug: str, catalogue: Catalogue) -> str:
    """The subject of the entity of that slug, or the government without one. Raises Refused (404)."""
    if slug in ("", GOVERNMENT):
        return GOVERNMENT
    entity = catalogue.entities_by_slug.get(slug)
    if entity is None:
        raise Refused(404, "Not found", f"no entity is called {slug!r}")
    return entity.subject


def version_asked(request: web.Request) -> int | None:
    """`version` as a number; None for the last one. Raises Refused (400)."""
    text = request.query.get("version", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= VERSION_MAX):
        raise Refused(400, "Bad parameter", "`version` must be a whole number from 1")
    return int(text)


async def versions_asked(request: web.Request, scope: str) -> list[ReportLine]:
    """Every version of the report that the address names, the last one first. Raises Refused (404)."""
    label = request.match_info["label"]
    found = await reports.versions(request.app[SITE].store, scope=scope, label=label)
    if not found:
        raise Refused(404, "Not found", f"no report {label!r} is published")
    return found


async def text_asked(request: web.Request, scope: str) -> bytes:
    """The frozen JSON that the address names. Raises Refused (404)."""
    return await text_named(request, scope, request.match_info["label"])


async def text_named(request: web.Request, scope: str, label: str) -> bytes:
    """The frozen JSON of that report in the `version` that is asked for. Raises Refused (404)."""
    version = version_asked(request)
    text = await reports.document(request.app[SITE].store, scope=scope, label=label, version=version)
    if text is None:
        raise Refused(404, "Not found", f"no report {label!r} of that version is published")
    return text


class Wanted(NamedTuple):
    """The file that an address names."""

    form: str
    table: str
    paper: Paper


def file_wanted(request: web.Request) -> Wanted:
    """Which file the address names. Raises Refused (400, 404)."""
    form, table = request.match_info["form"], request.query.get("table", "services")
    if form not in FORMATS:
        raise Refused(404, "Not found", f"no format {form!r}; there are {', '.join(FORMATS)}")
    if table not in TABLES:
        raise Refused(400, "Bad parameter", f"`table` must be one of {', '.join(TABLES)}")
    return Wanted(form, table, paper_asked(request))


async def file_made(wanted: Wanted, text: bytes, language: str, *, draft: bool = False) -> File:
    """That file, of a frozen report or of a draft. Raises Refused (503)."""
    try:
        return await asyncio.to_thread(_file, text, wanted, language, draft=draft)
    except FileNotMade as error:
        raise Refused(503, "Not made", str(error), headers={"Retry-After": "5"}) from error


def paper_asked(request: web.Request) -> Paper:
    """`paper`, of PDF; A4 when absent. Raises Refused (400)."""
    asked = request.query.get("paper", "a4")
    found = next((paper for paper in PAPERS if paper == asked), None)
    if found is None:
        raise Refused(400, "Bad parameter", f"`paper` must be one of {', '.join(PAPERS)}")
    return found


@lru_cache(maxsize=FILES_KEPT)
def _file(text: bytes, wanted: Wanted, language: str, *, draft: bool) -> File:
    return file_of(text, wanted.form, language, table=wanted.table, paper=wanted.paper, draft=draft)


def attachment(made: File) -> web.Response:
    """A file to keep."""
    disposition = f'attachment; filename="{made.name}"'
    headers = {"Content-Type": made.content_type, "Content-Disposition": disposition}
    return web.Response(body=made.body, headers=headers)


def opened(made: File) -> web.Response:
    """A file to keep; the HTML edition opens in the browser, under a policy of its own."""
    response = attachment(made)
    if made.content_type.startswith("text/html"):
        response.headers["Content-Disposition"] = f'inline; filename="{made.name}"'
        response.headers["Content-Security-Policy"] = policy()
    return response
