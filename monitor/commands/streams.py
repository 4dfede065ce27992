"""What the commands about partitions, dead letters and sources do."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor import log as logs
from monitor.addresses import kafka_of, replacements
from monitor.commands import asked
from monitor.config.load import load
from monitor.config.settings import Settings
from monitor.errors import UsageError

if TYPE_CHECKING:
    from monitor.judge.retrying import Retried
    from monitor.store.pool import Store


def accept(settings: Settings, topic: str, partition: int, *, force: bool = False) -> int:
    """Read a partition on from where it begins now; returns that offset. What was stored is not stored twice.

    Raises UsageError when we never read that partition, or when nothing is wrong with it and `force` is not
    given; StoreUnavailable, StreamUnavailable.
    """
    from monitor.store import stream
    from monitor.stream.offsets import beginning, unchanged

    logs.hush()
    kafka = kafka_of(settings)

    async def read_on(store: Store, _: int) -> int:
        begin = await beginning(kafka, topic=topic, partition=partition)
        where: dict[str, Any] = {"cluster": begin.cluster, "topic": topic, "partition": partition}
        known = await stream.stored(store, **where)
        if known is None:
            if await stream.elsewhere(store, **where):
                await stream.accept(store, **where, next_offset=begin.offset)
                return begin.offset
            raise UsageError(f"{topic}/{partition} of cluster {begin.cluster} was never read by this monitor")
        last = (known.next - 1, known.last_at_ms, known.last_crc)
        if not force and await unchanged(kafka, begin, topic=topic, partition=partition, last=last):
            raise UsageError(
                f"nothing is wrong with {topic}/{partition}: read up to {known.next} of {begin.end}. "
                f"Accepting would read it again from {begin.offset}; --force does so all the same"
            )
        await stream.accept(store, **where, next_offset=begin.offset)
        return begin.offset

    return asked(settings, read_on)


def dead_letters(settings: Settings, *, limit: int = 100) -> list[Any]:
    """The newest records that were set aside."""
    from monitor.store import stream

    return list(asked(settings, lambda store, _: stream.dead_letters(store, limit=limit)))


def retry_dead_letters(settings: Settings) -> Retried:
    """Count those of transactions that can be counted by the catalogue of now. Raises StoreUnavailable."""
    from monitor.judge.books import Books
    from monitor.judge.counter import topics
    from monitor.judge.retrying import retry

    read = topics(kafka_of(settings), settings.transactions)
    shapes = {topic: how.shape for topic, how in read.items()}
    ahead_s = settings.transactions.ahead_s
    return asked(settings, lambda store, _: retry(Books(store, ahead_s=ahead_s), shapes))


def try_source(config: Path, name: str, *, last: int) -> list[Any]:
    """How the last messages of a source would count, by the configuration in `config`; nothing is stored.

    Raises UsageError when no source is called so, ConfigError, StreamUnavailable.
    """
    from monitor.config.decode import suggestion
    from monitor.judge.trying import tried
    from monitor.stream.tail import tail

    logs.hush()
    loaded = load(config, replace=replacements())
    given = loaded.settings.transactions
    sources = {source.name: source for source in given.sources}
    if name not in sources:
        raise UsageError(f"no source is called {name!r} in {config}{suggestion(name, sources)}")
    source = sources[name]
    found = asyncio.run(tail(kafka_of(loaded.settings), topic=source.topic, last=last))
    now_ms = int(time.time() * 1000)
    return list(tried(source, loaded.catalogue, found, now_ms=now_ms, ahead_s=given.ahead_s))
