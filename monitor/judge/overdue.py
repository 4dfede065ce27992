"""Reckons outages of long ago that nobody reckoned: there was no pattern yet, no leader, or they came late.

Each is reckoned once; what has a row is never touched. They are looked for when a leader begins, when a
channel gets its first pattern, and when an outage of long ago comes in; else a turn asks for new changes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from monitor.facts import Place
from monitor.judge import reckon
from monitor.judge.counting import KEPT_MS
from monitor.judge.reckon import Reckoned
from monitor.judge.reckoner import as_of_ms, late_from_ms, missed_of
from monitor.judge.watched import Channels
from monitor.log import Log
from monitor.store import expected, seen
from monitor.store.lease import Lease
from monitor.store.pool import Store

log = Log(__name__)
CHUNK = 100  # outages reckoned in one transaction
BUDGET_S = 5.0  # of one turn; the rest waits for the next
AGAIN_S = 300.0  # what is not counted to the end yet is looked at again as often


class Overdue:
    """What is left to reckon; nothing most of the time."""

    def __init__(self, store: Store, *, lease: Lease, now_ms: Callable[[], int]) -> None:
        self._store, self._lease, self._now_ms = store, lease, now_ms
        self.forget()

    def forget(self) -> None:
        """Look at everything at the next turn."""
        self._place: Place | None = None
        self._known: set[str] = set()  # channels with a pattern whose outages were looked for
        self._left: list[Reckoned] = []
        self._again_at: float | None = None

    async def some(self, channels: Channels, clocks: Mapping[str, int]) -> int:
        """Reckon for BUDGET_S at most; returns how many outages still wait. Raises LeaseLost."""
        before_ms = late_from_ms(channels, self._now_ms())
        place, came = await seen.downs_of_long_ago(self._store, self._place, before_ms=before_ms)
        if subjects := self._to_look_at(channels, came=came):
            await self._look(channels, clocks, subjects)
        self._place, self._known = place, set(channels.watched)
        began = time.monotonic()
        while self._left:
            made = await missed_of(self._store, channels, self._left[:CHUNK])
            async with self._store.transaction() as connection:
                await self._lease.lock(connection)
                await expected.keep_missed(connection, made)
            self._left = self._left[CHUNK:]
            log.info("overdue.reckoned", outages=len(made), left=len(self._left))
            if time.monotonic() - began >= BUDGET_S:
                break
        return len(self._left)

    def _to_look_at(self, channels: Channels, *, came: bool) -> Sequence[str]:
        """Services and channels of whose outages some may lack a row."""
        again = self._again_at is not None and time.monotonic() >= self._again_at
        fresh = channels.watched.keys() - self._known
        if came or again:
            return channels.subjects
        return sorted({*fresh, *(channels.services[path] for path in fresh)})

    async def _look(self, channels: Channels, clocks: Mapping[str, int], subjects: Sequence[str]) -> None:
        now_ms = self._now_ms()
        before_ms = late_from_ms(channels, now_ms)
        from_ms = now_ms - KEPT_MS
        outages = await seen.outages(self._store, subjects=subjects, from_ms=from_ms, to_ms=now_ms)
        whole = [each for each in outages if each.began_ms >= from_ms]
        known = await expected.reckoned(self._store, from_ms=from_ms, to_ms=before_ms, subjects=subjects)
        rows = reckon.reckoned(whole, lambda subject: as_of_ms(channels, clocks, subject))
        found, waits = reckon.overdue(rows, known, before_ms=before_ms)
        left = {(each.subject, each.began_ms): each for each in (*self._left, *found)}
        self._left = list(left.values())
        self._again_at = time.monotonic() + AGAIN_S if waits else None
