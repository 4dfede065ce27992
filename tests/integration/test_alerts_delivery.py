"""The outbox on a real PostgreSQL to a real webhook: each message once, in order, as often as is worth it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from monitor.alerts.dead_man import DeadMan
from monitor.alerts.metrics import NotifyMetrics
from monitor.config.alerts import AlertsSettings, Receiver, When
from monitor.demo.child import Child
from monitor.judge.handling import row_of
from monitor.judge.incidents import Incident, State
from monitor.lifetime import Stop
from monitor.model import Calendar, Severity
from monitor.store import deliveries as table
from monitor.store import incidents, public
from monitor.store.pool import Store, open_store
from tests.integration.notifying import (
    Webhook,
    announce,
    later,
    log,
    notifier,
    until,
    webhook,
)
from tests.world import World, government

ROOT = Path(__file__).parents[2]
ONE, TWO = "INC-2026-0001", "INC-2026-0002"
NEVER_OPEN = Calendar(hours="00:00-00:01")


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with open_store(database) as opened:
        yield opened


@pytest.fixture
async def hook(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Webhook]:
    async with webhook() as opened:
        for name in ("desk", "boss"):
            monkeypatch.setenv(name.upper(), opened.address(name))
        yield opened


@pytest.fixture
async def world(store: Store) -> World:
    made = World(store, government(entities=4, services=20))
    await made.begin()
    return made


def receiver(name: str = "desk", **more: object) -> Receiver:
    given = {"language": "en", "warning": When.ALWAYS} | more
    return Receiver(name=name, to=f"env:{name.upper()}", **given)  # type: ignore[arg-type]


def settings(*receivers: Receiver, **more: object) -> AlertsSettings:
    return AlertsSettings(receivers=receivers or (receiver(),), **more)  # type: ignore[arg-type]


async def fails(
    world: World, number: str = ONE, topic: str = "first", severity: str = "critical"
) -> Incident:
    made = await world.incident("system:identity" if number == ONE else "service:s0001", number=number)
    await announce(world.store, number, topic, severity)
    return made


async def becomes(store: Store, incident: Incident, **more: object) -> None:
    async with store.transaction() as connection:
        await incidents.keep(connection, [row_of(replace(incident, **more))])


async def over(store: Store, incident: Incident) -> None:
    now_ms = incident.opened_ms + 1000
    await becomes(store, incident, state=State.CLOSED, well_ms=now_ms, closed_ms=now_ms)


async def all_sent(store: Store) -> bool:
    return {state for _, _, state in await states(store)} == {"sent"}


async def states(store: Store) -> list[tuple[str, str, str]]:
    return [(one.receiver, one.topic, one.state) for one in await log(store)]


async def test_a_message_reaches_its_receiver_once(store: Store, hook: Webhook, world: World) -> None:
    await fails(world)
    async with notifier(store, settings()) as one:
        await one.turns(3)
    assert [title[:4] for title in hook.titles()] == ["DOWN"]
    assert [(each.state, each.tries, each.said) for each in await log(store)] == [("sent", 1, "accepted")]


async def test_each_receiver_is_told_in_its_language(store: Store, hook: Webhook, world: World) -> None:
    await fails(world)
    both = settings(receiver(language="ar"), receiver("boss"))
    async with notifier(store, both) as one:
        await one.turn()
    assert hook.titles("desk")[0].startswith("متوقف")
    assert hook.titles("boss")[0].startswith("DOWN")


async def test_two_notifiers_at_once_deliver_each_message_once(
    store: Store, hook: Webhook, world: World
) -> None:
    await fails(world)
    await fails(world, TWO)
    for number in (ONE, TWO):
        for _ in range(5):
            await announce(store, number, "raised")
    async with notifier(store, settings()) as one, notifier(store, settings(), holder="two") as two:
        for _ in range(12):
            await asyncio.gather(one.turn(), two.turn())
    assert (len(hook.got), len({each.key for each in hook.got})) == (12, 12)
    assert {state for _, _, state in await states(store)} == {"sent"}


async def test_a_message_waits_for_the_one_before_it_of_the_same_incident_alone(
    store: Store, hook: Webhook, world: World
) -> None:
    await fails(world)
    hook.answers = [503]
    async with notifier(store, settings()) as one:
        await one.turn()
        await announce(store, ONE, "raised")
        await fails(world, TWO)
        await one.turn()
        assert await states(store) == [
            ("desk", "first", "waiting"),
            ("desk", "raised", "waiting"),
            ("desk", "first", "sent"),
        ]
        await later(store, 10)
        await one.turns(2)
    assert [state for _, _, state in await states(store)] == ["sent"] * 3
    keys = [each.key for each in hook.got]
    assert (keys[0], len(keys)) == (keys[2], 4)  # tried again under its key, then the one behind it


async def test_what_is_refused_for_good_is_given_up_and_counted_and_holds_nothing_back(
    store: Store, hook: Webhook, world: World
) -> None:
    await fails(world)
    hook.answers = [404]
    async with notifier(store, settings()) as one:
        await one.turn()
        assert await table.undelivered(store) == 1
        await announce(store, ONE, "raised")
        await one.turn()
    assert [(each.state, each.said) for each in await log(store)] == [
        ("failed", "answered 404"),
        ("sent", "accepted"),
    ]


async def test_what_was_over_before_it_could_be_told_is_told_to_nobody(
    store: Store, hook: Webhook, world: World
) -> None:
    incident = await fails(world)
    await over(store, incident)
    await announce(store, ONE, "resolved")
    async with notifier(store, settings()) as one:
        await one.turns(2)
    assert hook.got == []
    assert [(each.state, each.said) for each in await log(store)] == [
        ("dropped", "it was over before it could be told"),
        ("dropped", "it was never told that this began"),
    ]


async def test_whoever_heard_that_it_began_hears_that_it_is_over(
    store: Store, hook: Webhook, world: World
) -> None:
    incident = await fails(world)
    async with notifier(store, settings()) as one:
        await one.turn()
        await over(store, incident)
        await announce(store, ONE, "resolved")
        await one.turn()
    assert [title.split()[0] for title in hook.titles()] == ["DOWN", "WELL"]


async def test_a_warning_waits_for_working_hours_and_is_overtaken_by_what_wakes(
    store: Store, hook: Webhook
) -> None:
    catalogue = replace(government(entities=4, services=20), calendar=NEVER_OPEN)
    world = World(store, catalogue)
    await world.begin()
    incident = await world.incident("system:identity", severity=Severity.WARNING)
    await announce(store, ONE, "first", "warning")
    async with notifier(store, settings(receiver(warning=When.WORKING_HOURS))) as one:
        await one.turn()
        assert (hook.got, await states(store)) == ([], [("desk", "first", "waiting")])
        await becomes(store, incident, severity=Severity.CRITICAL)
        await announce(store, ONE, "raised")
        await one.turn()
    assert await states(store) == [("desk", "first", "dropped"), ("desk", "raised", "sent")]
    assert await table.undelivered(store) == 0


@pytest.mark.parametrize(("still", "fate"), [(True, "sent"), (False, "dropped")])
async def test_what_waited_for_its_hour_is_told_if_it_still_holds_then_t28(
    store: Store, hook: Webhook, still: bool, fate: str
) -> None:
    world = World(store, replace(government(entities=4, services=20), calendar=NEVER_OPEN))
    await world.begin()
    incident = await world.incident("system:identity", severity=Severity.WARNING)
    await announce(store, ONE, "first", "warning")
    async with notifier(store, settings(receiver(warning=When.WORKING_HOURS))) as one:
        await one.turn()
        if not still:
            await over(store, incident)
        await later(store, 8 * 86_400)
        await one.turn()
    assert (await states(store), len(hook.got)) == ([("desk", "first", fate)], int(still))


async def test_when_nobody_acknowledges_in_time_the_second_receiver_is_told_once(
    store: Store, hook: Webhook, world: World
) -> None:
    await fails(world)
    two = settings(receiver(second="boss", entities=("e99",)), receiver("boss", entities=("e98",)))
    two = replace(two, receivers=(receiver(second="boss"), receiver("boss", critical=When.NEVER)))
    async with notifier(store, two) as one:
        await one.turn()
        await later(store, 890)
        await one.turn()
        assert hook.titles("boss") == []
        await later(store, 20)
        await one.turns(3)
    assert len(hook.titles("boss")) == 1
    assert "second receiver, nobody has acknowledged" in hook.got[-1].body["message"]


async def test_what_somebody_acknowledged_goes_to_no_second_receiver_and_is_not_told_again(
    store: Store, hook: Webhook, world: World
) -> None:
    await fails(world)
    two = settings(receiver(second="boss"), receiver("boss", critical=When.NEVER))
    async with notifier(store, two) as one:
        await one.turn()
        await incidents.acknowledge(store, ONE, actor="layla")
        await later(store, 7200)
        await one.turns(2)
    assert len(hook.got) == 1


async def test_what_the_first_receiver_refuses_goes_to_the_second_at_once(
    store: Store, hook: Webhook, world: World
) -> None:
    await fails(world)
    hook.answers = [403]
    two = settings(receiver(second="boss"), receiver("boss", critical=When.NEVER))
    async with notifier(store, two) as one:
        await one.turns(2)
    assert [each.path for each in hook.got] == ["/desk", "/boss"]


async def test_what_nobody_acknowledges_is_told_again_after_an_hour(
    store: Store, hook: Webhook, world: World
) -> None:
    await fails(world)
    async with notifier(store, settings()) as one:
        await one.turn()
        for _ in range(2):
            await later(store, 3700)
            await one.turns(2)
    assert [title.split()[0] for title in hook.titles()] == ["DOWN", "STILL", "STILL"]


@pytest.mark.parametrize(("spoken", "fate"), [(False, "sent"), (True, "dropped")])
async def test_a_missed_promise_to_the_public_is_told_unless_somebody_spoke_meanwhile(
    store: Store, hook: Webhook, world: World, spoken: bool, fate: str
) -> None:
    await fails(world)
    async with notifier(store, settings()) as one:
        await one.turn()
        await announce(store, ONE, "update_missed")
        if spoken:
            await public.say(store, ONE, ar="", en="On it", next_update_ms=None, actor="Desk")
        await one.turn()
    assert await states(store) == [("desk", "first", "sent"), ("desk", "update_missed", fate)]
    assert [title.startswith("PUBLIC UPDATE DUE") for title in hook.titles()[1:]] == [True] * (not spoken)


async def test_a_missed_promise_neither_overtakes_the_first_message_nor_keeps_the_second_receiver_from_it(
    store: Store, hook: Webhook, world: World
) -> None:
    await fails(world)
    two = settings(receiver(second="boss"), receiver("boss", critical=When.NEVER))
    async with notifier(store, two) as one:
        await one.turn()
        await announce(store, ONE, "update_missed")
        await one.turn()
        await later(store, 901)
        await one.turn()
    assert hook.titles("boss")[0].startswith("DOWN")


async def test_a_message_of_a_kind_that_we_do_not_know_is_told_all_the_same(
    store: Store, hook: Webhook, world: World
) -> None:
    await fails(world, topic="extended")
    async with notifier(store, settings()) as one:
        await one.turn()
    assert hook.titles()[0].startswith("NEWS")
    assert "extended" in hook.got[0].body["message"]


async def test_a_notifier_that_starts_anew_tells_nothing_again_t26(
    store: Store, hook: Webhook, world: World
) -> None:
    await fails(world)
    for _ in range(3):
        async with notifier(store, settings()) as one:
            await one.turns(2)
    assert len(hook.got) == 1


async def test_the_dead_man_hears_from_us_while_messages_go_out_and_only_then(
    hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEAD", f"http://127.0.0.1:{hook.port}/alive")
    stop, alive = Stop(), [False]
    metrics = NotifyMetrics(CollectorRegistry(), [])
    async with aiohttp.ClientSession() as session:
        signal_of = DeadMan("env:DEAD", session, alive=lambda: alive[0], metrics=metrics)
        running = asyncio.create_task(signal_of.run(stop, every_s=0.01))
        await asyncio.sleep(0.1)
        silent = len(hook.got)
        alive[0] = True
        await until(lambda: len(hook.got) >= 3)
        stop.request()
        await running
    assert (silent, {one.path for one in hook.got}) == (0, {"/alive"})


async def test_an_address_is_never_logged_nor_kept(
    store: Store,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("DESK", "json://user:hunter2-password@127.0.0.1:9/path-that-is-secret")
    await fails(world)
    with caplog.at_level(logging.DEBUG):
        async with notifier(store, settings()) as one:
            await one.turn()
    said = caplog.text + repr([record.__dict__ for record in caplog.records]) + repr(await log(store))
    assert [word for word in ("hunter2", "path-that-is-secret") if word in said] == []
    assert (await log(store))[0].said == "could not be reached"


async def test_a_receiver_whose_address_is_missing_is_tried_again_and_named(
    store: Store, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DESK", raising=False)
    await fails(world)
    async with notifier(store, settings()) as one:
        await one.turn()
    assert [(each.state, each.said) for each in await log(store)] == [
        ("waiting", "the environment variable DESK is not set")
    ]


async def test_killed_between_acceptance_and_record_it_repeats_under_the_same_key(
    store: Store, hook: Webhook, world: World, database: str, tmp_path: Path
) -> None:
    """At least once: the receiver took it, we could not write that down, so it comes once more."""
    await fails(world)
    (tmp_path / "address").write_text(hook.address("desk"))
    (tmp_path / "monitor.yaml").write_text(
        f"postgres: {{dsn: '{database}'}}\npulse: {{notify: 0}}\n"
        f"alerts: {{receivers: [{{name: desk, to: 'file:{tmp_path}/address'}}]}}\n"
    )
    command = [sys.executable, "-m", "monitor", "run", "notify", "--config", str(tmp_path / "monitor.yaml")]

    def start() -> Child:
        return Child(command, tmp_path / "notify.log", name="notify", cwd=ROOT)

    first = start()
    hook.on_got = lambda: os.kill(first.pid, signal.SIGKILL)
    try:
        await until(lambda: len(hook.got) == 1)
    finally:
        await asyncio.to_thread(first.stop)
    hook.on_got = lambda: None
    assert [state for _, _, state in await states(store)] == ["waiting"]
    await later(store, 61)  # its lease runs out
    second = start()
    try:
        await until(lambda: len(hook.got) == 2)
        await until(lambda: all_sent(store))
    finally:
        await asyncio.to_thread(second.stop)
    assert hook.got[0].key == hook.got[1].key != ""
