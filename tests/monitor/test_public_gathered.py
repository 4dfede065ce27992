"""From the database to the folder: what is stored is what the public reads, and only the leader writes it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from monitor.commands import public
from monitor.config.settings import PostgresSettings, Settings
from monitor.demo.kafka import free_port
from monitor.errors import UsageError
from monitor.facts import FigureRow
from monitor.judge.figures import Figure, Tally, When
from monitor.judge.reading import figure_row
from monitor.judge.seconds import Spent
from monitor.model import Policy
from monitor.public import bars
from monitor.public import folder as folders
from monitor.public.metrics import WriteMetrics
from monitor.public.notes import Saying
from monitor.public.pages import Pages
from monitor.public.publishing import Gatherer, Publishing
from monitor.public.told import Given, tell
from monitor.store import exclusions, figures
from monitor.store import public as table
from monitor.store.lease import Lease
from monitor.store.pool import Store, open_store
from tests.monitor.public_scene import given
from tests.world import World, government

ROOT = Path(__file__).parents[2]
DAY_MS, HOUR_MS = 86_400_000, 3_600_000


async def begun(store: Store) -> World:
    world = World(store, government(entities=3, services=12, languages=("ar", "en")))
    await world.begin()
    return world


async def known(store: Store) -> Given:
    found = await Gatherer(store).gather()
    assert found is not None
    return found


def states(found: Given) -> dict[str, Saying]:
    return {one.service.slug: one.state for one in tell(found) if one.state is not Saying.AVAILABLE}


def day_of(now_ms: int, *, ago: int, down_ms: int) -> FigureRow:
    zone_ms = 4 * HOUR_MS
    start_ms = (now_ms + zone_ms) // DAY_MS * DAY_MS - zone_ms - ago * DAY_MS
    tally = Tally(Spent(up_ms=DAY_MS - down_ms, down_ms=down_ms), outages=1)
    figure = Figure(When(start_ms, start_ms + DAY_MS, now_ms), tally, tally)
    return figure_row("service:s0001", "Asia/Dubai", "day", figure, Policy())


async def test_failures_words_work_and_days_are_gathered(database: str) -> None:
    async with open_store(database) as store:
        world = await begun(store)
        await world.channel_falls("service:s0001/web", ago_s=400)
        await world.incident("service:s0001", channels=("service:s0001/web",), ago_s=400)
        await table.say(
            store, "INC-2026-0001", ar="نعمل عليها", en="On it", next_update_ms=None, actor="Desk"
        )
        now_ms = (await known(store)).now_ms
        async with store.transaction() as connection:
            await exclusions.announce(
                connection,
                kind="maintenance",
                subjects=["service:s0002"],
                from_ms=now_ms + HOUR_MS,
                to_ms=now_ms + 2 * HOUR_MS,
                why="secret",
                by="Desk",
            )
            await figures.write(connection, [day_of(now_ms, ago=3, down_ms=HOUR_MS)])
        found = await known(store)
        told = {one.service.slug: one for one in tell(found)}
    assert states(found) == {"s0001": Saying.PARTLY}
    assert [one.en for one in told["s0001"].said] == ["On it"]
    assert len(told["s0002"].work) == 1
    assert [(day.down_ms, day.availability) for day in found.days["service:s0001"]] == [(HOUR_MS, "95.83")]


async def test_work_on_a_system_reaches_what_needs_it_by_the_catalogue_of_now(database: str) -> None:
    async with open_store(database) as store:
        await begun(store)
        gatherer = Gatherer(store)
        first = await gatherer.gather()
        assert first is not None
        async with store.transaction() as connection:
            await exclusions.announce(
                connection,
                kind="maintenance",
                subjects=["system:app-e01"],
                from_ms=first.now_ms + HOUR_MS,
                to_ms=first.now_ms + 2 * HOUR_MS,
                why="secret",
                by="Desk",
            )
        found = await gatherer.gather()
        assert found is not None
        work = {one.service.slug: one.work for one in tell(found) if one.work}
    assert {slug: [each.slug for each in works[0].channels] for slug, works in work.items()} == {
        slug: ["app"] for slug in ("s0001", "s0004", "s0007", "s0010")
    }


async def test_hours_of_a_day_outside_the_services_hours_are_read(database: str) -> None:
    async with open_store(database) as store:
        await begun(store)
        now_ms = (await known(store)).now_ms
        zone_ms = 4 * HOUR_MS
        start_ms = (now_ms + zone_ms) // DAY_MS * DAY_MS - zone_ms - DAY_MS
        tally = Tally(Spent(out_of_hours_ms=DAY_MS))
        figure = Figure(When(start_ms, start_ms + DAY_MS, now_ms), tally, tally)
        async with store.transaction() as connection:
            row = figure_row("service:s0001", "Asia/Dubai", "day", figure, Policy())
            await figures.write(connection, [row])
        [day] = (await known(store)).days["service:s0001"]
    assert (day.out_of_hours_ms, bars.bar(day).look) == (DAY_MS, bars.Look.CLOSED)


async def test_a_day_that_was_counted_again_is_read_again(database: str) -> None:
    async with open_store(database) as store:
        await begun(store)
        gatherer = Gatherer(store)
        first = await gatherer.gather()
        assert first is not None
        for down_ms in (HOUR_MS, 2 * HOUR_MS):
            async with store.transaction() as connection:
                await figures.write(connection, [day_of(first.now_ms, ago=1, down_ms=down_ms)])
            found = await gatherer.gather()
            assert found is not None
            assert [day.down_ms for day in found.days["service:s0001"]] == [down_ms]


async def test_only_the_leader_writes_each_minute_and_when_something_else_is_said(
    database: str, tmp_path: Path
) -> None:
    async with open_store(database) as store:
        world = await begun(store)
        lease = Lease(store, role="derive", holder="test")
        metrics = WriteMetrics(CollectorRegistry())
        publishing = Publishing(store, folder=tmp_path, url="", lease=lease, metrics=metrics)
        written = [await publishing.look(), await publishing.look()]
        await world.service_falls("s0001", ago_s=400)
        written.append(await publishing.look())
        name = folders.current(tmp_path)
        assert name is not None
        files = folders.load(tmp_path, name).files
    document = msgspec.json.decode(files["status.json"])
    assert written == [True, False, True]
    assert {one["slug"]: one["state"] for one in document["services"]}["s0001"] == "unavailable"


async def test_nothing_is_written_before_the_first_catalogue(database: str, tmp_path: Path) -> None:
    async with open_store(database) as store:
        lease = Lease(store, role="derive", holder="test")
        metrics = WriteMetrics(CollectorRegistry())
        publishing = Publishing(store, folder=tmp_path, url="", lease=lease, metrics=metrics)
        assert await publishing.look() is False
    assert folders.current(tmp_path) is None


def test_the_command_exports_what_the_database_knows(database: str, tmp_path: Path) -> None:
    async def begin() -> None:
        async with open_store(database) as store:
            await begun(store)

    settings = Settings(postgres=PostgresSettings(dsn=database))
    with pytest.raises(UsageError, match="no catalogue yet"):
        public.export(settings, tmp_path / "out")
    asyncio.run(begin())
    count = public.export(settings, tmp_path / "out")
    page = (tmp_path / "out" / "current" / "en" / "services" / "s0001.html").read_text()
    assert (count > 30, "Renew a licence" in page) == (True, True)


def test_the_role_serves_its_folder_without_a_database_a_broker_or_their_secrets(tmp_path: Path) -> None:
    folders.write(tmp_path / "public", Pages().files(given()))
    (tmp_path / "monitor.yaml").write_text(
        "postgres: {dsn: 'postgresql://nobody@127.0.0.1:1/none', password: 'env:NOT_THERE'}\n"
        "kafka: {bootstrap: ['127.0.0.1:1'], password: 'env:NOT_THERE'}\n"
    )
    port, pulse = free_port(), free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONTINUITY_")}
    environment |= {"CONTINUITY_PUBLIC_PORT": str(port), "CONTINUITY_PULSE_PUBLIC": str(pulse)}
    command = [sys.executable, "-m", "monitor", "run", "public", "--config", str(tmp_path)]
    process = subprocess.Popen([*command, "--data", str(tmp_path)], cwd=ROOT, env=environment)
    try:
        assert 'data-age="old"' in answered(f"http://127.0.0.1:{port}/", process)
        assert "continuity_public_requests_total" in answered(f"http://127.0.0.1:{pulse}/metrics", process)
        assert "ready" in answered(f"http://127.0.0.1:{pulse}/readyz", process)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def answered(url: str, process: subprocess.Popen[bytes]) -> str:
    end = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                text: str = answer.read().decode()
                return text
        except (urllib.error.URLError, OSError):
            assert process.poll() is None, "the role ended"
            assert time.monotonic() < end, "it did not answer in time"
            time.sleep(0.1)
