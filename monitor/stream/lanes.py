"""One partition's queue to Kafka: what comes while a batch is on its way travels in the next one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from monitor.errors import StreamUnavailable
from monitor.stream.kafka import reachable

ACKNOWLEDGED_WITHIN_S = 10.0
GIVEN_UP_AFTER_S = 60.0  # so long without an answer: another client is tried

Event = tuple[str, bytes]  # key and value


class Ticket:
    """What one `send` waits for: every lane it uses says once that its share is acknowledged, or why not."""

    def __init__(self, lanes: int, done: Callable[[], None]) -> None:
        self.acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.acknowledged.add_done_callback(_heard)
        self._left, self._done = lanes, done

    def share_done(self, why_not: str = "") -> None:
        self._left -= 1
        if not self.acknowledged.done():
            if why_not:
                self.acknowledged.set_exception(StreamUnavailable(why_not))
            elif not self._left:
                self.acknowledged.set_result(None)
        if not self._left:
            self._done()


def _heard(future: asyncio.Future[None]) -> None:
    """Whoever waited may have gone; then nobody else asks for the exception."""
    if not future.cancelled():
        future.exception()


class Chunk:
    """The share of one `send` that one lane carries; `next` is its first event not yet in a batch."""

    def __init__(self, events: Sequence[Event], ticket: Ticket) -> None:
        self.events, self.ticket, self.next = events, ticket, 0


class Lane:
    """Sends to one partition, one batch at a time."""

    def __init__(self, topic: str, partition: int) -> None:
        self.stuck = ""  # why nothing may be put in now
        self._topic, self._partition = topic, partition
        self._waiting: deque[Chunk] = deque()
        self._rung = asyncio.Event()

    def put(self, chunk: Chunk) -> None:
        self._waiting.append(chunk)
        self._rung.set()

    async def run(self, producer: AIOKafkaProducer) -> None:
        """Send for ever. Raises StreamUnavailable when the producer is of no more use."""
        while True:
            await self._rung.wait()
            self._rung.clear()
            while self._waiting:
                batch = producer.create_batch()
                whole = self._fill(batch)
                await self._send(producer, batch, whole)

    def fail(self, why: str) -> None:
        """Nothing that waits here will be sent."""
        while self._waiting:
            self._waiting.popleft().ticket.share_done(why)

    def _fill(self, batch: BatchBuilder) -> list[Chunk]:
        """Put in what fits; returns the chunks that are in to their end."""
        whole = []
        while self._waiting:
            chunk = self._waiting[0]
            chunk.next = _append(batch, chunk.events, chunk.next)
            if chunk.next < len(chunk.events):
                break
            whole.append(self._waiting.popleft())
        return whole

    async def _send(self, producer: AIOKafkaProducer, batch: BatchBuilder, whole: list[Chunk]) -> None:
        try:
            with reachable():
                async with asyncio.timeout(ACKNOWLEDGED_WITHIN_S):
                    sent = await producer.send_batch(batch, self._topic, partition=self._partition)
                if await _answered(sent, ACKNOWLEDGED_WITHIN_S):
                    _finish(whole)
                    return
                self._stick(whole)
                if not await _answered(sent, GIVEN_UP_AFTER_S - ACKNOWLEDGED_WITHIN_S):
                    raise StreamUnavailable(self.stuck)
        except StreamUnavailable as error:
            self._stick(whole, str(error))
            raise
        except asyncio.CancelledError:
            self._stick(whole, "Kafka: another client is opened")
            raise
        self.stuck = ""  # it came through after all; those who sent it were told otherwise, and repeat it

    def _stick(self, whole: list[Chunk], why: str = "") -> None:
        place = f"{self._topic}/{self._partition}"
        self.stuck = why or f"Kafka: {place} was not acknowledged within {ACKNOWLEDGED_WITHIN_S:g} s"
        _finish(whole, self.stuck)
        self.fail(self.stuck)


def _append(batch: BatchBuilder, events: Sequence[Event], begin: int) -> int:
    """Put events in from `begin` on; returns the first that did not fit."""
    append = batch.append
    for at in range(begin, len(events)):
        key, value = events[at]
        if append(timestamp=None, key=key.encode(), value=value) is None:
            return at
    return len(events)


def _finish(chunks: list[Chunk], why_not: str = "") -> None:
    while chunks:
        chunks.pop().ticket.share_done(why_not)


async def _answered(sent: asyncio.Future[object], within_s: float) -> bool:
    """True once Kafka has acknowledged; False when it said nothing in time. Raises what Kafka said."""
    done, _ = await asyncio.wait([sent], timeout=within_s)
    if done:
        sent.result()
    return bool(done)
