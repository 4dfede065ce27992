"""The committee's week as its pages show it: beside the weeks before, and what waits for its ruling."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from aiohttp import web

from monitor.facts import FigureRow
from monitor.judge.answers import period_figure
from monitor.judge.approval import Both, stake
from monitor.judge.figures import When
from monitor.judge.periods import Kind, Period, day_of
from monitor.judge.ranges import Range
from monitor.judge.reading import figure_row, open_accounts
from monitor.judge.seconds import Says, spent_of
from monitor.judge.terms import Terms, terms_of
from monitor.model import GOVERNMENT
from monitor.report.document import figures_of_json
from monitor.report.figures import points_value
from monitor.report.objectives import percent
from monitor.report.times import Stretch, before, stretch_of
from monitor.store import figures, reports
from monitor.store.pool import Store
from monitor.store.reports import ReportLine
from monitor.web.api.handlers import picture_of
from monitor.web.site import SITE
from monitor.web.working import Shown

WEEKS = 13
CORRECTIONS_MAX = 20
TOUCHED_MAX = 5  # weeks of one piece of work


class Week(NamedTuple):
    """What is printed of a week: as its last report froze it, else as it is counted now. Percent as text."""

    label: str
    first: date
    says: str
    availability: str | None
    coverage: str | None
    met: bool | None
    down_ms: int
    outages: int
    as_of_ms: int
    report: ReportLine | None = None


class Weeks(NamedTuple):
    """This week so far, the one before it, and thirteen that are over, the last one first."""

    now: Week
    over: list[Week]
    points: str | None  # this week less the last one, as both are printed

    @property
    def last(self) -> Week:
        return self.over[0]


async def weeks_of(store: Store, terms: Terms, *, now_ms: int) -> Weeks:
    """Figures of everybody. Raises StoreUnavailable."""
    this = stretch_of(Kind.WEEK, day_of(now_ms, terms.zone), terms.zone, week_start=terms.week_start)
    stretches = [before(this, terms.zone, week_start=terms.week_start)]
    while len(stretches) < WEEKS:
        stretches.append(before(stretches[-1], terms.zone, week_start=terms.week_start))
    published = await reports.newest(store, scope=GOVERNMENT, kind=Kind.WEEK.value, limit=WEEKS + 1)
    frozen = {line.from_ms: line for line in published}
    now = _counted(this, await period_figure(store, terms, GOVERNMENT, Kind.WEEK, this.start_ms), terms)
    over = await _over(store, terms, stretches, frozen)
    return Weeks(now, over, _points(now, over[0], terms))


async def _over(
    store: Store, terms: Terms, stretches: Sequence[Stretch], frozen: dict[int, ReportLine]
) -> list[Week]:
    rows = await figures.read(
        store,
        zone=terms.zone.key,
        kind=Kind.WEEK.value,
        from_ms=stretches[-1].start_ms,
        to_ms=stretches[0].end_ms,
        subjects=[GOVERNMENT],
    )
    stored = {row.start_ms: row for row in rows}
    found = []
    for stretch in stretches:
        line, row = frozen.get(stretch.start_ms), stored.get(stretch.start_ms)
        if line is not None:
            found.append(_frozen(stretch, line))
        else:
            found.append(_counted(stretch, row, terms))
    return found


def _counted(stretch: Stretch, row: FigureRow | None, terms: Terms) -> Week:
    if row is None:
        says = Says.NO_DATA.value
        return Week(stretch.label, stretch.first, says, None, None, None, 0, 0, stretch.start_ms)
    tally = row.counted
    return Week(
        label=stretch.label,
        first=stretch.first,
        says=tally.says,
        availability=tally.availability,
        coverage=tally.coverage,
        met=_met(row, terms),
        down_ms=tally.down_ms,
        outages=tally.outages,
        as_of_ms=min(row.as_of_ms, row.end_ms),
    )


def _met(row: FigureRow, terms: Terms) -> bool | None:
    """Decided on exact milliseconds, never on printed digits."""
    if row.counted.availability is None:
        return None
    part, whole = spent_of(row.counted).counted(terms.policy)
    return part >= Fraction(percent(terms.policy.target)) / 100 * whole


def _frozen(stretch: Stretch, line: ReportLine) -> Week:
    found = figures_of_json(line.figures)
    said, met = found["F01"], found["F03"].text
    return Week(
        label=stretch.label,
        first=stretch.first,
        says=said.says.value,
        availability=said.text,
        coverage=found["F06"].text,
        met=None if met is None else met == "yes",
        down_ms=int(found["F10"].text or 0) * 1000,
        outages=int(found["F14"].text or 0),
        as_of_ms=line.as_of_ms,
        report=line,
    )


def _points(now: Week, last: Week, terms: Terms) -> str | None:
    if now.availability is None or last.availability is None:
        return None
    return points_value(Fraction(now.availability) - Fraction(last.availability), terms.policy.decimals).text


class AtStake(NamedTuple):
    """What hangs on leaving work out in one week: figures as (counts, left out)."""

    label: str
    everybody: tuple[FigureRow, FigureRow]
    services: tuple[FigureRow, FigureRow]
    named: tuple[str, ...]


class Correction(NamedTuple):
    """Work that counts and may be left out, and each week it touches so far; none: it has not begun."""

    shown: Shown
    weeks: list[AtStake]


async def corrections(request: web.Request, waiting: Sequence[Shown]) -> list[Correction]:
    """What waits for the committee, with both figures of every week it touches. Raises StoreUnavailable."""
    store, terms = request.app[SITE].store, terms_of(picture_of(request).catalogue)
    judged_ms = await figures.judged_until(store) or 0
    found = [Correction(each, []) for each in waiting[:CORRECTIONS_MAX]]
    periods: dict[Period, list[Correction]] = {}
    for each in found:
        for period in _weeks_of(each.shown.exclusion.range, terms):
            periods.setdefault(period, []).append(each)
    for period in sorted(periods):
        when = When(period.start_ms, period.end_ms, judged_ms)
        begun = [each for each in periods[period] if each.shown.exclusion.from_ms < when.stop_ms]
        if begun and when.start_ms < when.stop_ms:
            await _stake_week(store, terms, when, begun)
    return found


def _weeks_of(work: Range, terms: Terms) -> Iterator[Period]:
    """The weeks it touches, the first one first."""
    at_ms, end_ms = work
    for _ in range(TOUCHED_MAX):
        period = terms.period(Kind.WEEK, at_ms)
        yield period
        at_ms = period.end_ms
        if at_ms >= end_ms:
            return


async def _stake_week(store: Store, terms: Terms, when: When, those: Sequence[Correction]) -> None:
    """Add the week to each of these."""
    day = day_of(when.start_ms, terms.zone)
    label = stretch_of(Kind.WEEK, day, terms.zone, week_start=terms.week_start).label
    accounts = await open_accounts(
        store, from_ms=when.start_ms, to_ms=when.stop_ms, policy=terms.policy, subjects=[GOVERNMENT]
    )
    for each in those:
        found = await asyncio.to_thread(stake, accounts, each.shown.exclusion, when)
        each.weeks.append(
            AtStake(label, _rows(found.everybody, terms), _rows(found.services, terms), found.named)
        )


def _rows(both: Both, terms: Terms) -> tuple[FigureRow, FigureRow]:
    counts, left_out = (figure_row(GOVERNMENT, terms.zone.key, "week", each, terms.policy) for each in both)
    return counts, left_out
