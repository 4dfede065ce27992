"""Probers of one vantage point share its checks: one that joins, leaves, dies or freezes is made up for."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from aiokafka import TopicPartition
from prometheus_client import CollectorRegistry

from monitor.demo import embedded
from monitor.demo.kafka import free_port
from monitor.lifetime import Stop
from monitor.model import Catalogue, Channel, ChannelKind, Check, Service, Version
from monitor.stream.catalogue import follow_catalogue, publish_version
from monitor.stream.kafka import Kafka, ensure_topics, open_consumer, open_producer, partition_for
from monitor.stream.wire import (
    REQUESTS,
    Request,
    decode_request,
    encode,
)
from probes.tcp import Settings as Tcp
from tests.integration.prober import SESSION_S
from tests.integration.probing import prober, until, watching

EVERY_MS = 1_000
CHECKS = 24


@pytest.fixture
async def kafka(kafka_server: embedded.Kafka, topic_prefix: str) -> Kafka:
    """A Kafka with our topics, empty."""
    found = Kafka(
        bootstrap=kafka_server.bootstrap,
        security=kafka_server.protocol,
        mechanism=kafka_server.mechanism,
        user=kafka_server.user,
        password=kafka_server.password,
        topic_prefix=topic_prefix,
        group_prefix=topic_prefix,
    )
    await ensure_topics(found, vantages=["main", "dubai"])
    return found


@pytest.fixture
async def target() -> AsyncIterator[int]:
    """The port of a listener that accepts and closes."""

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


def version(
    port: int, *, serial: int = 1, count: int = CHECKS, vantages: tuple[str, ...] = ("main",)
) -> Version:
    services = []
    for number in range(count):
        subject = f"service:s{number}/web"
        check = Check(
            subject=subject,
            ask=Tcp(host="127.0.0.1", port=port),
            every_s=EVERY_MS / 1000,
            within_s=0.5,
            vantages=vantages,
        )
        channel = Channel(subject=subject, slug="web", kind=ChannelKind.WEB, checks=(check,))
        services.append(Service(slug=f"s{number}", channels=(channel,)))
    return Version(serial=serial, sha256="x", valid_from_ms=0, catalogue=Catalogue(services=tuple(services)))


@asynccontextmanager
async def process(kafka: Kafka, folder: Path) -> AsyncIterator[subprocess.Popen[bytes]]:
    """A prober in a process of its own; killed at the end."""
    settings = json.dumps({"kafka": msgspec.to_builtins(kafka), "vantage": "main", "folder": str(folder)})
    script = Path(__file__).with_name("prober.py")
    environment = {**os.environ, "PYTHONPATH": str(script.parents[2])}
    command = [sys.executable, str(script), settings]
    child = subprocess.Popen(command, env=environment)  # noqa: ASYNC220 - at once
    try:
        yield child
    finally:
        child.kill()
        child.send_signal(signal.SIGCONT)
        await asyncio.to_thread(child.wait, 10)


def whole(dues: Iterable[list[int]]) -> bool:
    """Whether no beat is missing between the first and the last."""
    return all(found == list(range(found[0], found[-1] + EVERY_MS, EVERY_MS)) for found in dues)


def owned(registry: CollectorRegistry) -> float:
    return registry.get_sample_value("continuity_checks_owned") or 0.0


async def test_a_prober_asks_every_check_and_lives_by_its_heartbeat(
    kafka: Kafka, target: int, tmp_path: Path
) -> None:
    await publish_version(kafka, version(target))
    async with watching(kafka) as seen, prober(kafka, tmp_path):
        await until(lambda: len(seen.checks()) == CHECKS and len(seen.heartbeats) >= 2)
    assert {found.check for found in seen.observations if found.outcome == "up"} == {
        f"service:s{number}/web/main" for number in range(CHECKS)
    }
    assert {(beat.vantage, beat.prober) for beat in seen.heartbeats} == {
        ("main", (tmp_path / "prober-id").read_text().strip())
    }


async def test_T29_the_clocks_difference_to_the_broker_is_measured_and_stamped(  # noqa: N802
    kafka: Kafka, target: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish_version(kafka, version(target, count=1))
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 90.0)  # our clock is wrong by a minute and a half
    async with watching(kafka) as seen, prober(kafka, tmp_path) as registry:
        await until(lambda: any(found.skew_ms for found in seen.observations))
        skew_s = registry.get_sample_value("continuity_clock_skew_seconds")
    stamped = [found.skew_ms for found in seen.observations if found.skew_ms]
    assert [skew_s, *(ms / 1000 for ms in stamped)] == pytest.approx([90] * (1 + len(stamped)), abs=0.5)


async def test_two_probers_share_the_checks_and_a_leaver_costs_no_beat(
    kafka: Kafka, target: int, tmp_path: Path
) -> None:
    await publish_version(kafka, version(target))
    async with watching(kafka) as seen, prober(kafka, tmp_path / "a") as first:
        await until(lambda: len(seen.checks()) == CHECKS)
        async with prober(kafka, tmp_path / "b") as second:
            await until(lambda: 0 < owned(second) < CHECKS and owned(first) + owned(second) == CHECKS)
            shared_at_ms = time.time() * 1000
            await until(lambda: len(seen.since(shared_at_ms + EVERY_MS)) == CHECKS)
        await until(lambda: owned(first) == CHECKS)
        alone_at_ms = time.time() * 1000
        await until(lambda: len(seen.since(alone_at_ms + EVERY_MS)) == CHECKS)
    assert whole(seen.dues().values())


async def test_a_prober_that_is_killed_is_replaced_within_the_session_time_out(
    kafka: Kafka, target: int, tmp_path: Path
) -> None:
    await publish_version(kafka, version(target))
    async with watching(kafka) as seen, prober(kafka, tmp_path / "a") as first:
        await until(lambda: owned(first) == CHECKS)
        async with process(kafka, tmp_path / "b") as second:
            await until(lambda: 0 < owned(first) < CHECKS)
            second.send_signal(signal.SIGKILL)
            killed = time.monotonic()
            await until(lambda: owned(first) == CHECKS)
            took_s = time.monotonic() - killed
        at_ms = time.time() * 1000
        await until(lambda: len(seen.since(at_ms)) == CHECKS)
    assert took_s < 10


async def test_a_prober_killed_and_started_again_goes_on_before_the_group_has_noticed(
    kafka: Kafka, target: int, tmp_path: Path
) -> None:
    await publish_version(kafka, version(target))
    async with watching(kafka) as seen:
        async with process(kafka, tmp_path) as child:
            await until(lambda: len(seen.heartbeats) >= 2 and len(seen.checks()) == CHECKS)
            child.send_signal(signal.SIGKILL)
            killed_ms = time.time() * 1000
        async with process(kafka, tmp_path):
            await until(lambda: len(seen.since(killed_ms + EVERY_MS)) == CHECKS)
            first_ms = min(found.due_ms for found in seen.observations if found.due_ms > killed_ms)
    assert first_ms - killed_ms < (SESSION_S - 1.5) * 1000  # it would have waited a session without one beat


async def test_a_prober_frozen_past_the_session_time_out_comes_back_into_the_group(
    kafka: Kafka, target: int, tmp_path: Path
) -> None:
    await publish_version(kafka, version(target))
    async with watching(kafka) as seen, prober(kafka, tmp_path / "a") as first:
        await until(lambda: owned(first) == CHECKS)
        async with process(kafka, tmp_path / "b") as second:
            await until(lambda: 0 < owned(first) < CHECKS)
            second.send_signal(signal.SIGSTOP)
            await until(lambda: owned(first) == CHECKS)
            second.send_signal(signal.SIGCONT)
            await until(lambda: 0 < owned(first) < CHECKS)
            at_ms = time.time() * 1000
            await until(lambda: len(seen.since(at_ms + EVERY_MS)) == CHECKS)
    assert "up" in {found.outcome for found in seen.observations if found.due_ms > at_ms}


async def test_kill_9_loses_nothing_measured_while_the_broker_was_away(
    kafka: Kafka, kafka_server: embedded.Kafka, target: int, tmp_path: Path
) -> None:
    await publish_version(kafka, version(target))
    async with watching(kafka) as seen:
        async with process(kafka, tmp_path) as child:
            await until(lambda: len(seen.checks()) == CHECKS)
            await asyncio.to_thread(kafka_server.stop)
            stopped_ms = time.time() * 1000
            buffer = tmp_path / "buffer"
            size = sum(file.stat().st_size for file in buffer.iterdir())
            await until(lambda: sum(file.stat().st_size for file in buffer.iterdir()) > size + 20_000)
            child.send_signal(signal.SIGKILL)
            killed_ms = time.time() * 1000
        # without a broker, the catalogue, the shards and what was measured come from the disk
        async with process(kafka, tmp_path):
            size = sum(file.stat().st_size for file in buffer.iterdir())
            await until(lambda: sum(file.stat().st_size for file in buffer.iterdir()) > size + 10_000)
            resumed_ms = time.time() * 1000
            await asyncio.to_thread(kafka_server.start)
            await until(lambda: len(seen.since(resumed_ms)) == CHECKS, 60)
    dues = seen.dues()
    away = [due for found in dues.values() for due in found if stopped_ms < due < killed_ms - EVERY_MS]
    expected = (killed_ms - EVERY_MS - stopped_ms) / EVERY_MS * CHECKS
    assert len(away) == pytest.approx(expected, abs=CHECKS)
    assert whole(
        [[due for due in found if stopped_ms < due < killed_ms - EVERY_MS] for found in dues.values()]
    )
    assert any(killed_ms < due < resumed_ms for found in dues.values() for due in found)


async def test_a_request_from_another_place_is_answered(kafka: Kafka, target: int, tmp_path: Path) -> None:
    await publish_version(kafka, version(target, vantages=("main", "dubai")))
    async with watching(kafka) as seen, prober(kafka, tmp_path) as registry:
        await until(lambda: len(seen.checks()) == CHECKS)

        async def answered() -> bool:
            latest = max(seen.observations, key=lambda found: found.due_ms)
            request = Request(
                check=latest.check, due_ms=latest.due_ms, attempt=1, expires_ms=latest.due_ms + EVERY_MS
            )
            async with open_producer(kafka) as producer:
                topic = kafka.topic(REQUESTS + "main")
                await producer.send_and_wait(topic, encode(request), latest.check.encode())
            await asyncio.sleep(0.3)
            return any(found.attempt == 1 for found in seen.observations)

        deadline = time.monotonic() + 20
        while not await answered():
            assert time.monotonic() < deadline
        asked = registry.get_sample_value("continuity_probe_requests_total", {"fate": "asked"})
    assert asked


async def test_a_failure_here_is_asked_there_too(kafka: Kafka, tmp_path: Path) -> None:
    await publish_version(kafka, version(free_port(), vantages=("main", "dubai"), count=1))
    async with watching(kafka) as seen, prober(kafka, tmp_path), open_consumer(kafka) as there:
        await until(lambda: len(seen.observations) >= 4)
        tps = [TopicPartition(kafka.topic(REQUESTS + "dubai"), number) for number in range(kafka.partitions)]
        there.assign(tps)
        for tp in tps:
            there.seek(tp, 0)
        [records] = (await there.getmany(timeout_ms=10_000)).values()
    asked = [decode_request(record.value) for record in records]
    dues = list(dict.fromkeys(found.due_ms for found in seen.observations))
    assert 1 <= len(asked) <= 2  # once a beat, until it is certain
    assert asked == [
        Request(check="service:s0/web/main", due_ms=due, attempt=1, expires_ms=due + EVERY_MS)
        for due in dues[: len(asked)]
    ]


async def test_a_newer_catalogue_is_followed_and_an_older_one_ignored(kafka: Kafka, tmp_path: Path) -> None:
    stop, serials = Stop(), list[int]()
    await publish_version(kafka, version(1, serial=4))

    async def follow() -> None:
        async for found in follow_catalogue(kafka, folder=tmp_path, stop=stop):
            serials.append(found.serial)

    task = asyncio.create_task(follow())
    await until(lambda: serials == [4])
    await publish_version(kafka, version(1, serial=3))  # the late word of a leader that was replaced
    await publish_version(kafka, version(1, serial=5))
    await until(lambda: serials[-1] == 5)
    stop.request()
    await asyncio.wait_for(task, 10)
    assert serials == [4, 5]


async def test_without_a_broker_the_catalogue_on_disk_is_followed(kafka: Kafka, tmp_path: Path) -> None:
    stop = Stop()
    await publish_version(kafka, version(1, serial=9))
    async for _ in follow_catalogue(kafka, folder=tmp_path, stop=stop):
        stop.request()
    away = msgspec.structs.replace(kafka, bootstrap="127.0.0.1:1")
    stop, serials = Stop(), []
    async for found in follow_catalogue(away, folder=tmp_path, stop=stop):
        serials.append(found.serial)
        stop.request()
    assert serials == [9]


async def test_a_catalogue_of_thousands_fits_into_one_message(kafka: Kafka, tmp_path: Path) -> None:
    big = version(1, count=5_200)
    stop = Stop()
    await publish_version(kafka, big)
    async for found in follow_catalogue(kafka, folder=tmp_path, stop=stop):
        assert found == big
        stop.request()
    assert (tmp_path / "catalogue.json").stat().st_size > 1_000_000


def test_shards_follow_kafkas_own_partitioner() -> None:
    """Known answers of Kafka's murmur2 test (positive, modulo 12)."""
    hashes = {"21": -973932308, "foobar": -790332482, "abc": 479470107}
    assert {key: partition_for(key, 12) for key in hashes} == {
        key: (value & 0x7FFFFFFF) % 12 for key, value in hashes.items()
    }
