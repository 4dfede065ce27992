"""`check --connect` says of every topic and group OK or the exact remedy, and changes nothing by looking."""

from __future__ import annotations

import time

import msgspec
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import NewTopic

from monitor.demo import embedded
from monitor.stream.check import connect_lines
from monitor.stream.kafka import Kafka, ensure_topics, open_admin, open_consumer
from monitor.stream.wire import CATALOGUE, OBSERVATIONS, REQUESTS
from tests.conftest import KAFKA_USERS, Allow

ALL = ("probe", "ingest", "derive")


@pytest.fixture
def kafka(kafka_server: embedded.Kafka, topic_prefix: str) -> Kafka:
    """The super user's way in; topics may not be made."""
    return Kafka(
        bootstrap=kafka_server.bootstrap,
        security=kafka_server.protocol,
        mechanism=kafka_server.mechanism,
        user=kafka_server.user,
        password=kafka_server.password,
        topic_prefix=topic_prefix,
        group_prefix=topic_prefix,
        create_topics=False,
    )


def made(kafka: Kafka) -> Kafka:
    return msgspec.structs.replace(kafka, create_topics=True)


def as_user(kafka: Kafka, name: str) -> Kafka:
    return msgspec.structs.replace(kafka, user=name, password=KAFKA_USERS[name])


async def remedies(kafka: Kafka, *roles: str) -> list[str]:
    return [line.remedy for line in await connect_lines(kafka, roles=roles) if not line.ok]


async def test_everything_in_place_is_said_to_be(kafka: Kafka) -> None:
    await ensure_topics(made(kafka), vantages=["main"])
    lines = await connect_lines(kafka, roles=ALL)
    assert [line.ok for line in lines] == [True] * 6  # signing in, three topics, two groups


async def test_looking_writes_nothing(kafka: Kafka) -> None:
    await ensure_topics(made(kafka), vantages=["main"])
    await connect_lines(kafka, roles=ALL)
    async with open_consumer(kafka) as consumer:
        tps = [TopicPartition(kafka.topic(name), 0) for name in (OBSERVATIONS, CATALOGUE, REQUESTS + "main")]
        consumer.assign(tps)
        ends = await consumer.end_offsets(tps)
    assert set(ends.values()) == {0}


async def test_a_missing_topic_comes_with_the_line_that_makes_it(kafka: Kafka) -> None:
    at, name = kafka.bootstrap, kafka.topic(OBSERVATIONS)
    assert (
        f"kafka-topics.sh --bootstrap-server {at} --create --topic {name} --partitions 12"
        " --replication-factor 1 --config message.timestamp.type=LogAppendTime"
    ) in await remedies(kafka, "ingest")


async def test_a_missing_topic_that_we_may_make_is_no_fault(kafka: Kafka) -> None:
    assert await remedies(made(kafka), *ALL) == []


async def test_a_wrong_number_of_partitions_and_a_wrong_clock_are_said(kafka: Kafka) -> None:
    at, name = kafka.bootstrap, kafka.topic(OBSERVATIONS)
    wrong = {"message.timestamp.type": "CreateTime"}
    async with open_admin(kafka) as admin:
        await admin.create_topics([NewTopic(name, 3, 1, topic_configs=wrong)])
    await ensure_topics(made(kafka), vantages=["main"])
    partitions = (
        f"set kafka.partitions: 3, or before the first run kafka-topics.sh --bootstrap-server {at} --alter"
        f" --topic {name} --partitions 12"
    )
    clock = (
        f"kafka-configs.sh --bootstrap-server {at} --alter --entity-type topics --entity-name {name}"
        " --add-config message.timestamp.type=LogAppendTime"
    )
    assert await remedies(kafka, "probe") == [partitions, clock]


async def test_a_user_without_rules_is_given_them_word_by_word(kafka: Kafka) -> None:
    await ensure_topics(made(kafka), vantages=["main"])
    acl = f"kafka-acls.sh --bootstrap-server {kafka.bootstrap} --add --allow-principal User:stranger"
    assert await remedies(as_user(kafka, "stranger"), "probe") == [
        f"{acl} --operation Write --operation Describe --topic {kafka.topic(OBSERVATIONS)}",
        f"{acl} --operation Read --operation Describe --topic {kafka.topic(CATALOGUE)}",
        f"{acl} --operation Read --operation Write --operation Describe --topic {kafka.topic(REQUESTS)}main",
        f"{acl} --operation Read --group {kafka.group('probers.main')}",
    ]


async def test_only_the_operation_that_is_missing_is_named(kafka: Kafka, allow: Allow) -> None:
    await ensure_topics(made(kafka), vantages=["main"])
    await allow("ingest", topic=kafka.topic_prefix, operations=("read", "describe"))
    await allow("ingest", group=kafka.group_prefix, operations=("read",))
    acl = f"kafka-acls.sh --bootstrap-server {kafka.bootstrap} --add --allow-principal User:ingest"
    deadline = time.monotonic() + 10
    while await remedies(as_user(kafka, "ingest"), "ingest"):  # a rule takes force a moment later
        assert time.monotonic() < deadline
    assert await remedies(as_user(kafka, "ingest"), "derive") == [
        f"{acl} --operation Write --operation Describe --topic {kafka.topic(CATALOGUE)}",
        f"{acl} --operation Write --operation Describe --topic {kafka.topic(REQUESTS)}main",
    ]


async def test_a_topic_of_others_must_be_there_and_readable_with_its_group(
    kafka: Kafka, allow: Allow
) -> None:
    await ensure_topics(made(kafka), vantages=["main"])
    theirs, absent = kafka.topic("orders"), kafka.topic("absent")
    async with open_admin(kafka) as admin:
        await admin.create_topics([NewTopic(theirs, 3, 1)])
    await allow("count", topic=kafka.topic("continuity"), operations=("read", "describe"))
    await allow("count", group=kafka.group("count"), operations=("read",), exact=True)
    await allow("count", topic=absent, operations=("describe",), exact=True)
    acl = f"kafka-acls.sh --bootstrap-server {kafka.bootstrap} --add --allow-principal User:count"
    wanted = [
        f"{acl} --operation Read --operation Describe --topic {theirs}",
        "mend `topic` of `transactions.sources`, or make it",
        f"{acl} --operation Read --group {kafka.group('count.portal')}",
        f"{acl} --operation Read --group {kafka.group('count.other')}",
    ]
    sources = {theirs: "count.portal", absent: "count.other"}
    deadline = time.monotonic() + 10
    while (
        found := await bad(as_user(kafka, "count"), sources)
    ) != wanted:  # a rule takes force a moment later
        assert time.monotonic() < deadline, found


async def bad(kafka: Kafka, sources: dict[str, str]) -> list[str]:
    """The remedies, also where we may make topics: theirs are never ours to make."""
    lines = await connect_lines(made(kafka), roles=["count"], sources=sources)
    return [line.remedy for line in lines if not line.ok]


async def test_a_wrong_password_is_one_line(kafka: Kafka) -> None:
    [line] = await connect_lines(msgspec.structs.replace(kafka, password="wrong"), roles=ALL)
    assert (line.ok, "uthentication failed" in line.what, "password" in line.remedy) == (False, True, True)


async def test_a_broker_that_is_away_is_one_line(kafka: Kafka) -> None:
    [line] = await connect_lines(msgspec.structs.replace(kafka, bootstrap="127.0.0.1:1"), roles=ALL)
    assert (line.ok, line.remedy) == (
        False,
        "is Kafka running at 127.0.0.1:1, and does it listen with SASL_PLAINTEXT?",
    )
