"""`continuity alerts`: a receiver tried, a service explained, the log read; on a real webhook."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli import continuity
from monitor.store import deliveries
from monitor.store.deliveries import Planned
from monitor.store.pool import open_store
from tests.integration.notifying import Webhook, announce, webhook
from tests.world import World, government

CONFIG = """
postgres: {{dsn: "{dsn}"}}
zone: Asia/Dubai
calendar: {{hours: "00:00-00:01"}}
entities: [{{slug: health, name: Health}}, {{slug: labour, name: Labour}}]
systems: [{{slug: identity, checks: [{{tcp: {{host: 127.0.0.1, port: 1}}}}]}}]
services:
  - slug: s0000
    entity: health
    channels: [{{kind: web, url: "http://127.0.0.1:1/", depends: [identity]}}]
alerts:
  alertmanagers: [http://127.0.0.1:9]
  receivers:
    - {{name: on-call, to: env:ONCALL, second: boss}}
    - {{name: boss, to: env:ONCALL, critical: never}}
    - {{name: labour, to: env:ONCALL, entities: [labour]}}
"""


@pytest.fixture
async def hook(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Webhook]:
    async with webhook() as opened:
        monkeypatch.setenv("ONCALL", opened.address("on-call"))
        yield opened


@pytest.fixture
def config(database: str, tmp_path: Path) -> Path:
    (tmp_path / "monitor.yaml").write_text(CONFIG.format(dsn=database))
    return tmp_path


async def command(config: Path, *arguments: str) -> Result:
    """Beside this loop, which serves the webhook."""
    words = ["alerts", *arguments, "--config", str(config)]
    return await asyncio.to_thread(CliRunner().invoke, continuity, words, catch_exceptions=False)


async def test_a_receiver_is_tried_and_says_whether_it_took_the_message(config: Path, hook: Webhook) -> None:
    taken = await command(config, "test", "on-call")
    hook.answers = [401]
    refused = await command(config, "test", "on-call")
    assert (taken.exit_code, taken.stdout) == (0, "on-call: accepted\n")
    assert (refused.exit_code, refused.stderr) == (1, "on-call: answered 401\n")
    assert [title[:4] for title in hook.titles()] == ["TEST", "TEST"]


async def test_an_alertmanager_that_is_away_is_named(config: Path, hook: Webhook) -> None:
    away = await command(config, "test", "alertmanager/127.0.0.1:9")
    assert (away.exit_code, away.stderr) == (1, "alertmanager/127.0.0.1:9: ClientConnectorError\n")


async def test_a_receiver_that_is_not_there_is_answered_with_those_that_are(
    config: Path, hook: Webhook
) -> None:
    wrong = await command(config, "test", "oncall")
    assert (wrong.exit_code, "did you mean `on-call`?" in wrong.stderr) == (2, True)


async def test_a_service_is_explained_with_who_is_told_when_and_why_not(
    config: Path, hook: Webhook, database: str
) -> None:
    async with open_store(database) as store:
        await World(store, government(entities=1, services=1)).incident(
            "system:identity", services=("service:s0000",)
        )
    found = json.loads((await command(config, "explain", "s0000", "--json")).stdout)
    said = {(one["severity"], one["receiver"]): (one["told"], one["says"]) for one in found["receivers"]}
    assert said["critical", "on-call"] == (True, "at once; `boss` when nobody acknowledges in 15 min")
    assert said["critical", "boss"] == (False, "`critical: never` is set for it")
    assert said["critical", "labour"] == (False, "it is told of labour only")
    assert said["warning", "on-call"][1].endswith("00:00 (Asia/Dubai), in working hours")
    assert said["critical", "alertmanager/127.0.0.1:9"][0]
    assert (found["causes"], [one["number"] for one in found["open"]]) == (["identity"], ["INC-2026-0001"])
    text = (await command(config, "explain", "s0000")).stdout
    assert "critical: unavailable, headline" in text
    assert "open now: INC-2026-0001 critical, system:identity, not acknowledged" in text


async def test_the_log_says_what_became_of_every_message(config: Path, hook: Webhook, database: str) -> None:
    empty = await command(config, "log")
    async with open_store(database) as store:
        await World(store, government(entities=1, services=1)).incident("system:identity")
        await announce(store, "INC-2026-0001", "first")
        async with store.transaction() as connection:
            await deliveries.route(connection, [1], [Planned(1, "INC-2026-0001", "on-call", 0)])
        claimed = await deliveries.claim(store, ["on-call"], lease="x", lease_s=60)
        assert claimed is not None
        await deliveries.close(store, claimed, state="failed", said="answered 401")
    line = (await command(config, "log")).stdout
    row = json.loads((await command(config, "log", "--incident", "INC-2026-0001", "--json")).stdout)[0]
    assert empty.stderr == "no message so far\n"
    assert line.split()[1:] == ["failed", "INC-2026-0001", "on-call", "first", "answered", "401"]
    assert (row["state"], row["tries"], row["said"]) == ("failed", 1, "answered 401")
