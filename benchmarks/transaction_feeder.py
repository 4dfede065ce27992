"""Stands in for the services' systems: transactions into Kafka, as a backlog or steadily.

Run as a Tool with `kafka` (its fields), `backlog` (events), `span_s` (their times lie so far back) and
`each_s` (steadily so many a second from then on; 0: none). It says `{"sent": n}` once the backlog is
acknowledged.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time

import msgspec
import uvloop
from aiokafka import AIOKafkaProducer

from benchmarks.processes import say
from benchmarks.targets import until_input_ends
from monitor.stream.kafka import Kafka, open_producer, partition_for
from monitor.stream.wire import TRANSACTIONS

SERVICES, CHANNELS = 180, ("web", "app", "call_centre", "kiosk")
OUTCOMES = ("completed",) * 8 + ("failed", "abandoned")
IN_FLIGHT = 24
TICK_S = 0.05


def slug_of(number: int) -> str:
    """The slug of a service."""
    return f"s{number:05d}"


class Events:
    """Events in the order in which they are sent; a third say how long they took."""

    def __init__(self, span_s: float) -> None:
        self._span_ms, self._chance, self._number = round(span_s * 1000), random.Random(11), 0

    def next(self, now_ms: int) -> tuple[str, bytes]:
        """(slug, message)."""
        chance, self._number = self._chance.random, self._number + 1
        slug = slug_of(int(chance() * SERVICES))
        channel, outcome = CHANNELS[int(chance() * 4)], OUTCOMES[int(chance() * 10)]
        at = _stamp(now_ms - int(chance() * self._span_ms))
        text = (
            f'{{"schema":1,"id":"{self._number:032x}","service":"{slug}","channel":"{channel}",'
            f'"outcome":"{outcome}","at":"{at}","duration_ms":{self._number % 4000}}}'
        )
        return slug, text.encode()


def _stamp(at_ms: int) -> str:
    seconds, milliseconds = divmod(at_ms, 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{milliseconds:03d}Z"


async def _backlog(producer: AIOKafkaProducer, kafka: Kafka, events: Events, count: int) -> None:
    """In whole batches, some in flight: the client's own path costs more than the events."""
    topic, now_ms = kafka.topic(TRANSACTIONS), int(time.time() * 1000)
    batches = {number: producer.create_batch() for number in range(kafka.partitions)}
    flying: set[asyncio.Future[object]] = set()

    async def ship(number: int) -> None:
        batch, batches[number] = batches[number], producer.create_batch()
        flying.add(await producer.send_batch(batch, topic, partition=number))
        if len(flying) >= IN_FLIGHT:
            done, _ = await asyncio.wait(flying, return_when=asyncio.FIRST_COMPLETED)
            flying.difference_update(done)
            for future in done:
                future.result()

    for _ in range(count):
        slug, value = events.next(now_ms)
        number = partition_for(slug, kafka.partitions)
        if batches[number].append(key=slug.encode(), value=value, timestamp=None) is None:
            await ship(number)
            batches[number].append(key=slug.encode(), value=value, timestamp=None)
    for number, batch in list(batches.items()):
        if batch.record_count():
            await ship(number)
    for future in await asyncio.gather(*flying, return_exceptions=True):
        assert not isinstance(future, BaseException), future


async def _steady(producer: AIOKafkaProducer, kafka: Kafka, events: Events, each_s: float) -> None:
    topic, began, sent = kafka.topic(TRANSACTIONS), time.monotonic(), 0
    while True:
        while sent < (time.monotonic() - began) * each_s:
            slug, value = events.next(int(time.time() * 1000))
            await producer.send(topic, value, slug.encode())
            sent += 1
        await asyncio.sleep(TICK_S)


async def _main(kafka: Kafka, backlog: int, span_s: float, each_s: float) -> None:
    async with open_producer(kafka, linger_ms=20) as producer:
        await _backlog(producer, kafka, Events(span_s), backlog)
        say({"sent": backlog})
        steady = asyncio.create_task(_steady(producer, kafka, Events(0.001), each_s)) if each_s else None
        await until_input_ends()
        if steady is not None:
            steady.cancel()


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    reach = msgspec.convert(given["kafka"], Kafka)
    uvloop.run(_main(reach, given["backlog"], given["span_s"], given["each_s"]))
