"""Migrations, and whether Kafka and PostgreSQL let us in."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from monitor import log as logs
from monitor.addresses import dsn_of, kafka_of
from monitor.config.settings import Settings
from monitor.roles import ROLES
from monitor.store.migrate import migrate as apply_migrations


class Line(NamedTuple):
    """One thing `check --connect` looked at, and what to do when it is not as it should be."""

    ok: bool
    what: str
    remedy: str = ""


def migrate(settings: Settings) -> list[str]:
    """Apply what is missing; returns the names. Raises StoreUnavailable."""
    return asyncio.run(apply_migrations(dsn_of(settings)))


def connect_report(settings: Settings) -> list[Line]:
    """Sign in to Kafka and PostgreSQL and look at everything we need there."""
    logs.hush()
    return asyncio.run(_connect_report(settings))


async def _connect_report(settings: Settings) -> list[Line]:
    from monitor.store.check import connect_lines as look_at_postgres
    from monitor.stream.check import connect_lines as look_at_kafka

    kafka = await look_at_kafka(
        kafka_of(settings),
        roles=ROLES,
        vantages=[settings.probe.vantage],
        sources={source.topic: f"count.{source.name}" for source in settings.transactions.sources},
    )
    postgres = await look_at_postgres(dsn_of(settings))
    return [Line(*line) for line in (*kafka, *postgres)]
