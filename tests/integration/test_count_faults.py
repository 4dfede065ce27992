"""Whatever dies, freezes, restarts or joins: the counts equal the senders' ledger exactly."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from monitor.demo.embedded import Kafka, Postgres
from monitor.stream.wire import TRANSACTIONS
from tests.integration import sender as senders
from tests.integration.monitor_process import (
    PARTITIONS,
    Monitor,
    create_database,
    monitor,
    super_user,
    until,
)
from tests.integration.sender import Sender, differences, send


@pytest.fixture(scope="module")
def installed(
    kafka_server: Kafka,
    postgres_server: Postgres,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Monitor]:
    """One counter, and who publishes the catalogue."""
    dsn, folder = create_database(postgres_server, migrated_template), tmp_path_factory.mktemp("counting")
    prefix = f"counting-{time.time_ns()}."
    with monitor(folder, kafka=kafka_server, dsn=dsn, prefix=prefix) as made:
        made.catalogue(senders.catalogue())
        for role in ("derive", "count"):
            made.start(role)
        yield made


@pytest.fixture(scope="module")
def sender() -> Sender:
    return Sender(7, partitions=PARTITIONS)


async def all_counted(running: Monitor, at_ms: float) -> bool:
    """Whether every partition was counted up to that instant."""
    clock = await running.value(
        "select case when count(judged_until) = $1 "
        "then (extract(epoch from min(judged_until)) * 1000)::bigint else 0 end "
        "from stream_offset where topic = $2",
        PARTITIONS,
        running.prefix + TRANSACTIONS,
    )
    return bool(clock >= at_ms)


async def settled(running: Monitor) -> None:
    at_ms = time.time() * 1000
    await until(lambda: all_counted(running, at_ms), within_s=60, what="not everything was counted")


async def test_undisturbed_every_message_counts_once(
    installed: Monitor, kafka_server: Kafka, sender: Sender
) -> None:
    await send(super_user(kafka_server, installed.prefix), sender, 5_000)
    await settled(installed)
    assert await differences(installed.dsn, sender) == []
