"""A real Alertmanager, end to end with the leader of incidents: one message a cause, never a false end."""

from __future__ import annotations

import asyncio
import json
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from msgspec.structs import replace

from dashboards.alertmanager import PAGING
from dashboards.alertmanager import config as shipped
from monitor.config.alerts import AlertsSettings
from monitor.demo import authority
from monitor.model import IncidentRules, Policy, Verdict
from monitor.store.pool import Store, open_store
from tests.integration.leader import Leader
from tests.integration.notifying import (
    Notifier,
    Webhook,
    alertmanager,
    alerts_in,
    announce,
    later,
    log,
    notifier,
    until,
    webhook,
)
from tests.world import World, government

STEADY_S = 2.0
RULES = IncidentRules(hold_s=0, steady_s=STEADY_S, degraded_s=0)
SYSTEM = "system:identity"


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with open_store(database) as opened:
        yield opened


@pytest.fixture
async def hook() -> AsyncIterator[Webhook]:
    async with webhook() as opened:
        yield opened


def config(hook: Webhook) -> dict[str, Any]:
    """The configuration we ship, to one webhook, in compressed time, with working hours all day."""
    text = json.dumps(shipped()).replace(f"{PAGING}/", f"http://127.0.0.1:{hook.port}/")
    made: dict[str, Any] = json.loads(text.replace('"group_interval": "10s"', '"group_interval": "1s"'))
    made["time_intervals"][0]["time_intervals"] = [{"times": [{"start_time": "00:00", "end_time": "24:00"}]}]
    return made


@pytest.fixture
async def address(hook: Webhook, tmp_path: Path) -> AsyncIterator[str]:
    async with alertmanager(tmp_path, config(hook)) as started:
        yield started


class Scene:
    """A world, the leader of its incidents, and notifiers; a look and a turn when told to."""

    def __init__(self, world: World, notifiers: list[Notifier]) -> None:
        self.world, self.notifiers = world, notifiers
        self._leader = Leader(world.store)

    async def step(self) -> None:
        """What stands is judged as of now, looked at, and told by every notifier at once."""
        await self.world.clock(judged_ago_s=0)
        await self.world.derive_lives()
        await self._leader.look()
        for _ in range(2):  # what one decides, another may hand over
            await asyncio.gather(*(one.turn() for one in self.notifiers))

    async def system(self, verdict: Verdict) -> None:
        """The identity system becomes so, and what it blocks follows."""
        for layer in ("measured", "effective"):
            await self.world.change(layer, SYSTEM, verdict, reason="slow")
        for service in self.world.catalogue.services:
            if any(need.system == SYSTEM for one in service.channels for need in one.depends):
                for channel in service.channels:
                    if any(need.system == SYSTEM for need in channel.depends):
                        await self._follows(channel.subject, verdict)
                await self._follows(service.subject, verdict)
        await self.step()

    async def _follows(self, subject: str, verdict: Verdict) -> None:
        await self.world.change("effective", subject, verdict, reason="dependency", cause=SYSTEM)


async def begin(store: Store, *, rules: IncidentRules = RULES, services: int = 20) -> World:
    catalogue = government(entities=4, services=services)
    world = World(store, replace(catalogue, policy=Policy(target=0.01, incidents=rules)))
    await world.begin()
    return world


def told(hook: Webhook) -> list[tuple[str, str, str]]:
    """(status, severity, what it is about) of every message people got."""
    return [
        (
            one.body["status"],
            one.body["commonLabels"]["severity"],
            one.body["commonLabels"].get("system") or one.body["commonLabels"].get("service", ""),
        )
        for one in hook.got
    ]


async def test_slow_then_down_then_flapping_then_well_is_one_warning_one_critical_one_resolved_t34(
    store: Store, hook: Webhook, address: str
) -> None:
    """Two notifiers at once; what depends on the system is told of by nobody."""
    world, to = await begin(store), AlertsSettings(alertmanagers=(address,))
    async with notifier(store, to) as one, notifier(store, to, holder="two") as two:
        scene = Scene(world, [one, two])
        await scene.system(Verdict.DEGRADED)
        await until(lambda: len(hook.got) == 1)
        await scene.system(Verdict.DOWN)
        await until(lambda: len(hook.got) == 2)
        for _ in range(6):
            await scene.system(Verdict.UP)
            await scene.system(Verdict.DOWN)
        await scene.system(Verdict.UP)
        async with asyncio.timeout(30):
            while len(hook.got) < 3:
                await scene.step()
                await asyncio.sleep(0.1)
        await asyncio.sleep(2.5)  # two group intervals: whatever else there was to say would have been said
    assert told(hook) == [
        ("firing", "warning", "identity"),
        ("firing", "critical", "identity"),
        ("resolved", "critical", "identity"),
    ]
    ends = datetime.fromisoformat(hook.got[-1].body["alerts"][0]["endsAt"])
    assert ends < datetime.now(UTC)


