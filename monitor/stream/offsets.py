"""Where a partition of the log begins: what `continuity stream accept` starts again from."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from aiokafka import TopicPartition

from monitor.errors import UsageError
from monitor.stream.kafka import REQUEST_S, Kafka, cluster_id, open_consumer, reachable


class Beginning(NamedTuple):
    """The cluster's identity and the first offset it still has of a partition."""

    cluster: str
    offset: int


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
        return Beginning(await cluster_id(consumer._client), offsets[where])
