"""The follower behind the pages: it sees every change, ages without PostgreSQL, and drops who is too slow."""

from __future__ import annotations

import asyncio

from monitor.demo.postgres import Postgres
from monitor.model import Verdict
from monitor.web.state import QUEUE_MAX, Client
from tests.serving import Served, serving, until
from tests.world import World, government


def verdict(served: Served, slug: str) -> Verdict | None:
    return served.live.picture.services[slug].effective.verdict if served.live.picture else None


async def test_a_change_is_seen_at_once_when_the_bell_rings(database: str) -> None:
    async with serving(database) as served:
        await served.world.change("effective", "service:s0001", Verdict.DOWN, reason="timeout")
        await until(lambda: verdict(served, "s0001") is Verdict.DOWN)


async def test_a_withdrawn_change_uncovers_what_stood_before(database: str) -> None:
    async with serving(database) as served:
        await served.world.change("effective", "service:s0001", Verdict.DOWN, reason="timeout")
        await until(lambda: verdict(served, "s0001") is Verdict.DOWN)
        async with served.store.transaction() as connection:
            await connection.execute(
                "update change set withdrawn_at = now(), tx = pg_current_xact_id() where verdict = 'down'"
            )
        await until(lambda: verdict(served, "s0001") is Verdict.UP)


async def test_t43_a_change_committed_late_is_shown(database: str) -> None:
    async with serving(database) as served:
        async with served.store.transaction() as slow:
            await slow.execute(
                "insert into change (layer, subject, at, verdict, reason, cause, evidence, serial) "
                "values ('effective', 'service:s0001', now(), 'down', 'timeout', '', '[]', 1)"
            )
            await served.world.change("effective", "service:s0002", Verdict.DOWN, reason="timeout")
        await until(lambda: [verdict(served, slug) for slug in ("s0001", "s0002")] == [Verdict.DOWN] * 2)


async def test_a_new_version_of_the_catalogue_is_shown_and_what_left_it_is_gone(database: str) -> None:
    async with serving(database) as served:
        smaller = government(entities=4, services=3)
        async with served.store.transaction() as connection:
            await connection.execute(
                "insert into catalogue (sha256, valid_from, document) values ('y', now(), $1)",
                World(served.store, smaller).document,
            )
        await until(lambda: served.live.picture is not None and len(served.live.picture.services) == 3)
        page = await served.text("/")
        metrics = await served.text("/metrics/state")
    assert ("s0011" in page, "s0011" in metrics) == (False, False)


async def test_t45_without_postgresql_the_picture_ages_into_unknown_and_comes_back(
    database: str, postgres_server: Postgres
) -> None:
    """The pages answer all the while, and never show the old green once derive could be silent too long."""
    async with serving(database, government(entities=1, services=2), keep_alive=False) as served:
        await served.world.derive_lives(ago_s=11)
        await served.live.refresh()
        before = headline(served)
        await asyncio.to_thread(postgres_server.stop, "immediate")
        try:
            await until(lambda: headline(served) == (0, 2))
            page = await served.text("/")
        finally:
            await asyncio.to_thread(postgres_server.start)
        await served.world.clock()
        await served.world.derive_lives()
        await until(lambda: headline(served) == (2, 0))
    assert before == (2, 0)
    assert "The state of" in page


def headline(served: Served) -> tuple[int, int]:
    """(available, unknown)"""
    assert served.live.picture is not None
    line = served.live.picture.headline
    return line.available, line.unknown


def test_a_client_that_does_not_read_is_dropped_and_holds_no_more_than_its_queue() -> None:
    client = Client()
    for _ in range(QUEUE_MAX + 5):
        client.tell(b"event")
    assert (client.dropped, client.events.qsize()) == (True, QUEUE_MAX)


async def test_stopping_ends_the_open_streams(database: str) -> None:
    async with serving(database) as served:
        stream = await served.http.get(f"{served.url}/api/v1/events")
        await stream.content.readline()
        served.live.close()
        rest = await stream.content.read()
        stream.close()
    assert b"hello" not in rest.split(b"\n\n")[-1]
