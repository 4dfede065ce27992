"""One run of everything with a fault in it, scraped by a real Prometheus, for what dashboards ask."""

from __future__ import annotations

import asyncio
import json
import socket
import time
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from monitor.demo import authority, embedded
from monitor.demo.child import Child
from monitor.demo.kafka import free_port
from monitor.judge.incidents import State
from monitor.model import Catalogue
from monitor.store import exclusions
from monitor.store.pool import open_store
from monitor.stream.kafka import open_producer
from monitor.stream.wire import TRANSACTIONS
from tests.integration.monitor_process import ROOT, Monitor, super_user, until
from tests.integration.notifying import alertmanager
from tests.integration.parts import Nginx, answers, program
from tests.world import World

ROLES = ("derive", "ingest", "count", "probe", "notify", "report", "public")
WEBS = ("a", "b")
RULES = ROOT / "dashboards" / "generated" / "prometheus" / "rules"
SHORT = timedelta(days=20)
NOBODY = {"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}
STEP_S = 1
HOUR_MS = 3_600_000


class Prometheus:
    """A real one that scrapes every second."""

    def __init__(self, folder: Path) -> None:
        self.port, self._folder, self._binary = free_port(), folder, program("prometheus")
        self._child: Child | None = None

    def start(self, jobs: Mapping[str, tuple[str, list[int]]]) -> None:
        """`jobs`: by name, the path and the ports to scrape. Returns once it answers."""
        self._folder.mkdir(parents=True)
        scraped = [
            {
                "job_name": name,
                "metrics_path": path,
                "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in ports]}],
            }
            for name, (path, ports) in jobs.items()
        ]
        how = {"scrape_interval": f"{STEP_S}s", "evaluation_interval": f"{STEP_S}s"}
        config = {"global": how, "rule_files": [str(RULES / "*.yaml")], "scrape_configs": scraped}
        (self._folder / "prometheus.yml").write_text(json.dumps(config))
        command = [
            self._binary, f"--config.file={self._folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self._folder / 'data'}", f"--web.listen-address=127.0.0.1:{self.port}",
        ]  # fmt: skip
        self._child = Child(command, self._folder / "prometheus.log", name="prometheus", grace_s=5)
        self._child.wait_until(lambda: answers(self.port), within_s=20)

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()

    def ask(self, expr: str, *, instant: bool, last_s: int = 20) -> list[dict[str, Any]]:
        """The series that an expression gives now, or over the last seconds. Raises on a bad expression."""
        now = time.time()
        over = {"start": now - last_s, "end": now, "step": STEP_S}
        how = {"time": now} if instant else over
        query = urllib.parse.urlencode({"query": expr, **how})
        kind = "query" if instant else "query_range"
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self.port}/api/v1/{kind}?{query}", timeout=10
        ) as page:
            found: list[dict[str, Any]] = json.load(page)["data"]["result"]
        return found


