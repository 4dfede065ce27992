"""The monitor as it is deployed: each role a process of its own, each with the least rights on Kafka."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import msgspec
from aiokafka.protocol.admin import CreateAclsRequest
from prometheus_client.parser import text_string_to_metric_families

from monitor.demo import embedded
from monitor.demo.child import Child
from monitor.stream.kafka import Kafka, ensure_topics, open_admin
from monitor.stream.wire import CATALOGUE, OBSERVATIONS, REQUESTS, TRANSACTIONS
from tests.conftest import ACL_OPERATIONS, KAFKA_USERS, in_thread

ROOT = Path(__file__).parents[2]
PARTITIONS = 4
TEMPORARY = (
    "import sys; from monitor import roles; from pathlib import Path;"
    "sys.exit(roles.run([sys.argv[1]], config=Path(sys.argv[2]), data=Path(sys.argv[3])))"
)
STOP_S = 25.0  # a prober's flights and last flush included
USERS = {"probe": "prober", "ingest": "ingest", "count": "count", "derive": "derive", "web": "web"}
NO_KAFKA = "stranger"  # what the other roles would be there


class Rule(NamedTuple):
    """What a role may do with one topic or group; the name is without the installation's prefix."""

    kind: str  # topic | group
    name: str
    operations: tuple[str, ...]


def rules(vantage: str = "main") -> dict[str, tuple[Rule, ...]]:
    """The least each role needs. (Kafka lets whoever may read or write a topic describe it.)"""
    return {
        "probe": (
            Rule("topic", OBSERVATIONS, ("write",)),
            Rule("topic", CATALOGUE, ("read",)),
            Rule("topic", REQUESTS + vantage, ("read", "write")),
            Rule("group", f"probers.{vantage}", ("read",)),
        ),
        "ingest": (Rule("topic", OBSERVATIONS, ("read",)), Rule("group", "ingest", ("read",))),
        "count": (Rule("topic", TRANSACTIONS, ("read",)), Rule("group", "count", ("read",))),
        "derive": (
            Rule("topic", CATALOGUE, ("write",)),
            Rule("topic", REQUESTS + vantage, ("write",)),
        ),
        "web": (Rule("topic", TRANSACTIONS, ("write",)),),
    }


def super_user(server: embedded.Kafka, prefix: str, *, partitions: int = PARTITIONS) -> Kafka:
    """How whoever runs the cluster reaches it."""
    return Kafka(
        bootstrap=server.bootstrap,
        security=server.protocol,
        mechanism=server.mechanism,
        user=server.user,
        password=server.password,
        topic_prefix=prefix,
        group_prefix=prefix,
        partitions=partitions,
    )


async def prepare_kafka(server: embedded.Kafka, prefix: str) -> None:
    """What an administrator does before the first start: the topics, and each role's rights."""
    kinds = {"topic": 2, "group": 3}
    kafka = super_user(server, prefix)
    await ensure_topics(kafka, vantages=["main"])
    async with open_admin(kafka) as admin:
        for role, given in rules().items():
            for kind, name, operations in given:
                for operation in operations:
                    answer = await admin._send_to_controller(
                        CreateAclsRequest(
                            kinds[kind], prefix + name, 3, f"User:{USERS[role]}", "*",
                            ACL_OPERATIONS[operation], 3,
                        )
                    )  # fmt: skip
                    assert answer.creation_responses[0][0] == 0, answer


def create_database(server: embedded.Postgres, template: str) -> str:
    """A fresh, migrated database; returns its address."""
    name = f"m{time.time_ns()}"

    async def create() -> None:
        connection = await asyncpg.connect(server.dsn)
        try:
            await connection.execute(f"create database {name} template {template}")
        finally:
            await connection.close()

    in_thread(create())
    return server.dsn_of(name)


