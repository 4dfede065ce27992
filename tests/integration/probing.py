"""A prober in this process, and everything that is published on the topic of observations."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiokafka import TopicPartition
from prometheus_client import CollectorRegistry

from monitor.lifetime import Stop
from monitor.metrics import ProbeMetrics
from monitor.scheduler.prober import probe_role
from monitor.stream.kafka import Kafka, open_consumer
from monitor.stream.wire import OBSERVATIONS, Heartbeat, Observation, decode_observation
from probes.ask import Asker


@asynccontextmanager
async def prober(kafka: Kafka, folder: Path, *, vantage: str = "main") -> AsyncIterator[CollectorRegistry]:
    """A prober in this process; it leaves in order at the end."""
    stop, registry = Stop(), CollectorRegistry()
    async with Asker() as asker:
        task = asyncio.create_task(
            probe_role(
                kafka,
                vantage=vantage,
                folder=folder,
                asker=asker,
                metrics=ProbeMetrics(registry, vantage=vantage),
                stop=stop,
                session_s=6.0,
            )
        )
        try:
            yield registry
        finally:
            stop.request()
            await asyncio.wait_for(task, 30)


class Seen:
    """Everything on the topic of observations, as it comes."""

    def __init__(self) -> None:
        self.observations: list[Observation] = []
        self.heartbeats: list[Heartbeat] = []

    def checks(self) -> set[str]:
        return {seen.check for seen in self.observations}

    def since(self, at_ms: float) -> set[str]:
        return {seen.check for seen in self.observations if seen.due_ms > at_ms}

    def dues(self) -> dict[str, list[int]]:
        dues: dict[str, set[int]] = defaultdict(set)
        for seen in self.observations:
            dues[seen.check].add(seen.due_ms)
        return {check: sorted(found) for check, found in dues.items()}


@asynccontextmanager
async def watching(kafka: Kafka) -> AsyncIterator[Seen]:
    seen = Seen()

    async def read() -> None:
        async with open_consumer(kafka) as consumer:
            topic = kafka.topic(OBSERVATIONS)
            tps = [TopicPartition(topic, number) for number in range(kafka.partitions)]
            consumer.assign(tps)
            for tp in tps:
                consumer.seek(tp, 0)
            while True:
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    for record in records:
                        message = decode_observation(record.value)
                        if isinstance(message, Heartbeat):
                            seen.heartbeats.append(message)
                        else:
                            seen.observations.append(message)

    task = asyncio.create_task(read())
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(true: Callable[[], bool], within_s: float = 40.0) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        await asyncio.sleep(0.05)
