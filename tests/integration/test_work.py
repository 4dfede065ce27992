"""Work beside derive's leader: what it silences, and the one question before its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from monitor.cli import continuity
from monitor.store.pool import Store, open_store
from tests.integration.leader import WEB, began, fetch, incidents


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with open_store(database) as opened:
        yield opened


async def test_the_leader_opens_nothing_under_work_and_does_when_it_ends(store: Store) -> None:
    world, leader = await began(store)
    await world.work("service:s0001", from_s=-600, to_s=3600)
    leader.handling._outlook._exclusions._read_at = float("-inf")
    await world.channel_falls(WEB)
    await leader.look()
    assert await incidents(store) == []
    await fetch(store, "update exclusion set finished_at = now(), finished_by = 'Amal'")
    leader.handling._outlook._exclusions._read_at = float("-inf")
    await leader.look()
    assert [row[1] for row in await incidents(store)] == ["service:s0001"]


async def test_before_its_end_one_question_is_asked(store: Store) -> None:
    world, leader = await began(store)
    await world.work("service:s0001", from_s=-600, to_s=600)
    await world.work("service:s0002", from_s=-600, to_s=3600)
    for _ in range(2):
        leader.handling._asked_at = float("-inf")
        await leader.look()
    query = "select e.subjects, n.topic from notice n join exclusion e on e.id = n.exclusion"
    assert await fetch(store, query) == [(["service:s0001"], "work_ending")]


async def test_findings_know_when_a_channel_was_not_required(store: Store) -> None:
    world, leader = await began(store)
    await world.work("service:s0001", from_s=-3600, to_s=-600)
    leader.handling._outlook._exclusions._read_at = float("-inf")
    await leader.look()
    [(from_ms, to_ms)] = leader.handling.excluded("service:s0001/web")
    assert (to_ms - from_ms, leader.handling.excluded("service:s0002/web")) == (3_000_000, [])


async def test_findings_know_when_a_channel_was_outside_its_hours(store: Store) -> None:
    world, leader = await began(store)
    hour = datetime.now(ZoneInfo(world.catalogue.zone)).hour
    services = list(world.catalogue.services)
    services[1] = replace(services[1], hours="daily 13:00-14:30" if hour < 12 else "daily 01:00-02:30")
    async with store.connection() as connection:
        document = msgspec.json.encode(replace(world.catalogue, services=tuple(services))).decode()
        await connection.execute(
            "insert into catalogue (sha256, valid_from, document) values ('2', now(), $1)", document
        )
    leader.handling._outlook._exclusions._read_at = float("-inf")
    await leader.look()
    (_, until_ms), now_ms = leader.handling.excluded("service:s0001/web")[-1], leader.handling._outlook.now_ms
    assert until_ms > now_ms
    assert leader.handling.excluded("service:s0002/web") == []


async def test_by_command_it_is_announced_listed_and_called_off(
    store: Store, database: str, tmp_path: Path
) -> None:
    await began(store)
    begins = datetime.now(UTC) + timedelta(days=3)
    when = ["--from", f"{begins:%Y-%m-%dT20:00}", "--to", f"{begins:%Y-%m-%dT22:00}"]
    given = ["payments", *when, "--why", "New servers", "--by", "Amal"]
    announced = await command(tmp_path, database, "announce", *given)
    await command(tmp_path, database, "cancel", "1", "--by", "Amal")
    again = await command(tmp_path, database, "finish", "1", "--by", "Amal", fails=2)
    listed = await command(tmp_path, database, "list")
    assert "announced as 1" in announced
    assert "1 is cancelled" in again
    assert "cancelled, noticed  New servers" in listed


async def command(folder: Path, database: str, *words: str, fails: int = 0) -> str:
    """What `continuity work` prints."""
    where = ["--config", str(folder)]
    (folder / "monitor.yaml").write_text(f"postgres: {{dsn: '{database}'}}\nservices: []\n")
    result = await asyncio.to_thread(CliRunner().invoke, continuity, ["work", *words, *where])
    assert result.exit_code == fails, result.output
    return result.output
