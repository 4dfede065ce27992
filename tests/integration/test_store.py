"""On a real PostgreSQL: the fence, the lease, the cursor, gaps, and a partition made for every day."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from monitor.errors import FenceBroken, LeaseLost
from monitor.store import changes, observations, stream
from monitor.store.changes import START, ChangeRow
from monitor.store.lease import Lease
from monitor.store.observations import GapRow, ObservationRow
from monitor.store.pool import Store, open_store
from monitor.store.times import moment

NOON_MS = 1_795_000_000_000
DAY = NOON_MS // 86_400_000


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with open_store(database) as opened:
        yield opened


def change(subject: str, at_ms: int = NOON_MS) -> ChangeRow:
    return ChangeRow("measured", subject, at_ms, "up", "ok", "", "[]", 1)


def row(*, outcome: str = "up", due_ms: int = NOON_MS, sentence: str = "") -> ObservationRow:
    return ObservationRow(
        "service:a/web/main", "main", moment(due_ms), 0, outcome, "ok", sentence, 30_000, 0, 1.0,
        "{}", 200, 10, None, None, 1, False, False,
    )  # fmt: skip


async def put(store: Store, *rows: ObservationRow) -> int:
    async with store.transaction() as connection:
        await observations.make_partitions(connection, [DAY])
        return await observations.add(connection, rows)


async def test_a_batch_whose_expected_offset_is_not_the_stored_one_is_refused_t42(store: Store) -> None:
    where = {"cluster": "c", "topic": "t", "partition": 0}
    await stream.standing(store, **where, begin=5)
    to = stream.Standing(6, NOON_MS, 1, None)
    with pytest.raises(FenceBroken):
        async with store.transaction() as connection:
            await stream.move(connection, **where, expected=4, expected_until_ms=None, to=to)


async def test_a_clock_that_another_owner_moved_is_not_moved_back(store: Store) -> None:
    where = {"cluster": "c", "topic": "t", "partition": 0}
    await stream.standing(store, **where, begin=5)
    for expected_ms, until_ms in ((None, NOON_MS), (None, NOON_MS - 10_000)):
        with suppress(FenceBroken):
            async with store.transaction() as connection:
                await stream.advance_clock(
                    connection, **where, expected=5, expected_until_ms=expected_ms, until_ms=until_ms
                )
    assert (await stream.standing(store, **where, begin=0)).judged_until_ms == NOON_MS


async def test_a_leader_that_lost_its_lease_cannot_write_t44(store: Store, database: str) -> None:
    frozen, other = (Lease(store, role="derive", holder=name) for name in ("frozen", "other"))
    assert await frozen.take_or_renew()
    assert not await other.take_or_renew(), "one leads at a time"
    async with store.connection() as connection:
        await connection.execute("update lease set until = now() - interval '1 s'")
    assert await other.take_or_renew()
    with pytest.raises(LeaseLost):
        async with store.transaction() as connection:
            await frozen.lock(connection)


async def test_a_leader_renews_without_a_new_epoch_and_a_successor_gets_one(store: Store) -> None:
    first, second = (Lease(store, role="derive", holder=name) for name in ("first", "second"))
    await first.take_or_renew()
    await first.take_or_renew()
    epoch = first.epoch
    await first.give_up()
    await second.take_or_renew()
    assert (epoch, first.epoch, second.epoch) == (1, 0, 2)


async def test_a_follower_sees_a_row_that_was_committed_late_t43(store: Store) -> None:
    """The slow transaction takes its id first and commits last; reading by id alone would pass it by."""
    slow = store.transaction()
    writing = await slow.__aenter__()
    await changes.add(writing, [change("service:slow/web")])
    async with store.transaction() as connection:
        await changes.add(connection, [change("service:quick/web")])
    async with store.connection() as connection:
        early = await changes.follow(connection, START, layer="measured")
    await slow.__aexit__(None, None, None)
    async with store.connection() as connection:
        at = early[-1].cursor if early else START
        later = await changes.follow(connection, at, layer="measured")
    assert [f.subject for f in early + later] == ["service:slow/web", "service:quick/web"]


async def test_a_withdrawal_reaches_followers_again(store: Store) -> None:
    async with store.transaction() as connection:
        await changes.add(connection, [change("service:a/web")])
    async with store.connection() as connection:
        [seen] = await changes.follow(connection, START, layer="measured")
    async with store.transaction() as connection:
        await changes.withdraw(connection, [("measured", "service:a/web", NOON_MS)])
    async with store.connection() as connection:
        again = await changes.follow(connection, seen.cursor, layer="measured")
    assert [(f.subject, f.withdrawn) for f in again] == [("service:a/web", True)]


async def test_two_standing_changes_of_a_subject_never_share_an_instant(store: Store) -> None:
    async with store.transaction() as connection:
        await changes.add(connection, [change("service:a/web")])
        await changes.withdraw(connection, [("measured", "service:a/web", NOON_MS)])
        await changes.add(connection, [change("service:a/web")])
    async with store.connection() as connection:
        standing = await changes.standing(
            connection, layer="measured", subjects=["service:a/web"], from_ms=NOON_MS + 1
        )
    assert [c.at_ms for c in standing["service:a/web"]] == [NOON_MS]


@pytest.mark.parametrize(
    ("first", "second", "stays"),
    [("up", "down", "up"), ("unknown", "down", "down"), ("down", "unknown", "down")],
)
async def test_the_first_measured_row_stays_and_replaces_an_unmeasured_one(
    store: Store, first: str, second: str, stays: str
) -> None:
    await put(store, row(outcome=first))
    await put(store, row(outcome=second))
    found = await observations.attempts(
        store, check="service:a/web/main", vantage="main", before_ms=NOON_MS, count=1
    )
    assert [attempt.outcome for attempt in found] == [stays]


async def test_attempts_bring_the_measured_ones_before_them_as_context(store: Store) -> None:
    dues = [NOON_MS + beat * 30_000 for beat in range(10)]
    await put(store, *(row(due_ms=due, outcome="unknown" if i == 5 else "up") for i, due in enumerate(dues)))
    found = await observations.attempts(
        store, check="service:a/web/main", vantage="main", before_ms=dues[6], count=2
    )
    assert [attempt.due_ms for attempt in found] == [dues[4], *dues[6:]]


async def test_a_gap_says_whether_the_prober_lived(store: Store) -> None:
    async with store.transaction() as connection:
        await observations.heartbeats(
            connection, [("main", "p1", NOON_MS + beat * 5_000, 3, 0) for beat in range(7)]
        )
        await observations.add_gaps(
            connection,
            [
                GapRow("service:a/web/main", "main", NOON_MS, NOON_MS + 30_000, 2, ""),
                GapRow("service:a/web/main", "main", NOON_MS + 600_000, NOON_MS + 630_000, 2, ""),
            ],
        )
    async with store.transaction() as connection:
        whys = [
            gap.why
            for due_ms in (NOON_MS + 30_000, NOON_MS + 600_000)
            for gap in await observations.gaps_holding(
                connection, check="service:a/web/main", vantage="main", first_ms=due_ms, last_ms=due_ms
            )
        ]
    assert whys == ["missed", "no_heartbeat"]


async def test_a_store_that_is_away_says_so_within_its_deadline() -> None:
    from monitor.errors import StoreUnavailable

    began = time.monotonic()
    async with open_store("postgresql://nobody@127.0.0.1:1/none") as store:
        with pytest.raises(StoreUnavailable):
            async with store.connection():
                pass
    assert time.monotonic() - began < 10
    await asyncio.sleep(0)
