"""Counting transactions, from Kafka into PostgreSQL, each once: the role as it is run, in its own process."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import msgspec

from benchmarks import parts
from benchmarks.probing import role
from benchmarks.processes import Highest, Tool, cpu_s
from benchmarks.table import Row, share_below, spread, times
from benchmarks.transaction_feeder import CHANNELS, SERVICES, slug_of
from monitor.demo.child import Child
from monitor.model import Catalogue, Channel, ChannelKind, Service
from monitor.store import catalogue as catalogues
from monitor.store.pool import open_store
from monitor.store.times import moment
from monitor.stream.kafka import Kafka, ensure_topics, open_producer
from monitor.stream.wire import TRANSACTIONS

EVENTS, EVENTS_QUICK = 3_000_000, 300_000
WAITING, WAITING_QUICK = 10_000_000, 500_000
HOUR_S, WEEKS_S = 3_600.0, 21 * 86_400.0
HOUR_BUDGET_S, WEEKS_BUDGET_S, MEMORY_MB, LATENCY_S = 15.0, 25.0, 300, 2.0
STEADY_EACH_S, MARKS = 5_000, 40
WITHIN_S = 900.0
BYTEWAX = "bytewax[kafka]==0.21.1"


class Took(NamedTuple):
    """Seconds from the assignment of partitions to the last count stored; CPU seconds of our processes."""

    seconds: float
    cpu_s: float
    most_mb: float


class Log(NamedTuple):
    """A topic with events in it, read again and again: each time by a new group into a new database."""

    kafka: Kafka
    events: int

    def read_anew(self) -> Kafka:
        return msgspec.structs.replace(self.kafka, group_prefix=parts.fresh("group") + ".")


def rows(quick: bool) -> Iterator[Row]:
    """Two shapes of event times, two counters that share, the delay of one event, a backlog's memory."""
    events = EVENTS_QUICK if quick else EVENTS
    other = _bytewax()
    with _log(events, HOUR_S) as hour:
        yield _backlog(hour, "within an hour", HOUR_BUDGET_S, other)
        yield _shared(hour)
    with _log(events, WEEKS_S) as weeks:
        yield _backlog(weeks, "over three weeks", WEEKS_BUDGET_S, other)
    yield _latency()
    with _log(WAITING_QUICK if quick else WAITING, HOUR_S) as waiting:
        yield _memory(waiting)


def _backlog(log: Log, shape: str, budget_s: float, bytewax: Path | None) -> Row:
    took, base = _counted(log), _read_only(log)
    other = _by_bytewax(bytewax, log) if bytewax else "bytewax could not be installed here"
    return Row(
        what=f"{log.events:,} single events {shape}, Kafka to PostgreSQL, exactly once",
        budget=f"≤ {budget_s:g} s",
        measured=f"{took.seconds:.1f} s ({log.events / took.seconds:,.0f} a second), {took.cpu_s:.1f} s CPU",
        baseline=(
            f"read and count only {base['took_s']:.1f} s, {base['cpu_s']:.1f} s CPU; "
            f"{times(took.seconds, base['took_s'])}; {other}"
        ),
        within=took.seconds <= budget_s,
        note="from the assignment to the last commit; the baselines store nothing",
    )


def _shared(log: Log) -> Row:
    took = _counted(log, members=2)
    return Row(
        what=f"{log.events:,} single events within an hour, two counters that share the partitions",
        budget="told as measured",
        measured=f"{took.seconds:.1f} s, {took.cpu_s:.1f} s CPU together",
        note="from the first assignment; the second joins while the first counts",
    )


def _memory(log: Log) -> Row:
    took = _counted(log)
    return Row(
        what=f"memory of the counter while {log.events:,} events wait",
        budget=f"≤ {MEMORY_MB} MB",
        measured=f"{took.most_mb:.0f} MB at most, in {took.seconds:.0f} s",
        within=took.most_mb <= MEMORY_MB,
    )


def _latency() -> Row:
    name = parts.fresh("steady")
    with _log(0, HOUR_S, each_s=STEADY_EACH_S) as log:
        delays_s = asyncio.run(_delays(log, parts.folder() / name))
    slowest = share_below(delays_s, 0.99)
    return Row(
        what=f"from a message to its committed count at {STEADY_EACH_S:,} events a second, p99",
        budget=f"≤ {LATENCY_S:g} s",
        measured=f"{slowest:.2f} s; all {spread(delays_s, 's')}",
        within=slowest <= LATENCY_S,
        note=f"{len(delays_s)} marked events, each awaited by looking into the database every 20 ms",
    )


# -- how ---------------------------------------------------------------------------------------------------


@contextmanager
def _log(events: int, span_s: float, each_s: float = 0.0) -> Iterator[Log]:
    kafka = parts.kafka(parts.fresh("count"))
    asyncio.run(ensure_topics(kafka, vantages=[parts.VANTAGE]))
    given = {"backlog": events, "span_s": span_s, "each_s": each_s}
    with Tool("transaction_feeder", kafka=msgspec.to_builtins(kafka), **given) as feeding:
        feeding.said()
        yield Log(kafka, events)


