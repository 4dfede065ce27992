"""Real servers to watch, a catalogue of them, and what can happen to each: done and undone, to the beat."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from monitor.demo import authority
from monitor.demo.embedded import Kafka, Postgres
from monitor.demo.kafka import free_port
from monitor.scheduler.beat import latest_due_ms, next_due_ms
from tests.integration.parts import Dnsmasq, Nginx, answers
from tests.integration.reckoning import Facts

PAGE = "All services are available."
ERROR_PAGE = "Something went wrong. Reference 4711."
ADDRESS = "192.0.2.10"
CALM_AFTER_MS, CALM_BEFORE_MS = 300, 400  # an act lies so far behind the last beat and before the next
ACT_WITHIN_S = 10.0


class Watched(NamedTuple):
    """One check of the catalogue."""

    key: str
    every_ms: int
    within_ms: int

    @property
    def subject(self) -> str:
        return self.key.rsplit("/", 1)[0]


PORTAL = Watched("service:portal/web/main", 2_000, 800)
SECURE = Watched("system:secure/main", 2_000, 800)
NAMES = Watched("system:names/main", 1_000, 400)
DATABASE = Watched("system:database/main", 1_000, 400)
BROKER = Watched("system:broker/main", 1_000, 400)
LICENCE = Watched("service:licence/web/main", 1_000, 400)
RENEWAL = Watched("service:renewal/web/main", 1_000, 400)
WATCHED = (PORTAL, SECURE, NAMES, DATABASE, BROKER, LICENCE, RENEWAL)
BLOCKED = {
    SECURE: ("service:licence/web", "service:licence"),
    NAMES: ("service:renewal/web", "service:renewal"),
}
"""Who cannot be got while the system is down, though its own check answers."""


class Servers:
    """nginx (plain and TLS), dnsmasq and a PostgreSQL that listens on TCP; Kafka is the monitor's own."""

    def __init__(self, folder: Path, kafka: Kafka) -> None:
        self.kafka = kafka
        self.ca = authority.ensure(folder)
        self._good, self._expired = (
            _pem(folder, name, lasts)
            for name, lasts in (("good", timedelta(days=90)), ("old", -timedelta(hours=1)))
        )
        self.nginx = Nginx(folder / "nginx", str(self._good))
        self.dnsmasq = Dnsmasq(folder / "dnsmasq", {"www.test": ADDRESS})
        self.postgres_port = free_port()
        self.postgres = Postgres(
            folder / "watched",
            settings={"listen_addresses": "127.0.0.1", "port": str(self.postgres_port), "fsync": "off"},
        )

    def start(self) -> None:
        for server in (self.nginx, self.dnsmasq, self.postgres):
            server.start()

    def stop(self) -> None:
        for server in (self.nginx, self.dnsmasq):
            server.stop()
        self.postgres.close()

    def expire(self) -> None:
        """Swap the certificate for one that expired an hour ago; return once only that one is shown."""
        self._swap(self._expired)

    def renew(self) -> None:
        self._swap(self._good)

    def _swap(self, pem: Path) -> None:
        self.nginx.certificate(str(pem))
        wanted, deadline, in_a_row = ssl.PEM_cert_to_DER_cert(_first(pem)), time.monotonic() + ACT_WITHIN_S, 0
        while in_a_row < 5:  # for a moment the old worker and the new one both accept
            assert time.monotonic() < deadline, "nginx does not show the new certificate"
            shown = ssl.PEM_cert_to_DER_cert(
                ssl.get_server_certificate(("127.0.0.1", self.nginx.tls), timeout=2)
            )
            in_a_row = in_a_row + 1 if shown == wanted else 0

    def catalogue(self) -> dict[str, Any]:
        """What is watched, and who needs what."""
        broker = {"host": "127.0.0.1", "port": self.kafka.port}
        return {
            "policy": {"grace_s": 3},
            "profiles": {"default": {"count": 2, "recover": 2}},
            "systems": [
                _system(
                    SECURE,
                    "tls",
                    {
                        "host": "127.0.0.1",
                        "port": self.nginx.tls,
                        "ca": str(self.ca),
                        "certificate_days_soft": 14,
                        "certificate_days_hard": 1,
                    },
                ),
                _system(
                    NAMES,
                    "dns",
                    {"name": "www.test", "resolver": f"127.0.0.1:{self.dnsmasq.port}", "expected": [ADDRESS]},
                ),
                _system(DATABASE, "tcp", {"host": "127.0.0.1", "port": self.postgres_port}),
                _system(BROKER, "tcp", broker),
            ],
            "services": [
                _service(
                    PORTAL, {"http": {"url": f"http://127.0.0.1:{self.nginx.http}/", "text_present": [PAGE]}}
                ),
                _service(LICENCE, {"tcp": broker}, depends=["secure"]),
                _service(RENEWAL, {"tcp": broker}, depends=["names"]),
            ],
        }