class Shared:
    """A system that answers until it is shut."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._socket.getsockname()[1]
        self._task: asyncio.Task[None] | None = None

    async def serve(self) -> None:
        server = await asyncio.start_server(_hang_up, sock=self._socket)
        self._task = asyncio.create_task(server.serve_forever())

    async def shut(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._socket.close()


async def _hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


def catalogue(nginx: Nginx, ca: Path, vault: int) -> dict[str, Any]:
    """Two entities; `deed` needs the vault, `permit` does not, and `fee` was never up."""
    secure = {"http": {"url": f"https://127.0.0.1:{nginx.tls}/", "ca": str(ca)}}
    desk = [{"role": {"en": "Duty desk", "ar": "مكتب المناوبة"}, "phone": "+000 4 555 0101"}]
    plain = f"http://127.0.0.1:{nginx.http}/"
    return {
        "profiles": {"default": {"every_s": 2, "within_s": 0.5, "count": 2, "recover": 2}},
        "policy": {"grace_s": 1},
        "entities": [
            {"slug": "registry", "name": {"en": "Registry", "ar": "السجل"}, "contacts": desk},
            {"slug": "works", "name": {"en": "Works", "ar": "الأشغال"}, "contacts": desk},
        ],
        "systems": [
            {
                "slug": "vault", "name": {"en": "Vault", "ar": "الخزنة"}, "contacts": desk,
                "checks": [{"tcp": f"127.0.0.1:{vault}"}],
            },
            {"slug": "lobby", "name": {"en": "Lobby", "ar": "الردهة"}, "url": plain, "depends": ["vault"]},
        ],
        "services": [
            {
                "slug": "deed", "entity": "registry", "name": {"en": "Deed", "ar": "سند"},
                "objectives": {"availability": 0.99},
                "channels": [{"kind": "web", "checks": [secure], "depends": ["vault"]}],
            },
            {"slug": "permit", "entity": "works", "name": {"en": "Permit", "ar": "تصريح"}, "url": plain},
            {
                "slug": "fee", "entity": "works", "name": {"en": "Fee", "ar": "رسم"},
                "url": f"http://127.0.0.1:{free_port()}/",
            },
        ],
    }  # fmt: skip


class Run:
    """The run and its Prometheus; the vault was shut under it."""

    def __init__(self, monitor: Monitor, prometheus: Prometheus, webs: list[str]) -> None:
        self.monitor, self.prometheus, self.webs = monitor, prometheus, webs

    async def api(self, path: str, *, replica: int = 0) -> dict[str, Any]:
        """What the API says."""

        def read() -> dict[str, Any]:
            with urllib.request.urlopen(f"{self.webs[replica]}{path}", timeout=10) as page:
                found: dict[str, Any] = json.load(page)
            return found

        return await asyncio.to_thread(read)

    @asynccontextmanager
    async def as_grafana(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection with the rights of Grafana's role alone."""
        connection = await asyncpg.connect(self.monitor.dsn, timeout=5)
        try:
            await connection.execute("set role grafana")
            yield connection
        finally:
            await connection.close(timeout=5)


@asynccontextmanager
async def running(monitor: Monitor, server: embedded.Kafka, folder: Path) -> AsyncIterator[Run]:
    """Everything up, then the vault shut, with what takes weeks in life written by hand."""
    ca = authority.ensure(folder)
    pem, key = authority.issue(folder, "short", hosts=["127.0.0.1"], lasts=SHORT)
    both = folder / "short-both.pem"
    both.write_text(pem.read_text() + key.read_text())
    nginx, prometheus, vault = Nginx(folder / "nginx", str(both)), Prometheus(folder / "prometheus"), Shared()
    kept = AsyncExitStack()
    nginx.start()
    await vault.serve()
    monitor.catalogue(catalogue(nginx, ca, vault.port))
    try:
        told = await kept.enter_async_context(alertmanager(folder, NOBODY))
        monitor.setting("alerts", {"alertmanagers": [told]})
        webs = await _started(monitor, prometheus)
        run = Run(monitor, prometheus, webs)
        await until(lambda: _verdict(run, "deed", "up"), within_s=60, what="the service was not seen up")
        await _written_by_hand(monitor)
        async with _sending(server, monitor.prefix):
            await vault.shut()
            await until(lambda: _verdict(run, "deed", "down"), within_s=60, what="it did not fall")
            leader = monitor.started("derive")
            looks = "continuity_look_seconds_count"
            await until(lambda: leader.metrics().get(looks), within_s=60, what="nobody looked at the counts")
            await _found(monitor)
            yield run
    finally:
        prometheus.stop()
        await vault.shut()
        nginx.stop()
        await kept.aclose()


