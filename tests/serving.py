"""The web role as it runs, over a real PostgreSQL and a made-up world, for as long as a block."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from monitor.exporter.budgets import BudgetLines
from monitor.exporter.state import StateMetrics
from monitor.lifetime import Stop
from monitor.model import Catalogue
from monitor.store.listen import Bell, listening
from monitor.store.pool import Store, open_store
from monitor.web.app import Handler, web_role
from monitor.web.gateway import Gateway
from monitor.web.state import Live
from monitor.web.traffic import Traffic
from tests.world import World, government

WITHIN_S = 15.0


@dataclass
class Served:
    """A running web role: where it is, and the world behind it."""

    url: str
    http: aiohttp.ClientSession
    world: World
    store: Store
    live: Live
    traffic: Traffic

    async def text(self, path: str, **headers: str) -> str:
        async with self.http.get(self.url + path, headers=headers) as answer:
            assert answer.status == 200, (answer.status, await answer.text())
            return await answer.text()

    async def json(self, path: str) -> dict[str, object]:
        async with self.http.get(self.url + path) as answer:
            assert answer.status == 200, (answer.status, await answer.text())
            found: dict[str, object] = await answer.json()
            return found


async def until(holds: Callable[[], bool], *, within_s: float = WITHIN_S) -> None:
    """Wait for a condition; a test fails when it does not come true in time."""
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it did not come true in time"
        await asyncio.sleep(0.02)


@asynccontextmanager
async def serving(
    database: str,
    catalogue: Catalogue | None = None,
    *,
    heartbeat_s: float = 0.5,
    silence_s: float = 15.0,
    host: str = "127.0.0.1",
    port: int = 0,
    keep_alive: bool = True,
    fresh: bool = True,
    extra: Sequence[tuple[str, Handler]] = (),
    gateway: Callable[[Store], Gateway | None] = lambda store: None,
) -> AsyncIterator[Served]:
    """Everything up (`fresh`: on a database that has no rows yet), the clocks going (`keep_alive`)."""
    stop, bell = Stop(), Bell()
    async with open_store(database, size=4) as store, listening(database, bell):
        world = World(store, catalogue or government(entities=4, services=12))
        if fresh:
            await world.begin()
        live = Live(store, bell, heartbeat_s=heartbeat_s)
        traffic = Traffic(store, live)
        state = StateMetrics(
            lambda: (live.picture, live.answers, traffic.seen),
            figures=lambda: live.figures.rows,
            more=[BudgetLines(live.figures, lambda: live.incidents).bytes],
        )
        taken: list[int] = []
        async with asyncio.TaskGroup() as group, _browser() as http:
            if keep_alive:
                group.create_task(_keep_alive(world, stop))
            group.create_task(
                web_role(
                    live,
                    traffic,
                    store,
                    host=host,
                    port=port,
                    stop=stop,
                    silence_s=silence_s,
                    gateway=gateway(store),
                    extra_routes=[("/metrics/state", state.handle), *extra],
                    listening=taken.append,
                )
            )
            try:
                await until(lambda: bool(taken) and live.picture is not None)
                yield Served(f"http://127.0.0.1:{taken[0]}", http, world, store, live, traffic)
            finally:
                stop.request()


def _browser() -> aiohttp.ClientSession:
    """Keeps the cookies of an address that is only a number."""
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


async def _keep_alive(world: World, stop: Stop) -> None:
    while not stop.requested:
        await world.clock()
        await world.derive_lives()
        await stop.pause(1.0)
