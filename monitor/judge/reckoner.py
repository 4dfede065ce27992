"""Keeps the missed transactions of the last days' outages: as they last, and as late events correct them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from monitor.facts import Missed
from monitor.judge import reckon
from monitor.judge.hours import HOUR_MS
from monitor.judge.reckon import Reckoned
from monitor.judge.watched import Channels
from monitor.store import expected, seen
from monitor.store.lease import Lease
from monitor.store.pool import Store
from monitor.store.seen import Outage, Sum

RECKON_S = 300.0  # outages that are over are reckoned again as often, for late events and what is made up
DAY_MS = 24 * HOUR_MS


async def outages_of_late(store: Store, channels: Channels, *, now_ms: int) -> list[Outage]:
    """Whole outages of which something may still change: those of the last day and the late horizon."""
    from_ms = late_from_ms(channels, now_ms)
    return await seen.outages(store, subjects=channels.subjects, from_ms=from_ms, to_ms=now_ms)


def late_from_ms(channels: Channels, now_ms: int) -> int:
    """Of outages that were over before then nothing changes any more."""
    return now_ms - DAY_MS - channels.late_horizon_ms


class Reckoner:
    """Outages that last at every turn; all of the last days now and then, and by each new pattern."""

    def __init__(self, store: Store, *, lease: Lease, now_ms: Callable[[], int]) -> None:
        self._store, self._lease, self._now_ms = store, lease, now_ms
        self.forget()

    def forget(self) -> None:
        """Reckon all at the next turn."""
        self._whole_at = 0.0
        self._known: set[str] = set()  # channels with a pattern, which outages were reckoned by

    def lacks(self, channels: Channels) -> bool:
        """Whether there is a pattern by which no outage was reckoned yet."""
        return not self._known.issuperset(channels.watched)

    async def some(self, channels: Channels, clocks: Mapping[str, int], outages: Sequence[Outage]) -> None:
        """`clocks` say, per service, how far its transactions are counted. Raises LeaseLost."""
        whole = self.lacks(channels) or time.monotonic() >= self._whole_at
        reckoned = reckon.reckoned(outages, lambda subject: as_of_ms(channels, clocks, subject))
        rows = [each for each in reckoned if whole or each.ended_ms is None]
        made = await missed_of(self._store, channels, rows)
        stale = await self._stale(channels, outages) if whole else []
        if made or stale:
            async with self._store.transaction() as connection:
                await self._lease.lock(connection)
                await expected.drop_missed(connection, stale)
                await expected.keep_missed(connection, made)
        if whole:
            self._whole_at, self._known = time.monotonic() + RECKON_S, set(channels.watched)

    async def _stale(self, channels: Channels, outages: Sequence[Outage]) -> list[tuple[str, int]]:
        """Rows of the last days whose outage no longer stands."""
        now_ms = self._now_ms()
        standing = {(each.subject, each.began_ms) for each in outages}
        stored = await expected.missed(
            self._store,
            from_ms=late_from_ms(channels, now_ms),
            to_ms=now_ms,
            subjects=channels.subjects,
        )
        return [
            (each.subject, each.began_ms) for each in stored if (each.subject, each.began_ms) not in standing
        ]


async def missed_of(store: Store, channels: Channels, rows: Sequence[Reckoned]) -> list[Missed]:
    """The rows of some outages, from what is usual now and what is counted of them."""
    paths = [reckon.channels_of(each.subject, channels.remote) for each in rows]
    sums = [Sum(of, *each.during) for of, each in zip(paths, rows, strict=True)]
    sums += [Sum(of, *each.after) for of, each in zip(paths, rows, strict=True)]
    completed = await seen.completed(store, sums)
    return [
        reckon.row(
            each,
            [channels.watched[path].pattern.completed for path in of if path in channels.watched],
            channels.hours,
            seen=completed[number],
            seen_after=completed[len(rows) + number],
        )
        for number, (each, of) in enumerate(zip(rows, paths, strict=True))
    ]


def as_of_ms(channels: Channels, clocks: Mapping[str, int], subject: str) -> int | None:
    """How far all channels of an outage are counted, as good as whole; None where nothing is expected."""
    paths = [path for path in reckon.channels_of(subject, channels.remote) if path in channels.watched]
    found = [
        clocks[channels.services[path]] - round(channels.lateness[path].late_s * 1000)
        for path in paths
        if channels.services[path] in clocks
    ]
    return min(found, default=None)
