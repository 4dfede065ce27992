"""Sends transactions to Kafka at once: acknowledged when `send` returns, many small sends in one batch.

Nothing is kept on disk: whoever sends keeps its events until they are acknowledged, and repeats them when
told that they were not. A repeat counts once where the event has an id.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from aiokafka import AIOKafkaProducer

from monitor.errors import BadMessage, BufferFull, StreamUnavailable
from monitor.lifetime import Backoff, Stop
from monitor.log import Log
from monitor.stream.alive import look_after_producer
from monitor.stream.kafka import REQUEST_S, Kafka, open_producer, partition_for, reachable
from monitor.stream.lanes import Chunk, Event, Lane, Ticket
from monitor.stream.wire import TRANSACTIONS

log = Log(__name__)

EVENTS_MOST = 250_000
BYTES_MOST = 64 * 1024 * 1024
VALUE_MOST_BYTES = 256 * 1024
EVENT_BYTES = 64  # what an event costs beside its key and value
SEND_WITHIN_S = 15.0
LAST_FLUSH_S = 5.0
CLOSED_WITHIN_S = 8.0
LOOK_EVERY_S = 1.0
SORTED_AT_ONCE = 10_000  # events looked at before others get the loop


class Sender:
    """Takes events from many at once. Kafka away is said at once, and its coming back is noticed."""

    def __init__(
        self, kafka: Kafka, *, topic: str, most_events: int = EVENTS_MOST, most_bytes: int = BYTES_MOST
    ) -> None:
        self.events_in_flight, self.bytes_in_flight = 0, 0
        self.topic = kafka.topic(topic)
        self._kafka, self._most_events, self._most_bytes = kafka, most_events, most_bytes
        self._lanes: list[Lane] = []  # by partition; empty while there is no producer
        self._why_not = ""
        self._bug: BaseException | None = None
        self._stop = Stop()
        self._known = asyncio.Event()  # set once it is known whether Kafka is there
        self._idle = asyncio.Event()  # set while nothing is on its way
        self._idle.set()

    @property
    def connected(self) -> bool:
        """False while Kafka is away, or another client is being opened."""
        return bool(self._lanes)

    async def send(self, events: Sequence[Event], *, within_s: float = SEND_WITHIN_S) -> None:
        """Returns once Kafka has acknowledged all of them; `events` are pairs of key and value.

        Raises BufferFull at once, when nothing of it was taken; StreamUnavailable when Kafka is away or did
        not acknowledge all of them in time: then some may be there, so repeat them with the same ids.
        Raises BadMessage("too_large") for a value that no broker would take.
        """
        if not events:
            return
        size = _size(events)
        self._take(len(events), size)
        ticket: Ticket | None = None

        def give_back() -> None:
            self.events_in_flight -= len(events)
            self.bytes_in_flight -= size
            if not self.events_in_flight:
                self._idle.set()

        try:
            async with asyncio.timeout(within_s):
                await self._known.wait()
                shares = await self._share_out(events)
                ticket = self._hand_over(shares, Ticket(len(shares), give_back))
                await ticket.acknowledged
        except TimeoutError as error:
            raise StreamUnavailable(f"Kafka: not acknowledged within {within_s:g} s") from error
        finally:
            if ticket is None:
                give_back()

    def _take(self, count: int, size: int) -> None:
        events, size = self.events_in_flight + count, self.bytes_in_flight + size
        if events > self._most_events or size > self._most_bytes:
            raise BufferFull(
                f"{self.events_in_flight} events ({self.bytes_in_flight} bytes) wait for Kafka; at most "
                f"{self._most_events} ({self._most_bytes} bytes) may"
            )
        self.events_in_flight, self.bytes_in_flight = events, size
        self._idle.clear()

    async def _share_out(self, events: Sequence[Event]) -> dict[int, list[Event]]:
        shares: dict[int, list[Event]] = defaultdict(list)
        for begin in range(0, len(events), SORTED_AT_ONCE):
            if begin:
                await asyncio.sleep(0)
            partitions = len(self._lanes_open())
            for event in events[begin : begin + SORTED_AT_ONCE]:
                shares[partition_for(event[0], partitions)].append(event)
        return shares

    def _hand_over(self, shares: dict[int, list[Event]], ticket: Ticket) -> Ticket:
        lanes = self._lanes_open()
        if stuck := next((lanes[partition].stuck for partition in shares if lanes[partition].stuck), ""):
            raise StreamUnavailable(stuck)
        for partition, share in shares.items():
            lanes[partition].put(Chunk(share, ticket))
        return ticket

    def _lanes_open(self) -> list[Lane]:
        if self._bug is not None:
            raise RuntimeError("the sender crashed") from self._bug
        if not self._lanes:
            raise StreamUnavailable(self._why_not or "Kafka: not connected")
        return self._lanes

    async def run(self) -> None:
        """Keep a producer at work, another when one is lost; until `close`."""
        backoff = Backoff()
        while not self._stop.requested:
            try:
                async with open_producer(self._kafka) as producer:
                    with reachable():
                        async with asyncio.timeout(2 * REQUEST_S):
                            partitions = len(await producer.partitions_for(self.topic))
                    log.info("send.connected", topic=self.topic)
                    backoff.reset()
                    self._lanes = [Lane(self.topic, partition) for partition in range(partitions)]
                    self._known.set()
                    await self._drive(producer)
            except StreamUnavailable as error:
                log.warning("send.away", why=str(error), events=self.events_in_flight)
                self._why_not = str(error)
                self._known.set()
            await self._stop.pause(backoff.next_s())

    async def _drive(self, producer: AIOKafkaProducer) -> None:
        lost: BaseException | None = None
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(lane.run(producer)) for lane in self._lanes]
                while not self._stop.requested:
                    look_after_producer(producer)
                    await self._stop.pause(LOOK_EVERY_S)
                for task in tasks:
                    task.cancel()
        except* StreamUnavailable as errors:
            lost = errors.exceptions[0]
        finally:
            self._forget(str(lost or "Kafka: the sender was closed"))
        if lost is not None:
            raise StreamUnavailable(str(lost))

    def close(self) -> None:
        """Let `run` end in order: a connection cut while it is made would stay open."""
        self._stop.request()

    def _forget(self, why: str) -> None:
        lanes, self._lanes = self._lanes, []
        for lane in lanes:
            lane.fail(why)

    def ended(self, running: asyncio.Task[None]) -> None:
        """`run` is over; when that was a bug, every `send` from now on is one too."""
        if not running.cancelled() and (bug := running.exception()) is not None:
            self._bug = bug
            log.error("send.crashed", exc_info=bug)

    async def flush(self, within_s: float = LAST_FLUSH_S) -> None:
        """Wait for what is on its way, for so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._idle.wait()


@asynccontextmanager
async def open_sender(
    kafka: Kafka, *, topic: str = TRANSACTIONS, most_events: int = EVENTS_MOST, most_bytes: int = BYTES_MOST
) -> AsyncIterator[Sender]:
    """A sender at work while the block runs; what is on its way at the end gets a few seconds.

    A broker that is away stops nobody: `send` says so until it is back.
    """
    sender = Sender(kafka, topic=topic, most_events=most_events, most_bytes=most_bytes)
    running = asyncio.create_task(sender.run(), name="sender")
    running.add_done_callback(sender.ended)
    try:
        yield sender
        await sender.flush()
    finally:
        sender.close()
        await asyncio.wait([running], timeout=CLOSED_WITHIN_S)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def _size(events: Sequence[Event]) -> int:
    largest, size = 0, 0
    for key, value in events:
        largest = max(largest, len(value))
        size += len(key) + len(value)
    if largest > VALUE_MOST_BYTES:
        raise BadMessage("too_large", f"a message of {largest} bytes; at most {VALUE_MOST_BYTES} are sent")
    return size + EVENT_BYTES * len(events)
