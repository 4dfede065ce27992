"""Every figure of the report, declared once: code, unit, formula, and whom it is said of. Pure.

The JSON, the HTML, the PDF, the sheets, the data dictionary and the API all follow from these declarations;
name, definition and what a figure is counted over are texts of `locale/`, under its code. A formula reads the
frozen numbers of one part (everybody, an entity, a service, a week of the trend) and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from fractions import Fraction
from typing import Literal, NamedTuple

from msgspec.structs import replace

from monitor.judge.missed import Estimate, missed
from monitor.judge.pattern import Expectation
from monitor.judge.seconds import Says, Spent, format_percent, rate
from monitor.judge.uptake import DECIMALS, Compared, Share
from monitor.model import Missing, Policy
from monitor.report.document import Document, Lost, Part, Terms, Time, Value
from monitor.report.kept import (
    DEGRADED,
    DOWN,
    LEFT_OUT,
    LONGEST,
    LOST,
    LOST_OF_ALL,
    LOST_OF_UNMET,
    RESTORED,
    UNKNOWN,
    Kept,
)


class Unit(StrEnum):
    """What the digits of a figure count."""

    PERCENT = "percent"
    POINTS = "points"  # percentage points more, or fewer
    DURATION = "duration"  # seconds
    COUNT = "count"
    ESTIMATE = "estimate"  # of transactions, with its interval
    ANSWER = "answer"  # yes or no


Formula = Callable[[Part, Document], Value]


Exclusions = Literal["left_out", "counted"]
"""What a figure does with them; the other way stands beside it."""


class Figure(NamedTuple):
    """A declaration. `decimals` None: as the policy says; `over`: the kinds of parts it is said of."""

    code: str
    key: str
    unit: Unit
    decimals: int | None
    over: frozenset[str]
    formula: Formula
    kept: Kept | None
    exclusions: Exclusions | None


FIGURES: dict[str, Figure] = {}
"""By code, in the order in which they are shown."""

SUMS = frozenset({"total", "entity"})
PARTS = SUMS | {"service"}
EVERY = PARTS | {"week"}
NO_DATA, NOT_APPLICABLE = Value(says=Says.NO_DATA), Value(says=Says.NOT_APPLICABLE)


def _figure(
    code: str,
    key: str,
    unit: Unit,
    *,
    over: frozenset[str],
    decimals: int | None = 0,
    kept: Kept | None = None,
    exclusions: Exclusions | None = None,
) -> Callable[[Formula], Formula]:
    def declare(formula: Formula) -> Formula:
        assert code not in FIGURES, f"{code} is declared twice"
        FIGURES[code] = Figure(code, key, unit, decimals, over, formula, kept, exclusions)
        return formula

    return declare


def figures_of(part: Part, document: Document) -> dict[str, Value]:
    """Every figure that is said of such a part, by code."""
    return {each.code: each.formula(part, document) for each in said_of(part.kind)}


def otherwise_of(part: Part, document: Document) -> dict[str, Value]:
    """Figures of time as they would be if exclusions were dealt with the other way, where that differs."""
    if part.kind == "week" or part.counted == part.all_counted:
        return {}
    other = replace(part, counted=part.all_counted, all_counted=part.counted)
    both = ((each, each.formula(other, document)) for each in said_of(part.kind) if each.exclusions)
    return {each.code: value for each, value in both if value != part.figures[each.code]}


def earlier_of(part: Part, document: Document) -> Value | None:
    """The availability of the period before; None where there was none to compare with."""
    return None if part.before is None else _available(part.before, document.terms)


def said_of(kind: str) -> list[Figure]:
    """The figures of a kind of part, in order."""
    return [each for each in FIGURES.values() if kind in each.over]


def by_key(key: str) -> Figure:
    """The figure of that name; it must be declared."""
    return next(each for each in FIGURES.values() if each.key == key)


# -- availability


@_figure("F01", "availability", Unit.PERCENT, over=EVERY, decimals=None, kept=LOST, exclusions="left_out")
def _availability(part: Part, document: Document) -> Value:
    return _available(part.counted, document.terms)


@_figure("F02", "target", Unit.PERCENT, over=PARTS, decimals=None)
def _target(part: Part, document: Document) -> Value:
    return Value(text=part.objective or document.terms.target)


@_figure("F03", "target_met", Unit.ANSWER, over=EVERY, kept=LOST, exclusions="left_out")
def _target_met(part: Part, document: Document) -> Value:
    """Decided on exact milliseconds, never on printed digits (T41)."""
    found = _available(part.counted, document.terms)
    if found.says is not Says.FIGURE:
        return Value(says=found.says)
    assert found.part is not None
    assert found.whole is not None
    target = Fraction(part.objective or document.terms.target) / 100
    return _answer(found.part >= target * found.whole)


@_figure("F04", "availability_change", Unit.POINTS, over=PARTS, decimals=None, kept=LOST)
def _availability_change(part: Part, document: Document) -> Value:
    if part.before is None:
        return NOT_APPLICABLE
    now, before = (_available(time, document.terms) for time in (part.counted, part.before))
    return _change(now, before, document.terms.decimals)


@_figure(
    "F05",
    "availability_all_counted",
    Unit.PERCENT,
    over=PARTS,
    decimals=None,
    kept=LOST_OF_ALL,
    exclusions="counted",
)
def _availability_all_counted(part: Part, document: Document) -> Value:
    return _available(part.all_counted, document.terms)


@_figure("F06", "coverage", Unit.PERCENT, over=EVERY, decimals=None, kept=UNKNOWN, exclusions="left_out")
def _coverage(part: Part, document: Document) -> Value:
    spent = _spent(part.counted)
    text = rate(spent, _policy(document.terms)).coverage
    if text is None:
        return NOT_APPLICABLE
    return Value(text=text, part=spent.measured_ms, whole=spent.required_ms)


# -- services and their objectives


@_figure("F07", "services", Unit.COUNT, over=SUMS)
def _services(part: Part, document: Document) -> Value:
    return _count(part.services)


@_figure("F08", "services_met", Unit.COUNT, over=SUMS, kept=LOST_OF_UNMET)
def _services_met(part: Part, document: Document) -> Value:
    return Value(text=str(part.met), part=part.met, whole=part.judged) if part.judged else NO_DATA


@_figure("F09", "services_without_figure", Unit.COUNT, over=SUMS)
def _services_without_figure(part: Part, document: Document) -> Value:
    return _count(part.services - part.judged)


# -- time


@_figure("F10", "down_time", Unit.DURATION, over=PARTS, kept=DOWN, exclusions="left_out")
def _down_time(part: Part, document: Document) -> Value:
    return _duration(part.counted.down_ms)


@_figure("F11", "degraded_time", Unit.DURATION, over=PARTS, kept=DEGRADED, exclusions="left_out")
def _degraded_time(part: Part, document: Document) -> Value:
    return _duration(part.counted.degraded_ms)


@_figure("F12", "unknown_time", Unit.DURATION, over=PARTS, kept=UNKNOWN, exclusions="left_out")
def _unknown_time(part: Part, document: Document) -> Value:
    return _duration(part.counted.unknown_ms)


@_figure("F13", "excluded_time", Unit.DURATION, over=PARTS, kept=LEFT_OUT)
def _excluded_time(part: Part, document: Document) -> Value:
    return _duration(part.counted.maintenance_ms + part.counted.out_of_hours_ms)


# -- outages


@_figure("F14", "outages", Unit.COUNT, over=PARTS, kept=DOWN, exclusions="left_out")
def _outages(part: Part, document: Document) -> Value:
    return _count(part.counted.outages)


@_figure("F15", "longest_outage", Unit.DURATION, over=PARTS, kept=LONGEST, exclusions="left_out")
def _longest_outage(part: Part, document: Document) -> Value:
    return _duration(part.counted.longest_ms) if part.counted.outages else NOT_APPLICABLE


@_figure("F16", "mean_restore", Unit.DURATION, over=PARTS, kept=RESTORED, exclusions="left_out")
def _mean_restore(part: Part, document: Document) -> Value:
    restored, spent_ms = part.counted.restored, part.counted.restored_ms
    if not restored:
        return NOT_APPLICABLE
    return Value(text=str(spent_ms // restored // 1000), part=spent_ms, whole=restored)


# -- transactions


@_figure("F17", "missed", Unit.ESTIMATE, over=PARTS, kept=DOWN)
def _missed(part: Part, document: Document) -> Value:
    return NOT_APPLICABLE if _nothing_down(part) else missed_value(part.lost)


@_figure("F18", "made_up", Unit.ESTIMATE, over=PARTS, kept=RESTORED)
def _made_up(part: Part, document: Document) -> Value:
    lost = part.lost
    if _nothing_down(part):
        return NOT_APPLICABLE
    if lost is None or lost.made_up is None or lost.made_up_low is None or lost.made_up_high is None:
        return NO_DATA
    return _estimate(Estimate(lost.made_up, lost.made_up_low, lost.made_up_high))


@_figure("F19", "transactions", Unit.COUNT, over=PARTS)
def _transactions(part: Part, document: Document) -> Value:
    counts = part.counts
    if counts is None:
        return NO_DATA
    return _count(counts.completed + counts.failed + counts.abandoned)


@_figure("F20", "completion", Unit.PERCENT, over=PARTS, decimals=DECIMALS)
def _completion(part: Part, document: Document) -> Value:
    return _share(part.completion)


@_figure("F21", "completion_change", Unit.POINTS, over=PARTS, decimals=DECIMALS)
def _completion_change(part: Part, document: Document) -> Value:
    return _share_change(part.completion)


@_figure("F22", "uptake", Unit.PERCENT, over=PARTS, decimals=DECIMALS)
def _uptake(part: Part, document: Document) -> Value:
    return _share(part.uptake)


@_figure("F23", "uptake_change", Unit.POINTS, over=PARTS, decimals=DECIMALS)
def _uptake_change(part: Part, document: Document) -> Value:
    return _share_change(part.uptake)


# -- planned work


@_figure("F24", "work_announced", Unit.COUNT, over=frozenset({"total"}))
def _work_announced(part: Part, document: Document) -> Value:
    return _work(document, {"noticed"})


@_figure("F25", "work_short_notice", Unit.COUNT, over=frozenset({"total"}))
def _work_short_notice(part: Part, document: Document) -> Value:
    return _work(document, {"short_notice"})


@_figure("F26", "work_overrun", Unit.COUNT, over=frozenset({"total"}))
def _work_overrun(part: Part, document: Document) -> Value:
    return _work(document, {"overrun"})


@_figure("F27", "work_unannounced", Unit.COUNT, over=frozenset({"total"}))
def _work_unannounced(part: Part, document: Document) -> Value:
    return _work(document, {"unannounced", "already_down"})


# -- what else the committee should know


@_figure("F28", "certificates_ending", Unit.COUNT, over=frozenset({"total"}))
def _certificates_ending(part: Part, document: Document) -> Value:
    return _count(len(document.certificates))


@_figure("F29", "advisories", Unit.COUNT, over=frozenset({"total"}))
def _advisories(part: Part, document: Document) -> Value:
    return _count(len(document.advisories))


@_figure("F30", "causes", Unit.COUNT, over=frozenset({"total"}), kept=DOWN)
def _causes(part: Part, document: Document) -> Value:
    return _count(len(document.outages))


@_figure("F31", "availability_by_transactions", Unit.PERCENT, over=PARTS, decimals=None, kept=LOST_OF_ALL)
def _availability_by_transactions(part: Part, document: Document) -> Value:
    """Beside the availability by time, in which every service weighs the same."""
    if part.by_transactions is None:
        return NO_DATA
    could, all_of_them = part.by_transactions.counted(Missing(document.terms.missing))
    text = format_percent(could, all_of_them, document.terms.decimals)
    return NO_DATA if text is None else Value(text=text, part=could, whole=all_of_them)


@_figure("F32", "objectives_at_risk", Unit.COUNT, over=frozenset({"total"}))
def _objectives_at_risk(part: Part, document: Document) -> Value:
    return _count(len(document.at_risk))


# -- how digits come about


def _nothing_down(part: Part) -> bool:
    """Who was never down missed nothing, whether or not anybody knows what is usual there."""
    return part.lost is None and not part.counted.outages and _spent(part.counted).measured_ms > 0


def missed_value(lost: Lost | None) -> Value:
    """Missed transactions (estimate) as they are printed, wherever they are."""
    if lost is None:
        return NO_DATA
    return _estimate(missed(Expectation(lost.expected, lost.own, lost.shared), lost.seen))


def _estimate(found: Estimate) -> Value:
    low, high = found.whole
    return Value(text=found.about, low=str(low), high=str(high))


def _available(time: Time, terms: Terms) -> Value:
    spent, policy = _spent(time), _policy(terms)
    said = rate(spent, policy)
    if said.availability is None:
        return Value(says=said.says)
    part, whole = spent.counted(policy)
    return Value(text=said.availability, part=part, whole=whole)


def _spent(time: Time) -> Spent:
    return Spent(
        time.up_ms,
        time.degraded_ms,
        time.unknown_ms,
        time.down_ms,
        time.maintenance_ms,
        time.out_of_hours_ms,
    )


def _policy(terms: Terms) -> Policy:
    return Policy(
        coverage_gate=float(Fraction(terms.coverage_gate) / 100),
        missing=Missing(terms.missing),
        degraded_counts=terms.degraded_counts,
        decimals=terms.decimals,
    )


def _change(now: Value, before: Value, decimals: int) -> Value:
    """Percentage points between the two as printed, so that what stands side by side adds up."""
    if now.text is None or before.text is None:
        return NO_DATA
    return points_value(Fraction(now.text) - Fraction(before.text), decimals)


def points_value(points: Fraction, decimals: int) -> Value:
    """`+0.12`, `-0.30`, `0.00`: exact, as both ends were cut before."""
    scaled = points * 10**decimals
    assert scaled.denominator == 1, "both ends have no more decimals"
    whole, rest = divmod(abs(scaled.numerator), 10**decimals)
    sign = "" if not scaled else "+" if scaled > 0 else "-"
    return Value(text=f"{sign}{whole}.{rest:0{decimals}d}" if decimals else f"{sign}{whole}")


def _share(found: Compared | None) -> Value:
    if found is None or found.now.percent is None:
        return NO_DATA
    return _share_value(found.now)


def _share_value(share: Share) -> Value:
    return Value(text=share.percent, part=share.part, whole=share.whole)


def _share_change(found: Compared | None) -> Value:
    if found is None or found.points is None:
        return NO_DATA
    return points_value(found.points, DECIMALS)


def _count(number: int) -> Value:
    return Value(text=str(number))


def _duration(ms: int) -> Value:
    """Whole seconds, cut."""
    return Value(text=str(ms // 1000))


def _answer(yes: bool) -> Value:
    return Value(text="yes" if yes else "no")


def _work(document: Document, notices: Iterable[str]) -> Value:
    return _count(sum(each.notice in notices for each in document.work))
