"""Whatever dies, freezes, restarts or joins: the counts equal the senders' ledger exactly."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import NewTopic, RecordsToDelete

from monitor.demo.embedded import Kafka, Postgres
from monitor.stream.kafka import open_admin
from monitor.stream.wire import TRANSACTIONS
from tests.integration import sender as senders
from tests.integration.count_rounds import Rounds, settled
from tests.integration.monitor_process import (
    PARTITIONS,
    Monitor,
    create_database,
    monitor,
    super_user,
    until,
)
from tests.integration.sender import Sender, differences, send

MESSAGES = 20_000  # a round; `python -m benchmarks.count_faults` takes more, and more rounds
FAULTS = 5


@pytest.fixture(scope="module")
def installed(
    kafka_server: Kafka,
    postgres_server: Postgres,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Monitor]:
    """One counter, and who publishes the catalogue."""
    dsn, folder = create_database(postgres_server, migrated_template), tmp_path_factory.mktemp("counting")
    prefix = f"counting-{time.time_ns()}."
    with monitor(folder, kafka=kafka_server, dsn=dsn, prefix=prefix) as made:
        made.catalogue(senders.catalogue())
        for role in ("derive", "count"):
            made.start(role)
        yield made


@pytest.fixture(scope="module")
def rounds(installed: Monitor, kafka_server: Kafka, postgres_server: Postgres) -> Rounds:
    sender = Sender(7, partitions=PARTITIONS)
    return Rounds(installed, kafka=kafka_server, postgres=postgres_server, sender=sender, seed=3, kills=1)


async def test_undisturbed_every_message_counts_once(rounds: Rounds, kafka_server: Kafka) -> None:
    """Also those without an id, which only a sender that is never interrupted can count."""
    await send(super_user(kafka_server, rounds.running.prefix), rounds.sender, 5_000)
    await settled(rounds.running)
    assert await differences(rounds.running.dsn, rounds.sender) == []


@pytest.mark.parametrize("number", range(FAULTS))
async def test_after_a_round_of_faults_the_counts_equal_the_ledger(rounds: Rounds, number: int) -> None:
    """kill -9, frozen past the session time-out, broker and database restarts, a second member (T42)."""
    found = await rounds.run(number, messages=MESSAGES)
    assert found.differences == []


async def stopped_partitions(running: Monitor) -> float:
    return running.started("count").metrics().get("continuity_stream_stopped", 0.0)


async def test_a_lost_range_stops_its_partition_and_says_so(rounds: Rounds, kafka_server: Kafka) -> None:
    running, kafka = rounds.running, super_user(kafka_server, rounds.running.prefix)
    running.started("count").kill()
    await send(kafka, rounds.sender, 2_000, all_named=True)
    async with open_admin(kafka) as admin:
        where = TopicPartition(kafka.topic(TRANSACTIONS), 0)
        await admin.delete_records({where: RecordsToDelete(before_offset=-1)})
    role = running.start("count")
    await until(lambda: stopped_partitions(running), what="no partition stopped")
    said = [event["why"] for event in role.events("stream.stopped")]
    assert (len(said), said[0].startswith("lost range")) == (1, True)


def all_stopped(running: Monitor) -> Callable[[], Awaitable[bool]]:
    async def stopped() -> bool:
        return await stopped_partitions(running) == PARTITIONS

    return stopped


async def test_another_cluster_stops_every_partition_and_says_so(rounds: Rounds) -> None:
    """The topic may have been carried over with what was counted of it."""
    running = rounds.running
    running.started("count").kill()
    move = "update stream_offset set cluster = $1 where topic = $2 and cluster = $3"
    topic = running.prefix + TRANSACTIONS
    here = await running.value("select min(cluster) from stream_offset where topic = $1", topic)
    await running.fetch(move, "elsewhere", topic, here)
    role = running.start("count")
    await until(all_stopped(running), what="not every partition stopped")
    said = {event["why"].split(":")[0] for event in role.events("stream.stopped")}
    await running.fetch(move, here, topic, "elsewhere")
    assert said == {"another cluster"}


async def test_a_recreated_topic_stops_its_partitions_and_says_so(
    rounds: Rounds, kafka_server: Kafka
) -> None:
    """As long as the one before: only its last record tells."""
    running, kafka = rounds.running, super_user(kafka_server, rounds.running.prefix)
    topic = kafka.topic(TRANSACTIONS)
    async with open_admin(kafka) as admin:
        await admin.delete_topics([topic])
        while topic in await admin.list_topics():  # noqa: ASYNC110 - another process removes it
            await asyncio.sleep(0.1)
        by_append = {"message.timestamp.type": "LogAppendTime"}
        await admin.create_topics([NewTopic(topic, PARTITIONS, 1, topic_configs=by_append)])
    before = await running.value("select sum(count) from counted_total")
    await send(kafka, Sender(8, partitions=PARTITIONS), 2_000)
    running.started("count").kill()
    role = running.start("count")
    await until(all_stopped(running), what="not every partition stopped")
    said = {event["why"].split(":")[0] for event in role.events("stream.stopped")}
    after = await running.value("select sum(count) from counted_total")
    assert (said <= {"recreated", "lost range"}, before) == (True, after)
