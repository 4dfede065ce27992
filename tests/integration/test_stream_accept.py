"""`continuity stream accept` refuses a partition with which nothing is wrong, and reads on a changed one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import pytest

from monitor.commands import streams
from monitor.config.settings import KafkaSettings, PostgresSettings, Settings
from monitor.demo import embedded
from monitor.errors import UsageError
from monitor.store import stream
from monitor.store.pool import open_store
from monitor.stream.kafka import cluster_id, ensure_topics, open_producer
from monitor.stream.loop import crc_of
from monitor.stream.wire import OBSERVATIONS
from tests.integration.monitor_process import super_user


class Read(NamedTuple):
    """A partition of two records that we read to its end."""

    settings: Settings
    topic: str
    forget: Callable[[], None]  # what was kept of the last record is no longer what the log has


@pytest.fixture
def read(kafka_server: embedded.Kafka, topic_prefix: str, database: str) -> Read:
    kafka = super_user(kafka_server, topic_prefix, partitions=1)
    topic = kafka.topic(OBSERVATIONS)

    async def prepare() -> str:
        await ensure_topics(kafka, vantages=["main"])
        async with open_producer(kafka) as producer:
            await producer.send_and_wait(topic, b"first", b"key")
            last = await producer.send_and_wait(topic, b"last", b"key")
            cluster = await cluster_id(producer.client)
        await note(cluster, crc_of(b"key", b"last"), last.timestamp)
        return cluster

    async def note(cluster: str, crc: int, at_ms: int) -> None:
        async with open_store(database, size=2, application="test") as store:
            known = await stream.standing(store, cluster=cluster, topic=topic, partition=0, begin=0)
            async with store.connection() as connection:
                await stream.move(
                    connection,
                    cluster=cluster,
                    topic=topic,
                    partition=0,
                    expected=known.next,
                    expected_until_ms=None,
                    to=stream.Standing(2, at_ms, crc, None),
                )

    cluster = asyncio.run(prepare())
    settings = Settings(
        kafka=KafkaSettings(
            bootstrap=(kafka.bootstrap,),
            security="sasl_plaintext",
            user=kafka.user,
            password=f"file:{kafka_server.password_file}",
            topic_prefix=topic_prefix,
            group_prefix=topic_prefix,
        ),
        postgres=PostgresSettings(dsn=database),
    )
    return Read(settings, topic, lambda: asyncio.run(note(cluster, 1, 1)))


def test_a_partition_with_which_nothing_is_wrong_is_refused(read: Read) -> None:
    with pytest.raises(UsageError, match=r"nothing is wrong .* read up to 2 of 2\. .* from 0; --force"):
        streams.accept(read.settings, read.topic, 0)


def test_it_is_read_again_when_forced(read: Read) -> None:
    assert streams.accept(read.settings, read.topic, 0, force=True) == 0


def test_a_log_that_has_another_record_in_the_last_ones_place_is_accepted(read: Read) -> None:
    read.forget()
    assert streams.accept(read.settings, read.topic, 0) == 0


def test_a_partition_that_was_never_read_is_refused(
    kafka_server: embedded.Kafka, topic_prefix: str, read: Read
) -> None:
    other = read.topic.replace("observations", "catalogue")
    with pytest.raises(UsageError, match="was never read by this monitor"):
        streams.accept(read.settings, other, 0)


def test_a_partition_that_was_read_on_another_cluster_is_accepted_on_this_one(
    read: Read, database: str
) -> None:
    async def move() -> None:
        async with (
            open_store(database, size=2, application="test") as store,
            store.connection() as connection,
        ):
            await connection.execute("update stream_offset set cluster = 'another'")

    asyncio.run(move())
    accepted = streams.accept(read.settings, read.topic, 0)
    with pytest.raises(UsageError, match="nothing is wrong"):
        streams.accept(read.settings, read.topic, 0)
    assert accepted == 0
