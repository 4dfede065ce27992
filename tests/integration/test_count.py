"""Transactions into a real PostgreSQL: each counted once, whatever is repeated, unreadable or taken over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from click.testing import CliRunner

from monitor.cli import continuity
from monitor.config.transactions import Place, Source
from monitor.errors import FenceBroken, StoreUnavailable, StreamChanged
from monitor.judge import count
from monitor.judge.books import Books
from monitor.judge.retrying import retry
from monitor.judge.shapes import Ours, Theirs
from monitor.store import counts, stream
from monitor.store.counts import MINUTE_MS, Counted
from monitor.store.pool import Store, open_store
from monitor.stream.loop import Position, Record, crc_of
from tests.integration.counting_bench import (
    NOW_MS,
    PASSPORT,
    PERMIT,
    TOPIC,
    Bench,
    ids,
    publish,
    said,
    service,
)


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with open_store(database) as opened:
        await publish(opened, PASSPORT, PERMIT)
        yield opened


@pytest.fixture
async def bench(store: Store) -> Bench:
    made = Bench(store)
    await made.assigned()
    return made


async def test_events_are_counted_by_channel_outcome_and_minute_of_the_event(bench: Bench) -> None:
    earlier = NOW_MS - 3 * MINUTE_MS
    await bench.send(
        said(duration_ms=200.4),
        said(count=40, duration_ms=100),
        said(count=2, at_ms=earlier + 59_999),
        said(channel="app", outcome="failed", at_ms=earlier, surprising="field"),
    )
    found = await counts.minutes(bench.store, from_ms=earlier, to_ms=NOW_MS + MINUTE_MS)
    assert found == [
        Counted("service:passport/app", "failed", earlier, 1, 0, 0),
        Counted("service:passport/web", "completed", earlier, 2, 0, 0),
        Counted("service:passport/web", "completed", NOW_MS, 41, 41, 4_200),
    ]


async def test_a_former_slug_counts_for_the_service_it_became(bench: Bench) -> None:
    await bench.send(said("licence"), said("permit"))
    assert await bench.totals() == {("licence/web", "completed"): 2}


async def test_what_cannot_be_counted_is_set_aside_with_its_reason_and_the_rest_counts(bench: Bench) -> None:
    bad = {
        b"": "unreadable",
        None: "unreadable",
        b"\xff{": "unreadable",
        b"[]": "unreadable",
        said(outcome="vanished"): "unreadable",
        said(count="3"): "unreadable",
        said(schema=2): "schema",
        said("strange"): "unknown_service",
        said(channel="kiosk"): "unknown_channel",
        said(count=0): "absurd",
        said(count=-5): "absurd",
        said(count=10**9): "absurd",
        said(duration_ms=-1): "absurd",
        said(at_ms=NOW_MS + 301_000): "absurd",
        said(at_ms=NOW_MS - 101 * 86_400_000): "absurd",
        said(at="0001-01-01T00:00:00+23:59"): "absurd",
        said(at="9999-12-31T23:59:59-23:59"): "absurd",
        said(at="2027-01-15T08:00:00"): "unreadable",
    }
    await bench.send(*bad, said())
    assert await bench.letters() == list(enumerate(bad.values()))
    assert await bench.totals() == {("passport/web", "completed"): 1}
    assert bench.metric("continuity_dead_letters_total", reason="unreadable") == 7


async def test_an_id_counts_once_within_a_batch_between_batches_and_after_a_restart(bench: Bench) -> None:
    await bench.send(said(id="a"), said(id="a"), said(id="b"))
    await bench.send(said(id="b"), said(id="c"))
    await bench.take_over()
    await bench.send(said(id="a"), said(id="b"), said(id="c"), said(id="d"))
    assert await bench.totals() == {("passport/web", "completed"): 4}


async def test_events_without_an_id_are_never_repeats(bench: Bench) -> None:
    await bench.send(said(), said(), said(id=""))
    assert await bench.totals() == {("passport/web", "completed"): 3}


async def test_ids_are_each_services_own(bench: Bench) -> None:
    await bench.send(said(id="1"), said("permit", id="1"))
    assert await bench.totals() == {("passport/web", "completed"): 1, ("licence/web", "completed"): 1}


async def test_the_id_of_a_dead_letter_is_free_also_after_a_restart(bench: Bench) -> None:
    await bench.send(said(channel="kiosk", id="a"), said(id="b"))
    await bench.take_over()
    await bench.send(said(id="a"), said(id="b"))
    assert await bench.totals() == {("passport/web", "completed"): 2}


async def test_an_id_is_forgotten_ten_minutes_after_it_was_last_seen(bench: Bench) -> None:
    for minute, _ in enumerate("abc"):
        await bench.send(said(id="a"), at_ms=NOW_MS + minute * 9 * MINUTE_MS)
    await bench.send(said(id="a"), at_ms=NOW_MS + 30 * MINUTE_MS)
    assert await bench.totals() == {("passport/web", "completed"): 2}


async def test_a_service_named_only_by_a_newer_catalogue_is_found(bench: Bench, store: Store) -> None:
    await bench.send(said())
    await publish(store, PASSPORT, service("visa", "web"))
    bench.count._books._looked_at -= 1
    await bench.send(said("visa"))
    assert (await bench.totals(), await bench.letters()) == (
        {("passport/web", "completed"): 1, ("visa/web", "completed"): 1},
        [],
    )


async def test_without_a_catalogue_it_waits_and_sets_nothing_aside(database: str) -> None:
    async with open_store(database) as store:
        bench = Bench(store)
        await bench.assigned()
        with pytest.raises(StoreUnavailable):
            await bench.send(said())
        await publish(store, PASSPORT)
        bench.count._books._looked_at -= 1
        await bench.keep(bench.log)
        assert (await bench.totals(), await bench.letters()) == ({("passport/web", "completed"): 1}, [])


async def test_T42_a_batch_under_an_old_offset_counts_nothing(bench: Bench) -> None:  # noqa: N802
    frozen = Bench(bench.store)
    await frozen.assigned()
    records = await bench.send(said(id="a"), said())
    with pytest.raises(FenceBroken):
        await frozen.keep(records)
    assert await bench.totals() == {("passport/web", "completed"): 2}


async def test_ids_of_a_batch_that_was_refused_by_the_fence_are_not_remembered(bench: Bench) -> None:
    bench.at = Position(7, None, None)
    with pytest.raises(FenceBroken):
        await bench.send(said(id="a"))
    await bench.assigned()
    await bench.keep(bench.log)
    assert await bench.totals() == {("passport/web", "completed"): 1}


async def test_a_row_that_postgresql_refuses_is_set_aside_alone(bench: Bench, store: Store) -> None:
    await bench.send(said())
    async with store.connection() as connection:
        await connection.execute("alter table transaction_total add constraint small check (count < 100)")
    await bench.send(said(id="a"), said(count=500, id="b"), said(id="c"), said(id="b", count=2))
    assert await bench.letters() == [(2, "refused")]
    assert await bench.totals() == {("passport/web", "completed"): 5}


async def test_another_cluster_stops_until_a_person_accepts_it(bench: Bench, store: Store) -> None:
    await bench.send(said())
    with pytest.raises(StreamChanged, match="another cluster: this is d, the topic was read on c"):
        await bench.count.assigned(0, cluster="d", begin=5, end=9)
    accepted = [
        await stream.accept(store, cluster="d", topic=topic, partition=0, next_offset=5)
        for topic in (TOPIC, "never.read")
    ]
    assert accepted == [True, False]
    assert await bench.count.assigned(0, cluster="d", begin=5, end=9) == Position(5, None, None)


async def test_the_clock_says_up_to_when_counting_is_complete(bench: Bench) -> None:
    await bench.send(said())
    await bench.count.caught_up(0, NOW_MS + 20_000, at=bench.at)
    standing = await stream.standing(bench.store, cluster="c", topic=TOPIC, partition=0, begin=0)
    assert standing.judged_until_ms == NOW_MS + 15_000


async def test_T19_all_label_sets_are_there_at_0_and_totals_outlive_a_restart(bench: Bench) -> None:  # noqa: N802
    assert bench.registry.get_sample_value("continuity_transactions_counted_total", {"topic": TOPIC}) == 0
    letters = {"topic": TOPIC, "reason": "unknown_service"}
    assert bench.registry.get_sample_value("continuity_dead_letters_total", letters) == 0
    await bench.send(said())
    first = await bench.totals()
    await bench.take_over()
    await bench.send(said())
    assert (first, await bench.totals()) == (
        {("passport/web", "completed"): 1},
        {("passport/web", "completed"): 2},
    )
    assert bench.metric("continuity_transactions_counted_total") == 1


SOURCE = Source(
    name="portal",
    topic="portal.orders",
    service=Place(path="kind", values={"PASS-01": "passport"}),
    channel=Place(constant="web"),
    outcome=Place(path="status", values={"OK": "completed", "PENDING": "ignored"}),
    time="at",
    time_format="unix_ms",
    id="number",
)


def order(**changed: Any) -> bytes:
    return msgspec.json.encode({"kind": "PASS-01", "status": "OK", "at": NOW_MS, **changed})


async def test_a_source_counts_under_the_same_rules(store: Store) -> None:
    bench = Bench(store, topic=SOURCE.topic, shape=Theirs(SOURCE))
    await bench.assigned()
    await bench.send(order(number=1), order(number=1), order(status="PENDING"), order(status="LOST"))
    await bench.send(order(kind="visa", number=2), order(at=NOW_MS + 10**9), b"<order/>", None)
    await bench.take_over()
    await bench.send(order(number=1), order(number=2))
    assert await bench.totals() == {("passport/web", "completed"): 2}
    assert await bench.letters() == [
        (3, "unreadable"),
        (4, "unknown_service"),
        (5, "absurd"),
        (6, "unreadable"),
        (7, "unreadable"),
    ]


async def test_a_retry_counts_each_dead_letter_once_when_the_catalogue_is_mended(
    bench: Bench, store: Store
) -> None:
    now_ms = bench.now_ms = int(time.time() * 1000)
    visa = [said("visa", at_ms=now_ms, count=3), said("visa", at_ms=now_ms, id="a")]
    await bench.send(*visa, said("visa", at_ms=now_ms, id="a"), said("nobody", at_ms=now_ms), b"{")
    await publish(store, PASSPORT, service("visa", "web"))
    shapes = {TOPIC: Ours()}
    first = await retry(Books(store, ahead_s=300), shapes)
    again = await retry(Books(store, ahead_s=300), shapes)
    left = {"unknown_service": 1, "unreadable": 1}
    assert (first.letters, first.transactions, first.repeated, first.left) == (3, 4, 1, left)
    assert (again.letters, again.transactions, again.left) == (0, 0, left)
    assert await bench.totals() == {("visa/web", "completed"): 4}
    assert await bench.letters() == [(3, "unknown_service"), (4, "unreadable")]


async def test_the_command_says_what_it_counted_and_why_others_still_cannot_be(
    bench: Bench, store: Store, database: str, tmp_path: Path
) -> None:
    now_ms = bench.now_ms = int(time.time() * 1000)
    await bench.send(said("visa", at_ms=now_ms, count=3), said("visa", at_ms=now_ms), said("nobody"))
    await publish(store, service("visa", "web"))
    (tmp_path / "monitor.yaml").write_text(f"postgres: {{dsn: '{database}'}}\n")
    command = ["dead-letters", "--retry", "--config", str(tmp_path)]
    first = await asyncio.to_thread(CliRunner().invoke, continuity, command)
    again = await asyncio.to_thread(CliRunner().invoke, continuity, [*command, "--json"])
    left = "left 1 unknown_service, such as: no service of the catalogue is 'nobody'"
    assert first.output == f"settled 2 dead letters: 4 transactions counted, 0 repeats\n{left}\n"
    assert (first.exit_code, msgspec.json.decode(again.stdout)["letters"]) == (1, 0)


async def test_of_two_retries_at_once_only_one_counts(bench: Bench, store: Store) -> None:
    now_ms = bench.now_ms = int(time.time() * 1000)
    await bench.send(*(said("visa", at_ms=now_ms) for _ in range(500)))
    await publish(store, service("visa", "web"))
    both = [retry(Books(store, ahead_s=300), {TOPIC: Ours()}) for _ in range(2)]
    await asyncio.gather(*both, return_exceptions=True)
    assert await bench.totals() == {("visa/web", "completed"): 500}


async def test_folding_makes_a_busy_minute_one_row_and_changes_no_count(bench: Bench) -> None:
    for _ in range(20):
        await bench.send(said(duration_ms=10), said(outcome="failed"))
    before = await counts.minutes(bench.store, from_ms=NOW_MS, to_ms=NOW_MS + MINUTE_MS)
    assert await counts.fold(bench.store) == [NOW_MS]
    after = await counts.minutes(bench.store, from_ms=NOW_MS, to_ms=NOW_MS + MINUTE_MS)
    async with bench.store.connection() as connection:
        rows = await connection.fetchval("select count(*) from count_minute")
    hours = await counts.hours(bench.store, from_ms=NOW_MS, to_ms=NOW_MS + MINUTE_MS)
    assert (rows, after, [hour.events for hour in hours]) == (2, before, [20, 20])


BACKLOG = 100_000  # so many wait behind: what is read may be held


async def give(bench: Bench, *values: bytes) -> None:
    """As a backlog is read: one batch after the other, and nobody waits until it is stored."""
    records = [Record(len(bench.log) + n, bench.now_ms, b"k", value) for n, value in enumerate(values)]
    last = records[-1]
    new = Position(last.offset + 1, last.timestamp, crc_of(last.key, last.value))
    await bench.give(records, new, waiting=BACKLOG)
    bench.log, bench.at = bench.log + records, new


async def next_offset(bench: Bench) -> int:
    return (await stream.standing(bench.store, cluster="c", topic=TOPIC, partition=0, begin=0)).next


async def test_a_backlog_is_held_and_becomes_one_row_of_a_minute_before_the_clock_goes_on(
    bench: Bench,
) -> None:
    await give(bench, said(), said(id="a", count=4))
    await give(bench, said(id="a"), said())
    held = await next_offset(bench)
    await bench.count.caught_up(0, NOW_MS + 20_000, at=bench.at)
    async with bench.store.connection() as connection:
        rows = await connection.fetch("select count from count_minute")
    assert (held, await next_offset(bench), [row["count"] for row in rows]) == (0, 4, [6])


@asynccontextmanager
async def standing_still(bench: Bench) -> AsyncIterator[asyncpg.Connection]:
    """Whoever wants to move the offset waits until this ends."""
    async with bench.store.transaction() as connection:
        await connection.execute("select from stream_offset for update")
        yield connection


async def test_what_is_read_while_a_batch_is_on_its_way_follows_it(bench: Bench) -> None:
    async with standing_still(bench):
        await give(bench, *ids("a", range(3)))
        storing = asyncio.create_task(bench.count.settle(0))
        await until_on_its_way(bench)
        await give(bench, *ids("a", range(1, 6)))
    await storing
    await bench.count.settle(0)
    assert (await next_offset(bench), await bench.totals()) == (8, {("passport/web", "completed"): 6})


async def until_on_its_way(bench: Bench) -> None:
    async with asyncio.timeout(30), bench.store.connection() as connection:
        waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        while not await connection.fetchval(waits + " and datname = current_database()"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_T42_what_was_read_behind_a_batch_that_the_fence_refused_is_forgotten_with_it(  # noqa: N802
    bench: Bench,
) -> None:
    async with standing_still(bench) as connection:
        await give(bench, *ids("a", range(3)))
        storing = asyncio.create_task(bench.count.settle(0))
        await until_on_its_way(bench)
        await give(bench, *ids("b", range(3)))
        await connection.execute("update stream_offset set next = 1")  # somebody else went on
    with pytest.raises(FenceBroken):
        await storing
    with pytest.raises(FenceBroken):
        await give(bench, said())  # until the place is read anew
    await bench.assigned()
    await bench.keep(bench.log[1:])
    assert (await next_offset(bench), await bench.totals()) == (6, {("passport/web", "completed"): 5})


async def test_after_a_rebalance_what_is_in_hand_is_stored_and_nothing_is_recalled(bench: Bench) -> None:
    await give(bench, said(id="a"), said(id="b"))
    at = await bench.count.assigned(0, cluster="c", begin=0, end=2)
    assert (at.next, at.recall, await bench.totals()) == (2, None, {("passport/web", "completed"): 2})


async def test_what_a_backlog_took_is_given_back_once_it_is_read(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[bool] = []
    monkeypatch.setattr(count, "give_back", lambda: given.append(bench.count.behind))
    await give(bench, said())
    await bench.count.caught_up(0, NOW_MS + 20_000, at=bench.at)
    monkeypatch.setattr(count, "BEHIND_S", 0.0)
    await give(bench, said())
    for wall_ms in (NOW_MS + 30_000, NOW_MS + 40_000):
        await bench.count.caught_up(0, wall_ms, at=bench.at)
    assert given == [False]
