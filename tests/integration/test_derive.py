"""The leader on a real PostgreSQL: the catalogue as versions, and what follows from measured verdicts."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from monitor.errors import LeaseLost, StreamUnavailable
from monitor.judge.derive import Derive
from monitor.judge.publishing import Publisher
from monitor.metrics import DeriveMetrics
from monitor.model import Version
from monitor.store import changes
from monitor.store.changes import ChangeRow
from monitor.store.lease import Lease
from monitor.store.listen import Bell
from monitor.store.pool import Store, open_store

FILE = """
systems:
  - slug: identity
    checks: [tcp://127.0.0.1:1]
services:
  - slug: passport
    url: http://127.0.0.1:1/passport
    depends: [identity]
  - slug: permit
    channels:
      - kind: web
        checks: []
        depends: [identity]
"""


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with open_store(database) as opened:
        yield opened


class Leader:
    """One derive process, driven by hand."""

    def __init__(self, store: Store, folder: Path, *, holder: str = "one") -> None:
        self.store, self.file, self.sent = store, folder / "monitor.yaml", list[Version]()
        self.kafka_away = False
        self.metrics = DeriveMetrics(CollectorRegistry())
        self.lease = Lease(store, role="derive", holder=holder)
        self.publisher = Publisher(
            store, self.send, folder=folder, replace={}, lease=self.lease, metrics=self.metrics
        )
        self.derive = Derive(store, self.publisher, lease=self.lease, metrics=self.metrics, bell=Bell())

    async def send(self, version: Version) -> None:
        if self.kafka_away:
            raise StreamUnavailable("Kafka is away")
        self.sent.append(version)

    async def edit(self, text: str) -> None:
        self.file.write_text(text)
        await self.publisher.look()

    async def measured(self, subject: str, *steps: tuple[int, str]) -> None:
        rows = [ChangeRow("measured", subject, at, verdict, "ok", "", "[]", 1) for at, verdict in steps]
        async with self.store.transaction() as connection:
            await changes.add(connection, rows)

    async def effective(self, subject: str) -> list[tuple[int, str, str]]:
        """(ms, verdict, cause) of the standing effective changes, without the unknown at the start."""
        async with self.store.connection() as connection:
            found = await changes.standing(connection, layer="effective", subjects=[subject], from_ms=0)
        told = [(row.at_ms, row.verdict, row.cause) for row in found.get(subject, [])]
        return told[1:] if told and told[0][1] == "unknown" else told


@pytest.fixture
async def leader(store: Store, tmp_path: Path) -> Leader:
    made = Leader(store, tmp_path)
    await made.lease.take_or_renew()
    await made.edit(FILE)
    async with store.transaction() as connection:  # as if it had been in force for an hour
        await connection.execute("update catalogue set valid_from = valid_from - interval '1 h'")
    return made


def now_ms() -> int:
    return int(time.time() * 1000)


async def test_the_files_become_one_version_however_often_they_are_read(leader: Leader) -> None:
    leader.publisher.reload()
    await leader.publisher.look()
    await leader.edit(FILE + "\n# a comment changes nothing\n")
    async with leader.store.connection() as connection:
        stored = await connection.fetchval("select count(*) from catalogue")
    assert (stored, {version.serial for version in leader.sent}) == (1, {1})


async def test_a_bad_edit_changes_nothing_and_says_so_until_it_is_mended_t39(leader: Leader) -> None:
    await leader.edit(FILE + "\nservises: []\n")
    async with leader.store.connection() as connection:
        refused = await connection.fetchval("select problems::text from refused")
        stored = await connection.fetchval("select count(*) from catalogue")
    await leader.edit(FILE)
    async with leader.store.connection() as connection:
        later = await connection.fetchval("select count(*) from refused")
    assert ("servises" in refused, stored, later) == (True, 1, 0)


async def test_a_version_that_kafka_did_not_take_is_sent_again(leader: Leader) -> None:
    leader.kafka_away = True
    await leader.edit(FILE.replace("slug: permit", "slug: permits"))
    leader.kafka_away = False
    await leader.publisher.look()
    assert [version.serial for version in leader.sent] == [1, 2]


async def test_a_new_leader_sends_the_version_in_force_once_more(leader: Leader, tmp_path: Path) -> None:
    await leader.lease.give_up()
    second = Leader(leader.store, tmp_path, holder="two")
    await second.lease.take_or_renew()
    await second.publisher.look()
    assert [version.serial for version in second.sent] == [1]


async def test_a_leader_that_lost_its_lease_publishes_nothing_t44(leader: Leader) -> None:
    async with leader.store.connection() as connection:
        await connection.execute("update lease set epoch = epoch + 1, holder = 'two'")
    with pytest.raises(LeaseLost):
        await leader.edit(FILE.replace("slug: permit", "slug: permits"))


async def test_membership_says_who_sums_into_whom_and_from_when(leader: Leader) -> None:
    await leader.edit(FILE.replace("slug: permit", "slug: permits"))
    async with leader.store.connection() as connection:
        rows = await connection.fetch(
            "select subject, parent, upper_inf(during) as goes_on from membership order by subject, parent"
        )
    assert [tuple(row) for row in rows] == [
        ("service:passport", "government", True),
        ("service:passport/web", "service:passport", True),
        ("service:permit", "government", False),
        ("service:permit/web", "service:permit", False),
        ("service:permits", "government", True),
        ("service:permits/web", "service:permits", True),
        ("system:identity", "systems", True),
    ]


async def test_what_a_system_blocks_goes_down_with_it_and_names_it(leader: Leader) -> None:
    start = now_ms() - 600_000
    await leader.measured("service:passport/web", (start, "up"))
    await leader.measured("system:identity", (start, "up"), (start + 60_000, "down"))
    await leader.derive.follow()
    assert (await leader.effective("service:passport"), await leader.effective("service:permit")) == (
        [(start, "up", ""), (start + 60_000, "down", "system:identity")],
        [(start, "up", ""), (start + 60_000, "down", "system:identity")],
    )


async def test_a_correction_of_the_past_is_followed_to_the_services(leader: Leader) -> None:
    start = now_ms() - 600_000
    await leader.measured("service:passport/web", (start, "up"), (start + 60_000, "down"))
    await leader.derive.follow()
    async with leader.store.transaction() as connection:
        await changes.withdraw(connection, [("measured", "service:passport/web", start + 60_000)])
    await leader.derive.follow()
    assert await leader.effective("service:passport") == [(start, "up", "")]


async def test_a_restarted_leader_goes_on_from_its_place_and_repeats_nothing(
    leader: Leader, tmp_path: Path
) -> None:
    start = now_ms() - 600_000
    await leader.measured("service:passport/web", (start, "up"))
    await leader.derive.follow()
    await leader.lease.give_up()
    second = Leader(leader.store, tmp_path, holder="two")
    await second.lease.take_or_renew()
    await second.derive.follow()
    await second.measured("service:passport/web", (start + 60_000, "down"))
    await second.derive.follow()
    assert (await second.effective("service:passport"), second.metrics.changes._value.get()) == (
        [(start, "up", ""), (start + 60_000, "down", "")],
        2,
    )
