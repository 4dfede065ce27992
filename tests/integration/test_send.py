"""What `send` says was acknowledged is in Kafka, many at once; what it cannot promise it says at once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import defaultdict

import pytest
from aiokafka import TopicPartition

from monitor.demo import embedded
from monitor.demo.kafka import free_port
from monitor.errors import BadMessage, BufferFull, StreamUnavailable
from monitor.stream.kafka import Kafka, ensure_topics, open_consumer, partition_for
from monitor.stream.send import VALUE_MOST_BYTES, Sender, open_sender
from monitor.stream.wire import TRANSACTIONS
from tests.integration.monitor_process import super_user, until


@pytest.fixture
async def kafka(kafka_server: embedded.Kafka, topic_prefix: str) -> Kafka:
    found = super_user(kafka_server, topic_prefix)
    await ensure_topics(found, vantages=[])
    return found


async def stored(kafka: Kafka) -> dict[int, list[tuple[str, bytes]]]:
    """Everything in the topic by partition, in its order."""
    found: dict[int, list[tuple[str, bytes]]] = defaultdict(list)
    async with open_consumer(kafka) as consumer:
        places = [TopicPartition(kafka.topic(TRANSACTIONS), number) for number in range(kafka.partitions)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        left = sum((await consumer.end_offsets(places)).values())
        async with asyncio.timeout(30):
            while left:
                for place, records in (await consumer.getmany(timeout_ms=500)).items():
                    found[place.partition] += [(record.key.decode(), record.value) for record in records]
                    left -= len(records)
    return found


async def values(kafka: Kafka) -> list[bytes]:
    return sorted(value for records in (await stored(kafka)).values() for _, value in records)


async def taken(sender: Sender, *values: bytes) -> bool:
    """Whether it could be sent just now."""
    try:
        await sender.send([("passport", value) for value in values], within_s=5)
    except StreamUnavailable:
        return False
    return True


async def test_what_was_sent_is_there_in_order_in_the_partition_of_its_key(kafka: Kafka) -> None:
    events = [(f"service-{number % 7}", b"%d" % number) for number in range(30_000)]
    async with open_sender(kafka) as sender:
        await sender.send(events)
        assert sender.events_in_flight == sender.bytes_in_flight == 0
    found = await stored(kafka)
    expected: dict[int, list[tuple[str, bytes]]] = defaultdict(list)
    for key, value in events:
        expected[partition_for(key, kafka.partitions)].append((key, value))
    assert found == expected


async def test_many_small_sends_at_once_are_each_acknowledged_and_each_there_once(kafka: Kafka) -> None:
    async with open_sender(kafka) as sender:
        await asyncio.gather(*(sender.send([(f"s{n % 11}", b"%d" % n)]) for n in range(5_000)))
    assert await values(kafka) == sorted(b"%d" % n for n in range(5_000))


async def test_a_full_buffer_refuses_at_once_and_takes_again_once_there_is_room(kafka: Kafka) -> None:
    async with open_sender(kafka, most_events=100) as sender:
        first = asyncio.create_task(sender.send([("passport", b"first")] * 80))
        await asyncio.sleep(0)
        with pytest.raises(BufferFull, match=r"80 events .* at most 100 "):
            await sender.send([("passport", b"refused")] * 21)
        await first
        await sender.send([("passport", b"second")] * 100)
    assert await values(kafka) == [b"first"] * 80 + [b"second"] * 100


async def test_the_buffer_is_bounded_in_bytes_too(kafka: Kafka) -> None:
    async with open_sender(kafka, most_bytes=10_000) as sender:
        with pytest.raises(BufferFull, match=r"at most .* \(10000 bytes\)"):
            await sender.send([("passport", b"x" * 20_000)])
        assert sender.events_in_flight == sender.bytes_in_flight == 0


async def test_a_message_no_broker_would_take_is_refused_and_nothing_else_suffers(kafka: Kafka) -> None:
    async with open_sender(kafka) as sender:
        with pytest.raises(BadMessage, match="at most 262144"):
            await sender.send([("passport", b"x" * (VALUE_MOST_BYTES + 1))])
        await sender.send([("passport", b"x" * VALUE_MOST_BYTES)])
    assert len(await values(kafka)) == 1


async def test_a_kafka_that_was_never_there_is_said_at_once_and_stops_nobody() -> None:
    async with open_sender(Kafka(bootstrap=f"127.0.0.1:{free_port()}")) as sender:
        with pytest.raises(StreamUnavailable, match="Connect call failed"):
            await sender.send([("passport", b"lost")])
        assert sender.events_in_flight == 0


async def test_a_missing_topic_is_said_and_sending_goes_on_once_it_is_there(
    kafka_server: embedded.Kafka, topic_prefix: str
) -> None:
    kafka = super_user(kafka_server, topic_prefix)
    async with open_sender(kafka) as sender:
        assert not await taken(sender, b"too early")
        await ensure_topics(kafka, vantages=[])
        await until(lambda: taken(sender, b"in time"))
    assert await values(kafka) == [b"in time"]


async def test_a_broker_that_goes_and_comes_back_is_said_to_be_away_meanwhile_and_then_used_again(
    kafka: Kafka, kafka_server: embedded.Kafka
) -> None:
    async with open_sender(kafka) as sender:
        await sender.send([("passport", b"before")])
        await asyncio.to_thread(kafka_server.stop)
        try:
            with pytest.raises(StreamUnavailable):
                await sender.send([("passport", b"meanwhile")], within_s=1)
        finally:
            await asyncio.to_thread(kafka_server.start)
        await until(lambda: taken(sender, b"after"))
    there = await values(kafka)
    assert set(there) - {b"meanwhile"} == {b"before", b"after"}  # what was not acknowledged may be there


async def test_a_broker_that_answers_nothing_costs_a_sender_no_more_than_its_deadline(
    kafka: Kafka, kafka_server: embedded.Kafka
) -> None:
    async with open_sender(kafka) as sender:
        await sender.send([("passport", b"before")])
        os.kill(kafka_server.pid, signal.SIGSTOP)
        try:
            with pytest.raises(StreamUnavailable, match=r"not acknowledged within 0\.5 s"):
                await sender.send([("passport", b"meanwhile")], within_s=0.5)
        finally:
            os.kill(kafka_server.pid, signal.SIGCONT)
        await until(lambda: taken(sender, b"after"))
        await until(lambda: sender.events_in_flight == 0)


@pytest.mark.parametrize("name", ["AIOKafkaClient._md_synchronizer", "Sender._sender_routine"])
async def test_a_producer_whose_background_task_died_is_replaced(kafka: Kafka, name: str) -> None:
    async with open_sender(kafka) as sender:
        await sender.send([("passport", b"before")])
        for task in asyncio.all_tasks():
            if task.get_coro().__qualname__ == name:  # type: ignore[union-attr]
                task.cancel()
        await until(lambda: not sender.connected)
        await until(lambda: taken(sender, b"after"))
    assert b"after" in await values(kafka)


async def test_who_stops_waiting_leaves_no_place_taken(kafka: Kafka) -> None:
    async with open_sender(kafka) as sender:
        sending = asyncio.create_task(sender.send([("passport", b"abandoned")] * 10))
        await asyncio.sleep(0)
        sending.cancel()
        await until(lambda: sender.events_in_flight == 0)
