"""A vantage point's topic of requests: its group shares out the checks, its records say "ask now"."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from monitor.errors import BadMessage, StreamUnavailable
from monitor.lifetime import Backoff, Stop
from monitor.log import Log
from monitor.stream.alive import look_after_consumer
from monitor.stream.kafka import Kafka, open_consumer, open_producer, reachable, sticky
from monitor.stream.wire import REQUESTS, Request, decode_request, encode

log = Log(__name__)

POLL_MS = 200
CONFIRM_S = 3.0
REBALANCE_S = 60.0
SENT_WITHIN_S = 5.0


async def send_requests(kafka: Kafka, requests: Sequence[tuple[str, Request]]) -> None:
    """Have checks asked now; each request goes to the topic of the vantage point it is given with.

    The producer lives as long as the call: this happens a few times a day. Raises StreamUnavailable; then
    some of them may have been sent.
    """
    async with open_producer(kafka) as producer:
        with reachable():
            async with asyncio.timeout(SENT_WITHIN_S):
                sent = [
                    producer.send_and_wait(kafka.topic(REQUESTS + vantage), encode(each), each.check.encode())
                    for vantage, each in requests
                ]
                await asyncio.gather(*sent)


class Group:
    """Membership of `probers.<vantage>`: the partitions assigned are the shards of checks to ask.

    `assigned` is told the partitions of every assignment, and how many there are in all; being revoked is not
    told, because an owner keeps asking until it knows that the shard is somebody else's.
    """

    def __init__(
        self,
        kafka: Kafka,
        *,
        vantage: str,
        assigned: Callable[[frozenset[int], int], None],
        asked: Callable[[Request], None],
        expired: Callable[[], None],
        session_s: float = 10.0,
    ) -> None:
        self._kafka, self._session_s = kafka, session_s
        self._topic, self._group = kafka.topic(REQUESTS + vantage), kafka.group(f"probers.{vantage}")
        self._assigned, self._asked, self._expired = assigned, asked, expired
        self._consumer: AIOKafkaConsumer | None = None

    async def run(self, stop: Stop, *, away: Callable[[], None]) -> None:
        """Be a member until asked to stop, then leave. `away` is called when Kafka cannot be reached."""
        backoff = Backoff()
        while not stop.requested:
            try:
                async with open_consumer(
                    self._kafka,
                    group_id=self._group,
                    auto_offset_reset="latest",
                    session_timeout_ms=int(self._session_s * 1000),
                    heartbeat_interval_ms=1_000,
                    partition_assignment_strategy=(sticky(),),
                ) as consumer:
                    self._consumer = consumer
                    consumer.subscribe([self._topic], listener=_Told(self._on_assigned))
                    backoff.reset()
                    while not stop.requested:
                        await self._receive(consumer)
            except StreamUnavailable as error:
                log.warning("group.away", group=self._group, why=str(error))
                away()
                await stop.pause(backoff.next_s())
            finally:
                self._consumer = None

    async def confirm(self) -> bool:
        """Whether Kafka still takes us for the owner of what we were assigned."""
        consumer = self._consumer
        if consumer is None or not (mine := consumer.assignment()):
            return False
        try:
            async with asyncio.timeout(CONFIRM_S):
                ends = await consumer.end_offsets(mine)
                await consumer.commit(ends)  # refused unless this member belongs to the present generation
        except (KafkaError, TimeoutError):
            return False
        return True

    def _on_assigned(self, tps: set[TopicPartition]) -> None:
        assert self._consumer is not None
        everything = self._consumer.partitions_for_topic(self._topic) or ()
        numbers = frozenset(tp.partition for tp in tps)
        log.info("group.assigned", group=self._group, partitions=sorted(numbers), of=len(everything))
        self._assigned(numbers, len(everything))

    async def _receive(self, consumer: AIOKafkaConsumer) -> None:
        look_after_consumer(consumer)
        try:
            async with asyncio.timeout(REBALANCE_S):
                with reachable():
                    polled = await consumer.getmany(timeout_ms=POLL_MS, max_records=500)
        except TimeoutError:
            return
        for record in (record for records in polled.values() for record in records):
            try:
                request = decode_request(record.value)
            except BadMessage as error:
                log.warning("request.unreadable", reason=error.reason, why=str(error))
                continue
            if request.expires_ms <= time.time() * 1000:
                self._expired()
            else:
                self._asked(request)


class _Told(ConsumerRebalanceListener):  # type: ignore[misc]
    """Passes assignments on; says nothing of what is revoked."""

    def __init__(self, tell: Callable[[set[TopicPartition]], None]) -> None:
        self._tell = tell

    def on_partitions_revoked(self, revoked: Any) -> None:
        return

    def on_partitions_assigned(self, assigned: Any) -> None:
        self._tell(set(assigned))
