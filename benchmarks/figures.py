"""Weekly figures of 1,300 services out of a stored year, and what keeping all figures up to date costs."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
from prometheus_client import CollectorRegistry

from benchmarks.table import Row, spread
from monitor.demo.embedded import Postgres
from monitor.facts import FigureClock
from monitor.judge.accounting import Accounting
from monitor.judge.figures import When
from monitor.judge.periods import Kind
from monitor.judge.reading import figure_row, open_accounts
from monitor.judge.terms import Terms, terms_of
from monitor.metrics import AccountingMetrics
from monitor.model import Catalogue
from monitor.store import figures
from monitor.store.lease import Lease
from monitor.store.migrate import migrate
from monitor.store.pool import Store, open_store
from monitor.store.times import moment
from tests.ledger import DAY_MS, HOUR_MS, ms
from tests.world import government

BUDGET_S = 1.0
SERVICES, ENTITIES = 1300, 30
NOW_MS = ms("2025-11-25T12:00+04:00")
BEGIN_MS = NOW_MS - 365 * DAY_MS
BEHIND = 40  # days that the loop has to catch up with first
OUTAGES = 40  # of each service in the year


def rows(quick: bool) -> list[Row]:
    """The row of the budget table, and one for the loop."""
    return asyncio.run(_rows(quick))


async def _rows(quick: bool) -> list[Row]:
    runs = 1 if quick else 5
    services = 200 if quick else SERVICES
    document = government(entities=ENTITIES, services=services)
    with tempfile.TemporaryDirectory(prefix="continuity-bench-figures-") as folder:
        server = Postgres(Path(folder) / "postgres", settings={"fsync": "off"})
        try:
            server.start()
            await migrate(server.dsn)
            async with open_store(server.dsn) as store:
                changes = await _year(store, document)
                read_s = [await _only_read(store, terms_of(document)) for _ in range(runs)]
                weekly = [await _week(store, terms_of(document)) for _ in range(runs)]
                first_s, later_s = await _keeping(store, terms_of(document), runs)
        finally:
            server.close()
    took_s = sorted(took for took, _ in weekly)
    middle_s = took_s[len(took_s) // 2]
    return [
        Row(
            what=f"weekly figures of {services:,} services out of a stored year",
            budget=f"≤ {BUDGET_S:g} s",
            measured=spread(took_s, "s"),
            baseline=f"reading the same changes alone {spread(read_s, 's')}",
            within=middle_s <= BUDGET_S if services == SERVICES else None,
            note=f"{changes:,} effective changes stored; {weekly[0][1]:,} figures with the sums",
        ),
        Row(
            what=f"one pass over every figure that goes on, {services:,} services and their channels",
            budget="–",
            measured=spread(later_s, "s"),
            note=f"{BEHIND} days at once took {first_s:.0f} s; a pass then rests 20 times as long as it took",
        ),
    ]


async def _year(store: Store, document: Catalogue) -> int:
    """A year in which every service and channel failed some forty times; returns how many changes that is."""
    rng = random.Random(7)
    subjects = [(service.subject, f"entity:{service.entity}") for service in document.services]
    subjects += [
        (each.subject, service.subject) for service in document.services for each in service.channels
    ]
    pairs = [*subjects, *((entity.subject, "government") for entity in document.entities)]
    changes = [row for subject, _ in subjects for row in _life(subject, rng)]
    async with store.transaction() as connection:
        await connection.execute(
            "insert into catalogue (sha256, valid_from, document) values ('x', $1, $2)",
            moment(BEGIN_MS),
            msgspec.json.encode(document).decode(),
        )
        await connection.copy_records_to_table(
            "change",
            records=changes,
            columns=("layer", "subject", "at", "verdict", "reason", "cause", "evidence", "serial"),
        )
        await connection.executemany(
            "insert into membership values ($1, $2, tstzrange($3, null))",
            [(subject, parent, moment(BEGIN_MS)) for subject, parent in pairs],
        )
        await connection.execute("insert into state values ('service:s0000', 'c', 0, '{}')")
        await connection.execute(
            "insert into stream_offset (cluster, topic, partition, next) "
            "values ('c', 'continuity.observations', 0, 1)"
        )
        await connection.execute("insert into follower values ('derive', '0', 0, 0, '2100-01-01')")
    async with store.connection() as connection:
        await connection.execute("vacuum analyze change")
    await _judged(store, NOW_MS)
    return len(changes)


def _life(subject: str, rng: random.Random) -> Iterator[tuple[object, ...]]:
    yield "effective", subject, moment(BEGIN_MS), "up", "ok", "", "[]", 1
    for at in sorted(rng.randrange(BEGIN_MS + HOUR_MS, NOW_MS - HOUR_MS) for _ in range(OUTAGES)):
        verdict = rng.choice(["down", "degraded", "unknown"])
        yield "effective", subject, moment(at), verdict, "timeout", "", "[]", 1
        yield "effective", subject, moment(at + rng.randrange(1, HOUR_MS // 2)), "up", "ok", "", "[]", 1


async def _judged(store: Store, until_ms: int) -> None:
    async with store.connection() as connection:
        await connection.execute("update stream_offset set judged_until = $1", moment(until_ms))


def _last_week(terms: Terms) -> When:
    day = terms.period(Kind.WEEK, NOW_MS - 7 * DAY_MS)
    return When(day.start_ms, day.end_ms, NOW_MS)


async def _services(store: Store) -> list[str]:
    async with store.connection() as connection:
        found = await connection.fetch("select subject from membership where parent like 'entity:%'")
    return [row["subject"] for row in found]


async def _week(store: Store, terms: Terms) -> tuple[float, int]:
    """From the stored changes to printed figures of every service, entity and the government."""
    services, when = await _services(store), _last_week(terms)
    began = time.perf_counter()
    accounts = await open_accounts(
        store, from_ms=when.start_ms, to_ms=when.end_ms, policy=terms.policy, subjects=services
    )
    found = accounts.figures(when, only=set(services))
    made = [
        figure_row(subject, terms.zone.key, "week", each, terms.policy) for subject, each in found.items()
    ]
    return time.perf_counter() - began, len(made)


async def _only_read(store: Store, terms: Terms) -> float:
    services, when = await _services(store), _last_week(terms)
    began = time.perf_counter()
    async with store.connection() as connection:
        await connection.fetch(
            "select * from change where subject = any ($1) and layer = 'effective' and at >= $2 and at < $3",
            services,
            moment(when.start_ms),
            moment(when.end_ms),
        )
    return time.perf_counter() - began


async def _keeping(store: Store, terms: Terms, runs: int) -> tuple[float, list[float]]:
    """Seconds to catch up with `BEHIND` days, then of passes as they come every half minute."""
    async with store.transaction() as connection:
        behind = FigureClock(NOW_MS - BEHIND * DAY_MS, terms.written)
        await figures.keep_clock(connection, terms.zone.key, behind)
    lease = Lease(store, role="accounting", holder="benchmark")
    keeper = Accounting(store, lease=lease, metrics=AccountingMetrics(CollectorRegistry()))
    began = time.perf_counter()
    await lease.take_or_renew()
    while await keeper.settle():
        await lease.take_or_renew()
    first_s, later_s = time.perf_counter() - began, []
    for number in range(1, runs + 1):
        await _judged(store, NOW_MS + number * 30_000)
        await lease.take_or_renew()
        began = time.perf_counter()
        await keeper.settle()
        later_s.append(time.perf_counter() - began)
    return first_s, later_s