async def test_a_notifier_that_died_is_no_recovery(store: Store, hook: Webhook, address: str) -> None:
    world, to = await begin(store), AlertsSettings(alertmanagers=(address,))
    async with notifier(store, to) as one:
        await Scene(world, [one]).system(Verdict.DOWN)
        await until(lambda: len(hook.got) == 1)
    (alert,) = await alerts_in(address)
    left = datetime.fromisoformat(alert["endsAt"]) - datetime.now(UTC)
    assert (alert["status"]["state"], 1700 < left.total_seconds() <= 1800) == ("active", True)
    assert told(hook) == [("firing", "critical", "identity")]


async def test_a_failure_shorter_than_any_interval_of_telling_is_told_t25(
    store: Store, hook: Webhook, address: str
) -> None:
    world, to = await begin(store), AlertsSettings(alertmanagers=(address,))
    scene = Scene(world, [])
    await scene.system(Verdict.DOWN)
    await scene.system(Verdict.UP)
    async with notifier(store, to) as one:
        await one.turn()
    await until(lambda: len(hook.got) == 1)
    assert told(hook) == [("firing", "critical", "identity")]


async def test_a_notifier_that_starts_anew_tells_nothing_again_and_ends_nothing_t26(
    store: Store, hook: Webhook, address: str
) -> None:
    world, to = await begin(store), AlertsSettings(alertmanagers=(address,))
    async with notifier(store, to) as one:
        await Scene(world, [one]).system(Verdict.DOWN)
        await until(lambda: len(hook.got) == 1)
        await one.pumps[0]._lease.give_up()
    async with notifier(store, to, holder="two") as two:
        async with store.connection() as connection:
            await connection.execute("update lease set until = now() - interval '1 second'")
        await two.turns(2)  # everything once more, as after any start
        (alert,) = await alerts_in(address)
    await asyncio.sleep(1.5)  # more than the interval after which Alertmanager would speak again
    assert (alert["status"]["state"], told(hook)) == ("active", [("firing", "critical", "identity")])


async def test_when_we_cannot_see_any_more_nothing_new_is_told_and_nothing_is_ended_t35(
    store: Store, hook: Webhook, address: str
) -> None:
    """Our own fault: every vantage point gone, hours after nothing was judged."""
    world, to = await begin(store), AlertsSettings(alertmanagers=(address,))
    async with notifier(store, to) as one:
        scene = Scene(world, [one])
        await scene.system(Verdict.DOWN)
        for _ in range(4):
            await world.clock(judged_ago_s=900)
            await scene._leader.look()
            await one.turn()
            await asyncio.sleep(STEADY_S / 3)
        (alert,) = await alerts_in(address)
    assert (alert["status"]["state"], told(hook)) == ("active", [("firing", "critical", "identity")])


async def test_twenty_services_that_fail_for_their_own_reasons_are_twenty(
    store: Store, hook: Webhook, address: str
) -> None:
    world, to = await begin(store, services=44), AlertsSettings(alertmanagers=(address,))
    own = [
        one
        for one in world.catalogue.services
        if not any(need.system == SYSTEM for channel in one.channels for need in channel.depends)
    ][:20]
    async with notifier(store, to) as one:
        for number, service in enumerate(own):
            await world.channel_falls(f"{service.subject}/web", ago_s=200 + 60 * number)
        await Scene(world, [one]).step()
        await until(lambda: len(hook.got) >= 20)
    assert sorted(about for _, _, about in told(hook)) == sorted(service.slug for service in own)


async def test_an_alertmanager_that_lost_its_memory_is_told_again_within_the_minute(
    store: Store, hook: Webhook, tmp_path: Path
) -> None:
    world = await begin(store)
    async with alertmanager(tmp_path, config(hook)) as address:
        port = int(address.rpartition(":")[2])
        to = AlertsSettings(alertmanagers=(address,))
        async with notifier(store, to) as one:
            scene = Scene(world, [one])
            await scene.system(Verdict.DOWN)
            assert len(await alerts_in(address)) == 1
    shutil.rmtree(tmp_path / "data")
    async with alertmanager(tmp_path, config(hook), port=port) as address, notifier(store, to) as two:
        assert await alerts_in(address) == []
        await later(store, 61)
        await two.pumps[0]._lease.give_up()
        async with store.connection() as connection:
            await connection.execute("update lease set until = now() - interval '1 second'")
        await two.turn()
        assert len(await alerts_in(address)) == 1


