"""Burn alerts beside incidents, end to end: our exporter's lines, a real Prometheus, a real Alertmanager."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from dashboards.alertmanager import PAGING
from dashboards.alertmanager import config as shipped
from dashboards.build import GENERATED
from monitor.config.alerts import AlertsSettings
from monitor.demo.child import Child
from monitor.demo.kafka import free_port
from monitor.exporter.budgets import BudgetLines
from monitor.facts import Clocks
from monitor.judge.picture import Facts, Picture, draw
from monitor.judge.seconds import Spent
from monitor.judge.surroundings import Surroundings
from monitor.model import Catalogue, Verdict, Version
from monitor.objectives import Indicator, Objective
from monitor.store.incidents import Kept, open_ones
from monitor.store.pool import Store, open_store
from tests.integration.leader import Leader, small
from tests.integration.notifying import Webhook, alertmanager, alerts_in, notifier, until, webhook
from tests.integration.parts import answers, program
from tests.world import World

MINUTES = 70  # the fast burn wants an hour of data
TOUCHED, OTHER = "s0000", "s0001"  # the first needs the identity system
BURNING = "ContinuityBudgetBurning"
PROMISED = (Objective(indicator=Indicator.AVAILABILITY, target=0.999),)


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with open_store(database) as opened:
        yield opened


def promising() -> Catalogue:
    found = small()
    return replace(
        found,
        services=tuple(
            replace(one, objectives=PROMISED if one.slug in (TOUCHED, OTHER) else ())
            for one in found.services
        ),
    )


def compressed(hook: Webhook) -> dict[str, Any]:
    """The configuration we ship, to one webhook, with short waits and working hours all day."""
    text = json.dumps(shipped()).replace(f"{PAGING}/", f"http://127.0.0.1:{hook.port}/")
    made: dict[str, Any] = json.loads(text.replace('"group_wait": "30s"', '"group_wait": "2s"'))
    made["time_intervals"][0]["time_intervals"] = [{"times": [{"start_time": "00:00", "end_time": "24:00"}]}]
    return made


def scraped(catalogue: Catalogue, kept: list[Kept]) -> Iterator[str]:
    """What our exporter says minute by minute up to now, while both services were down all the time."""
    now_s = int(time.time())
    picture = _picture(catalogue)
    for minute in range(MINUTES + 1):
        down = Spent(up_ms=100_000_000, down_ms=minute * 60_000)
        ever = {f"service:{slug}": down for slug in (TOUCHED, OTHER)}
        figures: Any = SimpleNamespace(rows={}, ever=ever)
        at_s = now_s - (MINUTES - minute) * 60
        for line in BudgetLines(figures, lambda: kept).bytes(picture).decode().splitlines():
            if not line.startswith("#"):
                labelled = line.replace("{", '{job="continuity-state",instance="a",', 1)
                yield f"{labelled} {at_s}"
    yield "# EOF\n"


def _picture(catalogue: Catalogue) -> Picture:
    around = Surroundings(Version(serial=1, sha256="", valid_from_ms=0, catalogue=catalogue))
    return draw(around, Facts({}, {}, Clocks({}, None, 0)), now_ms=0)


@asynccontextmanager
async def prometheus(folder: Path, samples: Iterator[str], alertmanager: str) -> AsyncIterator[None]:
    """A real one with these samples and the rules we ship, which wait for seconds instead of minutes."""
    rules, port = folder / "rules", free_port()
    shutil.copytree(GENERATED / "prometheus" / "rules", rules)
    for file in rules.glob("*.yaml"):
        text = re.sub(r"\bfor: \S+", "for: 8s", file.read_text("utf-8"))
        file.write_text(re.sub(r"\binterval: \S+", "interval: 1s", text), encoding="utf-8")
    (folder / "samples").write_text("\n".join(samples))
    fill = [program("promtool"), "tsdb", "create-blocks-from", "openmetrics", "-q"]
    fill += [str(folder / "samples"), str(folder / "tsdb")]
    done = await asyncio.to_thread(
        subprocess.run, fill, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    told = [{"static_configs": [{"targets": [alertmanager.removeprefix("http://")]}]}]
    config = {"rule_files": [str(rules / "*.yaml")], "alerting": {"alertmanagers": told}}
    (folder / "prometheus.json").write_text(json.dumps(config))
    command = [
        program("prometheus"), f"--config.file={folder / 'prometheus.json'}",
        f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address=127.0.0.1:{port}",
        "--rules.alert.resend-delay=1s",  # the first are sent before it knows its Alertmanager
    ]  # fmt: skip
    child = Child(command, folder / "prometheus.log", name="prometheus", grace_s=5)
    try:
        await asyncio.to_thread(child.wait_until, lambda: answers(port), within_s=30)
        yield
    finally:
        await asyncio.to_thread(child.stop)


def told(hook: Webhook) -> list[tuple[str, str]]:
    """What people were told of services and systems: the alert, and what it is about."""
    labels = [one.body["commonLabels"] for one in hook.got]
    return sorted(
        (each["alertname"], each.get("system") or each.get("service", ""))
        for each in labels
        if each["alertname"] == BURNING or "incident" in each
    )


async def test_a_budget_that_burns_because_of_an_open_incident_is_told_of_by_the_incident_alone(
    store: Store, tmp_path: Path
) -> None:
    """A service of that system and one that fails for its own reason burn alike; people hear of each once."""
    world = World(store, promising())
    await world.begin()
    async with webhook() as hook, alertmanager(tmp_path, compressed(hook)) as address:
        async with notifier(store, AlertsSettings(alertmanagers=(address,))) as teller:
            await _identity_falls(world)
            await teller.turn()
        kept = await open_ones(store)
        assert len(kept) == 1
        async with prometheus(tmp_path, scraped(world.catalogue, kept), address):
            await until(lambda: (BURNING, OTHER) in told(hook), within_s=60)
            burning = {
                one["labels"]["service"]: one["status"]["state"]
                for one in await alerts_in(address)
                if one["labels"]["alertname"] == BURNING and "service" in one["labels"]
            }
    assert burning == {TOUCHED: "suppressed", OTHER: "active"}
    assert told(hook) == [(BURNING, OTHER), ("ContinuityIncident", "identity")]


async def _identity_falls(world: World) -> None:
    """With what it blocks; the leader opens one incident."""
    for layer in ("measured", "effective"):
        await world.change(layer, "system:identity", Verdict.DOWN, reason="timeout")
    for service in world.catalogue.services:
        blocked = [one for one in service.channels if any(n.system == "system:identity" for n in one.depends)]
        for subject in (*(one.subject for one in blocked), *([service.subject] if blocked else [])):
            await world.change(
                "effective", subject, Verdict.DOWN, reason="dependency", cause="system:identity"
            )
    await world.clock(judged_ago_s=0)
    await world.derive_lives()
    await Leader(world.store).look()
