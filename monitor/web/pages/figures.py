"""How one figure of a published report was counted, of everybody or of one entity or service in it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from monitor.report.counting import counted_rows
from monitor.report.document import Part
from monitor.report.figures import said_of
from monitor.report.replies import of_figure, spoken
from monitor.report.voice import Voice
from monitor.web.figures import figure_asked
from monitor.web.site import SITE, bare_page, page
from monitor.web.telling import Telling

LINES = 200  # of intervals; the workbook has all


async def figure(request: web.Request) -> web.Response:
    if request.app[SITE].live.picture is None:
        return await bare_page(request, "waiting.html", status=503)
    asked = await figure_asked(request)
    document, part, code = asked.document, asked.part, asked.code
    carried = {key: request.query[key] for key in ("entity", "version") if request.query.get(key)}

    def link(other: str) -> str:
        """The same of another figure."""
        query = carried | ({"subject": part.subject} if part is not document.total else {})
        return f"/reports/{document.about.label}/figures/{other}" + (f"?{urlencode(query)}" if query else "")

    def fill(telling: Telling) -> dict[str, Any]:
        voice = Voice(telling.speaker.language, document)
        [row] = counted_rows(document, voice, [code], part=part, most=LINES)
        return {
            "d": document,
            "v": voice,
            "part": part,
            "row": row,
            "replies": spoken(of_figure(document, code, part), voice),
            "link": link,
            "codes": [each.code for each in said_of(part.kind)],
            "carried": carried,
            "report": f"/reports/{document.about.label}" + (f"?{urlencode(carried)}" if carried else ""),
            "choices": [
                ("entities.title", _by_name(document.entities, voice, code)),
                ("services.title", _by_name(document.services, voice, code)),
            ],
        }

    return await page(request, "figure.html", fill=fill)


def _by_name(parts: tuple[Part, ...], voice: Voice, code: str) -> list[Part]:
    """Those of whom the figure is said."""
    return sorted((each for each in parts if code in each.figures), key=voice.called)
