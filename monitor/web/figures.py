"""What pages and API share of one figure of a published report: which one an address names, and of whom."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from aiohttp import web

from monitor.report.document import Document, Part, decode, digest
from monitor.report.evidence import part_called
from monitor.report.figures import FIGURES
from monitor.web.api.handlers import picture_of
from monitor.web.problems import Refused
from monitor.web.reports import scope_asked, text_asked


class Asked(NamedTuple):
    """A figure of a part of a frozen report; `sha256` is that of its JSON."""

    document: Document
    sha256: str
    part: Part
    code: str


async def figure_asked(request: web.Request) -> Asked:
    """The figure in the address, of `subject` or of everybody in the report. Raises Refused (404)."""
    text = await text_asked(request, scope_asked(request, picture_of(request).catalogue))
    document = await asyncio.to_thread(decode, text)
    called = request.query.get("subject", "")
    part = part_called(document, called)
    if part is None:
        raise Refused(404, "Not found", f"nothing in this report is called {called!r}")
    code = request.match_info["code"]
    if code not in FIGURES:
        raise Refused(404, "Not found", f"no figure {code!r}; there are {min(FIGURES)} to {max(FIGURES)}")
    if code not in part.figures:
        raise Refused(404, "Not found", f"{code} is not said of {part.subject!r}")
    return Asked(document, digest(text), part, code)
