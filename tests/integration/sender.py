"""Services that send their transactions, and the ledger they keep of what must be counted or set aside."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from typing import Any, NamedTuple

import asyncpg
import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from monitor.errors import StreamUnavailable
from monitor.store.times import millis, moment
from monitor.stream.kafka import Kafka, open_producer, partition_for
from monitor.stream.wire import TRANSACTIONS

SERVICES = tuple(f"service-{number:02d}" for number in range(24))
CHANNELS = ("web", "app")
OUTCOMES = ("completed", "completed", "completed", "failed", "abandoned")
HOUR_MS = 3_600_000
LATELY = 5_000  # ids of a partition that may be sent again: well inside the horizon
AT_ONCE = 2_000
WITHIN_S = 120.0
Key = tuple[str, str, int]


class Sums(NamedTuple):
    """Of one channel, outcome and minute."""

    events: int
    timed: int
    duration_ms: int


def catalogue(port: int = 1) -> dict[str, Any]:
    """What the senders are called in the configuration; nothing there is ever asked with success."""
    ask = {"tcp": f"127.0.0.1:{port}", "every_s": 3_600}
    channels = [{"kind": name, "checks": [ask]} for name in CHANNELS]
    return {"services": [{"slug": slug, "channels": channels} for slug in SERVICES]}


class Sender:
    """Makes messages from chance alone; the ledger follows from what it made, not from what is stored."""

    def __init__(self, seed: int, *, partitions: int, hours: int = 6) -> None:
        self._chance = random.Random(seed)
        self._partitions, self._hours = partitions, hours
        self._number = self._poisoned = 0
        self._lately: dict[int, deque[bytes]] = defaultdict(lambda: deque(maxlen=LATELY))
        self.ledger: dict[Key, list[int]] = defaultdict(lambda: [0, 0, 0])
        self.letters: Counter[str] = Counter()
        self.sent = self.repeats = 0

    def messages(self, count: int, *, all_named: bool = False) -> Iterator[tuple[str, bytes]]:
        """(key, value) of so many messages; `all_named`: each has an id, so that it may be sent twice."""
        for _ in range(count):
            slug = self._chance.choice(SERVICES)
            kind = self._chance.random()
            self.sent += 1
            lately = self._lately[partition_for(slug, self._partitions)]
            if kind < 0.03 and lately:
                self.repeats += 1
                value = self._chance.choice(lately)
                yield msgspec.json.decode(value)["service"], value
            elif kind < 0.035:
                yield slug, self._poison(slug)
            else:
                yield slug, self._event(slug, lately, named=all_named or kind < 0.8)

    def _poison(self, slug: str) -> bytes:
        self._poisoned += 1
        good = {"schema": 1, "service": slug, "channel": "web", "outcome": "completed", "at": _now()}
        reason, message = self._chance.choice(
            [
                ("unreadable", {**good, "at": "yesterday"}),
                ("unreadable", {**good, "outcome": "lost"}),
                ("schema", {**good, "schema": 9}),
                ("unknown_service", {**good, "service": "nobody"}),
                ("unknown_channel", {**good, "channel": "pigeon"}),
                ("absurd", {**good, "count": 0}),
                ("absurd", {**good, "at": "2001-01-01T00:00:00Z"}),
            ]
        )
        self.letters[reason] += 1
        if self._chance.random() < 0.2:
            self.letters[reason] -= 1
            self.letters["unreadable"] += 1
            return b"\xff not a message %d" % self._poisoned
        return msgspec.json.encode({**message, "which": self._poisoned})

    def _event(self, slug: str, lately: deque[bytes], *, named: bool) -> bytes:
        chance = self._chance
        channel, outcome = chance.choice(CHANNELS), chance.choice(OUTCOMES)
        at_ms = int(time.time() * 1000) - chance.randrange(self._hours * HOUR_MS)
        count = 1 if chance.random() < 0.9 else chance.randrange(1, 50)
        message = {
            "schema": 1, "service": slug, "channel": channel, "outcome": outcome,
            "at": moment(at_ms).isoformat(), "count": count,
        }  # fmt: skip
        if named:
            self._number += 1
            message["id"] = f"{slug}-{self._number}"
        sums = self.ledger[f"service:{slug}/{channel}", outcome, at_ms - at_ms % 60_000]
        sums[0] += count
        if chance.random() < 0.5:
            message["duration_ms"] = duration_ms = chance.randrange(10, 5_000)
            sums[1] += count
            sums[2] += count * duration_ms
        value = msgspec.json.encode(message)
        if named:
            lately.append(value)
        return value


def _now() -> str:
    return moment(int(time.time() * 1000)).isoformat()


async def send(kafka: Kafka, sender: Sender, count: int, *, all_named: bool = False) -> None:
    """Produce, and return once Kafka has acknowledged all; what has an id is sent again when it failed."""
    waiting = list(sender.messages(count, all_named=all_named))
    deadline = time.monotonic() + WITHIN_S
    while waiting:
        try:
            async with open_producer(kafka) as producer:
                waiting = await _produce(producer, kafka.topic(TRANSACTIONS), waiting)
        except StreamUnavailable:  # the broker is away: nothing of this was sent
            await asyncio.sleep(0.2)
        assert all_named or not waiting, "an event without an id was lost or not, nobody can tell"
        assert time.monotonic() < deadline, f"{len(waiting)} messages could not be sent"


async def _produce(
    producer: AIOKafkaProducer, topic: str, messages: list[tuple[str, bytes]]
) -> list[tuple[str, bytes]]:
    """Those that were not acknowledged, from the first of each portion that failed."""
    failed: list[tuple[str, bytes]] = []
    for start in range(0, len(messages), AT_ONCE):
        some = messages[start : start + AT_ONCE]
        try:
            futures = [await producer.send(topic, value, key.encode()) for key, value in some]
        except KafkaError:
            failed += some
            continue
        answers = await asyncio.gather(*futures, return_exceptions=True)
        failed += [each for each, said in zip(some, answers, strict=True) if isinstance(said, KafkaError)]
    return failed


async def counted(dsn: str) -> tuple[dict[Key, Sums], Counter[str], int]:
    """By minute, dead letters by reason, and the total, under one snapshot."""
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            rows = await connection.fetch(
                "select channel, outcome, minute, sum(count)::bigint, sum(timed)::bigint, "
                "sum(duration_ms)::bigint from counted_minute group by channel, outcome, minute"
            )
            letters = (
                await connection.fetch(  # one whose acknowledgement was lost was sent, and set aside, twice
                    "select reason, count(distinct value) from dead_letter group by reason"
                )
            )
            total = await connection.fetchval("select coalesce(sum(count), 0)::bigint from counted_total")
    finally:
        await connection.close(timeout=5)
    minutes = {(row[0], row[1], millis(row[2])): Sums(*row[3:]) for row in rows}
    return minutes, Counter(dict(letters)), total


async def differences(dsn: str, sender: Sender) -> list[str]:
    """Where the counts are not the ledger; in words. None: all is well."""
    minutes, letters, total = await counted(dsn)
    ledger = {key: Sums(*sums) for key, sums in sender.ledger.items()}
    problems = [
        f"{key}: counted {minutes.get(key)}, sent {ledger.get(key)}"
        for key in sorted(minutes.keys() | ledger.keys())
        if minutes.get(key) != ledger.get(key)
    ]
    if (wanted := sum(sums.events for sums in ledger.values())) != total:
        problems.append(f"total: counted {total}, sent {wanted}")
    if +letters != +sender.letters:
        problems.append(f"dead letters: {dict(letters)}, sent {dict(sender.letters)}")
    return problems
