"""The HTML edition: one file that needs nothing else, in Arabic or English; a view of the frozen JSON."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from monitor.report.charts import trend_svg
from monitor.report.counting import counted_rows, interval_lists, settings_rows
from monitor.report.document import Document, Part
from monitor.report.figures import FIGURES, Unit
from monitor.report.replies import by_entity, of_figures, of_outages, spoken
from monitor.report.voice import Voice, marks_of

ROOM = Path(__file__).parent
FONTS = ROOM.parent / "web" / "static" / "fonts"
TOP = 3  # outages on the first page
LISTED = 300  # of them in the annex: the JSON and the sheets have all
LATIN = "U+0000-00FF, U+2000-206F, U+2192, U+2212"
ARABIC = "U+0600-06FF, U+0750-077F, U+08A0-08FF, U+FB50-FDFF, U+FE70-FEFC"
NAMES = 3  # of one piece of work
TILES = ("F05", "F06", "F08", "F10", "F14", "F17")  # beside the sentence
UPTAKE = ("F31", "F19", "F20", "F21", "F22", "F23")
WORK = ("F24", "F25", "F26", "F27")


@lru_cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(ROOM / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@lru_cache
def style() -> str:
    """The style sheet with the typeface in it."""
    faces = [
        f"@font-face{{font-family:Plex;font-weight:{weight};unicode-range:{where};"
        f"src:url(data:font/woff2;base64,{_font(f'plex-{name}-{weight}.woff2')}) format('woff2')}}"
        for name, where in (("latin", LATIN), ("arabic", ARABIC))
        for weight in (400, 600)
    ]
    return "\n".join([*faces, (ROOM / "templates" / "report.css").read_text(encoding="utf-8")])


def _font(name: str) -> str:
    return base64.b64encode((FONTS / name).read_bytes()).decode()


@lru_cache
def policy() -> str:
    """The Content-Security-Policy under which the edition works: its own style and fonts alone."""
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; font-src data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'self'"
    )


def html(document: Document, language: str, *, digest: str, draft: bool = False) -> str:
    """The edition in a language; `digest` is the SHA-256 of the frozen JSON it is a view of.

    A `draft` says so on every page.
    """
    voice = Voice(language, document)
    counted = counted_rows(document, voice)
    values: dict[str, Any] = {
        "d": document,
        "v": voice,
        "t": voice.text,
        "digest": digest,
        "style": Markup(style()),  # noqa: S704 - our own file
        "mark": " · ".join(marks_of(document.about, draft=draft)),
        "chart": trend_svg(document, voice),
        "counted": counted,
        "interval_lists": interval_lists(counted),
        "settings": settings_rows(document, voice),
        "replies_of_figures": by_entity(spoken(of_figures(document), voice)),
        "replies_of_outages": by_entity(spoken(of_outages(document), voice)),
        "figures": FIGURES.values(),
        "unit": Unit,
        "top": TOP,
        "listed": LISTED,
        "tiles": TILES,
        "uptake_figures": UPTAKE,
        "work_figures": WORK,
        "work_names": NAMES,
        "missed_objective": [each for each in document.services if _is(each, "no")],
    }
    return _environment().get_template("report.html").render(values)


def _is(part: Part, answer: str) -> bool:
    return part.figures["F03"].text == answer
