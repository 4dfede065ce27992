"""Role `count`: every topic of transactions read under its fence, and their hours folded beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from monitor.config.transactions import TransactionsSettings
from monitor.judge.books import Books
from monitor.judge.count import Count
from monitor.judge.folding import fold
from monitor.judge.shapes import Ours, Shape, Theirs
from monitor.lifetime import Stop
from monitor.metrics import CountMetrics
from monitor.store.pool import Store
from monitor.stream.kafka import Kafka
from monitor.stream.loop import Hooks, consume
from monitor.stream.wire import TRANSACTIONS

GROUP = "count"
RECORDS = 20_000  # taken in hand at once when there is a backlog
PARTITION_BYTES = 2 * 1024 * 1024  # of one answer: a broker asked for less is asked more often


class Read(NamedTuple):
    """How a topic is read: the group, and the shape of its messages."""

    group: str
    shape: Shape


def topics(kafka: Kafka, given: TransactionsSettings) -> dict[str, Read]:
    """By full name: ours first, then those of the sources, which have no prefix of ours."""
    found = {kafka.topic(TRANSACTIONS): Read(GROUP, Ours())}
    return found | {source.topic: Read(f"{GROUP}.{source.name}", Theirs(source)) for source in given.sources}


async def count_role(
    kafka: Kafka,
    store: Store,
    *,
    topics: Mapping[str, Read],
    ahead_s: float,
    metrics: CountMetrics,
    stop: Stop,
    ready: Callable[[Callable[[], str | None]], None],
) -> None:
    """Count until asked to stop; `ready` is given what tells what the role waits for."""
    books = Books(store, ahead_s=ahead_s)
    keepers = {
        topic: Count(books, topic=topic, shape=read.shape, metrics=metrics) for topic, read in topics.items()
    }
    ours = next(iter(keepers.values()))
    ready(lambda: None if ours.ready else "a partition and a catalogue")

    def behind() -> bool:
        return any(keeper.behind for keeper in keepers.values())

    async with asyncio.TaskGroup() as group:
        for topic, keeper in keepers.items():
            group.create_task(_read(kafka, keeper, topic, topics[topic].group, metrics=metrics, stop=stop))
        group.create_task(fold(store, stop, metrics=metrics, behind=behind))


async def _read(
    kafka: Kafka, keeper: Count, topic: str, group: str, *, metrics: CountMetrics, stop: Stop
) -> None:
    await consume(
        msgspec.structs.replace(kafka, topic_prefix=""),  # these names are full
        topic=topic,
        group=group,
        keeper=keeper,
        stop=stop,
        hooks=Hooks(
            lag=lambda partition, records: metrics.lag.labels(topic, str(partition)).set(records),
            stopped=lambda partition, on: metrics.stopped.labels(topic, str(partition)).set(int(on)),
            fenced=metrics.fenced.inc,
        ),
        recall=keeper.recalled,
        max_records=RECORDS,
        max_partition_fetch_bytes=PARTITION_BYTES,
        isolation_level="read_committed",  # others may write in transactions, and take them back
    )
