"""Kafka: how to reach it, its topics, and the one place where "Kafka is away" gets its name."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import create_conn
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, TopicAuthorizationFailedError, for_code
from aiokafka.helpers import create_ssl_context
from aiokafka.partitioner import murmur2
from aiokafka.protocol.metadata import MetadataRequest

from monitor.errors import StreamUnavailable
from monitor.log import Log
from monitor.stream.alive import stop_admin, stop_consumer, stop_producer
from monitor.stream.wire import CATALOGUE, OBSERVATIONS, REQUESTS, TRANSACTIONS

log = Log(__name__)

REQUEST_S = 10.0
CLOSE_S = 3.0
BATCH_BYTES = 512 * 1024
FETCH_BYTES = 8 * 1024 * 1024  # of one answer; with what is prefetched, at most about twice this in memory
PARTITION_BYTES = 1024 * 1024
CATALOGUE_BYTES = 8 * 1024 * 1024
REQUESTS_KEPT_MS = 10 * 60 * 1000


class Kafka(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach Kafka and what our topics are called there. Secrets are already resolved."""

    bootstrap: str  # host:port, several by commas
    topic_prefix: str = ""
    group_prefix: str = ""
    security: str = "PLAINTEXT"  # PLAINTEXT | SSL | SASL_PLAINTEXT | SASL_SSL
    mechanism: str = "SCRAM-SHA-256"
    user: str = ""
    password: str = ""
    ca: str = ""  # path of a PEM file
    certificate: str = ""
    key: str = ""
    replication_factor: int = 1
    partitions: int = 12
    create_topics: bool = True

    def topic(self, name: str) -> str:
        """The name of one of our topics on this cluster."""
        return self.topic_prefix + name

    def group(self, name: str) -> str:
        """The name of one of our consumer groups on this cluster."""
        return self.group_prefix + name

    def sign_in(self) -> dict[str, Any]:
        """What every client of this cluster is opened with. Raises StreamUnavailable for a bad TLS file."""
        settings: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": self.security,
            "request_timeout_ms": int(REQUEST_S * 1000),
        }
        if self.security.endswith("SSL"):
            settings["ssl_context"] = self._tls()
        if self.security.startswith("SASL"):
            settings["sasl_mechanism"] = self.mechanism
            settings["sasl_plain_username"], settings["sasl_plain_password"] = self.user, self.password
        return settings

    def _tls(self) -> ssl.SSLContext:
        try:
            context: ssl.SSLContext = create_ssl_context(
                cafile=self.ca or None, certfile=self.certificate or None, keyfile=self.key or None
            )
        except OSError as error:  # ssl.SSLError is one
            names = ", ".join(name for name in (self.ca, self.certificate, self.key) if name)
            raise StreamUnavailable(f"Kafka: the TLS files cannot be read ({names}): {error}") from error
        return context


class Topic(NamedTuple):
    """A topic as it should be."""

    name: str
    partitions: int
    configs: dict[str, str]


def topics(kafka: Kafka, vantages: Sequence[str]) -> list[Topic]:
    """Every topic this version uses, as it should be on this cluster."""
    by_append = {"message.timestamp.type": "LogAppendTime"}
    short = {**by_append, "retention.ms": str(REQUESTS_KEPT_MS)}
    newest = {**by_append, "cleanup.policy": "compact", "max.message.bytes": str(CATALOGUE_BYTES)}
    return [
        Topic(kafka.topic(OBSERVATIONS), kafka.partitions, by_append),
        Topic(kafka.topic(TRANSACTIONS), kafka.partitions, by_append),
        Topic(kafka.topic(CATALOGUE), 1, newest),
        *(Topic(kafka.topic(REQUESTS + vantage), kafka.partitions, short) for vantage in vantages),
    ]


@lru_cache(maxsize=65_536)
def partition_for(key: str, partitions: int) -> int:
    """The partition Kafka's default partitioner gives this key."""
    hashed: int = murmur2(key.encode())
    return (hashed & 0x7FFFFFFF) % partitions


@contextmanager
def reachable() -> Iterator[None]:
    """Raises StreamUnavailable for whatever says that Kafka cannot answer now."""
    try:
        yield
    except (KafkaError, OSError, TimeoutError) as error:
        raise StreamUnavailable(f"Kafka: {_said(error)}") from error


@asynccontextmanager
async def open_producer(kafka: Kafka, **settings: Any) -> AsyncIterator[AIOKafkaProducer]:
    """A producer that is idempotent and waits for every replica. Raises StreamUnavailable."""
    producer = AIOKafkaProducer(
        **kafka.sign_in(), enable_idempotence=True, acks="all", max_batch_size=BATCH_BYTES, **settings
    )
    try:
        await _start(kafka, producer)
        yield producer
    finally:
        await stop_producer(producer, within_s=CLOSE_S)


