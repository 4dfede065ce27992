"""The leader's incidents on a real PostgreSQL: one per cause, kept over restarts, told through the outbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from monitor.errors import LeaseLost
from monitor.lifetime import Stop
from monitor.model import IncidentRules, Verdict
from monitor.store import incidents as table
from monitor.store import public
from monitor.store.pool import Store, open_store
from tests.integration.leader import WEB, Leader, began, fetch, incidents, notices, year


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with open_store(database) as opened:
        yield opened


async def test_a_system_that_fails_is_one_incident_and_one_message_t34(store: Store) -> None:
    world, leader = await began(store)
    await world.system_falls("identity", ago_s=60)
    await leader.look()
    number = f"INC-{year(world)}-0001"
    assert await incidents(store) == [(number, "system:identity", "failing", "critical")]
    assert await notices(store) == [(number, "first", "critical")]
    assert await fetch(store, "select kind, at < known_at, author from incident_note") == [
        ("opened", True, "")
    ]


async def test_looking_again_at_the_same_says_nothing_new(store: Store) -> None:
    world, leader = await began(store)
    await world.channel_falls(WEB)
    for _ in range(3):
        await leader.look()
    assert (len(await incidents(store)), len(await notices(store))) == (1, 1)


async def test_another_leader_goes_on_from_what_is_stored_t26(store: Store) -> None:
    world, first = await began(store)
    await world.channel_falls(WEB)
    await first.look()
    await first.lease.give_up()
    second = Leader(store, holder="two")
    await second.look()
    await world.channel_falls("service:s0002/web")
    await second.look()
    assert [row[:2] for row in await incidents(store)] == [
        (f"INC-{year(world)}-0001", "service:s0001"),
        (f"INC-{year(world)}-0002", "service:s0002"),
    ]
    assert len(await notices(store)) == 2


async def test_a_leader_that_was_overtaken_stores_nothing_t44(store: Store) -> None:
    world, first = await began(store)
    await fetch(store, "update lease set until = now() returning 1")
    await Leader(store, holder="two").look()
    await world.channel_falls(WEB)
    with pytest.raises(LeaseLost):
        await first.handling.look()
    assert (await incidents(store), await notices(store)) == ([], [])


async def test_a_leader_that_led_twice_reads_what_came_between(store: Store) -> None:
    world, first = await began(store)
    await first.lease.give_up()
    second = Leader(store, holder="two")
    await world.channel_falls(WEB)
    await second.look()
    await second.lease.give_up()
    await first.look()
    assert (len(await incidents(store)), len(await notices(store))) == (1, 1)


async def test_well_for_long_enough_it_is_closed_and_resolved(store: Store) -> None:
    world, leader = await began(store)
    await world.channel_falls("service:s0000/web", ago_s=3000)  # its only channel
    await leader.look()
    for layer in ("measured", "effective"):
        await world.change(layer, "service:s0000/web", Verdict.UP, ago_s=700)
    await leader.look()
    assert [row[2] for row in await incidents(store)] == ["closed"]
    assert [row[1] for row in await notices(store)] == ["first", "resolved"]
    kinds = await fetch(store, "select kind from incident_note order by id")
    assert kinds == [("opened",), ("asked",), ("steady",), ("closed",)]


async def test_a_promise_to_the_public_that_was_missed_is_told_once_and_stands_in_the_timeline(
    store: Store,
) -> None:
    world, leader = await began(store)
    await world.channel_falls(WEB)
    await leader.look()
    number = f"INC-{year(world)}-0001"
    now_ms = round(world.now.timestamp() * 1000)
    for due_ms in (now_ms - 120_000, now_ms - 60_000):
        await public.say(store, number, ar="", en="", next_update_ms=due_ms, actor="Desk")
        for holder in ("one", "two"):  # whoever leads looks at it anew
            await leader.lease.give_up()
            leader = Leader(store, holder=holder)
            await leader.look()
    assert [row[1] for row in await notices(store)] == ["first", "update_missed", "update_missed"]
    kinds = await fetch(store, "select kind from incident_note where kind = 'update_missed'")
    assert len(kinds) == 2


async def test_what_failed_is_reopened_by_another_leader(store: Store) -> None:
    world, first = await began(store, IncidentRules(hold_s=0, steady_s=30))
    await world.channel_falls(WEB, ago_s=3000)
    await first.look()
    for layer in ("measured", "effective"):
        await world.change(layer, WEB, Verdict.UP, ago_s=700)
    await first.look()
    await first.lease.give_up()
    await world.channel_falls(WEB, ago_s=5)
    await Leader(store, holder="two").look()
    assert [row[2] for row in await incidents(store)] == ["failing"]
    assert [row[1] for row in await notices(store)] == ["first", "resolved", "again"]


async def test_a_later_cause_absorbs_what_was_open(store: Store) -> None:
    world, leader = await began(store)
    await world.channel_falls("service:s0005/web")
    await leader.look()
    await world.system_falls("identity", ago_s=20)
    await leader.look()
    assert [row[1:3] for row in await incidents(store)] == [
        ("service:s0005", "absorbed"),
        ("system:identity", "failing"),
    ]
    second = f"INC-{year(world)}-0002"
    assert await fetch(store, "select absorbed_by from incident where state = 'absorbed'") == [(second,)]


async def test_since_is_when_it_went_down_whatever_the_reason_became(store: Store) -> None:
    world, leader = await began(store)
    await world.channel_falls(WEB, ago_s=300)
    await world.channel_falls(WEB, reason="timeout", ago_s=100)
    await leader.look()
    ((seconds,),) = await fetch(
        store, "select round(extract(epoch from opened_at - since))::int from incident"
    )
    assert 300 <= int(str(seconds)) < 400


async def test_an_outage_that_was_over_when_we_learned_of_it_opens_nothing(store: Store) -> None:
    world, leader = await began(store)
    await world.channel_falls(WEB, ago_s=3000)
    for layer in ("measured", "effective"):
        await world.change(layer, WEB, Verdict.UP, ago_s=2000)
    await leader.look()
    assert await incidents(store) == []


async def test_while_we_are_behind_nothing_opens_and_nothing_is_resolved_t35(store: Store) -> None:
    world, leader = await began(store)
    await world.channel_falls(WEB)
    await leader.look()
    await world.clock(judged_ago_s=3600)
    await world.channel_falls("service:s0002/web")
    await leader.look()
    assert [row[1:3] for row in await incidents(store)] == [("service:s0001", "failing")]


async def test_the_store_refuses_a_second_open_incident_of_a_subject(store: Store) -> None:
    world, leader = await began(store)
    await world.channel_falls(WEB)
    await leader.look()
    copy = """
        insert into incident
        select (jsonb_populate_record(i, '{"number": "INC-1-0001"}')).* from incident i
    """
    async with store.pool.acquire() as connection:
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute(copy)


async def test_the_leader_shows_how_many_are_open(store: Store) -> None:
    world, leader = await began(store)
    await world.channel_falls(WEB)
    await leader.look()
    value = leader.registry.get_sample_value
    assert value("continuity_incidents_open", {"severity": "warning"}) == 1
    assert value("continuity_notices_total", {"severity": "warning"}) == 1


async def test_an_acknowledgement_stays_until_it_fails_again_after_closing(store: Store) -> None:
    world, leader = await began(store, IncidentRules(hold_s=0, steady_s=30))
    await world.channel_falls(WEB, ago_s=3000)
    await leader.look()
    number = f"INC-{year(world)}-0001"
    assert [await table.acknowledge(store, number, actor=who) for who in ("Ann", "Bob")] == [True, False]
    for layer in ("measured", "effective"):
        await world.change(layer, WEB, Verdict.UP, ago_s=700)
    await leader.look()
    query = "select state, acknowledged_by from incident"
    assert await fetch(store, query) == [("closed", "Ann")]
    await world.channel_falls(WEB, ago_s=5)
    await leader.look()
    assert await fetch(store, query) == [("failing", None)]


async def test_what_needs_a_system_has_it_asked_at_once_and_once(store: Store) -> None:
    world, leader = await began(store, IncidentRules(hold_s=30))
    await world.channel_falls("service:s0005/web", ago_s=1)
    for _ in range(3):
        await leader.look()
    stop = Stop()
    leader.sent = stop.request
    async with asyncio.timeout(10):
        await leader.prompter.run(stop)
    query = "select kind, text from incident_note order by id"
    assert [request.check for request in leader.asked] == ["system:identity/main"]
    assert await fetch(store, query) == [("opened", ""), ("asked", "system:identity")]
    assert await notices(store) == []
