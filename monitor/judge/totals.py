"""One pass of accounting: days anew, and every period that holds one of them by adding up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from monitor.facts import Dirty, FigureRow
from monitor.judge.figures import Figure, Tally, When, joined
from monitor.judge.periods import PARTS, ROLLING, Kind, Period, days_touching
from monitor.judge.reading import figure_of, figure_row, open_accounts
from monitor.judge.terms import Terms
from monitor.store import figures
from monitor.store.pool import Store

DAYS = 7  # dealt with in one pass
FOR_EVER_MS = 2**47

By = Mapping[str, Figure]
"""Figures of one period, by subject."""


class Work(NamedTuple):
    """Days to account anew, in order, and how far everything is accounted when that is done.

    What `marks` say is then dealt with up to `marks_until_ms`. `more`: there are days to come after these.
    `again`: some days were accounted before. `anew`: the stored figures are of other terms.
    """

    terms: Terms
    days: list[Period]
    until_ms: int
    marks: list[int]
    marks_until_ms: int
    more: bool
    again: bool
    anew: bool

    def current(self, kind: Kind) -> Period:
        """The period that is going on where accounting ends."""
        return self.terms.period(kind, self.until_ms - 1)

    def replaced(self) -> Iterator[tuple[Kind, int | None]]:
        """Kinds of which only the figures that begin at an instant, or none, may stay."""
        if self.anew:
            yield Kind.WEEK, None
        if not self.more:
            yield from ((kind, self.current(kind).start_ms) for kind in ROLLING)


def plan(
    terms: Terms, marks: Sequence[Dirty], *, began_ms: int, since_ms: int, as_of_ms: int, anew: bool
) -> Work | None:
    """The days since the last pass and those that are marked, the oldest first; None without any.

    Before `began_ms` nobody existed: marks of that time need no work.
    """
    new = set(days_touching(since_ms, as_of_ms, terms.zone))
    found = set(new)
    for mark in [] if anew else marks:
        until_ms = as_of_ms if mark.until_ms is None else min(mark.until_ms, as_of_ms)
        found.update(days_touching(max(mark.since_ms, began_ms), until_ms, terms.zone))
    days = sorted(found, key=lambda day: day.start_ms)
    if not days:
        return None
    now, more = days[:DAYS], len(days) > DAYS
    return Work(
        terms=terms,
        days=now,
        until_ms=max(since_ms, min(as_of_ms, now[-1].end_ms)),
        marks=[mark.id for mark in marks],
        marks_until_ms=now[-1].end_ms if more and not anew else FOR_EVER_MS,
        more=more,
        again=anew or found > new,
        anew=anew,
    )


class Totals:
    """Makes the rows of a pass. Remembers what periods that go on were before today."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._before: dict[Kind, tuple[int, int, By]] = {}

    def forget(self) -> None:
        """Another process may have written figures meanwhile."""
        self._before.clear()

    async def rows(self, work: Work) -> list[FigureRow]:
        """Figures of the work's days, and of every period that holds one. Raises StoreUnavailable."""
        if work.again:
            self.forget()
        made: dict[Kind, dict[Period, By]] = {Kind.DAY: await self._days(work)}
        for kind, part in PARTS.items():
            made[kind] = {
                period: await self._sum(period, made[part], work)
                for period in _holding(kind, made[part], work)
            }
        return await asyncio.to_thread(_rows, made, work.terms)

    async def _days(self, work: Work) -> dict[Period, By]:
        made: dict[Period, By] = {}
        for row in _in_a_row(work.days):
            until_ms = min(row[-1].end_ms, work.until_ms)
            accounts = await open_accounts(
                self._store, from_ms=row[0].start_ms, to_ms=until_ms, policy=work.terms.policy
            )
            for day in row:
                when = When(day.start_ms, day.end_ms, work.until_ms)
                made[day] = await asyncio.to_thread(accounts.figures, when)
        return made

    async def _sum(self, period: Period, fresh: Mapping[Period, By], work: Work) -> By:
        """A period from its parts: those made just now, and the stored ones before and after them."""
        own = sorted(part for part in fresh if period.start_ms <= part.start_ms < period.end_ms)
        before = await self._stored_before(period, own[0], work)
        if len(_in_a_row(own)) == 1 and own[-1].end_ms >= min(work.until_ms, period.end_ms):
            made = {part: fresh[part] for part in own}
            return await asyncio.to_thread(self._grown, period, before, made, work)
        later = await self._stored(own[0].kind, own[0].start_ms + 1, period.end_ms, work.terms)
        later |= {part.start_ms: fresh[part] for part in own}
        when = When(period.start_ms, period.end_ms, work.until_ms)
        return await asyncio.to_thread(_added, [before, *later.values()], when)

    def _grown(self, period: Period, before: By, made: Mapping[Period, By], work: Work) -> By:
        """What was before and what is new; parts that are over are remembered with what was before."""
        over = [part for part in made if part.end_ms <= work.until_ms]
        if over:
            cut_ms = over[-1].end_ms
            when = When(period.start_ms, cut_ms, cut_ms)
            before = _added([before, *(made[part] for part in over)], when)
            self._before[period.kind] = period.start_ms, cut_ms, before
        going_on = [by for part, by in made.items() if part not in over]
        return _added([before, *going_on], When(period.start_ms, period.end_ms, work.until_ms))

    async def _stored_before(self, period: Period, part: Period, work: Work) -> By:
        """What the period was before `part`, from stored parts; remembered until the part is another."""
        known = self._before.get(period.kind)
        if known is None or known[:2] != (period.start_ms, part.start_ms):
            found = await self._stored(part.kind, period.start_ms, part.start_ms, work.terms)
            when = When(period.start_ms, part.start_ms, part.start_ms)
            by = await asyncio.to_thread(_added, list(found.values()), when)
            known = self._before[period.kind] = (*when[:2], by)
        return known[2]

    async def _stored(self, kind: Kind, from_ms: int, to_ms: int, terms: Terms) -> dict[int, By]:
        rows = await figures.read(
            self._store, zone=terms.zone.key, kind=kind.value, from_ms=from_ms, to_ms=to_ms
        )
        found: dict[int, dict[str, Figure]] = {}
        for row in rows:
            found.setdefault(row.start_ms, {})[row.subject] = figure_of(row)
        return dict(found)


