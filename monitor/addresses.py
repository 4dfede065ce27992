"""Settings into what the rooms take: addresses with their secrets in place."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import metadata
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

import msgspec

from monitor.config.settings import Settings, secret
from monitor.errors import UsageError
from monitor.store.pool import Store, open_store

if TYPE_CHECKING:
    from monitor.stream.kafka import Kafka

REPLACE = "CONTINUITY_REPLACE"  # JSON: pieces of the catalogue to swap, as {"host:port": "host:port"}


def version() -> str:
    """The version of this program, or "unknown" when it runs from a bare tree."""
    try:
        return metadata.version("continuity-monitor")
    except metadata.PackageNotFoundError:
        return "unknown"


def replacements() -> Mapping[str, str]:
    """What the demo moved: pieces of the catalogue to swap. Raises UsageError."""
    text = os.environ.get(REPLACE)
    if not text:
        return {}
    try:
        return msgspec.json.decode(text, type=dict[str, str])
    except msgspec.DecodeError as error:
        raise UsageError(f"{REPLACE} must be a JSON object of texts: {error}") from error


def kafka_of(settings: Settings) -> Kafka:
    """Kafka's address with its secrets resolved. Raises SecretUnavailable."""
    from monitor.stream.kafka import Kafka

    given = settings.kafka
    return Kafka(
        bootstrap=",".join(given.bootstrap),
        topic_prefix=given.topic_prefix,
        group_prefix=given.group_prefix,
        security=given.security.upper(),
        mechanism=given.mechanism,
        user=given.user,
        password=secret(given.password),
        ca=given.ca,
        certificate=given.certificate,
        key=given.key,
        replication_factor=given.replication_factor,
        partitions=given.partitions,
        create_topics=given.create_topics,
    )


def dsn_of(settings: Settings) -> str:
    """PostgreSQL's address with its password in place. Raises SecretUnavailable."""
    password = secret(settings.postgres.password)
    if not password:
        return settings.postgres.dsn
    parts = urlsplit(settings.postgres.dsn)
    user, _, host = parts.netloc.rpartition("@")
    signed = f"{user.split(':')[0]}:{quote(password, safe='')}@{host}"
    return urlunsplit(parts._replace(netloc=signed))


@asynccontextmanager
async def stored(settings: Settings) -> AsyncIterator[Store]:
    """The store, opened for one command."""
    async with open_store(dsn_of(settings), size=2, application="continuity command") as store:
        yield store
