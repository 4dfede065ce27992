"""The keeper of the figures on a real PostgreSQL: days as they go by, sums of them, and what is made anew."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from datetime import datetime

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from monitor.errors import BadRow, LeaseLost
from monitor.facts import FigureRow
from monitor.judge.accounting import Accounting
from monitor.judge.figures import When
from monitor.judge.periods import Kind
from monitor.judge.reading import eras_of, exclusion_of, figure_row, open_accounts
from monitor.judge.terms import terms_of
from monitor.judge.totals import Work
from monitor.lifetime import Stop
from monitor.metrics import AccountingMetrics
from monitor.model import Policy
from monitor.store import exclusions, figures
from monitor.store.lease import Lease
from monitor.store.pool import Store, open_store
from tests.integration.monitor_process import until
from tests.ledger import DAY_MS, HOUR_MS, Ledger, catalogue, ms

BEGIN_MS = ms("2025-09-28T10:00+04:00")
NOW_MS = ms("2025-11-25T12:00+04:00")
TERMS = terms_of(catalogue())


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with open_store(database) as opened:
        yield opened


@pytest.fixture
async def ledger(store: Store) -> Ledger:
    made = Ledger(store)
    await made.begin(BEGIN_MS)
    return made


async def lively(ledger: Ledger, *, until_ms: int = NOW_MS, seed: int = 7) -> None:
    """Two months in which everybody fails now and then, at odd times, also over midnight."""
    rng = random.Random(seed)
    for subject in ("service:a", "service:b", "service:c", "service:a/web", "system:identity"):
        at, steps = BEGIN_MS + rng.randrange(HOUR_MS), []
        while at < until_ms:
            steps.append((at, rng.choice(["up", "up", "down", "degraded", "unknown"])))
            at += rng.randrange(1, 40 * HOUR_MS)
        steps = [step for i, step in enumerate(steps) if not i or step[1] != steps[i - 1][1]]
        await ledger.says(subject, *steps)


async def directly(store: Store, row: FigureRow, policy: Policy | None = None) -> FigureRow:
    """The same figure by looking at all of its period at once."""
    policy = policy or Policy()
    accounts = await open_accounts(
        store, from_ms=row.start_ms, to_ms=row.end_ms, policy=policy, subjects=[row.subject]
    )
    figure = accounts.figure(row.subject, When(row.start_ms, row.end_ms, row.as_of_ms))
    return figure_row(row.subject, row.zone, row.kind, figure, policy)


def holding(rows: list[FigureRow], at_ms: int) -> FigureRow:
    """The one that holds the instant."""
    [row] = [row for row in rows if row.start_ms <= at_ms < row.end_ms]
    return row


def without_edges(row: FigureRow) -> FigureRow:
    """Edges are kept in the order in which they were met; what they say is in the sums."""
    return row._replace(counted=row.counted._replace(edges=""), whole=row.whole._replace(edges=""))


@pytest.mark.parametrize("kind", list(Kind))
async def test_every_stored_figure_is_what_its_whole_period_gives_at_once(ledger: Ledger, kind: Kind) -> None:
    await lively(ledger)
    from_ms, to_ms = NOW_MS - 2 * DAY_MS, NOW_MS - DAY_MS
    await ledger.excludes(["service:a"], from_ms, to_ms, announced_ms=NOW_MS - 9 * DAY_MS)
    await ledger.member("service:d", "entity:e1", NOW_MS - 20 * DAY_MS, NOW_MS - 3 * HOUR_MS)
    await ledger.member("service:d", "government", NOW_MS - 3 * HOUR_MS)
    await ledger.says("service:d", (NOW_MS - 20 * DAY_MS, "down"), (NOW_MS - HOUR_MS, "up"))
    await ledger.judged(NOW_MS)
    await ledger.account()
    rows = await ledger.stored(kind.value)
    assert rows
    for row in rows:
        assert without_edges(row) == without_edges(await directly(ledger.store, row))


async def test_figures_made_hour_by_hour_are_those_made_at_the_end(ledger: Ledger, store: Store) -> None:
    await lively(ledger)
    for at in range(NOW_MS - 3 * DAY_MS, NOW_MS + 1, 5 * HOUR_MS):
        await ledger.judged(min(at, NOW_MS))
        await ledger.account()
    await ledger.judged(NOW_MS)
    await ledger.account()
    by_the_hour = {kind: await ledger.stored(kind.value) for kind in Kind}
    async with store.transaction() as connection:
        await connection.execute("truncate figure, figure_clock")
    afresh = Ledger(store)
    await ledger.lease.give_up()
    await afresh.account()
    for kind, rows in by_the_hour.items():
        now = [without_edges(row)._replace(as_of_ms=0) for row in await afresh.stored(kind.value)]
        assert [without_edges(row)._replace(as_of_ms=0) for row in rows] == now, kind


async def test_a_late_change_corrects_its_days_and_all_that_holds_them(ledger: Ledger) -> None:
    await ledger.says("service:a", (BEGIN_MS, "up"))
    await ledger.judged(NOW_MS)
    await ledger.account()
    late = ms("2025-11-23T08:00+04:00")
    await ledger.says("service:a", (late, "down"), (late + HOUR_MS, "up"))
    await ledger.judged(NOW_MS + 1000)
    await ledger.account()
    subjects = ("service:a", "entity:e1", "government")
    found = {
        (row.kind, row.subject): row.counted.down_ms
        for kind in Kind
        for row in await ledger.stored(kind.value, subjects)
        if row.start_ms <= late < row.end_ms
    }
    assert found == {
        (kind.value, subject): HOUR_MS
        for kind in Kind
        for subject in ("service:a", "entity:e1", "government")
    }
    assert await figures.dirty(ledger.store) == []


async def test_a_late_change_does_not_wait_until_the_next_pass_is_due(ledger: Ledger, store: Store) -> None:
    await ledger.says("service:a", (BEGIN_MS, "up"))
    await ledger.judged(NOW_MS)
    metrics, stop, late = AccountingMetrics(CollectorRegistry()), Stop(), ms("2025-11-23T08:00+04:00")
    keeper = Accounting(store, lease=ledger.lease, metrics=metrics, every_s=3600)

    async def down_ms() -> int:
        rows = await ledger.stored("week", ["service:a"])
        return sum(row.counted.down_ms for row in rows if row.start_ms <= late < row.end_ms)

    async def accounted() -> bool:
        clock = await figures.clock(store, "Asia/Dubai")
        return clock is not None and clock.until_ms == NOW_MS

    running = asyncio.create_task(keeper.run(stop))
    await until(accounted, what="everything was accounted")
    await ledger.says("service:a", (late, "down"), (late + HOUR_MS, "up"))
    await until(down_ms, what="the week was made anew")
    stop.request()
    await running
    assert await down_ms() == HOUR_MS


async def test_a_withdrawn_outage_is_gone_from_the_figures(ledger: Ledger) -> None:
    late = ms("2025-11-23T08:00+04:00")
    await ledger.says("service:a", (BEGIN_MS, "up"), (late, "down"), (late + HOUR_MS, "up"))
    await ledger.judged(NOW_MS)
    await ledger.account()
    await ledger.withdraw("service:a", late, late + HOUR_MS)
    await ledger.account()
    [month] = [
        row for row in await ledger.stored("month", ["service:a"]) if row.start_ms <= late < row.end_ms
    ]
    assert (month.counted.down_ms, month.counted.availability) == (0, "100")


async def test_an_approval_takes_an_outage_out_of_the_count_and_keeps_it_beside(ledger: Ledger) -> None:
    fell = ms("2025-11-20T08:00+04:00")
    await ledger.says("service:a", (BEGIN_MS, "up"), (fell, "down"), (fell + HOUR_MS, "up"))
    number = await ledger.excludes(["service:a"], fell, fell + HOUR_MS, announced_ms=fell - HOUR_MS)
    await ledger.judged(NOW_MS)
    await ledger.account()

    async def day() -> tuple[int, int, int]:
        [row] = [
            each for each in await ledger.stored("day", ["service:a"]) if each.start_ms <= fell < each.end_ms
        ]
        return row.counted.down_ms, row.counted.maintenance_ms, row.whole.down_ms

    before = await day()
    async with ledger.store.transaction() as connection:
        assert await exclusions.approve(connection, number, by="committee")
        assert not await exclusions.approve(connection, number, by="committee")
    await ledger.account()
    assert (before, await day()) == ((HOUR_MS, 0, HOUR_MS), (0, HOUR_MS, HOUR_MS))


async def test_t46_what_was_down_when_work_was_announced_counts_in_the_stored_figures(ledger: Ledger) -> None:
    fell = ms("2025-11-18T08:00+04:00")
    await ledger.says("service:a", (BEGIN_MS, "up"), (fell, "down"), (fell + 3 * DAY_MS, "up"))
    await ledger.excludes(["service:a"], fell + 2 * DAY_MS, fell + 3 * DAY_MS, announced_ms=fell + HOUR_MS)
    await ledger.judged(NOW_MS)
    await ledger.account()
    month = holding(await ledger.stored("month", ["service:a"]), NOW_MS)
    assert (month.counted.down_ms, month.counted.maintenance_ms) == (3 * DAY_MS, 0)


async def test_a_channel_that_was_down_when_its_service_was_announced_counts_too(ledger: Ledger) -> None:
    fell = ms("2025-11-18T08:00+04:00")
    await ledger.says("service:a", (BEGIN_MS, "up"))
    await ledger.says("service:a/web", (BEGIN_MS, "up"), (fell, "down"))
    await ledger.excludes(["service:a"], fell + 2 * DAY_MS, fell + 3 * DAY_MS, announced_ms=fell + HOUR_MS)
    [found] = await exclusions.touching(ledger.store, from_ms=fell, to_ms=NOW_MS)
    assert found.down == ["service:a/web"]


async def test_other_terms_make_every_figure_anew(ledger: Ledger) -> None:
    fell = ms("2025-11-18T08:00+04:00")
    await ledger.says("service:a", (BEGIN_MS, "up"), (fell, "down"), (fell + HOUR_MS, "up"))
    await ledger.judged(NOW_MS)
    await ledger.account()
    await ledger.publish(catalogue(policy=Policy(decimals=4)), at_ms=NOW_MS - 1000)
    await ledger.account()
    [row] = [
        each for each in await ledger.stored("day", ["service:a"]) if each.start_ms <= fell < each.end_ms
    ]
    assert row.counted.availability == "95.8333"


async def test_of_rolling_kinds_only_the_one_that_goes_on_is_kept(ledger: Ledger) -> None:
    await ledger.says("service:a", (BEGIN_MS, "up"))
    for at in (NOW_MS - DAY_MS, NOW_MS):
        await ledger.judged(at)
        await ledger.account()
    rows = await ledger.stored("7d", ["service:a"])
    assert [row.start_ms for row in rows] == [TERMS.period(Kind.DAYS_7, NOW_MS).start_ms]


async def test_nothing_is_counted_after_what_has_been_judged(ledger: Ledger) -> None:
    await ledger.says("service:a", (BEGIN_MS, "up"))
    await ledger.judged(NOW_MS)
    await ledger.account()
    today = holding(await ledger.stored("day", ["service:a"]), NOW_MS)
    assert (today.counted.up_ms, today.counted.unknown_ms) == (12 * HOUR_MS, 0)


async def test_a_keeper_that_lost_its_lease_writes_nothing_t44(ledger: Ledger, store: Store) -> None:
    await ledger.says("service:a", (BEGIN_MS, "up"))
    await ledger.judged(NOW_MS)
    await ledger.lease.take_or_renew()
    async with store.connection() as connection:
        await connection.execute("update lease set until = now() - interval '1 s' where role = 'accounting'")
    await Lease(store, role="accounting", holder="other").take_or_renew()
    with pytest.raises(LeaseLost):
        await ledger.keeper.settle()
    assert await ledger.stored("day") == []


async def test_a_pass_that_outlives_the_lease_renews_it_meanwhile(ledger: Ledger, store: Store) -> None:
    """Else a stand-by would take over in the middle of every long pass, and neither would ever finish one."""
    await ledger.says("service:a", (BEGIN_MS, "up"))
    await ledger.judged(NOW_MS)
    await ledger.lease.take_or_renew()
    renewed = asyncio.Event()

    async def slow(work: Work) -> list[FigureRow]:
        async with asyncio.timeout(30):
            while await _until(store) <= before:  # noqa: ASYNC110 - a row in the database rings nothing
                await asyncio.sleep(0.1)
        renewed.set()
        return []

    before = await _until(store)
    ledger.keeper._totals.rows = slow  # type: ignore[method-assign]
    await ledger.keeper.settle()
    assert renewed.is_set()


async def _until(store: Store) -> datetime:
    async with store.connection() as connection:
        at: datetime = await connection.fetchval("select until from lease where role = 'accounting'")
    return at


async def test_announcing_approving_and_finishing_mark_figures_and_leave_a_trace(store: Store) -> None:
    from_ms = int(time.time() * 1000) + DAY_MS
    async with store.transaction() as connection:
        number = await exclusions.announce(
            connection,
            kind="maintenance",
            subjects=["service:a"],
            from_ms=from_ms,
            to_ms=from_ms + HOUR_MS,
            why="new certificates",
            by="desk",
        )
        assert await exclusions.finish(connection, number, by="desk")
        assert not await exclusions.finish(connection, number, by="desk")
        assert await exclusions.approve(connection, number, by="committee")
        traces = await connection.fetch("select actor, action, object from audit order by id")
    [found] = await exclusions.touching(store, from_ms=from_ms, to_ms=from_ms + 1)
    assert exclusion_of(found).range == (from_ms, from_ms), "called off before it began"
    assert [tuple(trace) for trace in traces] == [
        ("desk", "exclusion.announced", f"exclusion:{number}"),
        ("desk", "exclusion.finished", f"exclusion:{number}"),
        ("committee", "exclusion.approved", f"exclusion:{number}"),
    ]
    assert len(await figures.dirty(store)) == 3


async def test_an_exclusion_without_time_is_refused(store: Store) -> None:
    with pytest.raises(BadRow):
        async with store.transaction() as connection:
            await exclusions.announce(
                connection,
                kind="maintenance",
                subjects=["service:a"],
                from_ms=NOW_MS,
                to_ms=NOW_MS,
                why="nothing",
                by="desk",
            )


async def test_a_service_that_moves_is_summed_where_it_belonged(ledger: Ledger) -> None:
    """Down all day; the entity's until noon, then nobody's: the entity has half of it, the government all."""
    day = TERMS.period(Kind.DAY, NOW_MS - DAY_MS)
    noon = day.start_ms + 12 * HOUR_MS
    await ledger.member("service:d", "entity:e1", BEGIN_MS, noon)
    await ledger.member("service:d", "government", noon)
    await ledger.says("service:d", (BEGIN_MS, "down"))
    await ledger.judged(NOW_MS)
    await ledger.account()
    found = {
        row.subject: (row.counted.down_ms, row.counted.outages)
        for row in await ledger.stored("day", ["entity:e1", "government", "service:d"])
        if row.start_ms == day.start_ms
    }
    assert found == {
        "entity:e1": (12 * HOUR_MS, 1),
        "government": (24 * HOUR_MS, 1),
        "service:d": (24 * HOUR_MS, 1),
    }


async def test_what_sample_data_had_before_the_first_catalogue_goes_by_its_hours(store: Store) -> None:
    ledger = Ledger(store)
    await ledger.begin(BEGIN_MS, catalogue())
    found = await eras_of(store, from_ms=BEGIN_MS - HOUR_MS, to_ms=BEGIN_MS + HOUR_MS)
    assert [(era.from_ms, era.to_ms) for era in found] == [(BEGIN_MS - HOUR_MS, BEGIN_MS + HOUR_MS)]


async def test_outside_its_hours_nothing_counts_against_a_service(store: Store) -> None:
    ledger = Ledger(store)
    document = catalogue()
    by_day = [
        replace(one, hours="daily 08:00-20:00") if one.slug == "a" else one for one in document.services
    ]
    await ledger.begin(BEGIN_MS, replace(document, services=tuple(by_day)))
    day_ms = ms("2025-11-24T00:00+04:00")
    for subject in ("service:a", "service:b"):  # down from six to nine
        steps = (day_ms + 6 * HOUR_MS, "down"), (day_ms + 9 * HOUR_MS, "up")
        await ledger.says(subject, (BEGIN_MS, "up"), *steps)
    await ledger.judged(NOW_MS)
    await ledger.account()
    found = {row.subject: row for row in await ledger.stored("day") if row.start_ms == day_ms}
    a, b, entity = (found[each].counted for each in ("service:a", "service:b", "entity:e1"))
    assert (a.out_of_hours_ms, a.down_ms, a.up_ms) == (12 * HOUR_MS, HOUR_MS, 11 * HOUR_MS)
    assert (b.out_of_hours_ms, b.down_ms) == (0, 3 * HOUR_MS)
    assert (entity.out_of_hours_ms, entity.down_ms) == (12 * HOUR_MS, 4 * HOUR_MS)
    assert found["service:a"].whole == a, "hours are no exclusion: both figures keep them"
    for row in found.values():
        assert without_edges(row) == without_edges(await directly(store, row))
