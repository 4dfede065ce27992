"""Where a partition begins, and whether it still is the one we read: for `continuity stream accept`."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from aiokafka import TopicPartition

from monitor.errors import UsageError
from monitor.stream.kafka import REQUEST_S, Kafka, cluster_id, open_consumer, reachable
from monitor.stream.loop import crc_of


class Beginning(NamedTuple):
    """The cluster's identity, the first offset it still has of a partition, and the one that comes next."""

    cluster: str
    offset: int
    end: int


async def beginning(kafka: Kafka, *, topic: str, partition: int) -> Beginning:
    """Raises StreamUnavailable, and UsageError when there is no such topic or partition.

    `topic` is the full name.
    """
    where = TopicPartition(topic, partition)
    async with open_consumer(kafka) as consumer:
        with reachable():
            async with asyncio.timeout(REQUEST_S):
                if topic not in (topics := await consumer.topics()):
                    raise UsageError(f"no topic {topic} here; there are: {', '.join(sorted(topics))}")
                numbers = await consumer._client._wait_on_metadata(topic)
                if partition not in numbers:
                    raise UsageError(f"{topic} has partitions {min(numbers)} to {max(numbers)}")
                consumer.assign([where])
                offsets = await consumer.beginning_offsets([where])
                ends = await consumer.end_offsets([where])
        return Beginning(await cluster_id(consumer._client), offsets[where], ends[where])


async def unchanged(
    kafka: Kafka, begin: Beginning, *, topic: str, partition: int, last: tuple[int, int | None, int | None]
) -> bool:
    """Whether the log still has the last record we kept of it: its offset, Unix ms and CRC (None: no proof).

    Raises StreamUnavailable.
    """
    offset, _, crc = last
    if not begin.offset <= offset + 1 <= begin.end:
        return False
    if crc is None or offset < begin.offset:
        return True
    where = TopicPartition(topic, partition)
    async with open_consumer(kafka) as consumer:
        consumer.assign([where])
        consumer.seek(where, offset)
        with reachable():
            polled = await consumer.getmany(where, timeout_ms=int(REQUEST_S * 1000), max_records=1)
    return last in [(one.offset, one.timestamp, crc_of(one.key, one.value)) for one in polled.get(where, ())]
