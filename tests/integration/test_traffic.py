"""Whatever kills the sample's sender or its Kafka, every transaction gets there; repeats have the same id."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from aiokafka import TopicPartition

from monitor.config.load import load
from monitor.demo import embedded
from monitor.demo.child import Child
from monitor.demo.course import Course
from monitor.demo.dips import holes
from monitor.demo.plan import PLAN, TRAFFIC, Plan
from monitor.demo.shapes import DAY_MS, HOUR_MS, MINUTE_MS
from monitor.demo.traffic import SUMMED_STEP_MS, Notes
from monitor.stream.kafka import Kafka, open_consumer, partition_for
from monitor.stream.wire import TRANSACTIONS, decode_transaction
from tests.integration.monitor_process import super_user, until

ROOT = Path(__file__).parents[2]
CAUGHT_UP_MS = 3_000


class Run:
    """The process that `continuity demo` starts, over a folder and topics of its own."""

    def __init__(self, data: Path, kafka: Kafka, *, history_ms: int, summed_ms: int = 0) -> None:
        """Of the history so much goes as sums."""
        self.data, self.kafka = data, kafka
        began_ms = int(time.time() * 1000) // MINUTE_MS * MINUTE_MS - history_ms
        notes = Notes(began_ms=began_ms, sent_ms=began_ms, summed_ms=began_ms + summed_ms)
        (data / TRAFFIC).write_bytes(msgspec.json.encode(notes))
        (data / PLAN).write_bytes(msgspec.json.encode(Plan(config=str(ROOT / "config"), replace={})))
        self._log = data / "traffic.log"
        self._child: Child | None = None

    def start(self) -> None:
        given = {name: value for name, value in os.environ.items() if not name.startswith("CONTINUITY_")}
        ours = {
            "CONTINUITY_KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "CONTINUITY_KAFKA_SECURITY": self.kafka.security.lower(),
            "CONTINUITY_KAFKA_MECHANISM": self.kafka.mechanism,
            "CONTINUITY_KAFKA_USER": self.kafka.user,
            "CONTINUITY_KAFKA_PASSWORD": "env:SAMPLE_PASSWORD",
            "SAMPLE_PASSWORD": self.kafka.password,
            "CONTINUITY_KAFKA_TOPIC_PREFIX": self.kafka.topic_prefix,
            "CONTINUITY_KAFKA_PARTITIONS": str(self.kafka.partitions),
        }
        command = [sys.executable, "-m", "monitor.demo.traffic", str(self.data)]
        self._child = Child(command, self._log, name="traffic", grace_s=10, cwd=ROOT, env=given | ours)

    def kill(self) -> None:
        assert self._child is not None
        self._child.kill()

    def end(self) -> int | None:
        """SIGTERM, and its exit code; None when it never ran."""
        return self._child.stop() if self._child is not None else None

    def said(self) -> str:
        return self._log.read_text()

    @property
    def notes(self) -> Notes:
        return msgspec.json.decode((self.data / TRAFFIC).read_bytes(), type=Notes)

    @property
    def caught_up(self) -> bool:
        return time.time() * 1000 - self.notes.sent_ms < CAUGHT_UP_MS

    def ledger(self) -> set[str]:
        """The ids of all that took place up to what was noted as acknowledged."""
        catalogue = load(ROOT / "config", replace={}).catalogue
        notes, course = self.notes, Course(catalogue)
        dips = holes(catalogue.zone, notes.began_ms)
        single_ms = max(notes.began_ms, notes.summed_ms)
        steps = range(notes.began_ms, single_ms, SUMMED_STEP_MS)
        found = {
            one.id for at in steps for one in course.summed(at, min(at + SUMMED_STEP_MS, single_ms), dips)
        }
        return found | {event.id for event in course.between(single_ms, notes.sent_ms, dips)}


@pytest.fixture
async def kafka(kafka_server: embedded.Kafka, topic_prefix: str) -> Kafka:
    return super_user(kafka_server, topic_prefix)


@pytest.fixture
def run(tmp_path: Path, kafka: Kafka) -> Iterator[Run]:
    """An hour lies behind; not yet started."""
    made = Run(tmp_path, kafka, history_ms=HOUR_MS)
    yield made
    made.end()


@pytest.fixture
def long_run(tmp_path: Path, kafka: Kafka) -> Iterator[Run]:
    """Two days lie behind, half of the first goes as sums; not yet started."""
    made = Run(tmp_path, kafka, history_ms=2 * DAY_MS, summed_ms=12 * HOUR_MS)
    yield made
    made.end()


def places(kafka: Kafka) -> list[TopicPartition]:
    return [TopicPartition(kafka.topic(TRANSACTIONS), number) for number in range(kafka.partitions)]


async def stored(kafka: Kafka) -> dict[str, list[tuple[int, bytes]]]:
    """Everything in the topic: id → where it is, and what it says."""
    found: dict[str, list[tuple[int, bytes]]] = defaultdict(list)
    async with open_consumer(kafka) as consumer, asyncio.timeout(60):
        consumer.assign(places(kafka))
        await consumer.seek_to_beginning(*places(kafka))
        left = sum((await consumer.end_offsets(places(kafka))).values())
        while left:
            for place, records in (await consumer.getmany(timeout_ms=500)).items():
                left -= len(records)
                for record in records:
                    found[decode_transaction(record.value).id].append((place.partition, record.value))
    return found


async def test_killed_outright_in_its_history_it_leaves_nothing_out_and_repeats_only_the_same(
    long_run: Run,
) -> None:
    run = long_run
    run.start()
    began_ms = run.notes.sent_ms
    await until(lambda: run.notes.sent_ms > began_ms + 3 * HOUR_MS, what="some of it was sent")
    run.kill()
    at_kill = run.notes
    run.start()
    await until(lambda: run.caught_up, within_s=90, what="the history was sent")
    code = run.end()
    found = await stored(run.kafka)
    assert at_kill.sent_ms < run.notes.sent_ms - DAY_MS  # it was killed with most of it to come
    assert (code, set(found)) == (0, run.ledger())
    assert all(len(set(copies)) == 1 for copies in found.values())
    assert any(len(copies) > 1 for copies in found.values())


async def test_each_service_goes_to_the_partition_of_its_slug(run: Run) -> None:
    run.start()
    await until(lambda: run.caught_up, within_s=90, what="the history was sent")
    run.end()
    for copies in (await stored(run.kafka)).values():
        message = decode_transaction(copies[0][1])
        assert copies[0][0] == partition_for(message.service, run.kafka.partitions)


async def test_it_waits_for_a_kafka_that_is_away_and_then_catches_up(
    kafka_server: embedded.Kafka, run: Run
) -> None:
    run.start()
    await until(lambda: run.caught_up, within_s=60, what="the history was sent")
    await asyncio.to_thread(kafka_server.stop)
    try:
        await until(lambda: "traffic.waits" in run.said(), within_s=60, what="it noticed")
        stood_ms = run.notes.sent_ms
    finally:
        await asyncio.to_thread(kafka_server.start)
    await until(lambda: run.notes.sent_ms > stood_ms and run.caught_up, within_s=60, what="it caught up")
    code = run.end()
    assert (code, set(await stored(run.kafka))) == (0, run.ledger())
