"""Sends observations to Kafka: by a buffer on disk, in order per key, let go once acknowledged.

kill -9 loses nothing that was published; a power cut may lose what the kernel had not written (there is no
fsync per record). A repeat after a crash is harmless: an observation has an identity.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import RecordMetadata

from monitor.errors import StreamUnavailable
from monitor.lifetime import Backoff, Stop
from monitor.log import Log
from monitor.metrics import ProbeMetrics
from monitor.model import stream_key
from monitor.stream.alive import look_after_producer
from monitor.stream.kafka import Kafka, open_producer, partition_for, reachable
from monitor.stream.wire import OBSERVATIONS, REQUESTS, Heartbeat, Observation, Request, encode

log = Log(__name__)

LINGER_S = 0.1  # observations travel together: one waking of producer and broker for all of these
ACKNOWLEDGED_WITHIN_S = 20.0
AT_ONCE_WITHIN_S = 3.0
AT_ONCE_MOST = 2_000
ROUND_TRIP_MOST_MS = 400  # half of it is the error of a measured skew; a slower one says nothing
LAST_FLUSH_S = 5.0
GAUGES_EVERY_S = 1.0


class Backlog(Protocol):
    """A queue on disk that survives us. A chunk has `records`, each with `key` and `value`."""

    @property
    def depth(self) -> int: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def oldest_ms(self) -> int | None: ...
    @property
    def dropped(self) -> int: ...
    def put(self, key: bytes, value: bytes) -> bool: ...
    def oldest(self) -> Any: ...
    def acknowledge(self, chunk: Any) -> None: ...


class Publisher:
    """Takes observations at any time; delivers them whenever Kafka is there."""

    def __init__(self, kafka: Kafka, backlog: Backlog, *, metrics: ProbeMetrics) -> None:
        self._kafka, self._backlog, self._metrics = kafka, backlog, metrics
        self._topic = kafka.topic(OBSERVATIONS)
        self._producer: AIOKafkaProducer | None = None
        self._partitions = kafka.partitions
        self._busy: set[tuple[str, str]] = set()  # what is being sent at once, and not yet acknowledged
        self._dropped = 0
        self._gauges_at = 0.0

    def publish(self, observation: Observation) -> None:
        """Keep it on disk; `deliver` sends it. Given up, counted and logged when the disk takes no more."""
        self._backlog.put(stream_key(observation.check).encode(), encode(observation))

    async def deliver(self, stop: Stop) -> None:
        """Send what is on disk until asked to stop, then once more what has come since."""
        backoff = Backoff()
        while not stop.requested:
            try:
                async with open_producer(self._kafka) as producer:
                    with reachable():
                        self._partitions = len(await producer.partitions_for(self._topic))
                    log.info("publish.connected", depth=self._backlog.depth)
                    backoff.reset()
                    self._producer = producer
                    await self._drain_until(stop)
            except (StreamUnavailable, TimeoutError) as error:
                log.warning("publish.away", why=str(error), depth=self._backlog.depth)
                self._producer = None
                await self._pause(stop, backoff.next_s())
            finally:
                self._producer = None
        self._show()

    async def beat(self, heartbeat: Heartbeat) -> int | None:
        """Say now that this prober lives, or not at all: a heartbeat is never buffered.

        Returns this clock minus the broker's in milliseconds; None when that could not be measured now.
        """
        began_ms = time.time() * 1000
        key = f"vantage:{heartbeat.vantage}"
        sent = await self._at_once(self._topic, key, encode(heartbeat))
        ended_ms = time.time() * 1000
        if sent is None or sent.timestamp_type != 1 or ended_ms - began_ms > ROUND_TRIP_MOST_MS:
            return None
        appended_ms: int = sent.timestamp
        return round((began_ms + ended_ms) / 2 - appended_ms)

    async def request(self, vantage: str, request: Request) -> bool:
        """Ask another vantage point to ask now. A lost request costs one interval, never correctness."""
        topic = self._kafka.topic(REQUESTS + vantage)
        return await self._at_once(topic, request.check, encode(request)) is not None

    async def _drain_until(self, stop: Stop) -> None:
        assert self._producer is not None
        while True:
            look_after_producer(self._producer)
            last = stop.requested
            async with asyncio.timeout(LAST_FLUSH_S if last else None):
                await self._drain()
            self._show()
            if last:
                return
            await stop.pause(LINGER_S)

    async def _drain(self) -> None:
        while chunk := self._backlog.oldest():
            await self._send(chunk.records)
            self._backlog.acknowledge(chunk)
            self._show()

    async def _send(self, records: Any) -> None:
        """All of these are acknowledged when it returns. Raises StreamUnavailable; then send them again."""
        assert self._producer is not None
        by_partition: dict[int, list[Any]] = defaultdict(list)
        for record in records:
            by_partition[partition_for(record.key.decode(), self._partitions)].append(record)
        with reachable():
            async with asyncio.timeout(ACKNOWLEDGED_WITHIN_S):
                sent = [
                    await self._producer.send_batch(batch, self._topic, partition=partition)
                    for partition, those in by_partition.items()
                    for batch in self._batches(those)
                ]
                await asyncio.gather(*sent)

    def _batches(self, records: list[Any]) -> list[BatchBuilder]:
        assert self._producer is not None
        batches = [self._producer.create_batch()]
        for record in records:
            if batches[-1].append(key=record.key, value=record.value, timestamp=None) is None:
                batches.append(self._producer.create_batch())
                batches[-1].append(key=record.key, value=record.value, timestamp=None)
        return batches

    async def _at_once(self, topic: str, key: str, value: bytes) -> RecordMetadata | None:
        """Send now; None when Kafka is away or slow, or the last one of this key is still on its way."""
        what = (topic, key)
        if self._producer is None or what in self._busy or len(self._busy) >= AT_ONCE_MOST:
            return None
        self._busy.add(what)
        try:
            sending = asyncio.ensure_future(self._producer.send_and_wait(topic, value, key.encode()))
            sending.add_done_callback(lambda done: self._sent(what, done))
            async with asyncio.timeout(AT_ONCE_WITHIN_S):
                with reachable():
                    return await asyncio.shield(sending)
        except (StreamUnavailable, TimeoutError):
            return None

    def _sent(self, what: tuple[str, str], done: asyncio.Future[RecordMetadata]) -> None:
        self._busy.discard(what)
        if not done.cancelled() and (error := done.exception()) is not None:
            log.warning("publish.at_once_failed", topic=what[0], why=repr(error))

    async def _pause(self, stop: Stop, seconds: float) -> None:
        """Wait for Kafka to come back, and keep telling how much has gathered meanwhile."""
        until = time.monotonic() + seconds
        while not stop.requested and (left_s := until - time.monotonic()) > 0:
            self._show()
            await stop.pause(min(left_s, GAUGES_EVERY_S))

    def _show(self) -> None:
        now = time.monotonic()
        if now - self._gauges_at < GAUGES_EVERY_S and self._backlog.depth:
            return
        self._gauges_at = now
        backlog, oldest_ms = self._backlog, self._backlog.oldest_ms
        self._metrics.buffer_depth.set(backlog.depth)
        self._metrics.buffer_bytes.set(backlog.size_bytes)
        self._metrics.buffer_age_s.set(0 if oldest_ms is None else max(0.0, time.time() - oldest_ms / 1000))
        self._metrics.buffer_dropped.inc(backlog.dropped - self._dropped)
        self._dropped = backlog.dropped
