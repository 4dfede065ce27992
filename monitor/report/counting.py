"""How the figures of the first page were counted, and the settings they depend on. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from monitor.report.document import Document, Value
from monitor.report.figures import FIGURES, Unit
from monitor.report.voice import Voice

FIRST_PAGE = ("F01", "F02", "F03", "F04", "F05", "F06", "F08", "F10", "F14", "F17")
TIMES = frozenset({"F01", "F05", "F06"})  # shares of time; parts of others are numbers


class Counted(NamedTuple):
    """One figure of everybody: what it says, over what, and what was divided by what."""

    code: str
    name: str
    written: str
    says: str
    over: str
    share: str


def counted_rows(document: Document, voice: Voice, codes: Iterable[str] = FIRST_PAGE) -> list[Counted]:
    """A row a figure, in the order of their codes."""
    return [
        Counted(
            code,
            voice.plain(f"{code}.name"),
            voice.written(FIGURES[code].unit, document.total.figures[code]),
            voice.plain(f"{code}.says"),
            voice.plain(f"{code}.over"),
            share(code, document.total.figures[code], voice),
        )
        for code in codes
    ]


def share(code: str, value: Value, voice: Voice) -> str:
    """Numerator and denominator in words; empty where nothing was divided."""
    if value.part is None or value.whole is None or FIGURES[code].unit is not Unit.PERCENT:
        return ""
    if code in TIMES:
        ends = voice.span(value.part // 1000), voice.span(value.whole // 1000)
    else:
        ends = voice.number(value.part), voice.number(value.whole)
    return voice.plain("counted.formula.percent", part=ends[0], whole=ends[1])


def settings_rows(document: Document, voice: Voice) -> list[tuple[str, str]]:
    """Each setting the report depends on, and what it was."""
    terms, about = document.terms, document.about
    interval = voice.plain("method.interval.is", interval=voice.percent(terms.interval))
    catalogue = voice.plain("method.catalogue.is", serial=voice.number(about.catalogue))
    degraded = "yes" if terms.degraded_counts else "no"
    return [
        (voice.plain("method.target"), voice.percent(terms.target)),
        (voice.plain("method.missing"), voice.plain(f"method.missing.{terms.missing}")),
        (voice.plain("method.degraded"), voice.plain(f"method.degraded.{degraded}")),
        (voice.plain("method.gate"), voice.percent(terms.coverage_gate)),
        (voice.plain("method.notice"), voice.span(round(terms.notice_s))),
        (voice.plain("method.grace"), voice.span(round(terms.grace_s))),
        (voice.plain("method.deadline"), voice.span(round(terms.deadline_s))),
        (voice.plain("method.interval"), interval),
        (voice.plain("method.zone"), about.zone),
        (voice.plain("method.week_start"), voice.plain(f"day.{about.week_start}")),
        (voice.plain("method.catalogue"), catalogue),
        (voice.plain("method.software"), about.software),
        (voice.plain("method.version"), about.method),
    ]
