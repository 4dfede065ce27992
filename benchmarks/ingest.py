"""What it costs to store and judge an observation: our process and the PostgreSQL backends that serve it.

Broker and feeder are not counted. The baselines write the same rows: nothing judged, no offset, no clock.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import msgspec
import psutil

from benchmarks import feeder, parts
from benchmarks.probing import catalogue, check, role
from benchmarks.processes import Tool, cpu_of, cpu_s, spent
from benchmarks.table import Row, spread, times
from monitor.demo.child import Child
from monitor.judge.batch import row_of
from monitor.model import Policy
from monitor.store import catalogue as catalogues
from monitor.store import observations
from monitor.store.observations import ObservationRow
from monitor.store.pool import open_store
from monitor.stream.kafka import Kafka, ensure_topics

CHECKS, EVERY_S = 1_300, 5.0
EVERY_MS = round(EVERY_S * 1000)
CPU_MS = 0.6
BACKLOG_BEATS, BACKLOG_BEATS_QUICK = 40, 8
APPLICATION = "continuity ingest"
WITHIN_S = 120.0
STEADY_BATCH = 26  # rows that come in 100 ms at 260 a second


@dataclass
class Cost:
    """CPU seconds of our process, of the backends it used, and of PostgreSQL as a whole, for so many rows."""

    process_s: float
    backends_s: float
    postgres_s: float
    rows: int
    took_s: float

    @property
    def ms(self) -> float:
        return (self.process_s + self.backends_s) / self.rows * 1000


@dataclass
class Running:
    """The role, and where to look what it has done."""

    dsn: str
    child: Child
    connection: asyncpg.Connection = field(repr=False)

    async def kept(self) -> int:
        """Records whose rows and offset are stored."""
        return int(await self.connection.fetchval("select coalesce(sum(next), 0) from stream_offset"))

    async def used(self) -> tuple[float, dict[int, float], dict[int, float]]:
        rows = await self.connection.fetch(
            "select pid from pg_stat_activity where application_name = $1 and datname = current_database()",
            APPLICATION,
        )
        server = psutil.Process(parts.postgres_pid())
        everybody = [server.pid, *(child.pid for child in server.children(recursive=True))]
        return cpu_s(self.child.pid), cpu_of(row["pid"] for row in rows), cpu_of(everybody)

    async def until_kept(self, records: int) -> None:
        """Raises TimeoutError after 120 s."""
        async with asyncio.timeout(WITHIN_S):
            while await self.kept() < records:  # noqa: ASYNC110 - another process keeps them
                await asyncio.sleep(0.02)

    async def cost(self, wait: Callable[[], Awaitable[None]]) -> Cost:
        """What is used while `wait` waits."""
        began, kept = time.perf_counter(), await self.kept()
        before = await self.used()
        await wait()
        after = await self.used()
        return Cost(
            after[0] - before[0],
            spent(before[1], after[1]),
            spent(before[2], after[2]),
            await self.kept() - kept,
            time.perf_counter() - began,
        )


def rows(quick: bool) -> list[Row]:
    """A backlog that waits when the role starts, then 260 a second."""
    runs, seconds = (1, 6.0) if quick else (3, 10.0)
    beats = BACKLOG_BEATS_QUICK if quick else BACKLOG_BEATS
    backlog, steady = asyncio.run(_measure(beats, runs, seconds))
    base = asyncio.run(_baselines(beats))
    return [
        _row("as a backlog", [backlog], base, f"{backlog.rows / backlog.took_s:,.0f} a second"),
        _row("at a steady 260/s", steady, base, f"{steady[0].rows / steady[0].took_s:.0f} a second"),
    ]


def _row(how: str, costs: list[Cost], base: dict[str, float], pace: str) -> Row:
    middle = statistics.median(cost.ms for cost in costs)
    process = statistics.median(cost.process_s / cost.rows * 1000 for cost in costs)
    whole = statistics.median((cost.process_s + cost.postgres_s) / cost.rows * 1000 for cost in costs)
    alone = "one_by_one" if "steady" in how else "upsert"
    return Row(
        what=f"ingest with its PostgreSQL backends, stored and judged, {how}: CPU per observation",
        budget=f"≤ {CPU_MS} ms",
        measured=f"{spread([cost.ms for cost in costs], 'ms')}, of it our process {process:.2f}; {pace}",
        baseline=(
            f"COPY {base['copy']:.3f}, upsert {base['upsert']:.3f}, upsert of {STEADY_BATCH} rows a time "
            f"{base['one_by_one']:.3f} ms; {times(middle, base[alone])}"
        ),
        within=middle <= CPU_MS,
        note=f"with PostgreSQL's other processes {whole:.2f} ms; 1 % of beats failing",
    )


async def _measure(beats: int, runs: int, seconds: float) -> tuple[Cost, list[Cost]]:
    name = parts.fresh("ingest")
    kafka, dsn = parts.kafka(name), await asyncio.to_thread(parts.database)
    folder = parts.folder() / name
    folder.mkdir()
    await ensure_topics(kafka, vantages=[parts.VANTAGE])
    await _publish(dsn, valid_from_ms=int(time.time() * 1000) - (beats + 2) * EVERY_MS)
    connection = await asyncpg.connect(dsn)
    with _feeder(kafka, beats) as feeding:
        waiting = (await asyncio.to_thread(feeding.said))["sent"]
        child = role("ingest", kafka, folder=folder, dsn=dsn)
        try:
            running = Running(dsn, child, connection)
            await asyncio.to_thread(child.wait_until, lambda: _assigned(child), within_s=30)
            backlog = await running.cost(lambda: running.until_kept(waiting))
            await asyncio.sleep(3)  # what came meanwhile
            steady = [await running.cost(lambda: asyncio.sleep(seconds)) for _ in range(runs)]
        finally:
            await connection.close()
            child.kill()
    return backlog, steady


def _assigned(child: Child) -> bool:
    return "stream.assigned" in child.log.read_text()


def _feeder(kafka: Kafka, beats: int) -> Tool:
    return Tool("feeder", kafka=msgspec.to_builtins(kafka), checks=CHECKS, every_ms=EVERY_MS, backlog=beats)


async def _publish(dsn: str, *, valid_from_ms: int) -> None:
    checks = [check(number, "http://127.0.0.1:1/", every_s=EVERY_S) for number in range(CHECKS)]
    document = msgspec.json.encode(catalogue(checks))
    async with open_store(dsn) as store, store.transaction() as connection:
        await catalogues.add(connection, sha256="bench", document=document, valid_from_ms=valid_from_ms)


async def _baselines(beats: int) -> dict[str, float]:
    """CPU ms per row, client and backend together: COPY, the upsert by 2,000, and by 26 a commit."""
    now_ms = int(time.time() * 1000)
    seen = feeder.observations(CHECKS, EVERY_MS, after_ms=now_ms - beats * EVERY_MS, until_ms=now_ms)
    given = [row_of(one, policy=Policy(), now_ms=now_ms) for one in seen]
    dsn = await asyncio.to_thread(parts.database)
    connection = await asyncpg.connect(dsn, server_settings={"timezone": "UTC"})
    try:
        days = {one.due_ms // 86_400_000 for one in seen}
        await observations.make_partitions(connection, days)

        async def copy(some: list[ObservationRow]) -> None:
            columns = ObservationRow._fields
            await connection.copy_records_to_table("observation", records=some, columns=columns)

        async def upsert(some: list[ObservationRow]) -> None:
            await observations.add(connection, some)

        found = {}
        for name, write, at_once in (
            ("copy", copy, 2_000),
            ("upsert", upsert, 2_000),
            ("one_by_one", upsert, STEADY_BATCH),
        ):
            await connection.execute("truncate observation")
            found[name] = await _cpu_ms(connection, write, given, at_once)
        return found
    finally:
        await connection.close()


async def _cpu_ms(
    connection: asyncpg.Connection, write: Callable[[Any], Awaitable[None]], given: list[Any], at_once: int
) -> float:
    backend = connection.get_server_pid()
    before = cpu_s(backend) + time.process_time()
    for start in range(0, len(given), at_once):
        await write(given[start : start + at_once])
    return (cpu_s(backend) + time.process_time() - before) / len(given) * 1000
