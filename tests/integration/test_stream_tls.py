"""Kafka over TLS: whoever trusts its authority is served, and whoever does not is told why not."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from aiokafka import TopicPartition

from monitor.demo import authority, embedded
from monitor.demo.kafka import free_port
from monitor.errors import MonitorError, StreamUnavailable
from monitor.stream.kafka import Kafka, ensure_topics, open_consumer, open_producer, partition_for
from monitor.stream.wire import OBSERVATIONS

SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


@pytest.fixture(scope="module")
def tls_folder(run_folder: Path) -> Path:
    return run_folder / "kafka-tls"


def wait_open(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "the door over TLS stays shut"
            time.sleep(0.02)
        else:
            return


@pytest.fixture(scope="module")
def tls_port(tls_folder: Path) -> Iterator[int]:
    """A Kafka with a door over TLS beside its usual one; the door's certificate is for 127.0.0.1 alone."""
    certificate, key = authority.issue(tls_folder, "kafka", hosts=["127.0.0.1"])
    both, port = tls_folder / "both.pem", free_port()
    both.write_bytes(key.read_bytes() + certificate.read_bytes())
    plain = "SASL_PLAINTEXT://127.0.0.1:{PORT}"
    server = embedded.Kafka(
        tls_folder / "broker",
        settings={
            "listeners": f"{plain},CONTROLLER://127.0.0.1:{{CONTROLLER_PORT}},SASL_SSL://127.0.0.1:{port}",
            "advertised.listeners": f"{plain},SASL_SSL://127.0.0.1:{port}",
            "listener.security.protocol.map": (
                "SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL"
            ),
            "listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config": SCRAM,
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(both),
        },
    )
    try:
        server.start()
    except MonitorError as error:
        server.close()
        pytest.skip(str(error).splitlines()[0])
    wait_open(port)  # it opens its doors one after the other
    yield port
    server.close()


@pytest.fixture
def kafka(tls_folder: Path, tls_port: int, topic_prefix: str) -> Kafka:
    return Kafka(
        bootstrap=f"127.0.0.1:{tls_port}",
        security="SASL_SSL",
        user=embedded.Kafka.user,
        password=(tls_folder / "broker" / "password").read_text(),
        ca=str(tls_folder / authority.AUTHORITY),
        topic_prefix=topic_prefix,
        group_prefix=topic_prefix,
    )


async def test_what_is_sent_over_tls_is_read_over_tls(kafka: Kafka) -> None:
    await ensure_topics(kafka, vantages=["main"])
    topic = kafka.topic(OBSERVATIONS)
    async with open_producer(kafka) as producer:
        await producer.send_and_wait(topic, b"value", b"key")
    async with open_consumer(kafka) as consumer:
        where = TopicPartition(topic, partition_for("key", kafka.partitions))
        consumer.assign([where])
        consumer.seek(where, 0)
        records = (await consumer.getmany(timeout_ms=10_000))[where]
    assert [(record.key, record.value) for record in records] == [(b"key", b"value")]


async def refused(kafka: Kafka) -> str:
    """What is said to whoever cannot come in."""
    with pytest.raises(StreamUnavailable) as failure:
        async with open_producer(kafka):
            pass
    return str(failure.value)


async def test_an_authority_that_did_not_sign_the_broker_is_refused(kafka: Kafka, tmp_path: Path) -> None:
    stranger = authority.ensure(tmp_path)
    said = await refused(msgspec.structs.replace(kafka, ca=str(stranger)))
    assert "CERTIFICATE_VERIFY_FAILED" in said


async def test_a_broker_under_another_name_than_its_certificates_is_refused(kafka: Kafka) -> None:
    elsewhere = kafka.bootstrap.replace("127.0.0.1", "localhost")
    said = await refused(msgspec.structs.replace(kafka, bootstrap=elsewhere))
    assert "localhost" in said


async def test_an_authority_file_that_is_not_there_is_named(kafka: Kafka) -> None:
    said = await refused(msgspec.structs.replace(kafka, ca="/nowhere/ca.pem"))
    assert "/nowhere/ca.pem" in said


async def test_a_wrong_password_over_tls_says_so_and_shows_none(kafka: Kafka) -> None:
    said = await refused(msgspec.structs.replace(kafka, password="not-the-password"))
    assert "uthentication" in said
    assert "not-the-password" not in said
