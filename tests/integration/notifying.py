"""Real ends of messages for the tests: a webhook, a notifier that works when told to, an Alertmanager."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry

from monitor.alerts.gather import Gatherer, context
from monitor.alerts.metrics import NotifyMetrics
from monitor.alerts.outbox import Outbox
from monitor.alerts.pump import Pump
from monitor.alerts.receivers.alertmanager import Alertmanager
from monitor.alerts.receivers.names import name_of
from monitor.alerts.receivers.opening import receivers
from monitor.config.alerts import AlertsSettings
from monitor.demo.child import Child
from monitor.demo.kafka import free_port
from monitor.store import deliveries, incidents
from monitor.store.deliveries import Told
from monitor.store.incidents import NoticeRow
from monitor.store.lease import Lease
from monitor.store.listen import Bell
from monitor.store.pool import Store
from tests.integration.parts import program

URL = "https://monitor.example"
WITHIN_S = 30.0


class Got(NamedTuple):
    """One request as the webhook got it."""

    path: str
    key: str
    body: dict[str, Any]


class Webhook:
    """Takes what it is sent. `answers`: statuses to give first, then 200."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.answers: list[int] = []
        self.on_got: Callable[[], None] = lambda: None
        self.port = 0

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else {}
        self.got.append(Got(request.path, request.headers.get("Idempotency-Key", ""), body))
        self.on_got()
        return web.Response(status=self.answers.pop(0) if self.answers else 200)

    def address(self, name: str) -> str:
        """As Apprise has it."""
        return f"json://127.0.0.1:{self.port}/{name}"

    def titles(self, name: str = "") -> list[str]:
        return [one.body["title"] for one in self.got if one.path.startswith(f"/{name}")]


@asynccontextmanager
async def webhook() -> AsyncIterator[Webhook]:
    """Listening on a free port until the block ends."""
    hook = Webhook()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", hook._take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        hook.port = runner.addresses[0][1]
        yield hook
    finally:
        await runner.cleanup()


class Notifier:
    """One process's worth of notifying: it works when told to, without waiting for its clock."""

    def __init__(self, store: Store, outbox: Outbox, pumps: Sequence[Pump], gatherer: Gatherer) -> None:
        self.store, self.outbox, self.pumps, self.gatherer = store, outbox, pumps, gatherer

    async def turn(self) -> None:
        """Everything that is due, to its end."""
        self.outbox._looked_at = float("-inf")
        await self.outbox.turn()
        await self.outbox.settle()
        for pump in self.pumps:
            await pump.turn()

    async def turns(self, number: int) -> None:
        for _ in range(number):
            await self.turn()


@asynccontextmanager
async def notifier(store: Store, settings: AlertsSettings, *, holder: str = "one") -> AsyncIterator[Notifier]:
    """A notifier with these settings until the block ends."""
    async with AsyncExitStack() as stack:
        ways = await stack.enter_async_context(receivers(settings.receivers, host="monitor.example"))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        names = [*map(name_of, settings.alertmanagers), *(one.name for one in settings.receivers)]
        metrics, gatherer, bell = NotifyMetrics(CollectorRegistry(), names), Gatherer(store), Bell()
        known = await context(store, URL)
        outbox = Outbox(
            store,
            gatherer,
            settings=settings,
            receivers=ways,
            context=known,
            metrics=metrics,
            bell=bell,
        )
        pumps = [
            Pump(
                store,
                gatherer,
                to=Alertmanager(address, settings, session),
                team=settings.team,
                lease=Lease(store, role=f"notify {name_of(address)}", holder=holder),
                context=known,
                metrics=metrics,
                bell=bell,
            )
            for address in settings.alertmanagers
        ]
        yield Notifier(store, outbox, pumps, gatherer)


async def announce(store: Store, number: str, topic: str, severity: str = "critical") -> None:
    """A message into the outbox, as derive's leader writes it."""
    async with store.transaction() as connection:
        await incidents.announce(connection, [NoticeRow(number, topic, severity)])


async def later(store: Store, seconds: float) -> None:
    """As if so many seconds had passed for every delivery."""
    async with store.connection() as connection:
        await connection.execute(
            "update delivery set due_at = due_at - make_interval(secs => $1), "
            "done_at = done_at - make_interval(secs => $1), "
            "lease_until = lease_until - make_interval(secs => $1)",
            float(seconds),
        )


async def log(store: Store) -> list[Told]:
    """The delivery log, the oldest first."""
    return (await deliveries.log(store))[::-1]


async def until(what: Callable[[], bool | Awaitable[bool]], *, within_s: float = WITHIN_S) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(within_s):
        while True:
            found = what()
            if found if isinstance(found, bool) else await found:
                return
            await asyncio.sleep(0.02)


# -- Alertmanager --------------------------------------------------------------------------------------------


@asynccontextmanager
async def alertmanager(folder: Path, config: dict[str, Any], *, port: int = 0) -> AsyncIterator[str]:
    """A real one on loopback, in a folder that is there; yields its address."""
    file, port = folder / "alertmanager.yaml", port or free_port()
    file.write_text(json.dumps(config))
    command = [
        program("prometheus-alertmanager"),
        f"--config.file={file}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    child = Child(command, folder / "alertmanager.log", name="alertmanager", grace_s=5)
    try:
        await _ready(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        await asyncio.to_thread(child.stop)


async def _ready(address: str) -> None:
    async with asyncio.timeout(WITHIN_S), aiohttp.ClientSession() as session:
        while True:
            with suppress(aiohttp.ClientError):
                async with session.get(f"{address}/-/ready") as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(0.05)


async def alerts_in(address: str) -> list[dict[str, Any]]:
    """What an Alertmanager holds now."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{address}/api/v2/alerts") as response,
    ):
        found: list[dict[str, Any]] = await response.json()
        return found
