"""The real Kafka and PostgreSQL that benchmarks share: started when first asked for, gone at the end."""

from __future__ import annotations

import asyncio
import itertools
import logging
import shutil
import tempfile
from functools import cache
from pathlib import Path

import asyncpg

from monitor.demo import embedded
from monitor.store.migrate import migrate
from monitor.stream.kafka import Kafka

VANTAGE = "main"
logging.getLogger("aiokafka").setLevel(logging.ERROR)  # a topic just made has no leader for a moment
_numbers = itertools.count(1)


@cache
def folder() -> Path:
    """A folder of this run."""
    return Path(tempfile.mkdtemp(prefix="continuity-bench-"))


@cache
def _broker() -> embedded.Kafka:
    broker = embedded.Kafka(folder() / "kafka", tell=print)
    broker.start()
    return broker


@cache
def _server() -> embedded.Postgres:
    server = embedded.Postgres(folder() / "postgres")
    server.start()
    return server


def fresh(name: str) -> str:
    """A name nobody else has in this run: for topics, databases and folders."""
    return f"{name}{next(_numbers)}"


def kafka(prefix: str) -> Kafka:
    """How to reach the broker, with topics and groups of one's own."""
    broker = _broker()
    return Kafka(
        bootstrap=broker.bootstrap,
        security=broker.protocol,
        mechanism=broker.mechanism,
        user=broker.user,
        password=broker.password,
        topic_prefix=f"{prefix}.",
        group_prefix=f"{prefix}.",
    )


def database() -> str:
    """The address of a fresh, migrated database."""
    name = fresh("bench")
    dsn = _server().dsn_of(name)

    async def make() -> None:
        connection = await asyncpg.connect(_server().dsn)
        try:
            await connection.execute(f"create database {name}")
        finally:
            await connection.close()
        await migrate(dsn)

    asyncio.run(make())
    return dsn


def postgres_pid() -> int:
    """The server's first process."""
    return _server().pid


def environment(kafka: Kafka, *, dsn: str = "", data: Path) -> dict[str, str]:
    """The settings of a role as it reads them."""
    given = {
        "CONTINUITY_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "CONTINUITY_KAFKA_SECURITY": kafka.security.lower(),
        "CONTINUITY_KAFKA_MECHANISM": kafka.mechanism,
        "CONTINUITY_KAFKA_USER": kafka.user,
        "CONTINUITY_KAFKA_PASSWORD": f"file:{_broker().password_file}",
        "CONTINUITY_KAFKA_TOPIC_PREFIX": kafka.topic_prefix,
        "CONTINUITY_KAFKA_GROUP_PREFIX": kafka.group_prefix,
        "CONTINUITY_PROBE_VANTAGE": VANTAGE,
        "CONTINUITY_DATA": str(data),
        **{f"CONTINUITY_PULSE_{role}": "0" for role in ("PROBE", "INGEST", "COUNT", "DERIVE", "WEB")},
    }
    return given | ({"CONTINUITY_POSTGRES_DSN": dsn} if dsn else {})


def close() -> None:
    """Stop what was started; what was not is left alone."""
    for part in (_broker, _server):
        if part.cache_info().currsize:
            part().close()
        part.cache_clear()
    if folder.cache_info().currsize:
        shutil.rmtree(folder(), ignore_errors=True)
        folder.cache_clear()
