"""Sums and points of counts: the same number by minute, by hour and by day, late events and all."""

from __future__ import annotations

import random

import pytest

from monitor.facts import Ended
from monitor.store import counts, tallies
from monitor.store.counts import HOUR_MS, MINUTE_MS, Added
from monitor.store.pool import Store, open_store
from monitor.store.tallies import DAY_MS, Channels, Point, stretch
from tests.world import World, government

NOW_MS = 1_795_608_000_000 + 25 * MINUTE_MS  # 25 minutes into an hour
WEB, APP = "service:s0001/web", "service:s0001/app"
OUTCOMES = ("completed", "failed", "abandoned")


async def write(store: Store, *rows: Added, fold: bool = True) -> None:
    await World(store, government(entities=1, services=2)).counted(*rows, fold=fold)


async def some(store: Store) -> list[Added]:
    """Three days of this and that."""
    rng = random.Random(4)
    rows = [
        Added(rng.choice([WEB, APP]), rng.choice(OUTCOMES), minute, rng.randint(1, 9))
        for minute in (NOW_MS - rng.randrange(3 * DAY_MS) // MINUTE_MS * MINUTE_MS for _ in range(900))
    ]
    await write(store, *rows)
    return rows


def reckoned(rows: list[Added], from_ms: int, to_ms: int, *channels: str) -> Ended:
    return Ended(
        *(
            sum(
                row.events
                for row in rows
                if row.channel in channels and row.outcome == outcome and from_ms <= row.minute_ms < to_ms
            )
            for outcome in OUTCOMES
        )
    )


async def test_the_sum_of_any_stretch_is_that_of_its_minutes(database: str) -> None:
    rng = random.Random(5)
    async with open_store(database) as store:
        rows = await some(store)
        for _ in range(40):
            a, b = sorted(rng.randrange(3 * 1440 + 60) for _ in range(2))
            from_ms, to_ms = NOW_MS - 3 * DAY_MS + a * MINUTE_MS, NOW_MS - 3 * DAY_MS + b * MINUTE_MS
            found = await tallies.sums(store, stretch(from_ms, to_ms, now_ms=NOW_MS), Channels([WEB]))
            assert found.get(WEB, Ended(0, 0, 0)) == reckoned(rows, from_ms, to_ms, WEB)


@pytest.mark.parametrize(
    ("step_ms", "zone"),
    [
        (MINUTE_MS, "UTC"), (5 * MINUTE_MS, "UTC"), (HOUR_MS, "UTC"), (DAY_MS, "Asia/Dubai"),
        (DAY_MS, "Asia/Kathmandu"),
    ],
)  # fmt: skip
async def test_points_of_every_step_add_up_to_the_same(database: str, step_ms: int, zone: str) -> None:
    async with open_store(database) as store:
        rows = await some(store)
        from_ms, to_ms = NOW_MS - 3 * DAY_MS, NOW_MS + MINUTE_MS
        by_minute = step_ms < HOUR_MS or not tallies.whole_hours(zone, from_ms=from_ms, to_ms=to_ms)
        over = stretch(from_ms, to_ms, now_ms=NOW_MS, by_minute=by_minute)
        found = await tallies.points(store, over, Channels([WEB, APP]), step_ms=step_ms, zone=zone)
    assert Ended(*map(sum, zip(*(point.ended for point in found), strict=True))) == reckoned(
        rows, from_ms, to_ms, WEB, APP
    )
    assert [point.at_ms for point in found] == sorted({point.at_ms for point in found})


async def test_days_begin_at_the_zones_midnight_also_where_it_is_no_whole_hour_of_utc(database: str) -> None:
    """Kathmandu is 5:45 ahead: its midnight of 26 November 2026 is 18:15 the day before."""
    midnight_ms = 1_795_630_500_000
    async with open_store(database) as store:
        await write(
            store,
            Added(WEB, "completed", midnight_ms - MINUTE_MS, 1),
            Added(WEB, "completed", midnight_ms, 2),
        )
        whole = tallies.whole_hours("Asia/Kathmandu", from_ms=midnight_ms, to_ms=midnight_ms)
        over = stretch(
            midnight_ms - DAY_MS, midnight_ms + DAY_MS, now_ms=midnight_ms + 5 * DAY_MS, by_minute=not whole
        )
        found = await tallies.points(store, over, Channels([WEB]), step_ms=DAY_MS, zone="Asia/Kathmandu")
    assert found == [
        Point(midnight_ms - DAY_MS, Ended(1, 0, 0)),
        Point(midnight_ms, Ended(2, 0, 0)),
    ]


async def test_all_but_some_are_the_others(database: str) -> None:
    async with open_store(database) as store:
        rows = await some(store)
        over = stretch(NOW_MS - 3 * DAY_MS, NOW_MS + MINUTE_MS, now_ms=NOW_MS)
        found = await tallies.sums(store, over, Channels([WEB], all_but=True))
        points = await tallies.points(store, over, Channels([], all_but=True), step_ms=HOUR_MS)
    assert found == {APP: reckoned(rows, NOW_MS - 3 * DAY_MS, NOW_MS + MINUTE_MS, APP)}
    assert sum(sum(point.ended) for point in points) == sum(row.events for row in rows)


async def test_what_has_just_been_added_is_in_the_sum_before_it_is_folded(database: str) -> None:
    async with open_store(database) as store:
        await write(store, Added(WEB, "completed", NOW_MS, 3), fold=False)
        over = stretch(NOW_MS - DAY_MS, NOW_MS + MINUTE_MS, now_ms=NOW_MS)
        assert await tallies.sums(store, over, Channels([WEB])) == {WEB: Ended(3, 0, 0)}


async def test_a_folded_hour_that_was_added_to_is_told_until_it_is_folded_again(database: str) -> None:
    late_ms = NOW_MS - 5 * HOUR_MS
    async with open_store(database) as store:
        await write(store, Added(WEB, "completed", late_ms, 3), fold=False)
        day = stretch(NOW_MS - DAY_MS, NOW_MS, now_ms=NOW_MS)
        during = await tallies.being_added(store, day)
        by_minute = await tallies.being_added(
            store, stretch(NOW_MS - DAY_MS, NOW_MS, now_ms=NOW_MS, by_minute=True)
        )
        await counts.fold(store)
        after = await tallies.being_added(store, day)
    assert (during, by_minute, after) == ([late_ms // HOUR_MS * HOUR_MS], [], [])


async def test_the_counters_clock_is_that_of_the_slowest_partition(database: str) -> None:
    async with open_store(database) as store:
        assert await tallies.counted_until(store) is None
        world = World(store, government(entities=1, services=1))
        await world.clock(judged_ago_s=500)  # of observations: another matter
        await world.count_clock(ago_s=30)
        async with store.transaction() as connection:
            await connection.execute(
                "insert into stream_offset (cluster, topic, partition, next, judged_until) "
                "values ('test', 'x.continuity.transactions', 1, 1, now())"
            )
        found = await tallies.counted_until(store)
    assert found is not None
    assert 29_000 <= world.now.timestamp() * 1000 - found <= 31_000


async def test_a_partition_that_has_no_clock_yet_leaves_the_counters_without_one(database: str) -> None:
    async with open_store(database) as store:
        await World(store, government(entities=1, services=1)).count_clock()
        async with store.transaction() as connection:
            await connection.execute(
                "insert into stream_offset (cluster, topic, partition, next) "
                "values ('test', 'continuity.transactions', 7, 1)"
            )
        assert await tallies.counted_until(store) is None


async def test_a_channel_is_known_from_the_first_hour_in_which_it_was_counted(database: str) -> None:
    async with open_store(database) as store:
        await write(
            store,
            Added(WEB, "failed", NOW_MS - 30 * HOUR_MS, 1),
            Added(WEB, "completed", NOW_MS, 1),
        )
        found = await tallies.first_counted(store)
        ever = await tallies.ever(store)
    assert found == {WEB: (NOW_MS - 30 * HOUR_MS) // HOUR_MS * HOUR_MS}
    assert ever == {WEB: Ended(1, 1, 0)}