def _counted(log: Log, *, members: int = 1) -> Took:
    return asyncio.run(_count(log, members))


async def _count(log: Log, members: int) -> Took:
    kafka, dsn = log.read_anew(), await asyncio.to_thread(parts.database)
    await _publish(dsn)
    running = [_role(kafka, dsn, parts.folder() / parts.fresh("counter")) for _ in range(members)]
    connection = await asyncpg.connect(dsn)
    try:
        with Highest(running[0].pid) as most:
            await asyncio.to_thread(running[0].wait_until, lambda: _assigned(running[0]), within_s=60)
            began_s, cpu = time.monotonic(), sum(cpu_s(child.pid) for child in running)
            await _until_kept(connection, log.events)
            seconds = time.monotonic() - began_s
        return Took(seconds, sum(cpu_s(child.pid) for child in running) - cpu, most.mb)
    finally:
        await connection.close()
        for child in running:
            child.kill()


def _role(kafka: Kafka, dsn: str, folder: Path) -> Child:
    folder.mkdir()
    return role("count", kafka, folder=folder, dsn=dsn)


def _assigned(child: Child) -> bool:
    return "stream.assigned" in child.log.read_text()


async def _until_kept(connection: asyncpg.Connection, records: int) -> None:
    """Raises TimeoutError."""
    async with asyncio.timeout(WITHIN_S):
        while (await connection.fetchval("select sum(next) from stream_offset") or 0) < records:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def _publish(dsn: str) -> None:
    services = []
    for number in range(SERVICES):
        subject = f"service:{slug_of(number)}"
        channels = tuple(
            Channel(subject=f"{subject}/{slug}", slug=slug, kind=ChannelKind(slug)) for slug in CHANNELS
        )
        services.append(Service(slug=slug_of(number), channels=channels))
    document = msgspec.json.encode(Catalogue(services=tuple(services)))
    async with open_store(dsn) as store, store.transaction() as connection:
        await catalogues.add(connection, sha256="bench", document=document, valid_from_ms=0)


def _read_only(log: Log) -> dict[str, float]:
    with Tool("reading", kafka=msgspec.to_builtins(log.kafka), records=log.events) as reading:
        found: dict[str, float] = reading.said()
    return found


async def _delays(log: Log, folder: Path) -> list[float]:
    """Seconds from sending a marked event to seeing it counted."""
    kafka, dsn = log.read_anew(), await asyncio.to_thread(parts.database)
    await _publish(dsn)
    child = _role(kafka, dsn, folder)
    connection, delays_s = await asyncpg.connect(dsn), []
    try:
        await asyncio.to_thread(child.wait_until, lambda: _assigned(child), within_s=60)
        await asyncio.sleep(5)
        async with open_producer(kafka) as producer:
            delays_s += [await _delay(connection, producer, kafka, mark) for mark in range(MARKS)]
    finally:
        await connection.close()
        child.kill()
    return delays_s


async def _delay(connection: asyncpg.Connection, producer: Any, kafka: Kafka, mark: int) -> float:
    """One event in a minute of a day ago, where there is no other."""
    at = moment((int(time.time()) - 86_400 + 60 * mark) // 60 * 60_000)
    service = slug_of(mark % SERVICES)
    message = {"schema": 1, "service": service, "channel": "web", "outcome": "failed", "at": at.isoformat()}
    began_s = time.monotonic()
    await producer.send_and_wait(kafka.topic(TRANSACTIONS), json.dumps(message).encode(), service.encode())
    async with asyncio.timeout(60):
        while not await connection.fetchval("select count(*) from counted_minute where minute = $1", at):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return time.monotonic() - began_s


def _bytewax() -> Path | None:
    """The Python of a throw-away environment that has it; None when it cannot be installed here."""
    folder = parts.folder() / "bytewax"
    made = subprocess.run([sys.executable, "-m", "venv", str(folder)], capture_output=True, check=False)
    python = folder / "bin" / "python"
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", BYTEWAX]
    if made.returncode or subprocess.run(command, capture_output=True, check=False).returncode:
        return None
    return python


def _by_bytewax(python: Path, log: Log) -> str:
    kafka = log.kafka
    config = {
        "security.protocol": kafka.security,
        "sasl.mechanism": kafka.mechanism,
        "sasl.username": kafka.user,
        "sasl.password": kafka.password,
    }
    given = {
        "bootstrap": kafka.bootstrap,
        "config": config,
        "topic": kafka.topic(TRANSACTIONS),
        "records": log.events,
    }
    script = Path(__file__).with_name("counted_by_bytewax.py")
    command = [str(python), str(script), json.dumps(given)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        return f"bytewax ended with {done.returncode}"
    found = json.loads(lines[-1])
    return f"bytewax, counting only, {found['took_s']:.1f} s, {found['cpu_s']:.1f} s CPU"
