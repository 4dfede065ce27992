"""How the figures of the first page were counted, and the settings they depend on. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from monitor.report.document import Document, Lost, Part, Value
from monitor.report.figures import FIGURES
from monitor.report.kept import LEFT_OUT, UNKNOWN
from monitor.report.lines import Lines, lines
from monitor.report.voice import Voice

FIRST_PAGE = ("F01", "F02", "F03", "F04", "F05", "F06", "F08", "F10", "F14", "F17")
TIMES = frozenset({"F01", "F05", "F06"})  # shares of time; parts of others are numbers
LIKE = {"F03": "F01"}  # decided on the numerator and denominator of another
POLICY = frozenset({"F01", "F05"})  # their denominator depends on what unknown time counts as
LISTED = 60  # lines of intervals; the workbook has all


class Fact(NamedTuple):
    """One thing that is said of how a figure was counted: `over`, `share`, `exclusions` or `coverage`."""

    key: str
    label: str
    text: str


class Counted(NamedTuple):
    """One figure of somebody: what it says, and of how it was counted all that applies to it."""

    code: str
    name: str
    value: Value
    written: str
    says: str
    facts: tuple[Fact, ...]
    intervals: Lines | None


def counted_rows(
    document: Document,
    voice: Voice,
    codes: Iterable[str] = FIRST_PAGE,
    *,
    part: Part | None = None,
    most: int = LISTED,
) -> list[Counted]:
    """A row a figure that is said of the part, of everybody unless another is given."""
    whose = document.total if part is None else part
    return [_counted(document, whose, code, voice, most) for code in codes if code in whose.figures]


def _counted(document: Document, part: Part, code: str, voice: Voice, most: int) -> Counted:
    value = part.figures[code]
    said = (
        ("over", voice.plain("counted.over"), voice.plain(f"{code}.over")),
        ("share", voice.plain("counted.share"), share(part, code, voice)),
        ("exclusions", *_exclusions(part, code, voice)),
        ("coverage", voice.plain("F06.name"), _coverage(part, code, voice)),
    )
    return Counted(
        code,
        voice.plain(f"{code}.name"),
        value,
        voice.written(FIGURES[code].unit, value),
        voice.plain(f"{code}.says"),
        tuple(Fact(*each) for each in said if each[2]),
        lines(document, part, code, voice, most=most),
    )


class Listed(NamedTuple):
    """One list of intervals, and the codes of all the figures that are counted from just these."""

    codes: tuple[str, ...]
    intervals: Lines


def interval_lists(rows: Iterable[Counted]) -> list[Listed]:
    """Every list once, in the order of the figures: many figures are counted from the same time."""
    found: dict[tuple[object, ...], tuple[list[str], Lines]] = {}
    for row in rows:
        if row.intervals is not None:
            same = (row.intervals.lines, row.intervals.notes)
            found.setdefault(same, ([], row.intervals))[0].append(row.code)
    return [Listed(tuple(codes), which) for codes, which in found.values()]


def share(part: Part, code: str, voice: Voice) -> str:
    """Numerator and denominator in words; empty where nothing was divided."""
    if code == "F04":
        return _change(part, voice)
    if code == "F17":
        return _missed(part.lost, voice)
    like = LIKE.get(code, code)
    value = part.figures.get(like, Value())
    if value.part is None or value.whole is None or value.text is None:
        return ""
    ends = _ends(value, like, voice)
    if like in POLICY and voice.document.terms.missing != "exclude":
        return voice.plain("counted.required", **ends)
    return voice.plain(f"{like}.share", **ends)


def _ends(value: Value, code: str, voice: Voice) -> dict[str, str]:
    part, whole = value.part or 0, value.whole or 0
    if code == "F16":
        return {"part": voice.span(part // 1000), "whole": voice.number(whole)}
    write = (lambda ms: voice.span(ms // 1000)) if code in TIMES else voice.number
    return {"part": write(part), "whole": write(whole)}


def _change(part: Part, voice: Voice) -> str:
    """The availability of the period and of the one before, as they are subtracted."""
    now, before = part.figures.get("F01"), part.earlier
    if now is None or before is None or now.text is None or before.text is None:
        return ""
    return voice.plain(
        "F04.share",
        now=voice.percent(now.text),
        before=voice.percent(before.text),
        **_ends(before, "F01", voice),
    )


def _missed(lost: Lost | None, voice: Voice) -> str:
    if lost is None:
        return ""
    return voice.plain(
        "F17.share", expected=voice.digits(f"{lost.expected:,.0f}"), seen=voice.number(lost.seen)
    )


def _exclusions(part: Part, code: str, voice: Voice) -> tuple[str, str]:
    """The figure with exclusions dealt with the other way; the same digits where that makes no difference."""
    figure = FIGURES[code]
    if figure.exclusions is None or voice.document.intervals is None:
        return "", ""
    label = voice.plain(f"counted.{'without' if figure.exclusions == 'left_out' else 'with'}")
    if part.counted == part.all_counted:
        return label, voice.plain("counted.nothing_left_out")
    return label, voice.written(figure.unit, part.otherwise.get(code, part.figures[code]))


def _coverage(part: Part, code: str, voice: Voice) -> str:
    """How much of the time a figure is about was measured; not beside figures of what was not."""
    figure = FIGURES[code]
    if figure.kept is None or figure.kept in (UNKNOWN, LEFT_OUT):
        return ""
    value = part.figures["F06"]
    if figure.exclusions == "counted":
        value = part.otherwise.get("F06", value)
    return voice.written(FIGURES["F06"].unit, value)


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
