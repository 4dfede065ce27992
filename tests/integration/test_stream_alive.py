"""A client of Kafka whose background task died is replaced: nobody waits for it, and it leaves no trace."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import uvloop
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.admin import ApiVersionRequest

from monitor.demo import embedded
from monitor.errors import StreamUnavailable
from monitor.lifetime import Stop
from monitor.stream.alive import look_after_consumer, look_after_producer
from monitor.stream.kafka import Kafka, ensure_topics, open_consumer, open_producer
from monitor.stream.loop import Position, Record, consume
from monitor.stream.wire import OBSERVATIONS
from tests.integration.monitor_process import super_user, until

BACKGROUND = ("AIOKafkaClient._md_synchronizer", "Fetcher._fetch_requests_routine", "Sender._sender_routine")


@pytest.fixture
async def kafka(kafka_server: embedded.Kafka, topic_prefix: str) -> Kafka:
    found = super_user(kafka_server, topic_prefix)
    await ensure_topics(found, vantages=["main"])
    return found


class Memory:
    """A keeper that only remembers: values in the order kept, and how often a partition was opened."""

    def __init__(self) -> None:
        self.values: list[bytes | None] = []
        self.opened = 0
        self._places: dict[int, Position] = {}

    async def assigned(self, partition: int, *, cluster: str, begin: int, end: int) -> Position:
        self.opened += 1
        return self._places.setdefault(partition, Position(begin, None, None))

    async def keep(
        self, partition: int, records: Any, *, at: Position, new: Position, waiting: int = 0
    ) -> None:
        kept: list[Record] = list(records)
        self.values += [record.value for record in kept]
        self._places[partition] = new

    async def caught_up(self, partition: int, wall_ms: int, *, at: Position) -> None:
        return

    def revoked(self, partition: int) -> None:
        return


async def send(kafka: Kafka, value: bytes) -> None:
    async with open_producer(kafka) as producer:
        await producer.send_and_wait(kafka.topic(OBSERVATIONS), value, b"key")


def end(name: str) -> int:
    """Let every background task of that kind die; returns how many there were."""
    tasks = [task for task in asyncio.all_tasks() if task.get_coro().__qualname__ == name]  # type: ignore[union-attr]
    for task in tasks:
        task.cancel()
    return len(tasks)


@pytest.mark.parametrize("name", BACKGROUND[:2])
async def test_a_reader_whose_background_task_died_opens_another(kafka: Kafka, name: str) -> None:
    keeper, stop = Memory(), Stop()
    reading = asyncio.create_task(
        consume(kafka, topic=OBSERVATIONS, group="readers", keeper=keeper, stop=stop, session_s=6.0)
    )
    await send(kafka, b"before")
    await until(lambda: keeper.values == [b"before"])
    died = end(name)
    await until(lambda: keeper.opened == 2 * kafka.partitions, what="it was not replaced")
    await send(kafka, b"after")
    await until(lambda: keeper.values == [b"before", b"after"])
    stop.request()
    await asyncio.wait_for(reading, 20)
    assert died == 1


async def test_a_consumer_or_producer_that_lost_its_task_is_said_to_be_of_no_more_use(kafka: Kafka) -> None:
    async with open_consumer(kafka) as consumer, open_producer(kafka) as producer:
        look_after_consumer(consumer)
        look_after_producer(producer)
        end(BACKGROUND[0])
        await asyncio.sleep(0)
        with pytest.raises(StreamUnavailable, match="_md_synchronizer ended: it was cancelled"):
            look_after_consumer(consumer)
        with pytest.raises(StreamUnavailable, match="_md_synchronizer ended: it was cancelled"):
            look_after_producer(producer)


def test_a_connection_closed_just_now_is_a_fault_of_kafkas_under_uvloop_too() -> None:
    """uvloop raises RuntimeError there, which ended aiokafka's task for metadata, and with it all else."""

    async def send_on_a_closed_one() -> None:
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        connection = AIOKafkaConnection("127.0.0.1", port, request_timeout_ms=1_000)
        connection._reader, connection._writer = await asyncio.open_connection("127.0.0.1", port)
        connection._read_task = asyncio.ensure_future(asyncio.sleep(0))
        connection._writer.transport.abort()
        await asyncio.sleep(0.05)
        try:
            with pytest.raises(KafkaConnectionError, match="closed"):
                await connection.send(ApiVersionRequest())
        finally:
            server.close()
            await server.wait_closed()

    run(send_on_a_closed_one())


def run(work: Coroutine[Any, Any, None]) -> None:
    """In uvloop, as the roles do."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(uvloop.run, asyncio.wait_for(work, 20)).result()
