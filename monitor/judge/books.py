"""What all counting in one process shares: the catalogue's names, the numbers of series, the weeks made."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from monitor.judge.counting import Names
from monitor.model import Policy
from monitor.store import catalogue, counts
from monitor.store.counts import WEEK_MS, Addition, minute_of, series_of_row
from monitor.store.pool import Store

LOOK_S = 1.0  # how often a new version of the catalogue is looked for


class Books:
    """Kept up to date by whoever finds something missing in them."""

    def __init__(self, store: Store, *, ahead_s: float) -> None:
        """Events further in the future than `ahead_s` seconds are refused."""
        self.store, self.ahead_s = store, ahead_s
        self.names: Names | None = None
        self.series: dict[tuple[str, str], int] = {}
        self._policy = Policy()
        self._serial = 0
        self._looked_at = -LOOK_S
        self._looking = asyncio.Lock()
        self._weeks: set[int] = set()

    @property
    def grace_s(self) -> float:
        """How far the clock of a partition runs behind the wall."""
        return self._policy.grace_s

    async def look(self) -> None:
        """Take the newest version of the catalogue, unless that was done within the last second."""
        async with self._looking:
            if time.monotonic() < self._looked_at + LOOK_S:
                return
            now_ms = int(time.time() * 1000)
            found = await catalogue.versions(self.store, after_serial=self._serial, since_ms=now_ms)
            self._looked_at = time.monotonic()
            if found:
                newest = found[-1]
                self._serial, self._policy = newest.serial, newest.catalogue.policy
                self.names = Names(newest.catalogue)

    async def make_room(self, rows: Sequence[Addition]) -> None:
        """The series and partitions these rows need, each in a transaction of its own.

        A batch that is rolled back must not take them along while we believe that they are there.
        """
        weeks = {minute_ms // WEEK_MS for minute_ms in set(map(minute_of, rows))} - self._weeks
        if weeks:
            await counts.make_partitions(self.store, sorted(weeks))
            self._weeks |= weeks
        names = set(map(series_of_row, rows)) - self.series.keys()
        if names:
            self.series |= await counts.series_of(self.store, names)