async def until(
    true: Callable[[], Any | Awaitable[Any]], *, within_s: float = 30.0, what: str = "it did not come true"
) -> None:
    """Wait for a condition; a database that is away just now is one more reason to wait."""
    deadline, error = time.monotonic() + within_s, ""
    while True:
        try:
            found = true()
            if inspect.isawaitable(found):
                found = await found
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as failure:
            found, error = False, f" ({failure!r})"
        if found:
            return
        assert time.monotonic() < deadline, f"{what} within {within_s:g} s{error}"
        await asyncio.sleep(0.05)


class Role:
    """One process of one role."""

    def __init__(self, name: str, command: list[str], *, env: Mapping[str, str], log: Path) -> None:
        self.name, self.log = name, log
        self._child = Child(command, log, name=name, grace_s=STOP_S, env=env, cwd=ROOT)

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def running(self) -> bool:
        return self._child.running

    @property
    def crashed(self) -> bool:
        """Whether it ended by itself: not killed, and not in order."""
        return not self.running and self._child.exit_code not in (0, 128 + signal.SIGKILL)

    def kill(self) -> None:
        """`kill -9`."""
        self._child.kill()

    def freeze(self) -> None:
        self._child.signal(signal.SIGSTOP)

    def wake(self) -> None:
        self._child.signal(signal.SIGCONT)

    def hang_up(self) -> None:
        """SIGHUP: read the configuration again."""
        self._child.signal(signal.SIGHUP)

    async def stop(self) -> int:
        """End it in order; returns its exit code."""
        self.wake()
        return await asyncio.to_thread(self._child.stop)

    def events(self, name: str) -> list[dict[str, Any]]:
        """Lines of its log with this event."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for text in lines if f'"{name}"' in text and (line := _json(text))["event"] == name]

    def exposition(self) -> str:
        """What it says of itself, as Prometheus reads it. Empty while it does not answer."""
        serving = self.events("pulse.serving")
        if not serving:
            return ""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{serving[-1]['port']}/metrics", timeout=2) as page:
                text: str = page.read().decode()
        except (urllib.error.URLError, OSError):
            return ""
        return text

    def metrics(self) -> dict[str, float]:
        """The same as sums over labels, by sample name. Empty while it does not answer."""
        families = text_string_to_metric_families(self.exposition())
        found: dict[str, float] = {}
        for sample in (sample for family in families for sample in family.samples):
            found[sample.name] = found.get(sample.name, 0.0) + sample.value
        return found


def _json(text: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return {"event": ""}
    return found


class Monitor:
    """An installation: its configuration, its data, and the processes that were started."""

    def __init__(self, folder: Path, *, kafka: embedded.Kafka, dsn: str, prefix: str) -> None:
        self.folder, self.kafka, self.dsn, self.prefix = folder, kafka, dsn, prefix
        self.config = folder / "config"
        self.config.mkdir(parents=True, exist_ok=True)
        self.roles: list[Role] = []
        self._settings()

    def _settings(self) -> None:
        settings = {
            "kafka": {
                "bootstrap": [self.kafka.bootstrap],
                "topic_prefix": self.prefix,
                "group_prefix": self.prefix,
                "partitions": PARTITIONS,
                "create_topics": False,
            },
            "postgres": {"dsn": self.dsn},
            "pulse": {"probe": 0, "ingest": 0, "count": 0, "derive": 0, "web": 0, "notify": 0},
            "web": {"port": 0},
        }
        (self.config / "monitor.yaml").write_text(json.dumps(settings, indent=1))

    def setting(self, section: str, value: Any) -> None:
        """Set one section of the settings anew; roles read it when they start."""
        file = self.config / "monitor.yaml"
        file.write_text(json.dumps({**json.loads(file.read_text()), section: value}, indent=1))

    def catalogue(self, document: Mapping[str, Any] | str) -> None:
        """Write the catalogue, in one atomic step. (JSON is YAML.)"""
        text = document if isinstance(document, str) else json.dumps(document, indent=1)
        file = self.config / "services" / "all.yaml"
        file.parent.mkdir(exist_ok=True)
        new = file.with_name(".new.yaml")
        new.write_text(text)
        new.replace(file)

    def start(self, name: str, *, member: str = "a") -> Role:
        """Start a role; a second member of a group has its own name, and a data folder of its own."""
        number = sum(role.name == f"{name}-{member}" for role in self.roles) + 1
        user = USERS.get(name, NO_KAFKA)
        env = {key: value for key, value in os.environ.items() if not key.startswith("CONTINUITY_")} | {
            "CONTINUITY_KAFKA_SECURITY": self.kafka.protocol.lower(),
            "CONTINUITY_KAFKA_MECHANISM": self.kafka.mechanism,
            "CONTINUITY_KAFKA_USER": user,
            "CONTINUITY_KAFKA_PASSWORD": "env:KAFKA_PASSWORD",
            "KAFKA_PASSWORD": KAFKA_USERS[user],
        }
        data = self.folder / "data" / member
        command = [sys.executable, "-m", "monitor", "run", name, "--config", str(self.config)]
        command += ["--data", str(data)]
        if not (ROOT / "monitor" / "cli.py").exists():
            command[1:] = ["-c", TEMPORARY, name, str(self.config), str(data)]
        log = self.folder / "logs" / f"{name}-{member}-{number}.log"
        role = Role(f"{name}-{member}", command, env=env, log=log)
        self.roles.append(role)
        return role

    def started(self, name: str, member: str = "a") -> Role:
        """The newest process of that role."""
        return [role for role in self.roles if role.name == f"{name}-{member}"][-1]

    async def stop(self) -> dict[str, int]:
        """End all that still run, probers first; returns their exit codes."""
        order = ("probe", "ingest", "count", "derive", "web", "report")
        running = sorted(
            (role for role in self.roles if role.running),
            key=lambda role: order.index(role.name.split("-")[0]),
        )
        return {role.name: await role.stop() for role in running}

    async def fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        """Rows of its database."""
        connection = await asyncpg.connect(self.dsn, timeout=5)
        try:
            rows: list[asyncpg.Record] = await connection.fetch(query, *arguments, timeout=10)
        finally:
            await connection.close(timeout=5)
        return rows

    async def value(self, query: str, *arguments: object) -> Any:
        """The first column of the first row; None without one."""
        rows = await self.fetch(query, *arguments)
        return rows[0][0] if rows else None

    async def stands(self, subject: str, verdict: str, since_ms: float) -> bool:
        """Whether a subject is measured to be so, since a beat not much older than that instant."""
        return bool(
            await self.value(
                "select verdict = $2 and at > to_timestamp($3::float8 / 1000) - interval '3 s' from change "
                "where layer = 'measured' and subject = $1 and withdrawn_at is null order by at desc limit 1",
                subject,
                verdict,
                since_ms,
            )
        )

    async def judged_until_ms(self) -> int:
        """The clock of the partition that is furthest behind; 0 while one has none."""
        clock = await self.value(
            "select case when count(judged_until) = $1 "
            "then (extract(epoch from min(judged_until)) * 1000)::bigint else 0 end from stream_offset "
            "where topic = $2",
            PARTITIONS,
            self.prefix + OBSERVATIONS,
        )
        return int(clock)

    async def judged(self, at_ms: float, *, within_s: float = 30.0) -> None:
        """Wait until every partition was judged up to that instant (Unix milliseconds)."""

        async def so_far() -> bool:
            return await self.judged_until_ms() >= at_ms

        await until(so_far, within_s=within_s, what="the partitions were not judged so far")


@contextmanager
def monitor(folder: Path, *, kafka: embedded.Kafka, dsn: str, prefix: str) -> Iterator[Monitor]:
    """An installation with its topics and rights, and no role started; all that runs at the end is ended."""
    in_thread(prepare_kafka(kafka, prefix))
    made = Monitor(folder, kafka=kafka, dsn=dsn, prefix=prefix)
    try:
        yield made
    finally:
        for role in made.roles:
            role.kill()
