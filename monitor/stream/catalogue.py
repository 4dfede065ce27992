"""The catalogue on its way: published to one compacted topic, followed by every role, kept on disk."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from monitor.errors import BadMessage, StreamUnavailable
from monitor.lifetime import Backoff, Stop
from monitor.log import Log
from monitor.model import Version
from monitor.stream.alive import look_after_consumer
from monitor.stream.kafka import CATALOGUE_BYTES, Kafka, open_consumer, open_producer, reachable
from monitor.stream.wire import CATALOGUE, decode_version, encode

log = Log(__name__)

KEY = b"catalogue"
FILE = "catalogue.json"
POLL_MS = 500
PUBLISHED_WITHIN_S = 15.0
UNCOMPRESSED_BYTES = 64 * 1024 * 1024


async def publish_version(kafka: Kafka, version: Version) -> None:
    """Publish, and return when every replica has it. Raises StreamUnavailable."""
    async with open_producer(kafka, compression_type="gzip", max_request_size=UNCOMPRESSED_BYTES) as producer:
        with reachable():
            async with asyncio.timeout(PUBLISHED_WITHIN_S):
                await producer.send_and_wait(kafka.topic(CATALOGUE), encode(version), KEY)


async def follow_catalogue(kafka: Kafka, *, folder: Path, stop: Stop) -> AsyncIterator[Version]:
    """The version kept in `folder` at once, then every newer one as it is published, until asked to stop.

    Kafka may be away: the iterator waits and tries again. An older serial than the newest on the topic is a
    late word of a leader that was replaced, and is skipped.
    """
    kept = _kept(folder)
    if kept is not None:
        yield kept
    backoff, newest = Backoff(), 0
    while not stop.requested:
        try:
            async with open_consumer(kafka, max_partition_fetch_bytes=CATALOGUE_BYTES) as consumer:
                await _read_from_the_beginning(consumer, kafka.topic(CATALOGUE))
                backoff.reset()
                while not stop.requested:
                    version = await _newest(consumer)
                    if version is None or version.serial <= newest:
                        continue
                    newest = version.serial
                    if version != kept:
                        _keep(folder, version)
                        kept = version
                        yield version
        except StreamUnavailable as error:
            log.warning("catalogue.away", why=str(error))
            await stop.pause(backoff.next_s())


async def _read_from_the_beginning(consumer: AIOKafkaConsumer, topic: str) -> None:
    with reachable():
        async with asyncio.timeout(PUBLISHED_WITHIN_S):
            numbers = await consumer._client._wait_on_metadata(topic)
            tps = [TopicPartition(topic, number) for number in sorted(numbers)]
            begins = dict.fromkeys(tps, 0)
            consumer.assign(tps)
            begins.update(await consumer.beginning_offsets(tps))
    for tp, offset in begins.items():
        consumer.seek(tp, offset)


async def _newest(consumer: AIOKafkaConsumer) -> Version | None:
    """The highest serial among what has come since the last call; None when nothing readable did."""
    look_after_consumer(consumer)
    with reachable():
        polled = await consumer.getmany(timeout_ms=POLL_MS)
    versions = []
    for record in (record for records in polled.values() for record in records):
        try:
            versions.append(decode_version(record.value))
        except BadMessage as error:
            log.error("catalogue.unreadable", offset=record.offset, reason=error.reason, why=str(error))
    return max(versions, key=lambda version: version.serial, default=None)


def _kept(folder: Path) -> Version | None:
    try:
        return decode_version((folder / FILE).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, BadMessage) as error:
        log.warning("catalogue.copy_unreadable", why=str(error))
        return None


def _keep(folder: Path, version: Version) -> None:
    """Never half a file: written beside, then renamed over."""
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f"{FILE}.{os.getpid()}"
    beside.write_bytes(encode(version))
    beside.replace(folder / FILE)
