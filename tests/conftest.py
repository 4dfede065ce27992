"""What tests share: a real PostgreSQL with a fresh database each, a real Kafka started when first asked for.

With `CI=true` a skipped test is a failed one: nothing may be left out silently.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import secrets
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest, DescribeAclsRequest

from monitor.demo.embedded import Kafka, Postgres
from monitor.errors import MonitorError

CI = os.environ.get("CI") == "true"
KAFKA_USERS = {
    name: f"{name}-password" for name in ("prober", "ingest", "count", "derive", "web", "stranger")
}
# Debian's kcat cannot sign in by SCRAM to this Kafka: its librdkafka (before 2.6.1) mistakes the nonce.
KCAT_USER, KCAT_PASSWORD = "kcat", "kcat-password"
PLAIN_SETTINGS = {
    "sasl.enabled.mechanisms": "SCRAM-SHA-256,PLAIN",
    "listener.name.sasl_plaintext.plain.sasl.jaas.config": (
        "org.apache.kafka.common.security.plain.PlainLoginModule required "
        f'user_{KCAT_USER}="{KCAT_PASSWORD}";'
    ),
}
TEMPLATE = "migrated"
RUN_WITHIN_S = 60.0

Allow = Callable[..., Awaitable[None]]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """With CI=true a skip is a failure that says so."""
    report = yield
    if CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = (
            "failed",
            f"skipped, but CI=true: {call.excinfo and call.excinfo.value}",
        )
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """The same for a file that skips itself as a whole."""
    report = yield
    if CI and report.skipped:
        report.outcome, report.longrepr = "failed", f"skipped, but CI=true: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def run_folder() -> Iterator[Path]:
    """A folder of this test run. Not pytest's own: that one is closed again by the next run beside us."""
    folder = Path(tempfile.mkdtemp(prefix="continuity-test-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server(run_folder: Path) -> Iterator[Postgres]:
    """One PostgreSQL for the whole run. A test that stops it must start it again."""
    server = Postgres(run_folder / "postgres", settings={"fsync": "off", "max_connections": "200"})
    with _or_skip(server):
        yield server


@pytest.fixture(scope="session")
def migrated_template(postgres_server: Postgres) -> str:
    """The name of a database with every migration in it, to copy from."""
    from monitor.store.migrate import migrate

    in_thread(_command(postgres_server.dsn, f"create database {TEMPLATE}"))
    in_thread(migrate(postgres_server.dsn_of(TEMPLATE)))
    return TEMPLATE


@pytest.fixture
def database(postgres_server: Postgres, migrated_template: str) -> Iterator[str]:
    """The address of a fresh, migrated database."""
    with _fresh(postgres_server) as dsn:
        yield dsn


@pytest.fixture(scope="module")
def shared_database(postgres_server: Postgres, migrated_template: str) -> Iterator[str]:
    """The same, one for all tests of a file."""
    with _fresh(postgres_server) as dsn:
        yield dsn


@contextmanager
def _fresh(postgres_server: Postgres) -> Iterator[str]:
    name = f"t{secrets.token_hex(6)}"
    in_thread(_command(postgres_server.dsn, f"create database {name} template {TEMPLATE}"))
    yield postgres_server.dsn_of(name)
    in_thread(_command(postgres_server.dsn, f"drop database if exists {name} with (force)"))


@pytest.fixture(scope="session")
def kafka_server(run_folder: Path) -> Iterator[Kafka]:
    """One Kafka for the run, with the users of KAFKA_USERS. A test that stops it must start it again."""
    server = Kafka(run_folder / "kafka", users=KAFKA_USERS, settings=PLAIN_SETTINGS, tell=print)
    with _or_skip(server):
        yield server


_numbers = itertools.count(1)


@pytest.fixture
def topic_prefix() -> str:
    """Unique to the test: for topics and groups."""
    return f"t{next(_numbers)}-{secrets.token_hex(4)}."


@pytest.fixture
def allow(kafka_server: Kafka) -> Allow:
    """`await allow("prober", topic="x.", operations=("write",))`: names are prefixes unless `exact`."""

    async def add(
        user: str,
        *,
        topic: str | None = None,
        group: str | None = None,
        transaction: str | None = None,
        operations: tuple[str, ...] = ("all",),
        exact: bool = False,
    ) -> None:
        kinds = ((2, topic), (3, group), (5, transaction))
        async with _admin(kafka_server) as admin:
            for kind, name in ((kind, name) for kind, name in kinds if name is not None):
                for operation in operations:
                    rule = (kind, name, 3 if exact else 4, f"User:{user}", "*", ACL_OPERATIONS[operation], 3)
                    answer = await admin._send_to_controller(CreateAclsRequest(*rule))
                    assert answer.creation_responses[0][0] == 0, answer
                    await _known(admin, DescribeAclsRequest(*rule))

    return add


async def _known(admin: AIOKafkaAdminClient, request: DescribeAclsRequest) -> None:
    """The controller knows a rule before the broker that goes by it does."""
    async with asyncio.timeout(RUN_WITHIN_S):
        while not (await admin._send_request(request)).resources:  # noqa: ASYNC110 - the event is in Kafka
            await asyncio.sleep(0.02)


ACL_OPERATIONS = {
    "all": 2, "read": 3, "write": 4, "create": 5, "delete": 6, "alter": 7, "describe": 8,
    "describe_configs": 10, "alter_configs": 11,
}  # fmt: skip


class _admin:  # noqa: N801 - used as a function
    def __init__(self, server: Kafka) -> None:
        self._client = AIOKafkaAdminClient(
            bootstrap_servers=server.bootstrap,
            security_protocol=server.protocol,
            sasl_mechanism=server.mechanism,
            sasl_plain_username=server.user,
            sasl_plain_password=server.password,
        )

    async def __aenter__(self) -> AIOKafkaAdminClient:
        await self._client.start()
        return self._client

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()


class _or_skip:  # noqa: N801 - used as a function
    """Starts on the way in, closes on the way out; what cannot start here is skipped with one line."""

    def __init__(self, server: Postgres | Kafka) -> None:
        self._server = server

    def __enter__(self) -> None:
        try:
            self._server.start()
        except MonitorError as error:
            self._server.close()
            pytest.skip(str(error).splitlines()[0])

    def __exit__(self, *_: object) -> None:
        self._server.close()


def in_thread(work: Coroutine[Any, Any, Any]) -> None:
    """Run to its end in a loop and a thread of its own, away from whatever loop the test has."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, asyncio.wait_for(work, RUN_WITHIN_S)).result()


async def _command(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