async def test_every_alertmanager_is_told_and_one_that_is_away_holds_nobody_up(
    store: Store, hook: Webhook, address: str
) -> None:
    world, to = await begin(store), AlertsSettings(alertmanagers=("http://127.0.0.1:9", address))
    async with notifier(store, to) as one:
        await Scene(world, [one]).system(Verdict.DOWN)
    found = {each.receiver: (each.state, each.said) for each in await log(store)}
    assert found == {
        "alertmanager/127.0.0.1:9": ("waiting", "ClientConnectorError"),
        f"alertmanager/{address[7:]}": ("sent", "answered 200"),
    }


async def test_labels_and_both_languages_are_what_alertmanager_shows(
    store: Store, hook: Webhook, address: str
) -> None:
    world, to = await begin(store), AlertsSettings(alertmanagers=(address,), team="platform")
    async with notifier(store, to) as one:
        await Scene(world, [one]).system(Verdict.DOWN)
    shown = await asyncio.to_thread(
        subprocess.run,
        ["amtool", "--alertmanager.url", address, "alert", "query", "--output", "json"],
        capture_output=True,
        check=True,
    )
    (alert,) = json.loads(shown.stdout)
    year = world.now.year
    assert alert["labels"] == {
        "alertname": "ContinuityIncident",
        "severity": "critical",
        "incident": f"INC-{year}-0001",
        "team": "platform",
        "system": "identity",
    }
    notes = alert["annotations"]
    assert (notes["summary"][:4], notes["summary_ar"][:5]) == ("DOWN", "متوقف")
    assert notes["description"].count("\n") == notes["description_ar"].count("\n") == 5


async def test_a_missed_promise_to_the_public_changes_nothing_of_an_alert(
    store: Store, hook: Webhook, address: str
) -> None:
    world, to = await begin(store), AlertsSettings(alertmanagers=(address,))
    async with notifier(store, to) as one:
        await Scene(world, [one]).system(Verdict.DOWN)
        await announce(store, f"INC-{world.now.year}-0001", "update_missed")
        await one.turn()
        (alert,) = await one.pumps[0]._alerts()
    assert alert["annotations"]["summary"].startswith("DOWN")
    assert len(await log(store)) == 1


@pytest.mark.parametrize(
    ("given", "header"),
    [
        ({"alertmanager_token": "env:AM"}, "Bearer hunter2"),
        ({"alertmanager_user": "monitor", "alertmanager_password": "env:AM"}, "Basic bW9uaXRvcjpodW50ZXIy"),
    ],
)
async def test_credentials_are_sent_by_reference(
    store: Store, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], header: str
) -> None:
    monkeypatch.setenv("AM", "hunter2")
    seen: list[str] = []

    async def take(request: web.Request) -> web.Response:
        seen.append(request.headers["Authorization"])
        return web.Response(status=429, headers={"Retry-After": "30"})

    app = web.Application()
    app.router.add_post("/prefix/api/v2/alerts", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/prefix/"
        world = await begin(store)
        await world.incident(SYSTEM)
        await announce(store, "INC-2026-0001", "first")
        async with notifier(store, AlertsSettings(alertmanagers=(url,), **given)) as one:  # type: ignore[arg-type]
            await one.turn()
    finally:
        await runner.cleanup()
    (only,) = await log(store)
    assert (seen, only.said, only.due_ms - only.made_ms >= 29_000) == ([header], "answered 429", True)


async def test_an_alertmanager_behind_tls_is_trusted_by_the_authority_that_is_named_and_no_other(
    store: Store, tmp_path: Path
) -> None:
    world = await begin(store)
    await world.incident(SYSTEM)
    await announce(store, "INC-2026-0001", "first")
    certificate, key = authority.issue(tmp_path, "am", hosts=["127.0.0.1"])
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def take(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_post("/api/v2/alerts", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        url = f"https://127.0.0.1:{runner.addresses[0][1]}"
        said = []
        for ca in ("", str(authority.ensure(tmp_path))):
            given = AlertsSettings(alertmanagers=(url,), alertmanager_ca=ca)
            async with notifier(store, given) as one:
                await one.turn()
                await one.pumps[0]._lease.give_up()
            said.append([(each.state, each.said) for each in await log(store)])
            await later(store, 10)
            async with store.connection() as connection:
                await connection.execute("update lease set until = now() - interval '1 second'")
    finally:
        await runner.cleanup()
    assert said == [[("waiting", "ClientConnectorCertificateError")], [("sent", "answered 200")]]
