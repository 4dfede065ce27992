"""Counts in PostgreSQL: additions sum up, hours follow their minutes, totals never fall."""

from __future__ import annotations

from contextlib import suppress

import asyncpg
import pytest

from monitor.store import counts
from monitor.store.counts import HOUR_MS, MINUTE_MS, WEEK_MS, Added, Counted, Total
from monitor.store.pool import Store, open_store

HOUR = 1_700_000_000_000 // HOUR_MS * HOUR_MS
WEB, APP = "service:passport/web", "service:permit/app"


async def add(store: Store, *rows: Added) -> None:
    await counts.make_partitions(store, {row.minute_ms // WEEK_MS for row in rows})
    series = await counts.series_of(store, {(row.channel, row.outcome) for row in rows})
    async with store.transaction() as connection:
        await counts.add(connection, rows, series=series)


async def test_additions_to_one_minute_are_summed(database: str) -> None:
    async with open_store(database) as store:
        await add(store, Added(WEB, "completed", HOUR, 2, 1, 300), Added(APP, "failed", HOUR, 1))
        await add(store, Added(WEB, "completed", HOUR, 3, 2, 500))
        found = await counts.minutes(store, from_ms=HOUR, to_ms=HOUR + MINUTE_MS)
        totals = await counts.totals(store)
    assert found == [
        Counted(WEB, "completed", HOUR, 5, 3, 800),
        Counted(APP, "failed", HOUR, 1, 0, 0),
    ]
    assert totals == [Total(WEB, "completed", 5, 3, 800), Total(APP, "failed", 1, 0, 0)]


async def test_an_hour_is_made_anew_when_a_late_event_comes(database: str) -> None:
    async with open_store(database) as store:
        await add(store, Added(WEB, "completed", HOUR, 2), Added(WEB, "completed", HOUR + MINUTE_MS, 2))
        assert await counts.fold(store) == [HOUR]
        await add(store, Added(WEB, "completed", HOUR + MINUTE_MS, 1))
        assert await counts.fold(store) == [HOUR]
        assert await counts.fold(store) == []
        found = await counts.hours(store, from_ms=HOUR, to_ms=HOUR + HOUR_MS)
    assert found == [Counted(WEB, "completed", HOUR, 5, 0, 0)]


async def test_only_the_services_asked_for_are_read(database: str) -> None:
    async with open_store(database) as store:
        await add(store, Added(WEB, "completed", HOUR, 2), Added(APP, "completed", HOUR, 1))
        found = await counts.minutes(store, from_ms=HOUR, to_ms=HOUR + HOUR_MS, services=["service:permit"])
    assert [row.channel for row in found] == [APP]


async def test_a_batch_that_is_rolled_back_adds_nothing(database: str) -> None:
    async with open_store(database) as store:
        await add(store, Added(WEB, "completed", HOUR, 2))
        series = await counts.series_of(store, {(WEB, "completed")})
        with suppress(asyncpg.UndefinedTableError):
            async with store.transaction() as connection:
                await counts.add(connection, [Added(WEB, "completed", HOUR, 9)], series=series)
                await connection.execute("select * from nowhere")
        assert await counts.totals(store) == [Total(WEB, "completed", 2, 0, 0)]


async def test_an_hour_of_very_many_rows_is_folded_in_pieces(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "_ROWS_A_PIECE", 3)
    async with open_store(database) as store:
        for minute in range(60):
            await add(store, *(Added(WEB, "completed", HOUR + minute * MINUTE_MS, 1) for _ in range(2)))
        assert await counts.fold(store) == [HOUR]
        async with store.connection() as connection:
            rows = await connection.fetchval("select count(*) from count_minute")
        found = await counts.minutes(store, from_ms=HOUR, to_ms=HOUR + HOUR_MS)
    assert (rows, {each.events for each in found}) == (60, {2})


async def test_an_hour_that_is_added_to_all_the_time_keeps_no_older_one_waiting(database: str) -> None:
    older = [HOUR - number * HOUR_MS for number in range(1, 30)]
    async with open_store(database) as store:
        await add(store, *(Added(WEB, "completed", hour, 1) for hour in older))
        folded = set()
        for _ in range(2):
            await add(store, Added(WEB, "completed", HOUR, 1))
            folded |= set(await counts.fold(store))
    assert folded == {HOUR, *older}


async def test_hours_of_a_backlog_are_folded_together_and_each_keeps_its_own_count(database: str) -> None:
    async with open_store(database) as store:
        hours = [HOUR, HOUR + HOUR_MS, HOUR + 3 * HOUR_MS]  # nothing came in the third
        for number, hour in enumerate(hours):
            for _ in range(2):
                await add(store, Added(WEB, "completed", hour + 59 * MINUTE_MS, number + 1))
        assert await counts.fold(store) == hours
        found = await counts.hours(store, from_ms=HOUR, to_ms=HOUR + 4 * HOUR_MS)
        async with store.connection() as connection:
            rows = await connection.fetchval("select count(*) from count_minute")
    assert ([(each.at_ms, each.events) for each in found], rows) == (
        [(hour, 2 * (number + 1)) for number, hour in enumerate(hours)],
        3,
    )