def _in_a_row(periods: Sequence[Period]) -> list[list[Period]]:
    """Runs of periods that follow one another."""
    found: list[list[Period]] = []
    for period in periods:
        if found and found[-1][-1].end_ms == period.start_ms:
            found[-1].append(period)
        else:
            found.append([period])
    return found


def _holding(kind: Kind, parts: Iterable[Period], work: Work) -> list[Period]:
    """Periods of `kind` that hold one of the parts; of a rolling kind only the one that goes on."""
    if kind not in ROLLING:
        return sorted({work.terms.period(kind, part.start_ms) for part in parts})
    if work.more:
        return []
    current = work.current(kind)
    inside = any(current.start_ms <= part.start_ms < current.end_ms for part in parts)
    return [current] if inside else []


def _added(parts: Sequence[By], when: When) -> dict[str, Figure]:
    """Parts of a period put in a row, subject by subject; where a subject has no part it did not exist."""
    per: dict[str, list[Figure]] = {}
    for by in parts:
        for subject, figure in by.items():
            per.setdefault(subject, []).append(figure)
    return {subject: joined(_filled(found, when)) for subject, found in per.items()}


def _filled(found: list[Figure], when: When) -> list[Figure]:
    """The parts in order, with nothing where there is none."""
    whole: list[Figure] = []
    at_ms = when.start_ms
    for figure in sorted(found, key=lambda each: each.when.start_ms):
        if at_ms < figure.when.start_ms:
            whole.append(_nothing(at_ms, figure.when.start_ms, when.as_of_ms))
        whole.append(figure)
        at_ms = figure.when.end_ms
    if at_ms < when.end_ms:
        whole.append(_nothing(at_ms, when.end_ms, when.as_of_ms))
    return whole


_EMPTY = Tally()


def _nothing(start_ms: int, end_ms: int, as_of_ms: int) -> Figure:
    return Figure(When(start_ms, end_ms, as_of_ms), _EMPTY, _EMPTY)


def _rows(made: Mapping[Kind, Mapping[Period, By]], terms: Terms) -> list[FigureRow]:
    return [
        figure_row(subject, terms.zone.key, period.kind.value, figure, terms.policy)
        for periods in made.values()
        for period, by in periods.items()
        for subject, figure in by.items()
    ]