def _system(watched: Watched, kind: str, settings: dict[str, Any]) -> dict[str, Any]:
    slug = watched.subject.removeprefix("system:")
    return {"slug": slug, "checks": [{kind: settings, **_tuning(watched)}]}


def _service(watched: Watched, check: dict[str, Any], *, depends: list[str] | None = None) -> dict[str, Any]:
    slug = watched.subject.removeprefix("service:").removesuffix("/web")
    channel = {"kind": "web", "checks": [{**check, **_tuning(watched)}], "depends": depends or []}
    return {"slug": slug, "channels": [channel]}


def _tuning(watched: Watched) -> dict[str, float]:
    return {"every_s": watched.every_ms / 1000, "within_s": watched.within_ms / 1000}


def _pem(folder: Path, name: str, lasts: timedelta) -> Path:
    certificate, key = authority.issue(folder, name, hosts=["127.0.0.1"], lasts=lasts)
    both = folder / f"{name}-both.pem"
    both.write_text(certificate.read_text() + key.read_text())
    return both


def _first(pem: Path) -> str:
    end = "-----END CERTIFICATE-----\n"
    return pem.read_text().split(end)[0] + end


class Fault(NamedTuple):
    """Something that can be done and undone, and what each check then says."""

    name: str
    do: Callable[[Servers], None]
    undo: Callable[[Servers], None]
    reasons: dict[Watched, str]


FAULTS = {
    fault.name: fault
    for fault in (
        Fault(
            "nginx is stopped",
            lambda servers: servers.nginx.stop(),
            lambda servers: servers.nginx.start(),
            {PORTAL: "connect_refused", SECURE: "connect_refused"},
        ),
        Fault("the certificate expired", Servers.expire, Servers.renew, {SECURE: "tls_expired"}),
        Fault(
            "an error page with status 200",
            lambda servers: servers.nginx.page(ERROR_PAGE),
            lambda servers: servers.nginx.page(PAGE),
            {PORTAL: "assertion"},
        ),
        Fault(
            "dnsmasq is stopped",
            lambda servers: servers.dnsmasq.stop(),
            lambda servers: servers.dnsmasq.start(),
            {NAMES: "dns_timeout"},
        ),
        Fault(
            "PostgreSQL is stopped",
            lambda servers: servers.postgres.stop(),
            lambda servers: servers.postgres.start(),
            {DATABASE: "connect_refused"},
        ),
    )
}


class Act(NamedTuple):
    """Something was done between these two instants, Unix milliseconds."""

    began_ms: float
    done_ms: float


class Episode(NamedTuple):
    """One fault as it was played."""

    fault: Fault
    done: Act
    undone: Act


async def act(work: Callable[[Servers], None], servers: Servers, near: Iterator[Watched]) -> Act:
    """Do it at a moment that is calm for those checks: none just asked, none about to be."""
    checks = list(near)
    while True:
        now_ms = int(time.time() * 1000)
        since = min(now_ms - latest_due_ms(each.key, each.every_ms, now_ms) for each in checks)
        left = min(next_due_ms(each.key, each.every_ms, now_ms) - now_ms for each in checks)
        if since >= CALM_AFTER_MS and left >= CALM_BEFORE_MS:
            break
        await asyncio.sleep(0.01)
    began_ms = time.time() * 1000
    async with asyncio.timeout(ACT_WITHIN_S * 3):
        await asyncio.to_thread(work, servers)
    return Act(began_ms, time.time() * 1000)


Stands = Callable[[str, str, float], Awaitable[None]]
"""Wait until a subject is known to be so (verdict) since some instant."""


async def hold() -> None:
    """Let it last for some beats."""
    await asyncio.sleep(1)


async def play(
    fault: Fault, servers: Servers, stands: Stands, *, meanwhile: Callable[[], Awaitable[None]] = hold
) -> Episode:
    """Do, wait until every check says so, hold, undo, wait until all are well again."""
    done = await act(fault.do, servers, iter(fault.reasons))
    for watched in fault.reasons:
        await stands(watched.subject, "down", done.began_ms)
    await meanwhile()
    undone = await act(fault.undo, servers, iter(fault.reasons))
    for watched in fault.reasons:
        await stands(watched.subject, "up", undone.began_ms)
    return Episode(fault, done, undone)


def first_beat(found: Facts, watched: Watched, after: Act, *, failing: bool) -> int:
    """The first beat due once it was done; or one during the act that met its effect, as the rows say."""
    beats = found.beats(watched.key)
    during = [due for due in sorted(beats) if after.began_ms - watched.every_ms < due <= after.done_ms]
    for due in during:
        seen = beats[due]
        if due + seen.late_ms + seen.took_ms > after.began_ms and (seen.outcome == "down") == failing:
            return due
    return next_due_ms(watched.key, watched.every_ms, int(after.done_ms))


@contextmanager
def serving(folder: Path, kafka: Kafka) -> Iterator[Servers]:
    """All of them, running; gone at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    servers = Servers(folder, kafka)
    try:
        servers.start()
        assert answers(servers.postgres_port)
        yield servers
    finally:
        servers.stop()
