"""The embedded PostgreSQL and Kafka are real, start again on what they had, and are gone when we are gone."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError

from monitor.demo import jars
from monitor.demo.embedded import Kafka, Postgres
from monitor.demo.kafka import free_port
from monitor.errors import MonitorError, UsageError
from tests.conftest import KAFKA_USERS, Allow

ROOT = Path(__file__).parents[2]


def until(holds: Callable[[], bool], *, within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def login(server: Kafka, user: str | None = None) -> dict[str, str]:
    return {
        "bootstrap_servers": server.bootstrap,
        "security_protocol": server.protocol,
        "sasl_mechanism": server.mechanism,
        "sasl_plain_username": user or server.user,
        "sasl_plain_password": KAFKA_USERS[user] if user else server.password,
    }


async def make_topic(server: Kafka, name: str) -> None:
    admin = AIOKafkaAdminClient(**login(server))
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 1, 1)])
    finally:
        await admin.close()


async def send(server: Kafka, topic: str, value: bytes, *, user: str | None = None) -> None:
    producer = AIOKafkaProducer(**login(server, user), enable_idempotence=user is None)
    await producer.start()
    try:
        await producer.send_and_wait(topic, value, partition=0)
    finally:
        await producer.stop()


async def everything_in(server: Kafka, topic: str, *, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(**login(server), auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        async with asyncio.timeout(20):
            return [(await consumer.getone()).value for _ in range(count)]
    finally:
        await consumer.stop()


async def rows_of(dsn: str, *statements: str) -> list[int]:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
        return [row["n"] for row in await connection.fetch("select n from kept order by n")]
    finally:
        await connection.close()


@pytest.fixture
def own_postgres(run_folder: Path, topic_prefix: str) -> Path:
    return run_folder / f"postgres-{topic_prefix}"


async def test_what_was_committed_survives_a_crash_of_postgresql(own_postgres: Path) -> None:
    server = Postgres(own_postgres)
    server.start()
    try:
        await rows_of(server.dsn, "create table kept (n int)", "insert into kept values (1)")
        server.stop("immediate")
        server.start()
        rows = await rows_of(server.dsn, "insert into kept values (2)")
        server.stop("fast")
        server.start()
        assert await rows_of(server.dsn) == rows == [1, 2]
    finally:
        server.close()


def test_only_the_owner_may_reach_the_socket_and_there_is_no_port(postgres_server: Postgres) -> None:
    listening = [
        c for c in psutil.Process(postgres_server.pid).net_connections("inet") if c.status == "LISTEN"
    ]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in postgres_server.data.parent.glob("data")}
    assert (listening, modes) == ([], {0o700})


def test_a_second_run_over_the_same_folder_is_refused_with_the_holder(postgres_server: Postgres) -> None:
    with pytest.raises(UsageError, match=f"in use by another run \\(process {os.getpid()}\\)"):
        Postgres(postgres_server.folder).start()


def test_a_path_too_long_for_a_socket_moves_the_socket(run_folder: Path) -> None:
    server = Postgres(run_folder / ("a" * 60) / ("b" * 60))
    server.start()
    try:
        asyncio.run(rows_of(server.dsn, "create table kept (n int)"))
    finally:
        server.close()


def test_a_server_that_cannot_start_says_why(own_postgres: Path) -> None:
    server = Postgres(own_postgres, settings={"shared_buffers": "nonsense"})
    with pytest.raises(MonitorError, match=r'(?s)PostgreSQL ended with 1.*"nonsense"'):
        server.start()
    server.close()


def test_a_killed_run_leaves_no_server_and_the_next_one_takes_over(own_postgres: Path) -> None:
    code = (
        "import sys, pathlib, time; from monitor.demo.postgres import Postgres\n"
        "server = Postgres(pathlib.Path(sys.argv[1])); server.start()\n"
        "print(server.pid, flush=True); time.sleep(60)"
    )
    run = subprocess.Popen([sys.executable, "-c", code, str(own_postgres)], stdout=subprocess.PIPE, cwd=ROOT)
    assert run.stdout is not None
    with run.stdout:
        pid = int(run.stdout.readline())
    run.kill()
    run.wait()
    server = Postgres(own_postgres)
    server.start()
    try:
        until(lambda: not psutil.pid_exists(pid))
        assert asyncio.run(rows_of(server.dsn, "create table kept (n int)")) == []
    finally:
        server.close()


async def test_kafka_keeps_its_log_its_password_and_its_port_over_stop_and_kill(
    kafka_server: Kafka, topic_prefix: str
) -> None:
    topic, before = f"{topic_prefix}kept", (kafka_server.bootstrap, kafka_server.password)
    await make_topic(kafka_server, topic)
    await send(kafka_server, topic, b"1")
    await asyncio.to_thread(kafka_server.stop)
    await asyncio.to_thread(kafka_server.start)
    await send(kafka_server, topic, b"2")
    await asyncio.to_thread(kafka_server.kill)
    await asyncio.to_thread(kafka_server.start)
    await send(kafka_server, topic, b"3")
    after = (kafka_server.bootstrap, kafka_server.password)
    assert (await everything_in(kafka_server, topic, count=3), after) == ([b"1", b"2", b"3"], before)


async def test_a_user_may_do_what_an_access_rule_says_and_no_more(
    kafka_server: Kafka, topic_prefix: str, allow: Allow
) -> None:
    topic = f"{topic_prefix}guarded"
    await make_topic(kafka_server, topic)
    await allow("prober", topic=topic_prefix, operations=("write", "describe"))
    await send(kafka_server, topic, b"allowed", user="prober")
    with pytest.raises(TopicAuthorizationFailedError):
        await send(kafka_server, topic, b"not allowed", user="stranger")
    assert await everything_in(kafka_server, topic, count=1) == [b"allowed"]


async def test_a_wrong_password_is_refused(kafka_server: Kafka) -> None:
    producer = AIOKafkaProducer(**{**login(kafka_server), "sasl_plain_password": "wrong"})
    with pytest.raises(KafkaConnectionError):
        await producer.start()
    await producer.stop()


def test_the_password_is_readable_by_nobody_else(kafka_server: Kafka) -> None:
    files = [kafka_server.password_file, kafka_server.folder / "server.properties"]
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600, 0o600]


def test_a_busy_port_moves_to_a_free_one_and_says_so(run_folder: Path, kafka_server: Kafka) -> None:
    said: list[str] = []
    busy = kafka_server.port
    second = Kafka(run_folder / "kafka-second", port=busy, tell=said.append)
    second.start()
    try:
        assert (second.port != busy, said) == (True, [f"Kafka: port {busy} is busy, using {second.port}"])
    finally:
        second.close()


def test_a_killed_run_leaves_no_kafka(run_folder: Path, kafka_server: Kafka) -> None:
    code = (
        "import sys, pathlib, time; from monitor.demo.kafka import Kafka\n"
        "server = Kafka(pathlib.Path(sys.argv[1]), port=int(sys.argv[2])); server.start()\n"
        "print(*server.child.pids, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(run_folder / "kafka-killed"), str(free_port())]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
    assert run.stdout is not None
    with run.stdout:
        pids = [int(pid) for pid in run.stdout.readline().split()]
    run.send_signal(signal.SIGKILL)
    run.wait()
    until(lambda: not any(psutil.pid_exists(pid) for pid in pids))


async def test_each_test_gets_a_fresh_migrated_database(database: str) -> None:
    connection = await asyncpg.connect(database)
    try:
        assert await connection.fetchval("select count(*) from observation") == 0
    finally:
        await connection.close()


def test_a_jar_that_is_not_the_listed_one_is_refused(tmp_path: Path) -> None:
    listed = [tmp_path / name for name in jars.expected()]
    for jar in listed:
        jar.write_bytes(b"something else")
    with pytest.raises(MonitorError, match=r"not the jars of kafka-jars.sha256: HdrHistogram"):
        jars.check(listed)
