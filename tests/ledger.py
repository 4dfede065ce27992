"""A small government whose changes, memberships and exclusions a test writes by hand, at times it chooses."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
from prometheus_client import CollectorRegistry

from monitor.judge.accounting import Accounting
from monitor.metrics import AccountingMetrics
from monitor.model import Catalogue, ChannelKind, Entity, Policy, Service, Text
from monitor.store import changes, figures
from monitor.store.changes import ChangeRow
from monitor.store.lease import Lease
from monitor.store.pool import Store
from monitor.store.times import moment
from tests.world import channel, system

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
PAIRS = (("service:a", "entity:e1"), ("service:b", "entity:e1"), ("service:c", "government"))


def ms(text: str) -> int:
    """`2026-11-15T08:00+04:00` as Unix milliseconds."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def catalogue(*, zone: str = "Asia/Dubai", policy: Policy | None = None) -> Catalogue:
    """Entity e1 with services a and b, service c that nobody owns, each on the web; one shared system."""
    return Catalogue(
        zone=zone,
        languages=("en", "ar"),
        policy=policy or Policy(),
        entities=(Entity(slug="e1", name=Text(en="Transport", ar="النقل")),),
        systems=(system("identity", Text(en="Identity", ar="الهوية")),),
        services=tuple(
            Service(
                slug=subject.removeprefix("service:"),
                name=Text(en=f"Service {subject[-1]}", ar=f"خدمة {subject[-1]}"),
                entity=parent.removeprefix("entity:") if parent != "government" else "",
                channels=(channel(subject.removeprefix("service:"), ChannelKind.WEB),),
            )
            for subject, parent in PAIRS
        ),
    )


class Ledger:
    """Rows as ingest, derive and the publisher write them, and the keeper of the figures, driven by hand."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.lease = Lease(store, role="accounting", holder="test")
        self.metrics = AccountingMetrics(CollectorRegistry())
        self.keeper = Accounting(store, lease=self.lease, metrics=self.metrics)

    async def publish(self, document: Catalogue, *, at_ms: int) -> None:
        async with self.store.transaction() as connection:
            await connection.execute(
                "insert into catalogue (sha256, valid_from, document) values ($1, $2, $3)",
                f"{at_ms}-{hash(document.policy)}",
                moment(at_ms),
                msgspec.json.encode(document).decode(),
            )

    async def member(self, subject: str, parent: str, from_ms: int, to_ms: int | None = None) -> None:
        async with self.store.transaction() as connection:
            await connection.execute(
                "insert into membership values ($1, $2, tstzrange($3, $4))",
                subject, parent, moment(from_ms), None if to_ms is None else moment(to_ms),
            )  # fmt: skip

    async def begin(self, at_ms: int, document: Catalogue | None = None) -> None:
        """Everybody exists from then on, and nobody was judged yet."""
        await self.publish(document or catalogue(), at_ms=at_ms)
        await self.member("entity:e1", "government", at_ms)
        await self.member("system:identity", "systems", at_ms)
        for subject, parent in PAIRS:
            await self.member(subject, parent, at_ms)
            await self.member(f"{subject}/web", subject, at_ms)

    async def says(
        self, subject: str, *steps: tuple[int, str], layer: str = "effective", evidence: str = "[]"
    ) -> None:
        """(ms, verdict) each; a verdict other than up has the reason `timeout`."""
        rows = [
            ChangeRow(layer, subject, at, verdict, "ok" if verdict == "up" else "timeout", "", evidence, 1)
            for at, verdict in steps
        ]
        async with self.store.transaction() as connection:
            await changes.add(connection, rows)

    async def withdraw(self, subject: str, *ats: int) -> None:
        async with self.store.transaction() as connection:
            await changes.withdraw(connection, [("effective", subject, at) for at in ats])

    async def judged(self, until_ms: int) -> None:
        """The clocks stand there, and derive lives."""
        async with self.store.transaction() as connection:
            await connection.execute(
                "insert into state values ('service:a', 'c', 0, '{}') on conflict do nothing"
            )
            await connection.execute(
                "insert into stream_offset (cluster, topic, partition, next, judged_until) "
                "values ('c', 'continuity.observations', 0, 1, $1) "
                "on conflict (cluster, topic, partition) do update set judged_until = excluded.judged_until",
                moment(until_ms),
            )
            await connection.execute(
                "insert into follower values ('derive', '0', 0, 0, '2100-01-01') on conflict do nothing"
            )

    async def excludes(
        self,
        subjects: Collection[str],
        from_ms: int,
        to_ms: int,
        *,
        announced_ms: int,
        kind: str = "maintenance",
        approved: bool = False,
    ) -> int:
        """As announced at that time, and marked as announcing marks it."""
        async with self.store.transaction() as connection:
            number: int = await connection.fetchval(
                "insert into exclusion (kind, subjects, during, why, announced_at, announced_by, "
                "approved_at, approved_by) "
                "values ($1, $2, tstzrange($3, $4), 'new certificates', $5, 'desk', $6, $7) returning id",
                kind, list(subjects), moment(from_ms), moment(to_ms), moment(announced_ms),
                moment(to_ms) if approved else None, "committee" if approved else None,
            )  # fmt: skip
            await connection.execute(
                "insert into figure_dirty (subject, since, until) values ($1, $2, $3)",
                next(iter(subjects)), moment(from_ms), moment(to_ms),
            )  # fmt: skip
        return number

    async def account(self) -> int:
        """Passes until nothing is left to do; returns how many there were."""
        await self.lease.take_or_renew()
        await self.keeper.follow()
        passes = 1
        while await self.keeper.settle():
            passes += 1
        return passes

    async def stored(self, kind: str, subjects: Sequence[str] | None = None) -> list[figures.FigureRow]:
        """Every stored figure of a kind in the zone of the sample."""
        return await figures.read(
            self.store, zone="Asia/Dubai", kind=kind, from_ms=0, to_ms=2**42, subjects=subjects
        )
