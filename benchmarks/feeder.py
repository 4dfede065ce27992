"""Stands in for the probers: what 1,300 checks would have found, into Kafka, as a backlog and then steadily.

Run as a Tool with `kafka` (its fields), `checks`, `every_ms` and `backlog` (beats of each check before now).
It says `{"sent": n}` once the backlog is acknowledged, then goes on every 100 ms like a prober's publisher.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterator

import msgspec
import uvloop
from aiokafka import AIOKafkaProducer

from benchmarks.processes import say
from benchmarks.targets import until_input_ends
from monitor.model import stream_key
from monitor.scheduler.beat import beats_between
from monitor.stream.kafka import Kafka, open_producer, partition_for
from monitor.stream.wire import OBSERVATIONS, Heartbeat, Observation, encode
from probes.contract import Outcome, Reason

LINGER_S = 0.1
HEARTBEAT_MS = 5_000
FAILING = 0.01  # of the beats
STILL_FAILING = 0.2  # of those, at the retry a moment later
AT_ONCE = 20_000


def key_of(number: int) -> str:
    """The path of a check."""
    return f"service:s{number:05d}/web/main"


def observations(checks: int, every_ms: int, *, after_ms: int, until_ms: int) -> list[Observation]:
    """What the beats in (after_ms, until_ms] found, in the order in which it was found."""
    found: list[Observation] = []
    for number in range(checks):
        key = key_of(number)
        for due_ms in beats_between(key, every_ms, after_ms=after_ms, until_ms=until_ms):
            found += _attempts(key, due_ms, every_ms, random.Random(f"{key}{due_ms}"))
    return sorted(found, key=lambda one: (one.due_ms, one.attempt))


def _attempts(key: str, due_ms: int, every_ms: int, chance: random.Random) -> Iterator[Observation]:
    fails = chance.random() < FAILING
    yield _observation(key, due_ms, every_ms, 0, chance, fails=fails)
    if fails:
        again = chance.random() < STILL_FAILING
        yield _observation(key, due_ms, every_ms, 1, chance, fails=again)


def _observation(
    key: str, due_ms: int, every_ms: int, attempt: int, chance: random.Random, *, fails: bool
) -> Observation:
    first_byte_ms = round(20 + chance.random() * 80, 3)
    phases_ms = {
        "dns": round(chance.random() * 2, 3),
        "connect": round(5 + chance.random() * 5, 3),
        "tls": round(12 + chance.random() * 9, 3),
        "first_byte": first_byte_ms,
        "transfer": round(chance.random() * 4, 3),
    }
    return Observation(
        check=key, vantage="main", due_ms=due_ms, attempt=attempt, every_ms=every_ms,
        late_ms=chance.randrange(4), took_ms=round(sum(phases_ms.values()), 3), phases_ms=phases_ms,
        outcome=Outcome.DOWN if fails else Outcome.UP, reason=Reason.STATUS if fails else Reason.OK,
        sentence="answered 503, accepted is 200-299" if fails else "", status=503 if fails else 200,
        size_bytes=None if fails else 18_204,
        certificate_expires_ms=due_ms // 86_400_000 * 86_400_000 + 10**10,
        serial=1,
    )  # fmt: skip


async def send(producer: AIOKafkaProducer, kafka: Kafka, values: list[tuple[str, bytes]]) -> None:
    """All of them are acknowledged when it returns."""
    by_partition: dict[int, list[tuple[str, bytes]]] = defaultdict(list)
    for key, value in values:
        by_partition[partition_for(key, kafka.partitions)].append((key, value))
    sent = []
    for partition, those in by_partition.items():
        batch = producer.create_batch()
        for key, value in those:
            if batch.append(key=key.encode(), value=value, timestamp=None) is None:
                sent.append(await producer.send_batch(batch, kafka.topic(OBSERVATIONS), partition=partition))
                batch = producer.create_batch()
                batch.append(key=key.encode(), value=value, timestamp=None)
        sent.append(await producer.send_batch(batch, kafka.topic(OBSERVATIONS), partition=partition))
    await asyncio.gather(*sent)


async def main(given: dict[str, object]) -> None:
    """The backlog, then beats as they fall due, until the input ends."""
    kafka = msgspec.convert(given["kafka"], Kafka)
    checks, every_ms = msgspec.convert([given["checks"], given["every_ms"]], tuple[int, int])
    backlog = msgspec.convert(given["backlog"], int)
    async with open_producer(kafka) as producer:
        at_ms = int(time.time() * 1000)
        after_ms = at_ms - backlog * every_ms
        found: list[Observation] = observations(checks, every_ms, after_ms=after_ms, until_ms=at_ms)
        values = [(stream_key(one.check), encode(one)) for one in found]
        for start in range(0, len(values), AT_ONCE):
            await send(producer, kafka, values[start : start + AT_ONCE])
        say({"sent": len(values), "until_ms": at_ms})
        ending = asyncio.ensure_future(until_input_ends())
        heart_ms = 0
        while not ending.done():
            await asyncio.sleep(LINGER_S)
            now_ms = int(time.time() * 1000)
            found = observations(checks, every_ms, after_ms=at_ms, until_ms=now_ms)
            values = [(stream_key(one.check), encode(one)) for one in found]
            if now_ms - heart_ms >= HEARTBEAT_MS:
                heart_ms = now_ms
                beat = Heartbeat(vantage="main", prober="bench", at_ms=now_ms, checks=checks)
                values.append(("vantage:main", encode(beat)))
            at_ms = now_ms
            await send(producer, kafka, values)


if __name__ == "__main__":
    uvloop.run(main(json.loads(sys.argv[1])))
