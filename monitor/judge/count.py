"""Transactions into PostgreSQL, each counted once; owner of the clock of its partitions of one topic.

What is read is added up at once and stored beside the reading: while a batch of a partition is on its way,
the next one gathers. Each moves the offset on from where the one before left it, so the fence holds for all;
when one fails, what gathered behind it is forgotten with it and read again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from monitor.errors import BadMessage, BadRow, MonitorError, StoreUnavailable, StreamChanged
from monitor.judge.batch import letter_of
from monitor.judge.books import Books
from monitor.judge.counting import Names, Refused, Tally, additions, span
from monitor.judge.halving import keep_by_halves
from monitor.judge.held import Batch, Partition
from monitor.judge.shapes import Shape
from monitor.log import Log
from monitor.memory import give_back
from monitor.metrics import CountMetrics
from monitor.store import counts, stream
from monitor.store.stream import DeadLetter, Standing
from monitor.stream.loop import Position, Record

log = Log(__name__)

SLICE = 2_000  # records decoded and added up without letting others have the event loop
WAITING = 2_000  # records behind a batch that make it worth waiting: many events of a minute are one row
HOLD_S = 5.0  # so long at most
HOLD_ROWS = 10_000  # so large at most
HELD_ROWS = 100_000  # of all partitions together; then reading waits
WRITERS = 2  # batches on their way at once
BEHIND_S = 1.0  # after a batch that had to wait


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
        self._holds_much = False  # a backlog was read, and what that took is not given back yet
        self._turn = asyncio.Lock()  # one slice at a time: several in a row would hold the event loop
        self._writers = asyncio.Semaphore(WRITERS)

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
        known = self._partitions.get(partition)
        if known is not None:
            await self._let_finish(partition, known)
        standing = await stream.standing(
            self._store, cluster=cluster, topic=self._topic, partition=partition, begin=begin
        )
        if known is None or known.next != standing.next or known.cluster != cluster:
            careful_until = known.careful_until if known is not None and known.cluster == cluster else 0
            known = self._partitions[partition] = Partition(cluster, careful_until=careful_until)
        known.judged_until_ms = standing.judged_until_ms
        recall = None if known.next == standing.next else standing.horizon
        return Position(standing.next, standing.last_at_ms, standing.last_crc, recall)

    async def recalled(self, partition: int, records: Sequence[Record]) -> None:
        """Remember the ids of records that were kept before; those of dead letters count as never seen."""
        state = self._partitions[partition]
        aside = await stream.offsets_set_aside(
            self._store, **self._where(partition, state), first=records[0].offset, last=records[-1].offset
        )
        for some in _slices(records):
            async with self._turn:
                kept = [record for record in some if record.offset not in aside]
                prints, offsets = self._shape.fingerprints(kept)
                state.horizon.extend(prints, offsets, at_ms=some[-1].timestamp)
                await asyncio.sleep(0)

    async def keep(
        self, partition: int, records: Sequence[Record], *, at: Position, new: Position, waiting: int = 0
    ) -> None:
        """Add them up; they are stored when it is worth it, at the latest before the clock goes on.

        What goes wrong with that is raised by the next call. A row that PostgreSQL refuses is found by
        halving and set aside, after the log was read again.
        """
        state = self._partitions[partition]
        state.check()
        await self._names()
        if at.next < state.careful_until:
            await keep_by_halves(partial(self._keep_alone, partition, state), records, at=at, new=new)
            state.next = new.next
            return
        try:
            async with state.hand:
                await self._gather(partition, state, records, at, new)
                state.worth_waiting = waiting > WAITING
        except Exception as error:
            state.spoil(error)
            raise
        if waiting > WAITING:
            self._behind_until = time.monotonic() + BEHIND_S
            self._holds_much = True
        self._send_off()
        await self._until_there_is_room()

    async def settle(self, partition: int) -> None:
        """Store what is in hand of a partition. Raises what goes wrong."""
        state = self._partitions[partition]
        while state.busy or state.batch is not None:
            if not state.busy:
                self._begin(partition, state)
            assert state.storing is not None
            await asyncio.wait([state.storing])
        state.check()

    async def caught_up(self, partition: int, wall_ms: int, *, at: Position) -> None:
        """Advance the clock to `wall_ms` minus the grace: all that came by then is counted."""
        await self._books.look()
        state = self._partitions[partition]
        await self.settle(partition)
        if self._holds_much and not self.behind:
            self._holds_much = False
            give_back()
        state.next = at.next
        until_ms = wall_ms - round(self._books.grace_s * 1000)
        if until_ms <= (state.judged_until_ms or 0):
            return
        async with self._store.transaction() as connection:
            await stream.advance_clock(
                connection,
                **self._where(partition, state),
                expected=at.next,
                expected_until_ms=state.judged_until_ms,
                until_ms=until_ms,
            )
        state.judged_until_ms = until_ms
        self._metrics.counted_until_s.labels(self._topic, str(partition)).set(until_ms / 1000)

    def revoked(self, partition: int) -> None:
        """Somebody else's now; what is on its way meets the fence."""
        self._partitions.pop(partition, None)

    # -- adding up ----------------------------------------------------------------------------------------

    async def _gather(
        self, partition: int, state: Partition, records: Sequence[Record], at: Position, new: Position
    ) -> None:
        """Add to the batch in hand, or begin one."""
        batch = state.batch or Batch(at.next, new)
        tally = await self._add_up(state, batch, records)
        batch.take(tally, self._letters(partition, records, tally.refused))
        fresh = None if tally.repeated else tally.fresh
        state.horizon.extend(tally.prints, tally.offsets, at_ms=records[-1].timestamp, fresh=fresh)
        state.check()
        batch.new, batch.horizon = new, state.horizon.begin
        state.batch, state.next = batch, new.next

    async def _add_up(self, state: Partition, batch: Batch, records: Sequence[Record]) -> Tally:
        """By the catalogue of now; looked for anew when it does not name something."""
        now_ms = self._now_ms()
        state.horizon.forget(records[0].timestamp)
        within = span(now_ms, ahead_s=self._books.ahead_s)
        tally = Tally(await self._names(), within, state.horizon.seen, rows=batch.rows)
        await self._add(tally, records)
        if strangers := tally.strangers:
            await self._books.look()
            if (newer := await self._names()) is not tally.names:
                tally.meet(newer)
                await self._add(tally, [record for record in records if record.offset in strangers])
                tally.sort()
        if tally.newest is not None:
            self._metrics.delay_s.observe(max(0.0, now_ms / 1000 - tally.newest.timestamp()))
        return tally

    async def _add(self, tally: Tally, records: Sequence[Record]) -> None:
        for some in _slices(records):
            async with self._turn:
                self._shape.add(tally, some)
                await asyncio.sleep(0)

    async def _names(self) -> Names:
        if self._books.names is None:
            await self._books.look()
        if self._books.names is None:
            raise StoreUnavailable("no catalogue is stored yet to count by")
        return self._books.names

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

    # -- storing ------------------------------------------------------------------------------------------

    def _send_off(self) -> None:
        """Begin to store every batch that has waited long enough, or is not worth waiting for more."""
        held_since_s = time.monotonic() - HOLD_S
        for partition, state in self._partitions.items():
            batch = state.batch
            if batch is None or state.busy or state.hand.locked():
                continue
            if not state.worth_waiting or batch.began_s <= held_since_s or batch.size >= HOLD_ROWS:
                self._begin(partition, state)

    def _begin(self, partition: int, state: Partition) -> None:
        state.storing = asyncio.create_task(self._store_batch(partition, state))

    async def _until_there_is_room(self) -> None:
        """While too much is in hand, reading waits for what is on its way."""
        while sum(state.size for state in self._partitions.values()) > HELD_ROWS:
            under_way = [state.storing for state in self._partitions.values() if state.storing and state.busy]
            if not under_way:
                number, largest = max(self._partitions.items(), key=lambda item: item[1].size)
                self._begin(number, largest)
                continue
            await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)

    async def _store_batch(self, partition: int, state: Partition) -> None:
        """One at a time of a partition; what gathers until its turn comes travels along."""
        async with self._writers:
            async with state.hand:
                batch, state.batch = state.batch, None
            if batch is None:
                return
            state.stored = batch
            try:
                await self._write(partition, state, batch)
            except BadRow as error:
                state.careful_until = state.next or batch.new.next
                state.spoil(error)
            except MonitorError as error:
                state.spoil(error)
            finally:
                state.stored = None

    async def _write(self, partition: int, state: Partition, batch: Batch) -> None:
        began = time.perf_counter()
        rows = sorted(additions(batch.rows), key=counts.minute_of)  # as the index lies
        await asyncio.sleep(0)
        await self._books.make_room(rows)
        async with self._store.transaction() as connection:
            await stream.move(
                connection,
                **self._where(partition, state),
                expected=batch.at,
                expected_until_ms=state.judged_until_ms,
                to=Standing(batch.new.next, batch.new.last_at_ms, batch.new.last_crc, None, batch.horizon),
            )
            await counts.add(connection, rows, series=self._books.series)
            if batch.letters:
                await stream.set_aside(connection, cluster=state.cluster, letters=batch.letters)
        self._metrics.batch_s.observe(time.perf_counter() - began)
        self._tell(partition, batch)

    async def _keep_alone(
        self,
        partition: int,
        state: Partition,
        records: Sequence[Record],
        at: Position,
        new: Position,
        refused: BadMessage | None,
    ) -> None:
        """At once, and remembered only when stored: then a batch that is refused can be cut in two."""
        batch = Batch(at.next, new)
        if refused is None:
            tally = await self._add_up(state, batch, records)
        else:
            tally = Tally(await self._names(), span(0, ahead_s=0.0), set())
            tally.refused += [Refused(record.offset, refused) for record in records]
        batch.take(tally, self._letters(partition, records, tally.refused))
        batch.horizon = state.horizon.begin
        if batch.horizon is None and tally.offsets:
            batch.horizon = tally.offsets[0]
        await self._write(partition, state, batch)
        state.horizon.extend(tally.prints, tally.offsets, at_ms=records[-1].timestamp)

    async def _let_finish(self, partition: int, state: Partition) -> None:
        """Store what is in hand before anything is read anew; what cannot be is forgotten."""
        try:
            await self.settle(partition)
        except MonitorError as error:
            log.info("count.forgotten", topic=self._topic, partition=partition, why=str(error))

    def _tell(self, partition: int, batch: Batch) -> None:
        self._metrics.counted.labels(self._topic).inc(batch.counted)
        self._metrics.repeated.labels(self._topic).inc(batch.repeated)
        for letter in batch.letters:
            self._metrics.dead_letters.labels(self._topic, letter.reason).inc()
        if batch.letters:
            first = batch.letters[0]
            log.warning(
                "count.set_aside",
                topic=self._topic,
                partition=partition,
                letters=len(batch.letters),
                first=first.offset,
                why=first.reason,
            )

    def _where(self, partition: int, state: Partition) -> dict[str, Any]:
        return {"cluster": state.cluster, "topic": self._topic, "partition": partition}


def _slices(records: Sequence[Record]) -> list[Sequence[Record]]:
    return [records[start : start + SLICE] for start in range(0, len(records), SLICE)]
