"""The last messages of a topic, read without a group: a look that leaves no trace."""

from __future__ import annotations

import asyncio
import heapq
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from monitor.errors import UsageError
from monitor.stream.kafka import REQUEST_S, Kafka, open_consumer, reachable
from monitor.stream.records import Record

QUIET_MS = 2_000  # nothing more comes when nothing came for so long


class Found(NamedTuple):
    """A message and the partition it lies in."""

    partition: int
    record: Record


async def tail(kafka: Kafka, *, topic: str, last: int) -> list[Found]:
    """The newest `last` messages of all partitions, oldest first; `topic` is its full name.

    Raises StreamUnavailable, and UsageError when there is no such topic.
    """
    async with open_consumer(kafka, isolation_level="read_committed") as consumer:
        with reachable():
            async with asyncio.timeout(REQUEST_S * 3):
                ends = await _ends(consumer, topic)
                return await _read(consumer, ends, last)


async def _ends(consumer: AIOKafkaConsumer, topic: str) -> dict[TopicPartition, tuple[int, int]]:
    """First offset and end of each partition."""
    if topic not in (topics := await consumer.topics()):
        raise UsageError(f"no topic {topic} here; there are: {', '.join(sorted(topics))}")
    tps = [TopicPartition(topic, number) for number in await consumer._client._wait_on_metadata(topic)]
    consumer.assign(tps)
    begins, ends = await consumer.beginning_offsets(tps), await consumer.end_offsets(tps)
    return {tp: (begins[tp], ends[tp]) for tp in tps}


async def _read(
    consumer: AIOKafkaConsumer, ends: dict[TopicPartition, tuple[int, int]], last: int
) -> list[Found]:
    """From far enough back in every partition: any of them may hold all of the newest."""
    for tp, (begin, end) in ends.items():
        consumer.seek(tp, max(begin, end - last))
    found: list[Found] = []
    while any([await consumer.position(tp) < end for tp, (_, end) in ends.items()]):
        polled = await consumer.getmany(timeout_ms=QUIET_MS)
        if not polled:
            break
        found += [Found(tp.partition, record) for tp, records in polled.items() for record in records]
    newest = heapq.nlargest(last, found, key=lambda each: (each.record.timestamp, each.record.offset))
    return sorted(newest, key=lambda each: (each.record.timestamp, each.partition, each.record.offset))
