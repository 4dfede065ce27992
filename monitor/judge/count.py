"""Transactions into PostgreSQL, each counted once; owner of the clock of its partitions of one topic."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from monitor.errors import BadMessage, StoreUnavailable, StreamChanged
from monitor.judge.batch import letter_of
from monitor.judge.books import Books
from monitor.judge.counting import Horizon, Refused, Tally, span
from monitor.judge.halving import keep_by_halves
from monitor.judge.shapes import Shape
from monitor.lifetime import Stop
from monitor.log import Log
from monitor.metrics import CountMetrics
from monitor.store import counts, stream
from monitor.store.counts import Added
from monitor.store.pool import Store
from monitor.store.stream import DeadLetter, Standing
from monitor.stream.loop import Position, Record

log = Log(__name__)

SLICE = 2_000  # records decoded and added up without letting others have the event loop
FOLD_EVERY_S = 5.0
FOLD_BEHIND_S = 30.0  # while a backlog is read, hours change too fast to be worth more


@dataclass
class Partition:
    """What the owner of a partition holds in memory."""

    cluster: str
    judged_until_ms: int | None
    next: int | None = None  # the offset up to which `horizon` is whole; None: not yet
    horizon: Horizon = field(default_factory=Horizon)


class Count:
    """The keeper of a topic of transactions (monitor/stream/loop.py says when each method is called)."""

    def __init__(
        self,
        books: Books,
        *,
        topic: str,
        shape: Shape,
        metrics: CountMetrics,
        now_ms: Callable[[], int] = lambda: int(time.time() * 1000),
    ) -> None:
        """`topic` is its full name, `shape` says how its messages are read."""
        self._books, self._topic, self._shape, self._metrics = books, topic, shape, metrics
        self._store, self._now_ms = books.store, now_ms
        self._partitions: dict[int, Partition] = {}
        self._behind_until = 0.0
        self._turn = asyncio.Lock()  # one slice at a time: several in a row would hold the event loop

    @property
    def ready(self) -> bool:
        """Whether it owns a partition and has a catalogue to count by."""
        return bool(self._partitions) and self._books.names is not None

    @property
    def behind(self) -> bool:
        """Whether its last batches were those of a backlog."""
        return time.monotonic() < self._behind_until

    # -- what the loop calls ------------------------------------------------------------------------------

    async def assigned(self, partition: int, *, cluster: str, begin: int, end: int) -> Position:
        """The stored row, and where the log is to be recalled from when its ids are not in memory.

        Raises StreamChanged for another cluster: what was counted of the topic there may be here again.
        """
        other = await stream.elsewhere(self._store, cluster=cluster, topic=self._topic, partition=partition)
        if other is not None:
            raise StreamChanged(f"another cluster: this is {cluster}, the topic was read on {other}")
        standing = await stream.standing(
            self._store, cluster=cluster, topic=self._topic, partition=partition, begin=begin
        )
        known = self._partitions.get(partition)
        if known is None or known.next != standing.next or known.cluster != cluster:
            known = self._partitions[partition] = Partition(cluster, None)
        known.judged_until_ms = standing.judged_until_ms
        recall = None if known.next == standing.next else standing.horizon
        return Position(standing.next, standing.last_at_ms, standing.last_crc, recall)

    async def recalled(self, partition: int, records: Sequence[Record]) -> None:
        """Remember the ids of records that were kept before; those of dead letters count as never seen."""
        state = self._partitions[partition]
        aside = await stream.offsets_set_aside(
            self._store, **self._where(partition), first=records[0].offset, last=records[-1].offset
        )
        for some in _slices(records):
            async with self._turn:
                kept = [record for record in some if record.offset not in aside]
                prints, offsets = self._shape.fingerprints(kept)
                state.horizon.extend(prints, offsets, at_ms=some[-1].timestamp_ms)
                await asyncio.sleep(0)

    async def keep(self, partition: int, records: Sequence[Record], *, at: Position, new: Position) -> None:
        """One transaction; a row that PostgreSQL refuses is found by halving and set aside."""

        async def keep(
            some: Sequence[Record], at: Position, new: Position, refused: BadMessage | None
        ) -> None:
            await self._keep(partition, some, at=at, new=new, refused=refused)

        await keep_by_halves(keep, records, at=at, new=new)

    async def caught_up(self, partition: int, wall_ms: int, *, at: Position) -> None:
        """Advance the clock to `wall_ms` minus the grace: all that came by then is counted."""
        await self._books.look()
        state = self._partitions[partition]
        state.next = at.next
        until_ms = wall_ms - round(self._books.grace_s * 1000)
        if until_ms <= (state.judged_until_ms or 0):
            return
        async with self._store.transaction() as connection:
            await stream.advance_clock(
                connection,
                **self._where(partition),
                expected=at.next,
                expected_until_ms=state.judged_until_ms,
                until_ms=until_ms,
            )
        state.judged_until_ms = until_ms
        self._metrics.counted_until_s.labels(self._topic, str(partition)).set(until_ms / 1000)

    def revoked(self, partition: int) -> None:
        """Somebody else's now."""
        self._partitions.pop(partition, None)

    # -- one batch ----------------------------------------------------------------------------------------

    async def _keep(
        self,
        partition: int,
        records: Sequence[Record],
        *,
        at: Position,
        new: Position,
        refused: BadMessage | None,
    ) -> None:
        began, state = time.perf_counter(), self._partitions[partition]
        state.horizon.forget(records[0].timestamp_ms)
        tally = await self._add_up(state, records, refused)
        async with self._turn:
            rows = [Added(*key, *sums) for key, sums in tally.rows.items()]
            letters = self._letters(partition, records, tally.refused)
            await asyncio.sleep(0)
        await self._books.make_room(rows)
        horizon = state.horizon.begin
        if horizon is None and tally.offsets:
            horizon = tally.offsets[0]
        async with self._store.transaction() as connection:
            await stream.move(
                connection,
                **self._where(partition),
                expected=at.next,
                expected_until_ms=state.judged_until_ms,
                to=Standing(new.next, new.last_at_ms, new.last_crc, None, horizon),
            )
            await counts.add(connection, rows, series=self._books.series)
            if letters:
                await stream.set_aside(connection, cluster=state.cluster, letters=letters)
        fresh = None if tally.repeated else tally.fresh
        state.horizon.extend(tally.prints, tally.offsets, at_ms=records[-1].timestamp_ms, fresh=fresh)
        state.next = new.next
        self._metrics.batch_s.observe(time.perf_counter() - began)
        if len(records) > SLICE:
            self._behind_until = time.monotonic() + FOLD_EVERY_S
        self._tell(partition, tally, letters)

    async def _add_up(self, state: Partition, records: Sequence[Record], refused: BadMessage | None) -> Tally:
        """By the catalogue of now; looked for anew when it does not name something."""
        if self._books.names is None:
            await self._books.look()
        tally = await self._added_up(state, records, refused)
        if tally.strangers:
            await self._books.look()
        if tally.names is not self._books.names:
            tally = await self._added_up(state, records, refused)
        return tally

    async def _added_up(
        self, state: Partition, records: Sequence[Record], refused: BadMessage | None
    ) -> Tally:
        names, now_ms = self._books.names, self._now_ms()
        if names is None:
            raise StoreUnavailable("no catalogue is stored yet to count by")
        tally = Tally(names, span(now_ms, ahead_s=self._books.ahead_s), state.horizon.seen)
        if refused:
            tally.refused += [Refused(record.offset, refused) for record in records]
            return tally
        for some in _slices(records):
            async with self._turn:
                self._shape.add(tally, some)
                await asyncio.sleep(0)
        if tally.newest is not None:
            self._metrics.delay_s.observe(max(0.0, now_ms / 1000 - tally.newest.timestamp()))
        return tally

    def _letters(
        self, partition: int, records: Sequence[Record], refused: Sequence[Refused]
    ) -> list[DeadLetter]:
        if not refused:
            return []
        by_offset = {record.offset: record for record in records}
        return [
            letter_of(by_offset[offset], error, topic=self._topic, partition=partition)
            for offset, error in refused
        ]

    def _tell(self, partition: int, tally: Tally, letters: Sequence[DeadLetter]) -> None:
        self._metrics.counted.labels(self._topic).inc(tally.counted)
        self._metrics.repeated.labels(self._topic).inc(tally.repeated)
        for letter in letters:
            self._metrics.dead_letters.labels(self._topic, letter.reason).inc()
        if letters:
            first = letters[0]
            log.warning(
                "count.set_aside",
                topic=self._topic,
                partition=partition,
                letters=len(letters),
                first=first.offset,
                why=first.reason,
            )

    def _where(self, partition: int) -> dict[str, Any]:
        cluster = self._partitions[partition].cluster
        return {"cluster": cluster, "topic": self._topic, "partition": partition}


def _slices(records: Sequence[Record]) -> list[Sequence[Record]]:
    return [records[start : start + SLICE] for start in range(0, len(records), SLICE)]


async def fold(
    store: Store, stop: Stop, *, metrics: CountMetrics, behind: Callable[[], bool] = lambda: False
) -> None:
    """Make the hours that were added to anew, again and again, until asked to stop."""
    while not stop.requested:
        try:
            hours = await counts.fold(store)
        except StoreUnavailable as error:
            log.warning("count.not_folded", why=str(error))
            hours = []
        metrics.folded.inc(len(hours))
        await stop.pause(FOLD_BEHIND_S if behind() else 0.1 if hours else FOLD_EVERY_S)
