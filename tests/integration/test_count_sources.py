"""A topic of somebody else's, in another shape and written in transactions, is counted by the same role."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic
from click.testing import CliRunner

from monitor.cli import continuity
from monitor.demo.embedded import Kafka, Postgres
from monitor.stream.kafka import open_admin, open_producer
from tests.conftest import Allow
from tests.integration import sender as senders
from tests.integration.monitor_process import Monitor, create_database, monitor, super_user, until

SERVICE, PARTITIONS = senders.SERVICES[0], 3


def source(topic: str) -> dict[str, Any]:
    return {
        "name": "portal",
        "topic": topic,
        "service": {"path": "kind"},
        "channel": {"constant": "web"},
        "outcome": {"path": "status", "values": {"OK": "completed", "PENDING": "ignored"}},
        "time": "at",
        "time_format": "unix",
        "id": "number",
    }


def order(number: int, **changed: Any) -> bytes:
    message = {"kind": SERVICE, "status": "OK", "at": time.time(), "number": number}
    return json.dumps({**message, **changed}).encode()


@pytest.fixture
def installed(
    kafka_server: Kafka, postgres_server: Postgres, migrated_template: str, tmp_path: Any
) -> Iterator[Monitor]:
    dsn, prefix = create_database(postgres_server, migrated_template), f"sources-{time.time_ns()}."
    with monitor(tmp_path, kafka=kafka_server, dsn=dsn, prefix=prefix) as made:
        made.catalogue(senders.catalogue())
        made.setting("transactions", {"sources": [source(f"theirs.{prefix}orders")]})
        yield made


@pytest.fixture
async def topic(installed: Monitor, kafka_server: Kafka, allow: Allow) -> str:
    """Made by others, with their own number of partitions; the role may only read it."""
    name = f"theirs.{installed.prefix}orders"
    async with open_admin(super_user(kafka_server, "")) as admin:
        await admin.create_topics([NewTopic(name, PARTITIONS, 1)])
    await allow("count", topic=name, operations=("read",), exact=True)
    await allow("count", group=f"{installed.prefix}count.portal", operations=("read",), exact=True)
    return name


async def send(producer: AIOKafkaProducer, topic: str, *values: bytes) -> None:
    for value in values:
        await producer.send_and_wait(topic, value, partition=0)


async def test_it_is_counted_once_and_what_its_owner_took_back_is_not(
    installed: Monitor, kafka_server: Kafka, topic: str
) -> None:
    kafka = super_user(kafka_server, installed.prefix)
    async with open_producer(kafka, transactional_id=f"{topic}.orders") as producer:
        async with producer.transaction():
            await send(producer, topic, order(1), order(2), order(2), order(3, status="PENDING"))
        await producer.begin_transaction()
        await send(producer, topic, order(4))
        await producer.abort_transaction()
        async with producer.transaction():
            await send(producer, topic, order(1), order(5, kind="nobody"))
    for role in ("derive", "count"):
        installed.start(role)
    sent_ms = time.time() * 1000

    async def counted() -> bool:
        clock = await installed.value(
            "select (extract(epoch from judged_until) * 1000)::bigint from stream_offset "
            "where topic = $1 and partition = 0",
            topic,
        )
        return (clock or 0) > sent_ms

    await until(counted, within_s=60, what="it was not read to its end")
    rows = await installed.fetch("select channel, outcome, count from counted_total")
    letters = await installed.fetch("select reason from dead_letter")
    assert [tuple(row) for row in rows] == [(f"service:{SERVICE}/web", "completed", 2)]
    assert [row["reason"] for row in letters] == ["unknown_service"]


async def test_a_dry_run_shows_the_last_messages_and_why_some_would_not_count(
    installed: Monitor, kafka_server: Kafka, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka = super_user(kafka_server, installed.prefix)
    async with open_producer(kafka) as producer:
        await send(producer, topic, order(0), order(1), order(1), order(2, status="LOST"), b"{")
    for key, value in {
        "SECURITY": kafka.security.lower(),
        "USER": kafka.user,
        "PASSWORD": "env:THE_PASSWORD",
    }.items():
        monkeypatch.setenv(f"CONTINUITY_KAFKA_{key}", value)
    monkeypatch.setenv("THE_PASSWORD", kafka.password)
    command = ["send", "--dry-run", "--source", "portal", "--last", "4", "--config", str(installed.config)]
    result = await asyncio.to_thread(CliRunner().invoke, continuity, command)
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert [line[:2] for line in lines] == [
        ["0/1", "counted"],
        ["0/2", "repeated"],
        ["0/3", "unreadable"],
        ["0/4", "unreadable"],
    ]
    assert lines[0][2].startswith(f"1 completed of service:{SERVICE}/web at ")
    assert (result.exit_code, result.stderr) == (1, "4 messages: 2 unreadable, 1 counted, 1 repeated\n")
    assert await installed.value("select count(*) from stream_offset") == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--dry-run", "--source", "portl"], "no source is called 'portl'"),
        (["--source", "portal"], "with --dry-run, without FILE"),
        (["--dry-run", "--source", "portal", "events.ndjson"], "with --dry-run, without FILE"),
    ],
)
def test_a_wrong_call_is_said_to_be_one(installed: Monitor, words: list[str], said: str) -> None:
    result = CliRunner().invoke(continuity, ["send", *words, "--config", str(installed.config)])
    assert (result.exit_code, said in result.output) == (2, True)