@asynccontextmanager
async def open_consumer(kafka: Kafka, **settings: Any) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer that commits nothing by itself and holds bounded bytes. Raises StreamUnavailable."""
    consumer = AIOKafkaConsumer(
        **{
            **kafka.sign_in(),
            "enable_auto_commit": False,
            "auto_offset_reset": "none",
            "fetch_max_bytes": FETCH_BYTES,
            "max_partition_fetch_bytes": PARTITION_BYTES,
            "metadata_max_age_ms": 5_000,  # a topic seen while it was being made is seen whole soon
            **settings,
        }
    )
    try:
        await _start(kafka, consumer)
        yield consumer
    finally:
        await stop_consumer(consumer, within_s=CLOSE_S)


@asynccontextmanager
async def open_admin(kafka: Kafka) -> AsyncIterator[AIOKafkaAdminClient]:
    """A client that asks about the cluster. Raises StreamUnavailable."""
    admin = AIOKafkaAdminClient(**kafka.sign_in())
    try:
        await _start(kafka, admin)
        yield admin
    finally:
        await stop_admin(admin, within_s=CLOSE_S)


def sticky() -> type[StickyPartitionAssignor]:
    """A sticky assignor of one's own: aiokafka's keeps the last assignment on the class, shared by all."""
    return type("Sticky", (StickyPartitionAssignor,), {"member_assignment": None, "generation": -1})


async def ensure_topics(kafka: Kafka, *, vantages: Sequence[str]) -> None:
    """Make the topics that are missing, unless `create_topics` is off. Raises StreamUnavailable."""
    if not kafka.create_topics:
        return
    async with open_admin(kafka) as admin:
        wanted = topics(kafka, vantages)
        with reachable():
            there = set(await admin.list_topics())
            missing = [topic for topic in wanted if topic.name not in there]
            if missing:
                await _create(admin, missing, kafka.replication_factor)
            await _until_led(admin, [topic.name for topic in wanted])  # another role may be making them


async def cluster_id(client: AIOKafkaClient) -> str:
    """The identity of the cluster an open client speaks to. Raises StreamUnavailable."""
    with reachable():
        async with asyncio.timeout(REQUEST_S):
            answer = await client.send(client.get_random_node(), MetadataRequest([]))
    return str(answer.cluster_id)


async def _create(admin: AIOKafkaAdminClient, missing: list[Topic], replication_factor: int) -> None:
    answer = await admin.create_topics(
        [NewTopic(t.name, t.partitions, replication_factor, topic_configs=t.configs) for t in missing]
    )
    for name, code, *said in answer.topic_errors:
        error = for_code(code)
        if error is TopicAuthorizationFailedError:
            raise StreamUnavailable(f"Kafka: {name} is missing and may not be created by this user")
        if code and error is not TopicAlreadyExistsError:
            why = said[0] if said else error.__name__
            raise StreamUnavailable(f"Kafka: {name} could not be created: {why}")
        log.info("kafka.topic_created", topic=name)


async def _until_led(admin: AIOKafkaAdminClient, names: list[str]) -> None:
    """A topic just made has no leader for a moment; whoever uses it then sees an error."""
    async with asyncio.timeout(REQUEST_S):
        while True:
            described = await admin.describe_topics(names)
            if all(not t["error_code"] and all(p["leader"] >= 0 for p in t["partitions"]) for t in described):
                return
            await asyncio.sleep(0.1)


async def _start(kafka: Kafka, client: Any) -> None:
    try:
        async with asyncio.timeout(REQUEST_S * 2):
            await client.start()
    except (KafkaError, OSError, TimeoutError) as error:
        why = await _why_not(kafka) or _said(error)
        raise StreamUnavailable(f"Kafka at {kafka.bootstrap}: {why}") from error


async def _why_not(kafka: Kafka) -> str:
    """What the first broker really answers: aiokafka only says that it could not bootstrap."""
    settings = kafka.sign_in()
    host, _, port = settings.pop("bootstrap_servers").split(",")[0].rpartition(":")
    try:
        async with asyncio.timeout(REQUEST_S):
            connection = await create_conn(host.strip("[]"), int(port), **settings)
    except (KafkaError, OSError, TimeoutError, ValueError) as error:
        return _said(error)
    connection.close()
    return ""


def _said(error: BaseException) -> str:
    text = str(error)
    return text if isinstance(error, KafkaError) and text else f"{type(error).__name__}: {text}".rstrip(": ")
