"""`make run`: PostgreSQL, Kafka, the sample fleet and the monitor, started and stopped as one.

Before the first page only what it needs is loaded and started: imports in functions come later on purpose.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, NoReturn

import click
import msgspec

from monitor.config.load import load_settings
from monitor.config.settings import PublicSettings, PulseSettings, Settings, WebSettings
from monitor.demo import places
from monitor.demo.child import Child
from monitor.demo.embedded import Kafka, Postgres
from monitor.demo.kafka import write_private
from monitor.demo.plan import COUNTED, PLAN, READY, SENT, WEEKS, Plan
from monitor.demo.postgres import hold
from monitor.errors import MonitorError, UsageError

ROOT = Path(__file__).parents[2]
READY_WITHIN_S = 60.0
FLEET_WITHIN_S = 20.0
HISTORY_WITHIN_S = 600.0  # it takes some seconds, on a slow machine a minute
WEEKS_WITHIN_S = 300.0
WEEKS_LOOK_S = 0.5
LOOK_S = 0.1
ROLES_GRACE_S = 20.0
NOTE = "run.json"  # there once everything was up
ENVIRONMENT = "env"
REST = ("ingest", "derive", "web", "notify", "public")
APART = ("count", "probe", "report")  # what they do in one go must keep no page waiting
GOVERNMENTS_WEEKS = "/api/v1/reports?kind=week&entity="


def main(
    config: Path,
    data: Path,
    *,
    port: int = 8440,
    script: bool = True,
    traffic: bool = True,
    program: str = "continuity",
) -> int:
    """Run everything until Ctrl-C or SIGTERM; 0 after an orderly stop, 1 when a part failed.

    `config` is the catalogue to watch; the sample fleet stands in only for sample data. `data` keeps all
    between runs, `port` is the wish for the pages, `traffic` whether sample services send transactions,
    `program` is how a person calls us.
    Raises UsageError when `data` cannot be used, and ConfigError when the catalogue has mistakes; then
    nothing was started.
    """
    with _held(data):
        demo = Demo(
            config.resolve(), data.resolve(), port=port, script=script, traffic=traffic, program=program
        )
        demo.stage()
        return _run(demo)


def _held(data: Path) -> IO[str]:
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        return hold(data)
    except OSError as error:
        raise UsageError(f"{data} cannot be used: {error.strerror}; choose a folder with --data") from error


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _run(demo: Demo) -> int:
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)
    try:
        demo.start()
        demo.watch()
    except KeyboardInterrupt:
        demo.tell("stopping; Ctrl-C again to stop at once")
        return 0
    except MonitorError as error:
        demo.tell(str(error))
        return 1
    finally:
        _end(demo)


def _end(demo: Demo) -> None:
    try:
        demo.stop()
    except KeyboardInterrupt:
        demo.force()
    demo.tell("stopped")


class Demo:
    """The parts of one run, in the order in which they need each other."""

    def __init__(
        self, config: Path, data: Path, *, port: int, script: bool, traffic: bool, program: str
    ) -> None:
        self._config, self._data, self._wish, self._script = config, data, port, script
        self._traffic, self._program = traffic, program
        self._plan: Plan | None = None
        self._began = time.monotonic()
        self._ports: set[int] = set()
        self._children: dict[str, Child] = {}
        self._postgres = Postgres(data / "postgres")
        self._kafka = Kafka(data / "kafka", taken=self._ports, tell=self.tell)

    def tell(self, text: str) -> None:
        """One line of progress with the seconds since the start."""
        click.echo(f"[{time.monotonic() - self._began:6.1f} s] {text}")

    def stage(self) -> None:
        """Read the catalogue, before anything is started. Raises ConfigError when it has mistakes."""
        self.tell(f"reading {self._config}")
        self._plan = places.stage(
            self._config, self._data, script=self._script, tell=self.tell, taken=self._ports
        )
        if self._plan:
            (self._data / PLAN).write_bytes(msgspec.json.encode(self._plan))

    def start(self) -> None:
        """Bring everything up: what the first page needs, the page, then the rest.

        The first time there is nothing to see yet: its address is told of once the sample's weeks stand.
        """
        self.tell("starting; Ctrl-C stops everything")
        self._kafka.reserve()
        self._ports.add(self._kafka.port)
        environment = self._environment(self._plan.replace if self._plan else {})
        self._keep(environment)
        first = not (self._data / NOTE).exists()
        sends = self._plan is not None and self._traffic
        held = first and sends
        if first:  # nothing is stored yet that a page could show meanwhile
            self._kafka.launch()
        self._postgres.launch()
        if first:
            self._await_kafka()
        self._start_role("monitor", REST, environment)
        if held:
            self._start_traffic(environment)
        settings = load_settings(self._config, environ=environment)
        self._postgres.wait_ready()
        self._children["monitor"].wait_until(lambda: _shows(settings.web), within_s=READY_WITHIN_S)
        if not held:
            self._welcome(settings)
        self._start_watched()
        if not first:
            self._await_kafka()
        if sends and not held:
            self._start_traffic(environment)
        self._start_apart(environment, new=sends and not (self._data / COUNTED).exists())
        if held:
            self._await_weeks(settings)
            self._welcome(settings)
        self._note(settings)

    def _start_watched(self) -> None:
        """What the roles that are apart need: Kafka, and the fleet, where it is what they watch."""
        if self._plan:
            self._start_fleet()
        if not self._kafka.started:
            self._kafka.launch()
        if self._plan:
            self._children["fleet"].wait_until((self._data / READY).exists, within_s=FLEET_WITHIN_S)
            self.tell("the sample fleet is ready")

    def _start_apart(self, environment: dict[str, str], *, new: bool) -> None:
        """In this order where a history is new: nobody counts, judges or reports half of it.

        The fleet is ready: before, the prober would find nobody there, which is an outage.
        """
        if new:
            self.tell("the sample services send three weeks of transactions through Kafka")
            self._await((self._data / SENT).exists, within_s=HISTORY_WITHIN_S, what="sent")
        self._start_role("count", ("count",), environment)
        self._start_role("probe", ("probe",), environment)
        if new:
            self.tell("they are being counted")
            self._await((self._data / COUNTED).exists, within_s=HISTORY_WITHIN_S, what="counted")
        self._start_role("report", ("report",), environment)

    def _await_weeks(self, settings: Settings) -> None:
        """Until the sample's weeks are published."""
        self.tell("the weeks are being summed up")

        def published() -> bool:
            return _weeks(settings.web) >= WEEKS

        if self._await(published, within_s=WEEKS_WITHIN_S, what="published", look_s=WEEKS_LOOK_S):
            self.tell(f"{WEEKS} sample weeks are published")

    def _await(
        self, holds: Callable[[], bool], *, within_s: float, what: str, look_s: float = LOOK_S
    ) -> bool:
        """Whether it became so in time; if not, that is told. Raises MonitorError when a part ended."""
        until = time.monotonic() + within_s
        while not holds():
            self._fail_with_who_ended()
            if time.monotonic() > until:
                self.tell(f"the sample's weeks are not {what} after {within_s:g} s; going on without them")
                return False
            time.sleep(look_s)
        return True

    def watch(self) -> NoReturn:
        """Until one part ends by itself. Raises MonitorError with its last lines."""
        while True:
            self._fail_with_who_ended()
            time.sleep(LOOK_S)

    def _fail_with_who_ended(self) -> None:
        for name, child in self._all().items():
            if not child.running:
                raise MonitorError(f"{name} ended with {child.exit_code}; see {child.log}:\n{child.tail()}")

    def stop(self) -> None:
        """The monitor first, then what it watches, then what it stands on; none is left behind."""
        for name in ("traffic", *APART, "monitor"):
            if name in self._children:
                self._children[name].begin_stop()
        for name in ("traffic", *APART, "monitor", "fleet"):
            if name in self._children:
                self._children[name].stop()
        (self._data / READY).unlink(missing_ok=True)
        self._kafka.begin_stop()
        self._postgres.begin_stop()
        self._kafka.close()
        self._postgres.close()

    def force(self) -> None:
        """`kill -9` whatever is left."""
        for child in self._all().values():
            child.kill()
        self._kafka.close()
        self._postgres.close()

    def _await_kafka(self) -> None:
        self._kafka.wait_ready()
        self.tell("Kafka is ready")

    def _start_fleet(self) -> None:
        (self._data / READY).unlink(missing_ok=True)
        command = [sys.executable, "-m", "monitor.demo.fleet", str(self._data)]
        self._children["fleet"] = self._child("fleet", command, self._python())

    def _start_traffic(self, environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "monitor.demo.traffic", str(self._data)]
        self._children["traffic"] = self._child("traffic", command, environment)

    def _start_role(self, name: str, roles: tuple[str, ...], environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "monitor", "run", *roles, "--config", str(self._config)]
        self._children[name] = self._child(name, command, environment)

    def _child(self, name: str, command: list[str], environment: dict[str, str]) -> Child:
        log = self._data / "logs" / f"{name}.log"
        return Child(command, log, name=name, grace_s=ROLES_GRACE_S, cwd=ROOT, env=environment)

    def _python(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CONTINUITY_")}
        return kept | {"PYTHONUNBUFFERED": "1"}

    def _environment(self, swaps: dict[str, str]) -> dict[str, str]:
        """The settings of this run, as every role reads them."""
        kafka, usual = self._kafka, PulseSettings()
        pulses = {
            f"CONTINUITY_PULSE_{role.upper()}": str(
                self._choose(getattr(usual, role), f"the pulse of {role}")
            )
            for role in (*APART, *REST)
        }
        return {
            **self._python(),
            "CONTINUITY_POSTGRES_DSN": self._postgres.dsn,
            "CONTINUITY_KAFKA_BOOTSTRAP": kafka.bootstrap,
            "CONTINUITY_KAFKA_SECURITY": kafka.protocol.lower(),
            "CONTINUITY_KAFKA_MECHANISM": kafka.mechanism,
            "CONTINUITY_KAFKA_USER": kafka.user,
            "CONTINUITY_KAFKA_PASSWORD": f"file:{kafka.password_file}",
            "CONTINUITY_WEB_PORT": self._choose(self._wish, "the pages"),
            "CONTINUITY_PUBLIC_PORT": self._choose(PublicSettings().port, "the public's pages"),
            "CONTINUITY_DATA": str(self._data / "state"),
            "CONTINUITY_REPLACE": json.dumps(swaps),
            **pulses,
        }

    def _keep(self, environment: dict[str, str]) -> None:
        """For a shell: with these variables every command means this run."""
        ours = {name: value for name, value in environment.items() if name.startswith("CONTINUITY_")}
        ours["CONTINUITY_CONFIG"] = str(self._config)
        lines = (f"export {name}={shlex.quote(value)}\n" for name, value in ours.items())
        write_private(self._data / ENVIRONMENT, "".join(lines))

    def _choose(self, wish: int, what: str) -> str:
        return str(places.choose(wish, what=what, tell=self.tell, taken=self._ports))

    def _all(self) -> dict[str, Child]:
        servers: dict[str, Postgres | Kafka] = {"PostgreSQL": self._postgres, "Kafka": self._kafka}
        return {**{name: part.child for name, part in servers.items() if part.started}, **self._children}

    def _note(self, settings: Settings) -> None:
        """What runs where, for whoever looks from outside."""
        pids = {name: list(child.pids) for name, child in self._all().items()}
        noted = {"pid": os.getpid(), "url": settings.web.url, "pids": pids}
        (fresh := self._data / f"{NOTE}.new").write_text(json.dumps(noted))
        fresh.replace(self._data / NOTE)

    def _welcome(self, settings: Settings) -> None:
        kind = "sample data" if self._plan else "your services"
        self.tell(f"the first page is there, with {kind}: {settings.web.url}")
        from monitor.commands import (
            tokens,  # the parts meet there; this is one of them, so only here and only now
        )

        link = tokens.sign_in_link(settings, "demo", "operator")
        click.echo(f"\n    Open     {settings.web.url}\n    Sign in  {link}   (works once)")
        public = settings.public
        click.echo(f"    Public   http://{public.host}:{public.port}   (what everybody may see)\n")
        faults = f"; `{self._program} demo faults` lists what can go wrong" if self._plan else ""
        click.echo(f"    Ctrl-C stops everything{faults}.\n")


def _shows(web: WebSettings) -> bool:
    """Whether the first page is there; /readyz is asked first, because a page costs more to refuse."""
    return _answers(web, "/readyz") and _answers(web, "/")


def _weeks(web: WebSettings) -> int:
    """How many weeks of the government are published."""
    answer = _get(web, GOVERNMENTS_WEEKS)
    return len(json.loads(answer)["items"]) if answer is not None else 0


def _answers(web: WebSettings, path: str) -> bool:
    return _get(web, path) is not None


def _get(web: WebSettings, path: str) -> bytes | None:
    """The body of the answer where it is a good one."""
    from http.client import HTTPConnection, HTTPException  # past any proxy that the environment names

    connection = HTTPConnection(web.host, web.port, timeout=1)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.read() if answer.status == 200 else None
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
