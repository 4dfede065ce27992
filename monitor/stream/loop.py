"""The fenced consumer: what a batch produced and the offset after it are stored in one transaction.

The group only says whose partition it is. Where to read from is the keeper's stored row; whoever writes with
another row than the stored one is refused (T42), forgets its batch and reads the row again. Before it goes on
it re-reads the last record it kept: another record there means that this is not the log it knew.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from monitor.errors import BadRow, FenceBroken, StoreUnavailable, StreamChanged, StreamUnavailable
from monitor.lifetime import Backoff, Stop
from monitor.log import Log
from monitor.stream.alive import look_after_consumer
from monitor.stream.kafka import Kafka, cluster_id, open_consumer, reachable, sticky
from monitor.stream.keeper import Hooks, Keeper, Position, Recall, crc_of, recall_nothing
from monitor.stream.records import Record

__all__ = ["Hooks", "Keeper", "Position", "Record", "consume", "crc_of"]

log = Log(__name__)

POLL_MS = 200
PIECE = 4_000  # records taken from the client at once: some milliseconds of the event loop
LINGER_S = 0.25  # what comes within this is kept together: a transaction costs more than the rows in it
REBALANCE_S = 60.0  # a poll longer than this is given up, and looked at again
BROKER_S = 5.0
CLOCK_EVERY_S = 1.0
COMMIT_EVERY_S = 5.0
ACCEPT_POLL_S = 3.0  # how often a stopped partition looks whether a person accepted the new log


async def consume(
    kafka: Kafka,
    *,
    topic: str,
    group: str,
    keeper: Keeper,
    stop: Stop,
    hooks: Hooks | None = None,
    recall: Recall = recall_nothing,
    max_records: int = 2_000,
    session_s: float = 10.0,
    **settings: Any,
) -> None:
    """Read our share of `topic` (both names without prefix) into the keeper until asked to stop.

    At most `max_records` are kept at once; `settings` are the consumer's own.
    """
    backoff = Backoff()
    while not stop.requested:
        reader = _Reader(kafka.topic(topic), keeper, hooks or Hooks(), recall, max_records)
        try:
            async with open_consumer(
                kafka,
                group_id=kafka.group(group),
                session_timeout_ms=int(session_s * 1000),
                heartbeat_interval_ms=1_000,
                partition_assignment_strategy=(sticky(),),
                **settings,
            ) as consumer:
                backoff.reset()
                await reader.read(consumer, stop)
        except StreamUnavailable as error:
            log.warning("stream.away", topic=topic, why=str(error))
            await stop.pause(backoff.next_s())
        finally:
            reader.close()


class _Partition:
    """What we know of one assigned partition. Without a position it waits, paused, until `due`."""

    def __init__(self, topic: str, number: int) -> None:
        self.tp = TopicPartition(topic, number)
        self.number = number
        self.position: Position | None = None
        self.unproved = False  # record next - 1 has not been compared yet
        self.stopped = ""
        self.due = 0.0
        self.target: tuple[int, int] | None = None  # (end, wall_ms): read to end, and wall_ms is reached
        self.backoff = Backoff()

    @property
    def reads(self) -> bool:
        return self.position is not None and not self.unproved


class _Noted(ConsumerRebalanceListener):  # type: ignore[misc]
    """Notes the assignment and pauses it at once; the loop does the rest at its own pace."""

    def __init__(self, consumer: AIOKafkaConsumer, note: Callable[[set[TopicPartition]], None]) -> None:
        self._consumer, self._note = consumer, note

    def on_partitions_revoked(self, revoked: Any) -> None:
        return

    def on_partitions_assigned(self, assigned: Any) -> None:
        self._consumer.pause(*assigned)
        self._note(set(assigned))


class _Reader:
    """One connection's worth of reading."""

    def __init__(self, topic: str, keeper: Keeper, hooks: Hooks, recall: Recall, max_records: int) -> None:
        self._topic, self._keeper, self._hooks, self._recall = topic, keeper, hooks, recall
        self._max_records = max_records
        self._partitions: dict[int, _Partition] = {}
        self._noted: set[TopicPartition] | None = None
        self._consumer: AIOKafkaConsumer = None
        self._clock_at = self._commit_at = 0.0
        self._behind = False  # more waits than may be kept at once: waiting for more would be idle

    async def read(self, consumer: AIOKafkaConsumer, stop: Stop) -> None:
        """Until asked to stop. Raises StreamUnavailable when this connection is of no more use."""
        self._consumer = consumer
        consumer.subscribe([self._topic], listener=_Noted(consumer, self._note))
        while not stop.requested:
            began = time.monotonic()
            look_after_consumer(consumer)
            self._take_assignment()
            await self._open_due()
            polled, all_there_was = await self._gather()
            await self._each(self._keep, polled.items())
            await self._clock()
            await self._commit()
            if polled and all_there_was and not self._behind:
                await stop.pause(began + LINGER_S - time.monotonic())

    def close(self) -> None:
        """Let go of every partition."""
        for partition in self._partitions.values():
            self._keeper.revoked(partition.number)
        self._partitions.clear()

    def _note(self, assigned: set[TopicPartition]) -> None:
        self._noted = assigned

    def _take_assignment(self) -> None:
        """After every rebalance all begin anew: another member may have moved any of them meanwhile."""
        if self._noted is None:
            return
        numbers = {tp.partition for tp in self._noted}
        self._noted = None
        for number in self._partitions.keys() - numbers:
            self._keeper.revoked(number)
            self._hooks.stopped(number, False)
            self._hooks.lag(number, 0)  # its new owner says how far behind it is
        self._partitions = {number: _Partition(self._topic, number) for number in sorted(numbers)}
        log.info("stream.assigned", topic=self._topic, partitions=sorted(numbers))

    async def _open_due(self) -> None:
        now = time.monotonic()
        due = [p for p in self._partitions.values() if p.position is None and p.due <= now]
        if not due:
            return
        tps = [partition.tp for partition in due]
        with reachable():
            async with asyncio.timeout(BROKER_S):
                begins = await self._consumer.beginning_offsets(tps)
                ends = await self._consumer.end_offsets(tps)
        cluster = await cluster_id(self._consumer._client)
        await self._each(self._open, [(p.tp, (cluster, begins[p.tp], ends[p.tp])) for p in due])

    async def _open(self, partition: _Partition, facts: tuple[str, int, int]) -> None:
        cluster, begin, end = facts
        position = await self._keeper.assigned(partition.number, cluster=cluster, begin=begin, end=end)
        if position.next > end:
            raise StreamChanged(f"recreated: it ends at {end}, we had read up to {position.next}")
        if position.next < begin:
            raise StreamChanged(f"lost range: offsets {position.next} to {begin - 1} are gone")
        if partition.stopped:
            log.info("stream.accepted", topic=self._topic, partition=partition.number, next=position.next)
        partition.position, partition.stopped, partition.target = position, "", None
        partition.unproved = position.last_crc is not None and position.next > begin
        self._hooks.stopped(partition.number, False)
        first = position.next - 1 if partition.unproved else position.next
        if partition.unproved and position.recall is not None:
            first = max(begin, min(first, position.recall))
        self._consumer.seek(partition.tp, first)
        self._consumer.resume(partition.tp)

    async def _gather(self) -> tuple[dict[TopicPartition, list[Record]], bool]:
        """As many as may be kept at once, polled in pieces that do not hold the event loop.

        Says too whether the last poll took all there was; a batch not full is then worth a short wait.
        """
        gathered: dict[TopicPartition, list[Record]] = {}
        left, timeout_ms = self._max_records, POLL_MS
        while left > 0 and self._noted is None:
            most = min(left, PIECE)
            polled = await self._poll(most, timeout_ms)
            for tp, records in polled.items():
                gathered.setdefault(tp, []).extend(records)
            found = sum(map(len, polled.values()))
            if found < most:
                return gathered, found > 0 or timeout_ms > 0
            left, timeout_ms = left - found, 0
            await asyncio.sleep(0)
        return gathered, False

    async def _poll(self, most: int, timeout_ms: int) -> dict[TopicPartition, list[Record]]:
        try:
            async with asyncio.timeout(REBALANCE_S):
                polled: dict[TopicPartition, list[Record]] = await self._consumer.getmany(
                    timeout_ms=timeout_ms, max_records=most
                )
                return polled
        except NoOffsetForPartitionError:
            return {}  # of a partition that is still paused: its place comes from the keeper
        except OffsetOutOfRangeError as error:
            for tp in error.args[0]:
                if (partition := self._partitions.get(tp.partition)) is not None:
                    self._forget(partition, wait_s=0.0)
            return {}
        except (KafkaError, TimeoutError) as error:
            raise StreamUnavailable(f"Kafka: {error!r}") from error

    async def _keep(self, partition: _Partition, records: Sequence[Record]) -> None:
        if partition.unproved:
            await self._recall_and_prove(partition, records)
        if (position := partition.position) is None or partition.unproved:
            return
        if records[0].offset < position.next:
            records = [record for record in records if record.offset >= position.next]
        if records:
            last = records[-1]
            new = Position(last.offset + 1, last.timestamp, crc_of(last.key, last.value))
            waiting = self._waiting(partition, new.next)
            await self._keeper.keep(partition.number, records, at=position, new=new, waiting=waiting)
            partition.position = new
            partition.backoff.reset()
        await self._tell_time(partition)

    async def _recall_and_prove(self, partition: _Partition, records: Sequence[Record]) -> None:
        """What lies before our offset is the keeper's to remember; the last of it must be what we kept."""
        if (position := partition.position) is None:
            return
        known = [record for record in records if record.offset < position.next]
        if known:
            await self._recall(partition.number, known)
        if len(known) < len(records) or known[-1].offset == position.next - 1:
            self._prove(partition, known[-1] if known else records[0])

    def _prove(self, partition: _Partition, found: Record) -> None:
        """Raises StreamChanged when the record before our offset is not the one we kept."""
        position = partition.position
        assert position is not None
        known = (position.next - 1, position.last_at_ms, position.last_crc)
        if (found.offset, found.timestamp, crc_of(found.key, found.value)) != known:
            raise StreamChanged(f"recreated: record {position.next - 1} is not the one we kept")
        partition.unproved = False

    async def _clock(self) -> None:
        """Fetch the ends once a second; the wall time is taken before, so it can only be too early."""
        now = time.monotonic()
        reading = [partition for partition in self._partitions.values() if partition.reads]
        if not reading or now - self._clock_at < CLOCK_EVERY_S:
            return
        self._clock_at = now
        wall_ms = int(time.time() * 1000)
        try:
            async with asyncio.timeout(BROKER_S):
                ends = await self._consumer.end_offsets([partition.tp for partition in reading])
        except (KafkaError, TimeoutError) as error:
            log.warning("stream.no_ends", topic=self._topic, why=repr(error))
            return
        waiting = 0
        for partition in reading:
            end, place = ends[partition.tp], self._place(partition)
            waiting += max(0, end - place)
            self._hooks.lag(partition.number, max(0, end - place))
            if partition.target is None or place >= end:
                partition.target = (end, wall_ms)
        self._behind = waiting > self._max_records
        await self._each(self._at_the_end, [(partition.tp, None) for partition in reading])

    async def _at_the_end(self, partition: _Partition, _: None) -> None:
        await self._tell_time(partition)

    async def _tell_time(self, partition: _Partition) -> None:
        position, target = partition.position, partition.target
        if position is None or target is None or not partition.reads:
            return
        if self._place(partition) >= target[0]:
            partition.target = None
            await self._keeper.caught_up(partition.number, target[1], at=position)

    def _place(self, partition: _Partition) -> int:
        """Up to where all was kept: past the marks of somebody's transactions too, which are no records."""
        assert partition.position is not None
        state = self._state(partition)
        read = state.position if state is not None and state.has_valid_position else 0
        return max(partition.position.next, read)

    def _waiting(self, partition: _Partition, place: int) -> int:
        """Records behind `place`, as far as the broker's answers told."""
        state = self._state(partition)
        return 0 if state is None else max(0, (state.highwater or 0) - place)

    def _state(self, partition: _Partition) -> Any:
        """The client's own knowledge of a partition; None when it is not assigned to it now."""
        assignment = self._consumer._subscription.subscription.assignment
        return assignment.state_value(partition.tp) if assignment else None

    async def _commit(self) -> None:
        """Only lag tools read this; the truth is the keeper's row."""
        now = time.monotonic()
        offsets = {p.tp: p.position.next for p in self._partitions.values() if p.position is not None}
        if not offsets or now - self._commit_at < COMMIT_EVERY_S:
            return
        self._commit_at = now
        try:
            async with asyncio.timeout(BROKER_S):
                await self._consumer.commit(offsets)
        except (KafkaError, TimeoutError) as error:
            log.info("stream.not_committed", topic=self._topic, why=repr(error))

    async def _each(self, step: Callable[[_Partition, Any], Any], facts: Iterable[tuple[Any, Any]]) -> None:
        """Do one step for several partitions at once; what goes wrong with one is that one's alone."""
        async with asyncio.TaskGroup() as group:
            for tp, fact in facts:
                if (partition := self._partitions.get(tp.partition)) is not None:
                    group.create_task(self._alone(step, partition, fact))

    async def _alone(self, step: Callable[[_Partition, Any], Any], partition: _Partition, fact: Any) -> None:
        try:
            await step(partition, fact)
        except FenceBroken:
            self._hooks.fenced()
            log.info("stream.fenced", topic=self._topic, partition=partition.number)
            self._forget(partition, wait_s=partition.backoff.next_s())
        except StoreUnavailable as error:
            wait_s = partition.backoff.next_s()
            log.warning("stream.store_away", partition=partition.number, why=str(error), wait_s=wait_s)
            self._forget(partition, wait_s=wait_s)
        except BadRow as error:
            log.info("stream.read_again", partition=partition.number, why=str(error))
            self._forget(partition, wait_s=0.0)
        except StreamChanged as error:
            self._stop(partition, str(error))
        except KafkaError as error:  # the assignment went away in the middle; the next one begins anew
            log.info("stream.moved", partition=partition.number, why=repr(error))

    def _forget(self, partition: _Partition, *, wait_s: float) -> None:
        """Drop the batch in hand; the stored row says where to go on."""
        if self._consumer.assignment() >= {partition.tp}:
            self._consumer.pause(partition.tp)
        partition.position, partition.target = None, None
        partition.due = time.monotonic() + wait_s

    def _stop(self, partition: _Partition, why: str) -> None:
        """This partition waits for a person; the others go on."""
        if partition.stopped != why:
            log.error("stream.stopped", topic=self._topic, partition=partition.number, why=why)
        partition.stopped = why
        self._hooks.stopped(partition.number, True)
        self._forget(partition, wait_s=ACCEPT_POLL_S)
