"""What readers keep at hand: figures of periods that go on now, and who is not required now. Read only."""

from __future__ import annotations

import time
from collections.abc import Mapping

from monitor.facts import FigureRow
from monitor.judge.exclusions import Exclusion
from monitor.judge.opening import Era, closed
from monitor.judge.periods import Kind
from monitor.judge.ranges import Range
from monitor.judge.reading import exclusion_of
from monitor.judge.required import excluded_at
from monitor.judge.seconds import Spent, State, spent_of
from monitor.judge.terms import Terms, terms_of
from monitor.model import GOVERNMENT, Catalogue
from monitor.store import exclusions, figures
from monitor.store.pool import Store

WINDOWS = (Kind.DAY, Kind.DAYS_7, Kind.DAYS_28, Kind.MONTH)
"""Periods shown on every page and exported, the shortest first."""

KEPT = (*WINDOWS, Kind.QUARTER)
"""Those and what budgets are of."""
EXCLUSIONS_S = 5.0  # read again as often
BACK_MS = 86_400_000  # what is judged now may be of the last hours
AHEAD_MS = 60_000

Current = Mapping[tuple[str, Kind], FigureRow]


class CurrentFigures:
    """By (subject, kind); empty until the first pass of accounting. `terms`: those they were made under."""

    def __init__(self, store: Store) -> None:
        self.rows: Current = {}
        self.ever: Mapping[str, Spent] = {}  # all time that was accounted, by subject
        self.terms: Terms | None = None
        self._store = store
        self._read: tuple[str, int, str] | None = None

    async def refresh(self, catalogue: Catalogue) -> None:
        """Read them anew when accounting went on since the last time. Raises StoreUnavailable."""
        terms = terms_of(catalogue)
        clock = await figures.clock(self._store, terms.zone.key)
        if clock is None or (terms.zone.key, *clock) == self._read:
            return
        wanted = [*_sums(catalogue), *(service.subject for service in catalogue.services)]
        found: dict[tuple[str, Kind], FigureRow] = {}
        for kind in KEPT:
            start_ms = terms.period(kind, clock.until_ms - 1).start_ms
            rows = await figures.read(
                self._store,
                zone=terms.zone.key,
                kind=kind.value,
                from_ms=start_ms,
                to_ms=start_ms + 1,
                subjects=wanted,
            )
            found.update({(row.subject, kind): row for row in rows})
        self.ever = await self._ever(terms, wanted, clock.until_ms)
        self.rows, self.terms, self._read = found, terms, (terms.zone.key, *clock)

    async def _ever(self, terms: Terms, wanted: list[str], until_ms: int) -> Mapping[str, Spent]:
        """The years added up."""
        rows = await figures.read(
            self._store, zone=terms.zone.key, kind=Kind.YEAR.value, from_ms=0, to_ms=until_ms, subjects=wanted
        )
        found: dict[str, Spent] = {}
        for row in rows:
            found[row.subject] = found.get(row.subject, Spent()) + spent_of(row.counted)
        return found


def _sums(catalogue: Catalogue) -> list[str]:
    return [GOVERNMENT, *(entity.subject for entity in catalogue.entities)]


class CurrentExclusions:
    """What is not required now: exclusions, read again every few seconds, and what is outside its hours."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read_at = float("-inf")
        self.announced: list[Exclusion] = []  # those of the last day, and of now
        self.closed: dict[str, list[Range]] = {}  # of the same time, by path, by today's catalogue

    async def at(self, catalogue: Catalogue, at_ms: int) -> dict[str, State]:
        """Of every subject that is not required at `at_ms`, what it is in. Raises StoreUnavailable."""
        if time.monotonic() - self._read_at >= EXCLUSIONS_S:
            from_ms, to_ms = at_ms - BACK_MS, at_ms + AHEAD_MS
            rows = await exclusions.touching(self._store, from_ms=from_ms, to_ms=to_ms)
            self.announced = [exclusion_of(row) for row in rows]
            self.closed = closed([Era(from_ms, to_ms, catalogue)])
            self._read_at = time.monotonic()
        return excluded_at(catalogue, self.announced, at_ms)
