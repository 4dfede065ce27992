"""The fenced consumer on a real Kafka and PostgreSQL: whatever happens, each record is kept exactly once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import psutil
import pytest
from aiokafka.admin import NewTopic, RecordsToDelete
from aiokafka.record.default_records import DefaultRecord
from aiokafka.structs import TopicPartition
from prometheus_client import CollectorRegistry

from monitor.demo import embedded
from monitor.errors import StreamUnavailable
from monitor.lifetime import Stop
from monitor.metrics import ProbeMetrics
from monitor.scheduler.buffer import Buffer
from monitor.stream.kafka import (
    Kafka,
    ensure_topics,
    open_admin,
    open_consumer,
    open_producer,
    partition_for,
)
from monitor.stream.loop import Hooks, Record, consume
from monitor.stream.publish import Publisher
from monitor.stream.wire import OBSERVATIONS, Observation, decode_observation
from probes.contract import Outcome
from tests.integration.keeper import SCHEMA, TOPIC, Keeper

PARTITIONS = 4


def reach(server: embedded.Kafka, prefix: str) -> Kafka:
    return Kafka(
        bootstrap=server.bootstrap,
        security=server.protocol,
        mechanism=server.mechanism,
        user=server.user,
        password=server.password,
        topic_prefix=prefix,
        group_prefix=prefix,
        partitions=PARTITIONS,
    )


@pytest.fixture
async def kafka(kafka_server: embedded.Kafka, topic_prefix: str) -> Kafka:
    """A Kafka with one empty topic of four partitions."""
    found = reach(kafka_server, topic_prefix)
    await make_topic(found)
    return found


@pytest.fixture
async def keeper(database: str) -> AsyncIterator[Keeper]:
    pool = await asyncpg.create_pool(database, min_size=1, max_size=4)
    await pool.execute(SCHEMA)
    yield Keeper(pool)
    await pool.close()


async def make_topic(kafka: Kafka) -> None:
    async with open_admin(kafka) as admin:
        by_append = {"message.timestamp.type": "LogAppendTime"}
        await admin.create_topics([NewTopic(kafka.topic(TOPIC), PARTITIONS, 1, topic_configs=by_append)])


async def send(kafka: Kafka, first: int, count: int) -> list[str]:
    """Values value-first… spread over the partitions; returns them."""
    values = [f"value-{number:05d}" for number in range(first, first + count)]
    async with open_producer(kafka) as producer:
        for value in values:
            await producer.send(kafka.topic(TOPIC), value.encode(), value.encode())
        await producer.flush()
    return values


async def until(true: Callable[[], Awaitable[bool]], within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while not await true():
        assert time.monotonic() < deadline, "it did not come true in time"
        await asyncio.sleep(0.05)


def has(keeper: Keeper, values: list[str]) -> Callable[[], Awaitable[bool]]:
    async def all_there() -> bool:
        return set(values) <= set(await keeper.values())

    return all_there


class Told:
    """What the hooks said."""

    def __init__(self) -> None:
        self.stopped: set[int] = set()
        self.fenced = 0
        self.lag: dict[int, int] = {}
        self.hooks = Hooks(lag=self.lag.__setitem__, stopped=self._stopped, fenced=self._fenced)

    def _stopped(self, partition: int, whether: bool) -> None:
        (self.stopped.add if whether else self.stopped.discard)(partition)

    def _fenced(self) -> None:
        self.fenced += 1


@asynccontextmanager
async def consuming(
    kafka: Kafka, keeper: Keeper, told: Told | None = None, **settings: Any
) -> AsyncIterator[None]:
    stop = Stop()
    hooks = (told or Told()).hooks
    reading = consume(
        kafka, topic=TOPIC, group="readers", keeper=keeper, stop=stop, hooks=hooks, session_s=6.0, **settings
    )
    task = asyncio.create_task(reading)
    try:
        yield
    finally:
        stop.request()
        await asyncio.wait_for(task, 20)


@asynccontextmanager
async def process(
    kafka: Kafka, database: str, *, freeze: bool = False
) -> AsyncIterator[subprocess.Popen[bytes]]:
    """A consumer of the same group in a process of its own."""
    settings = json.dumps({"kafka": msgspec.to_builtins(kafka), "dsn": database, "freeze": freeze})
    script = Path(__file__).with_name("keeper.py")
    environment = {**os.environ, "PYTHONPATH": str(script.parents[2])}
    command = [sys.executable, str(script), settings]
    child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)  # noqa: ASYNC220 - at once
    try:
        yield child
    finally:
        child.kill()
        child.send_signal(signal.SIGCONT)
        await asyncio.to_thread(child.communicate, timeout=10)


async def test_every_record_is_kept_once_over_restarts(kafka: Kafka, keeper: Keeper) -> None:
    sent = await send(kafka, 0, 200)
    async with consuming(kafka, keeper):
        await until(has(keeper, sent))
    sent += await send(kafka, 200, 200)
    async with consuming(kafka, keeper):
        await until(has(keeper, sent))
    assert await keeper.values() == sent


async def test_stopping_lets_go_of_every_partition(kafka: Kafka, keeper: Keeper) -> None:
    sent = await send(kafka, 0, 20)
    async with consuming(kafka, keeper):
        await until(has(keeper, sent))
    assert sorted(keeper.let_go) == list(range(PARTITIONS))


async def test_what_a_keeper_kept_before_its_place_is_recalled_before_it_goes_on(
    kafka: Kafka, keeper: Keeper
) -> None:
    """Each record in order, from where the keeper says; what is new waits until all of it was recalled."""
    sent = await send(kafka, 0, 400)
    async with consuming(kafka, keeper):
        await until(has(keeper, sent))
    recalled: dict[int, list[int]] = {}

    async def recall(partition: int, records: Sequence[Record]) -> None:
        new = 'select count(*) from kept where partition = $1 and "offset" >= $2'
        assert await keeper.pool.fetchval(new, partition, ends[partition]) == 0
        assert {type(record) for record in records} == {DefaultRecord}  # as they were parsed
        recalled.setdefault(partition, []).extend(record.offset for record in records)

    keeper.recall_from = 10
    more = await send(kafka, 400, 50)
    ends = dict(await keeper.pool.fetch("select partition, next from place"))
    async with consuming(kafka, keeper, recall=recall):
        await until(has(keeper, more))
    assert recalled == {partition: list(range(10, end)) for partition, end in ends.items()}
    assert await keeper.values() == sent + more


async def test_caught_up_is_told_for_quiet_partitions_too_and_never_ahead(
    kafka: Kafka, keeper: Keeper
) -> None:
    began_ms = time.time() * 1000
    async with consuming(kafka, keeper):

        async def told_twice() -> bool:
            return (
                len(keeper.caught_up_ms) == PARTITIONS and min(keeper.caught_up_ms.values()) > began_ms + 1500
            )

        await until(told_twice)
        assert max(keeper.caught_up_ms.values()) <= time.time() * 1000


async def test_a_store_that_is_away_pauses_and_loses_nothing(kafka: Kafka, keeper: Keeper) -> None:
    sent = await send(kafka, 0, 100)
    async with consuming(kafka, keeper):
        await until(has(keeper, sent))
        keeper.away = True
        sent += await send(kafka, 100, 100)

        async def tried_often() -> bool:
            return keeper.refused >= 3 * PARTITIONS

        await until(tried_often)
        kept_meanwhile = len(await keeper.values())
        keeper.away = False
        await until(has(keeper, sent))
    assert (kept_meanwhile, await keeper.values()) == (100, sent)


async def test_an_offset_moved_by_another_is_read_again_and_its_batch_forgotten(
    kafka: Kafka, keeper: Keeper
) -> None:
    sent, told = await send(kafka, 0, 100), Told()
    async with consuming(kafka, keeper, told):
        await until(has(keeper, sent))
        # somebody else kept the next record of every partition
        await keeper.pool.execute("update place set next = next + 1, last_at_ms = null, last_crc = null")
        more = await send(kafka, 100, 200)
        count = len(sent) + len(more) - PARTITIONS

        async def the_rest_is_there() -> bool:
            return len(await keeper.values()) >= count

        await until(the_rest_is_there)
    values = await keeper.values()
    assert (len(values), len(set(values)), told.fenced >= PARTITIONS) == (count, count, True)


async def test_a_recreated_topic_stops_its_partitions_until_a_person_accepts(
    kafka: Kafka, keeper: Keeper
) -> None:
    sent, told = await send(kafka, 0, 100), Told()
    async with consuming(kafka, keeper):
        await until(has(keeper, sent))
    async with open_admin(kafka) as admin:
        await admin.delete_topics([kafka.topic(TOPIC)])

        async def gone() -> bool:
            return kafka.topic(TOPIC) not in await admin.list_topics()

        await until(gone)
    await make_topic(kafka)
    other = await send(kafka, 500, 400)  # longer than the one before: only the record itself tells
    async with consuming(kafka, keeper, told):

        async def all_stopped() -> bool:
            return told.stopped == set(range(PARTITIONS))

        await until(all_stopped)
        assert await keeper.values() == sent
        await keeper.pool.execute("update place set next = 0, last_at_ms = null, last_crc = null")
        await until(has(keeper, other))
    assert (await keeper.values(), told.stopped) == (sent + other, set())


async def test_a_log_that_ends_before_our_place_is_another_log(kafka: Kafka, keeper: Keeper) -> None:
    told = Told()
    await keeper.pool.execute("insert into place select g, 1000, 1, 1 from generate_series(0, 3) g")
    async with consuming(kafka, keeper, told):

        async def all_stopped() -> bool:
            return told.stopped == set(range(PARTITIONS))

        await until(all_stopped)


async def test_a_lost_range_stops_only_its_partition(kafka: Kafka, keeper: Keeper) -> None:
    sent, told = await send(kafka, 0, 100), Told()
    async with consuming(kafka, keeper):
        await until(has(keeper, sent))
    more = await send(kafka, 100, 100)
    lost = {value for value in more if partition_for(value, PARTITIONS) == 0}
    async with open_admin(kafka) as admin:
        await admin.delete_records({TopicPartition(kafka.topic(TOPIC), 0): RecordsToDelete(before_offset=-1)})
    async with consuming(kafka, keeper, told):
        await until(has(keeper, [value for value in more if value not in lost]))

        async def zero_stopped() -> bool:
            return told.stopped == {0}

        await until(zero_stopped)
    assert await keeper.values() == sent + [value for value in more if value not in lost]


async def test_a_second_member_joins_and_leaves_and_nothing_is_lost_or_doubled(
    kafka: Kafka, keeper: Keeper, database: str
) -> None:
    sent = await send(kafka, 0, 100)
    async with consuming(kafka, keeper):
        await until(has(keeper, sent))
        async with process(kafka, database):

            async def shared() -> bool:
                return len(keeper.let_go) >= PARTITIONS // 2

            await until(shared)
            sent += await send(kafka, 100, 300)
            await until(has(keeper, sent))
        sent += await send(kafka, 400, 100)  # its partitions come back after the session time-out
        await until(has(keeper, sent))
    assert await keeper.values() == sent


async def test_T42_a_frozen_consumer_that_wakes_with_its_old_batch_writes_nothing_twice(  # noqa: N802
    kafka: Kafka, keeper: Keeper, database: str
) -> None:
    sent = await send(kafka, 0, 2_000)
    async with process(kafka, database, freeze=True) as frozen:
        await until(stopped(frozen))
        async with consuming(kafka, keeper):  # takes over after the session time-out
            await until(has(keeper, sent))
            frozen.send_signal(signal.SIGCONT)
            said = await asyncio.wait_for(asyncio.to_thread(frozen.stdout.readline), 20)
            sent += await send(kafka, 2_000, 1_000)
            await until(has(keeper, sent))
    assert (said, await keeper.values()) == (b"fenced\n", sent)


def stopped(child: subprocess.Popen[bytes]) -> Callable[[], Awaitable[bool]]:
    async def is_stopped() -> bool:
        return psutil.Process(child.pid).status() == psutil.STATUS_STOPPED

    return is_stopped


async def test_a_broker_restart_loses_and_doubles_nothing(
    kafka: Kafka, keeper: Keeper, kafka_server: embedded.Kafka
) -> None:
    sent = await send(kafka, 0, 200)
    async with consuming(kafka, keeper):
        await until(has(keeper, sent))
        await asyncio.to_thread(kafka_server.kill)
        await asyncio.to_thread(kafka_server.start)
        sent += await send(kafka, 200, 200)
        await until(has(keeper, sent), within_s=60)
    assert await keeper.values() == sent


async def test_observations_wait_on_disk_for_the_broker_and_then_come_in_order(
    kafka: Kafka, kafka_server: embedded.Kafka, tmp_path: Path
) -> None:
    await ensure_topics(kafka, vantages=[])
    registry, stop, buffer = CollectorRegistry(), Stop(), Buffer(tmp_path)
    publisher = Publisher(kafka, buffer, metrics=ProbeMetrics(registry, vantage="main"))
    delivering = asyncio.create_task(publisher.deliver(stop))
    for due_ms in range(500):
        publisher.publish(observation(due_ms))
    await until(nothing_left(buffer))
    await asyncio.to_thread(kafka_server.stop)
    for due_ms in range(500, 3_000):
        publisher.publish(observation(due_ms))

    async def shown() -> bool:
        return registry.get_sample_value("continuity_buffer_observations") == 2_500

    await until(shown)
    await asyncio.to_thread(kafka_server.start)
    await until(nothing_left(buffer), within_s=60)
    stop.request()
    await asyncio.wait_for(delivering, 15)
    buffer.close()
    async with open_consumer(kafka) as consumer:
        tp = TopicPartition(kafka.topic(OBSERVATIONS), partition_for("service:x", PARTITIONS))
        consumer.assign([tp])
        consumer.seek(tp, 0)
        dues: list[int] = []
        while len(set(dues)) < 3_000:
            for record in (await consumer.getmany(tp, timeout_ms=10_000))[tp]:
                found = decode_observation(record.value)
                assert isinstance(found, Observation)
                dues.append(found.due_ms)
    assert list(dict.fromkeys(dues)) == list(range(3_000))  # a repeat is harmless, a late first one is not


def observation(due_ms: int) -> Observation:
    return Observation(
        check="service:x/web/main", vantage="main", due_ms=due_ms, every_ms=1, outcome=Outcome.UP
    )


def nothing_left(buffer: Buffer) -> Callable[[], Awaitable[bool]]:
    async def empty() -> bool:
        return buffer.depth == 0

    return empty


async def test_a_wrong_password_is_said_to_be_one(kafka: Kafka) -> None:
    with pytest.raises(StreamUnavailable, match=r"(?i)authentication failed"):
        async with open_producer(msgspec.structs.replace(kafka, password="wrong")):
            pass


async def test_a_broker_that_is_not_there_is_said_so(kafka: Kafka) -> None:
    with pytest.raises(StreamUnavailable, match=r"127\.0\.0\.1:1: .*[Cc]onnect"):
        async with open_producer(msgspec.structs.replace(kafka, bootstrap="127.0.0.1:1")):
            pass
