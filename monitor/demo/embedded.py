"""The embedded run's real parts: PostgreSQL and Kafka, each over a folder, gone when we are gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from monitor.demo.jars import Tell
from monitor.demo.kafka import Kafka
from monitor.demo.postgres import Postgres

__all__ = ["Kafka", "Postgres", "kafka", "postgres"]


@contextmanager
def postgres(folder: Path, *, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """A running PostgreSQL's address; stopped on the way out."""
    server = Postgres(folder, settings=settings)
    try:
        server.start()
        yield server.dsn
    finally:
        server.close()


@contextmanager
def kafka(
    folder: Path,
    *,
    port: int | None = None,
    users: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
    tell: Tell = lambda _: None,
) -> Iterator[Kafka]:
    """A running Kafka; stopped on the way out. The options are those of `Kafka`."""
    broker = Kafka(folder, port=port, users=users, settings=settings, tell=tell)
    try:
        broker.start()
        yield broker
    finally:
        broker.close()
