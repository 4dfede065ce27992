"""The golden week written into a real PostgreSQL, as ingest, derive, the publisher and count would have."""

from __future__ import annotations

from monitor.store import changes, counts, expected
from monitor.store.changes import ChangeRow
from monitor.store.counts import Added
from monitor.store.pool import Store
from monitor.store.times import moment
from tests import golden_week as golden
from tests.ledger import Ledger
from tests.world import World, days


async def write(store: Store, *, judged_ms: int = golden.END_MS + golden.HOUR_MS) -> Ledger:
    """All of it, judged up to an hour after the week's end unless it is said, and accounted."""
    ledger = Ledger(store)
    after, before = golden.catalogues()
    await ledger.publish(before, at_ms=golden.LONG_AGO_MS)
    await ledger.publish(after, at_ms=golden.at("22T00:00"))
    for one in golden.memberships():
        await ledger.member(one.subject, one.parent, one.from_ms, one.to_ms)
    await ledger.member("system:identity", "systems", golden.LONG_AGO_MS)
    for service in after.services:
        for channel in service.channels:
            await ledger.member(channel.subject, service.subject, golden.LONG_AGO_MS)
    await _change(store)
    await _announce(store)
    await _count(store)
    world = World(store, golden.catalogues()[0])
    for service in ("passport", "id-card"):
        await world.usual(f"service:{service}/web", an_hour=20)  # nine in ten are completed: 18
    async with store.transaction() as connection:
        await expected.keep_missed(connection, golden.missed())
    await _find(store)
    await _answer(store)
    await ledger.judged(judged_ms)
    await ledger.account()
    return ledger


async def _change(store: Store) -> None:
    rows = [
        ChangeRow("effective", subject, step.at_ms, step.verdict.value, step.reason, step.cause, "[]", 1)
        for subject, steps in golden.timelines().items()
        for step in steps
    ]
    async with store.transaction() as connection:
        await changes.add(connection, rows)


async def _announce(store: Store) -> None:
    async with store.transaction() as connection:
        for one in golden.exclusions():
            await connection.execute(
                "insert into exclusion (kind, subjects, during, why, announced_at, announced_by, extends) "
                "values ($1, $2, tstzrange($3, $4), $5, $6, $7, $8)",
                one.kind.value,
                list(one.subjects),
                moment(one.from_ms),
                moment(one.to_ms),
                one.why,
                moment(one.announced_at_ms),
                one.announced_by,
                one.extends,
            )


async def _count(store: Store) -> None:
    """Transactions of both weeks, all in the first minute of a Tuesday noon."""

    weeks = ((golden.at("17T12:00"), golden.BY_KIND), (golden.at("10T12:00"), golden.BY_KIND_BEFORE))
    rows = [
        Added(f"service:passport/{kind}", outcome, at_ms, events)
        for at_ms, ended in weeks
        for kind, each in ended.items()
        for outcome, events in each._asdict().items()
        if events
    ]
    series = await counts.series_of(store, {(row.channel, row.outcome) for row in rows})
    await counts.make_partitions(store, sorted({row.minute_ms // counts.WEEK_MS for row in rows}))
    async with store.transaction() as connection:
        await counts.add(connection, rows, series=series)
    while await counts.fold(store):
        pass


async def _answer(store: Store) -> None:
    """Both checks answered just now and saw their certificates: only what was seen lately is told."""
    async with store.transaction() as connection:
        now = await connection.fetchval("select now()")
        await days(connection, [now])
        await connection.executemany(
            "insert into observation (check_key, vantage, due, attempt, outcome, reason, sentence, every_ms, "
            "late_ms, took_ms, phases_ms, status, certificate_expires, serial, skewed, beyond) "
            "values ($1, 'main', $2, 0, 'up', 'ok', '', 30000, 0, 120, '{}', 200, $3, 1, false, false)",
            [(check, now, moment(ends_ms)) for check, ends_ms in golden.CERTIFICATES.items()],
        )


async def _find(store: Store) -> None:
    async with store.transaction() as connection:
        for one in golden.findings():
            await connection.execute(
                "insert into finding (subject, kind, level, began, ended, probability, expected, seen) "
                "values ($1, $2, $3, $4, $5, $6, $7, $8)",
                one.subject,
                one.kind,
                one.level,
                moment(one.began_ms),
                None if one.ended_ms is None else moment(one.ended_ms),
                one.probability,
                one.expected,
                one.seen,
            )
        await connection.execute(
            "insert into incident (number, subject, sign, state, severity, verdict, suspected, since, "
            "opened_at, closed_at, services, channels, document) values ('INC-2026-0007', 'system:identity', "
            "'unavailable', 'closed', 'critical', 'down', false, $1, $1, $2, '{}', '{}', '{}')",
            moment(golden.at("18T10:00")),
            moment(golden.at("18T11:30")),
        )
        await connection.execute(
            "insert into incident_note (incident, kind, at, author, text) "
            "values ('INC-2026-0007', 'note', $1, 'desk', 'Certificates renewed.')",
            moment(golden.at("18T11:00")),
        )