async def _started(monitor: Monitor, prometheus: Prometheus) -> list[str]:
    monitor.setting("pulse", dict.fromkeys((*ROLES, "web"), 0))
    monitor.setting("public", {"port": 0})
    for name in ROLES:
        monitor.start(name)
    webs = [monitor.start("web", member=member) for member in WEBS]
    await until(lambda: all(role.metrics() for role in monitor.roles), within_s=60, what="a role is not up")
    await until(lambda: all(role.events("web.serving") for role in webs), what="web does not serve")
    pages = [role.events("web.serving")[-1]["port"] for role in webs]
    pulses = [role.events("pulse.serving")[-1]["port"] for role in monitor.roles]
    jobs = {"continuity": ("/metrics", pulses), "continuity-state": ("/metrics/state", pages)}
    prometheus.start(jobs)
    return [f"http://127.0.0.1:{port}" for port in pages]


async def _verdict(run: Run, slug: str, verdict: str) -> bool:
    found = await run.monitor.value(
        "select verdict from change where layer = 'effective' and subject = $1 and withdrawn_at is null "
        "order by at desc limit 1",
        f"service:{slug}",
    )
    return bool(found == verdict)


async def _written_by_hand(monitor: Monitor) -> None:
    """A usual pattern, an estimate, a closed incident, work over and going on, an outage that was filed."""
    async with _world(monitor) as world:
        await world.usual("service:deed/web", an_hour=600)
        await world.missed("service:deed", from_s=7200, to_s=3600)
        now_ms = round(time.time() * 1000)
        closed = {"state": State.CLOSED, "closed_ms": now_ms - 1000, "services": ("service:permit",)}
        await world.incident("service:permit", number="INC-2020-0001", ago_s=300, **closed)
        work = {
            ("system:vault", "service:deed"): (-HOUR_MS, -HOUR_MS // 2),
            ("system:lobby",): (-1000, HOUR_MS),
        }
        for subjects, (begins, ends) in work.items():
            span = {"from_ms": now_ms + begins, "to_ms": now_ms + ends}
            async with world.store.transaction() as connection:
                await exclusions.announce(
                    connection, kind="maintenance", subjects=subjects, why="New disks", by="registry", **span
                )
        async with world.store.transaction() as connection:
            fell = {"subjects": ("system:vault", "service:deed"), "filing": "outage", "why": "A disk failed"}
            span = {"from_ms": now_ms - HOUR_MS // 4, "to_ms": now_ms - 1000}
            await exclusions.announce(connection, kind="maintenance", by="registry", **fell, **span)


async def _found(monitor: Monitor) -> None:
    """A finding that the leader does not know of, and so does not end."""
    async with _world(monitor) as world:
        await world.finding("service:deed/web", "drop")


@asynccontextmanager
async def _world(monitor: Monitor) -> AsyncIterator[World]:
    document = await monitor.value("select document from catalogue order by serial desc limit 1")
    async with open_store(monitor.dsn, size=2) as store:
        yield World(store, msgspec.json.decode(document, type=Catalogue))


@asynccontextmanager
async def _sending(server: embedded.Kafka, prefix: str) -> AsyncIterator[None]:
    """Transactions of the services, some every second, for as long as the block lasts."""
    stop = asyncio.Event()

    async def send() -> None:
        kafka, number = super_user(server, prefix), 0
        async with open_producer(kafka) as producer:
            while not stop.is_set():
                for service in ("deed", "permit"):
                    for outcome in ("completed", "failed", "abandoned"):
                        number += 1
                        await producer.send_and_wait(
                            kafka.topic(TRANSACTIONS),
                            _event(number, service, outcome),
                            f"service:{service}".encode(),
                        )
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), 0.5)

    async with asyncio.TaskGroup() as group:
        group.create_task(send())
        try:
            yield
        finally:
            stop.set()


def _event(number: int, service: str, outcome: str) -> bytes:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return json.dumps(
        {"schema": 1, "id": f"e{number}", "service": service, "channel": "web", "outcome": outcome, "at": at}
    ).encode()
