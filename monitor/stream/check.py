"""`continuity check --connect`, the Kafka half: signs in and says per topic and group OK, or the remedy.

Whether something is allowed is found by asking for it in a way that changes nothing: a fetch of nothing, a
batch with a broken checksum (the broker looks at the permission first), a heartbeat of nobody.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.group import HeartbeatRequest
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from monitor.errors import StreamUnavailable
from monitor.stream.kafka import REQUEST_S, Kafka, Topic, cluster_id, open_admin, reachable, topics
from monitor.stream.wire import CATALOGUE, OBSERVATIONS, REQUESTS, TRANSACTIONS

ROLES = ("probe", "ingest", "count", "derive", "web", "notify", "report")
NO_SOURCES: Mapping[str, str] = {}
DENIED: int = TopicAuthorizationFailedError.errno
KEYED = (OBSERVATIONS, REQUESTS)  # topics whose partitions are shards: their number must be as configured


class Line(NamedTuple):
    """One finding: whether it is well, what was looked at, and what to do when it is not."""

    ok: bool
    what: str
    remedy: str = ""


class Need(NamedTuple):
    """What these roles do with one topic."""

    topic: Topic
    operations: tuple[str, ...]  # Read | Write
    keyed: bool
    ours: bool = True  # others make their topics themselves


async def connect_lines(
    kafka: Kafka,
    *,
    roles: Sequence[str] = ROLES,
    vantages: Sequence[str] = ("main",),
    sources: Mapping[str, str] = NO_SOURCES,
) -> list[Line]:
    """Findings in the order of the topics; `sources` are topics of others, with the group that reads each.

    Raises nothing for what it is there to find out.
    """
    needs = _needs(kafka, roles, vantages)
    if "count" in roles:
        needs += [Need(Topic(name, 0, {}), ("Read",), keyed=False, ours=False) for name in sources]
    groups = _groups(kafka, roles, vantages)
    groups += [kafka.group(group) for group in sources.values() if "count" in roles]
    try:
        async with open_admin(kafka) as admin:
            with reachable():
                cluster = await cluster_id(admin._client)
                lines = [Line(True, f"Kafka at {kafka.bootstrap}: signed in{_as(kafka)}, cluster {cluster}")]
                described = await _described(admin, [need.topic.name for need in needs])
                for need in needs:
                    lines += await _topic_lines(kafka, admin, need, described.get(need.topic.name))
                for group in groups:
                    lines.append(await _group_line(kafka, admin, group))
                return lines
    except StreamUnavailable as error:
        return [Line(False, str(error), _sign_in_remedy(kafka, str(error)))]


def _needs(kafka: Kafka, roles: Sequence[str], vantages: Sequence[str]) -> list[Need]:
    """Every topic these roles touch, with the operations."""
    operations: defaultdict[str, set[str]] = defaultdict(set)
    if "derive" in roles:
        operations[kafka.topic(CATALOGUE)].add("Write")
        for vantage in vantages:  # what a failure may follow from is asked at once
            operations[kafka.topic(REQUESTS + vantage)].add("Write")
    if "ingest" in roles:
        operations[kafka.topic(OBSERVATIONS)].add("Read")
    if "count" in roles:
        operations[kafka.topic(TRANSACTIONS)].add("Read")
    if "probe" in roles:
        operations[kafka.topic(CATALOGUE)].add("Read")  # roles with a database read it there
        operations[kafka.topic(OBSERVATIONS)].add("Write")
        for vantage in vantages:
            operations[kafka.topic(REQUESTS + vantage)] |= {"Read", "Write"}
    if "web" in roles:
        operations[kafka.topic(TRANSACTIONS)].add("Write")
    keyed = tuple(kafka.topic(name) for name in KEYED)
    return [
        Need(topic, tuple(sorted(operations[topic.name])), topic.name.startswith(keyed))
        for topic in topics(kafka, vantages)
        if topic.name in operations
    ]


def _groups(kafka: Kafka, roles: Sequence[str], vantages: Sequence[str]) -> list[str]:
    names = [role for role in ("ingest", "count") if role in roles]
    names += [f"probers.{vantage}" for vantage in vantages if "probe" in roles]
    return [kafka.group(name) for name in names]


async def _described(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, dict[str, Any]]:
    """By name; asked in the one way that never creates a topic by accident."""
    answer = await _ask(admin, MetadataRequest(names, allow_auto_topic_creation=False))
    return {topic["topic"]: topic for topic in answer.to_object()["topics"]}


async def _topic_lines(
    kafka: Kafka, admin: AIOKafkaAdminClient, need: Need, described: dict[str, Any] | None
) -> list[Line]:
    name = need.topic.name
    code = UnknownTopicOrPartitionError.errno if described is None else described["error_code"]
    if code == DENIED:
        return [Line(False, f"topic {name}: {kafka.user} may not see it", _acl(kafka, need, need.operations))]
    if code == UnknownTopicOrPartitionError.errno:
        return [_missing(kafka, need)]
    assert described is not None
    lines = [*_partitions(kafka, need, described), *await _settings(kafka, admin, need)]
    lines += await _permissions(kafka, admin, need, described)
    return lines or [Line(True, f"topic {name}: {len(described['partitions'])} partitions, settings, access")]


def _missing(kafka: Kafka, need: Need) -> Line:
    topic = need.topic
    if not need.ours:
        remedy = "mend `topic` of `transactions.sources`, or make it"
        return Line(False, f"topic {topic.name}: there is no such topic", remedy)
    if kafka.create_topics:
        return Line(True, f"topic {topic.name}: not there yet, is made at the first start")
    configs = "".join(f" --config {name}={value}" for name, value in topic.configs.items())
    return Line(
        False,
        f"topic {topic.name}: missing",
        f"kafka-topics.sh --bootstrap-server {kafka.bootstrap} --create --topic {topic.name}"
        f" --partitions {topic.partitions} --replication-factor {kafka.replication_factor}{configs}",
    )


def _partitions(kafka: Kafka, need: Need, described: dict[str, Any]) -> list[Line]:
    there = len(described["partitions"])
    if not need.keyed or there == need.topic.partitions:
        return []
    remedy = f"set kafka.partitions: {there}"
    if there < need.topic.partitions:
        remedy += (
            f", or before the first run kafka-topics.sh --bootstrap-server {kafka.bootstrap} --alter"
            f" --topic {need.topic.name} --partitions {need.topic.partitions}"
        )
    what = f"topic {need.topic.name}: {there} partitions, the settings say {need.topic.partitions}"
    return [Line(False, what, remedy)]


async def _settings(kafka: Kafka, admin: AIOKafkaAdminClient, need: Need) -> list[Line]:
    """Only what a wrong value would break: the append time is the clock, compaction keeps the catalogue."""
    [answer] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, need.topic.name)])
    code, _, _, _, entries = answer.resources[0]
    if code:  # reading settings is one more permission, and nothing here needs it
        return []
    found = {entry[0]: entry[1] for entry in entries}
    vital = ("message.timestamp.type", "cleanup.policy")
    wrong = {n: v for n, v in need.topic.configs.items() if n in vital and found.get(n) != v}
    if not wrong:
        return []
    said = ", ".join(f"{name} is {found.get(name)}, not {value}" for name, value in wrong.items())
    configs = ",".join(f"{name}={value}" for name, value in wrong.items())
    remedy = (
        f"kafka-configs.sh --bootstrap-server {kafka.bootstrap} --alter --entity-type topics"
        f" --entity-name {need.topic.name} --add-config {configs}"
    )
    return [Line(False, f"topic {need.topic.name}: {said}", remedy)]


async def _permissions(
    kafka: Kafka, admin: AIOKafkaAdminClient, need: Need, described: dict[str, Any]
) -> list[Line]:
    first = min(described["partitions"], key=lambda partition: int(partition["partition"]))
    try_it = {"Read": _may_read, "Write": _may_write}
    denied = [
        operation
        for operation in need.operations
        if not await try_it[operation](admin, need.topic.name, first["leader"])
    ]
    if not denied:
        return []
    what = f"topic {need.topic.name}: {kafka.user or 'this user'} may not {' or '.join(denied).lower()}"
    return [Line(False, what, _acl(kafka, need, denied))]


async def _may_read(admin: AIOKafkaAdminClient, topic: str, leader: int) -> bool:
    answer = await _ask(admin, FetchRequest(0, 0, 1, 0, [(topic, [(0, 0, 1)])]), leader)
    return _code(answer) != DENIED


async def _may_write(admin: AIOKafkaAdminClient, topic: str, leader: int) -> bool:
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=0, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=-1,
        batch_size=1024,
    )  # fmt: skip
    builder.append(0, timestamp=None, key=b"check", value=b"", headers=[])
    batch = builder.build()
    batch[-1] ^= 0xFF  # after its checksum was made: whoever may write is told that it is corrupt
    answer = await _ask(admin, ProduceRequest(None, -1, 5_000, [(topic, [(0, bytes(batch))])]), leader)
    return _code(answer) != DENIED


async def _group_line(kafka: Kafka, admin: AIOKafkaAdminClient, group: str) -> Line:
    answer = await _ask(admin, HeartbeatRequest(group, 0, "check"))
    if answer.error_code != GroupAuthorizationFailedError.errno:
        return Line(True, f"group {group}: access")
    remedy = f"{_acls(kafka)} --operation Read --group {group}"
    return Line(False, f"group {group}: {kafka.user or 'this user'} may not join it", remedy)


async def _ask(admin: AIOKafkaAdminClient, request: Any, node: int | None = None) -> Any:
    async with asyncio.timeout(REQUEST_S):
        return await admin._send_request(request, node)


def _code(answer: Any) -> int:
    """The error code of the first partition of a fetch or produce answer."""
    code: int = answer.topics[0][1][0][1]
    return code


def _acl(kafka: Kafka, need: Need, operations: Sequence[str]) -> str:
    wanted = "".join(f" --operation {operation}" for operation in [*operations, "Describe"])
    return f"{_acls(kafka)}{wanted} --topic {need.topic.name}"


def _acls(kafka: Kafka) -> str:
    principal = f"User:{kafka.user or 'ANONYMOUS'}"
    return f"kafka-acls.sh --bootstrap-server {kafka.bootstrap} --add --allow-principal {principal}"


def _as(kafka: Kafka) -> str:
    return f" as {kafka.user}" if kafka.user else ""


def _sign_in_remedy(kafka: Kafka, said: str) -> str:
    if "uthentication" in said:
        return (
            f"check the user ({kafka.user}), the mechanism ({kafka.mechanism}) and the password's reference"
        )
    if "TLS" in said or "SSL" in said or "certificate" in said:
        return "check kafka.security, kafka.ca, kafka.certificate and kafka.key"
    return f"is Kafka running at {kafka.bootstrap}, and does it listen with {kafka.security}?"
