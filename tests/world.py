"""A made-up world for tests of readers: a catalogue, and rows as ingest and derive would write them."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from monitor.facts import Missed
from monitor.judge.handling import row_of
from monitor.judge.hours import SLOTS
from monitor.judge.incidents import Incident
from monitor.judge.pattern import Failing, Pattern, Usual, encode, packed
from monitor.judge.troubles import Sign
from monitor.model import (
    Catalogue,
    Channel,
    ChannelKind,
    Check,
    Contact,
    Dependency,
    Effect,
    Entity,
    Service,
    Severity,
    System,
    SystemKind,
    Text,
    Verdict,
    stream_key,
)
from monitor.store import counts, expected, incidents
from monitor.store.counts import Added
from monitor.store.pool import Store
from probes.http_settings import Settings as Http

CLUSTER, TOPIC, PARTITIONS = "test", "continuity.observations", 12
ENTITIES = [
    ("Transport", "النقل"), ("Civil Registry", "السجل المدني"), ("Commerce", "التجارة"),
    ("Education", "التعليم"), ("Health", "الصحة"), ("Energy", "الطاقة"), ("Culture", "الثقافة"),
    ("Environment", "البيئة"), ("Labour", "العمل"), ("Housing", "الإسكان"), ("Customs", "الجمارك"),
    ("Agriculture", "الزراعة"), ("Sports", "الرياضة"), ("Tourism", "السياحة"), ("Justice", "العدل"),
    ("Statistics", "الإحصاء"), ("Ports", "الموانئ"), ("Aviation", "الطيران"),
    ("Maritime", "الشؤون البحرية"), ("Post", "البريد"), ("Water", "المياه"), ("Roads", "الطرق"),
    ("Pensions", "المعاشات"), ("Insurance", "التأمين"), ("Standards", "المواصفات"), ("Space", "الفضاء"),
    ("Media", "الإعلام"), ("Youth", "الشباب"), ("Archives", "الأرشيف"), ("Food Safety", "سلامة الغذاء"),
]  # fmt: skip
OFFERS = [
    ("Renew a licence", "تجديد رخصة"), ("Issue a certificate", "إصدار شهادة"),
    ("Register a facility", "تسجيل منشأة"), ("Pay a fine", "دفع مخالفة"),
    ("Request a permit", "طلب تصريح"), ("Update personal data", "تحديث البيانات الشخصية"),
    ("File an objection", "تقديم اعتراض"),
]  # fmt: skip
SHARED = [
    ("identity", "Digital identity", "الهوية الرقمية"), ("payments", "Payment gateway", "بوابة الدفع"),
    ("documents", "Document store", "مستودع الوثائق"), ("messages", "Message centre", "مركز الرسائل"),
]  # fmt: skip


def check(subject: str, *, every_s: float = 30.0, objective_ms: float | None = 400) -> Check:
    path = subject.replace(":", "-").replace("/", "-")
    return Check(
        subject=subject, ask=Http(url=f"http://{path}.example/"), every_s=every_s, objective_ms=objective_ms
    )


def system(
    slug: str, name: Text, *, kind: SystemKind = SystemKind.SHARED, needs: Sequence[str] = ()
) -> System:
    return System(
        slug=slug,
        name=name,
        kind=kind,
        checks=(check(f"system:{slug}"),),
        depends=tuple(Dependency(system=f"system:{need}") for need in needs),
        contacts=(
            Contact(
                role=Text(en="Operations desk", ar="غرفة العمليات"),
                name=Text(en="Night shift", ar="مناوبة الليل"),
                phone="+000 4 555 0101",
                hours="24 × 7",
            ),
        ),
    )


def channel(
    service: str,
    kind: ChannelKind,
    *,
    checked: bool = True,
    completes: bool = True,
    needs: Sequence[tuple[str, Effect]] = (),
) -> Channel:
    subject = f"service:{service}/{kind.value}"
    return Channel(
        subject=subject,
        slug=kind.value,
        kind=kind,
        remote=kind not in (ChannelKind.SERVICE_CENTRE, ChannelKind.KIOSK),
        completes=completes,
        url=f"https://{service}.example/",
        checks=(check(subject),) if checked else (),
        depends=tuple(Dependency(system=f"system:{slug}", effect=effect) for slug, effect in needs),
    )


def government(
    *, entities: int = 30, services: int = 180, languages: tuple[str, ...] = ("en", "ar")
) -> Catalogue:
    """Services over entities in turn; each has a website with a check, and an app judged by its platform."""
    bodies = [
        Entity(
            slug=f"e{i:02d}",
            name=Text(en=f"{ENTITIES[i % 30][0]} Authority", ar=f"هيئة {ENTITIES[i % 30][1]}"),
            contacts=(
                Contact(
                    role=Text(en="On call", ar="المناوب"),
                    name=Text(en="Layla Haddad", ar="ليلى حداد"),
                    phone=f"+000 4 555 {1000 + i}",
                    mail=f"oncall@e{i:02d}.example",
                    hours="Mon–Fri 07:30–15:30",
                ),
            ),
        )
        for i in range(entities)
    ]
    systems = [system(slug, Text(en=en, ar=ar)) for slug, en, ar in SHARED]
    systems += [
        system(
            f"app-{body.slug}",
            Text(en=f"{body.name.en} app", ar=f"تطبيق {body.name.ar}"),
            kind=SystemKind.PLATFORM,
            needs=["identity"] if i % 3 == 0 else [],
        )
        for i, body in enumerate(bodies)
    ]
    return Catalogue(
        sample=True,
        government=Text(en="Sample Government", ar="حكومة تجريبية"),
        languages=languages,
        zone="Asia/Dubai",
        entities=tuple(bodies),
        systems=tuple(systems),
        services=tuple(_service(i, bodies[i % entities]) for i in range(services)),
    )


def _service(i: int, body: Entity) -> Service:
    slug, offer = f"s{i:04d}", OFFERS[i // 30 % len(OFFERS)]
    needs = [("identity", Effect.BLOCKS)] if i % 5 == 0 else []
    needs += [("payments", Effect.BLOCKS)] if i % 9 == 0 else []
    needs += [("documents", Effect.SLOWS)] if i % 7 == 0 else []
    channels = [
        channel(slug, ChannelKind.WEB, needs=needs),
        channel(slug, ChannelKind.APP, checked=False, needs=[(f"app-{body.slug}", Effect.BLOCKS), *needs]),
        channel(slug, ChannelKind.SERVICE_CENTRE, checked=False),
    ]
    if i % 11 == 0:
        channels = channels[:1]
    return Service(slug=slug, name=Text(en=offer[0], ar=offer[1]), entity=body.slug, channels=tuple(channels))


class World:
    """Writes rows into a migrated database. Times are given as seconds ago."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self.store, self.catalogue = store, catalogue
        self.now = datetime.now(UTC)

    @property
    def document(self) -> str:
        return msgspec.json.encode(self.catalogue).decode()

    def ago(self, seconds: float) -> datetime:
        return self.now - timedelta(seconds=seconds)

    async def begin(self, *, judged_ago_s: float = 5, up_since_s: float = 7200) -> None:
        """Publish the catalogue; everything is up, judged until just now, and derive lives."""
        async with self.store.transaction() as connection:
            await connection.execute(
                "insert into catalogue (sha256, valid_from, document) values ('x', $1, $2)",
                self.ago(up_since_s),
                self.document,
            )
            await self._places(connection)
            await self._up(connection, up_since_s)
        await self.clock(judged_ago_s=judged_ago_s)
        await self.derive_lives()

    async def _places(self, connection: asyncpg.Connection) -> None:
        keys = sorted({stream_key(check) for check in self.catalogue.checks})
        await connection.executemany(
            "insert into state values ($1, $2, $3, '{}') on conflict do nothing",
            [(key, CLUSTER, partition(key)) for key in keys],
        )

    async def _up(self, connection: asyncpg.Connection, up_since_s: float) -> None:
        rows = []
        for one in self.catalogue.systems:
            rows += [("measured", one.subject, "ok", ""), ("effective", one.subject, "ok", "")]
        for service in self.catalogue.services:
            rows.append(("effective", service.subject, "ok", ""))
            for each in service.channels:
                if each.checks:
                    rows.append(("measured", each.subject, "ok", ""))
                    rows.append(("effective", each.subject, "ok", ""))
                elif each.depends:
                    rows.append(("effective", each.subject, "dependency", each.depends[0].system))
                else:
                    continue
        await connection.executemany(
            "insert into change (layer, subject, at, verdict, reason, cause, evidence, serial) "
            "values ($1, $2, $5, 'up', $3, $4, '[]', 1)",
            [(*row, self.ago(up_since_s)) for row in rows],
        )

    async def clock(self, *, judged_ago_s: float = 5, only: Iterable[int] = range(PARTITIONS)) -> None:
        async with self.store.transaction() as connection:
            await connection.executemany(
                "insert into stream_offset (cluster, topic, partition, next, judged_until) "
                "values ($1, $2, $3, 1, now() - make_interval(secs => $4)) "
                "on conflict (cluster, topic, partition) do update set judged_until = excluded.judged_until",
                [(CLUSTER, TOPIC, number, float(judged_ago_s)) for number in only],
            )

    async def derive_lives(self, *, ago_s: float = 0) -> None:
        async with self.store.transaction() as connection:
            await connection.execute(
                "insert into follower (role, tx, id, serial, at) "
                "values ('derive', '3', 0, 1, now() - make_interval(secs => $1)) "
                "on conflict (role) do update set at = excluded.at",
                float(ago_s),
            )

    async def change(
        self,
        layer: str,
        subject: str,
        verdict: Verdict,
        *,
        reason: str = "ok",
        cause: str = "",
        ago_s: float = 0,
    ) -> None:
        """One more change, and the bell."""
        async with self.store.transaction() as connection:
            await connection.execute(
                "insert into change (layer, subject, at, verdict, reason, cause, evidence, serial) "
                "values ($1, $2, now() - make_interval(secs => $6), $3, $4, $5, '[]', 1)",
                layer,
                subject,
                verdict.value,
                reason,
                cause,
                float(ago_s),
            )
            await connection.execute("notify continuity")

    async def channel_falls(
        self, subject: str, *, reason: str = "connect_refused", ago_s: float = 60
    ) -> None:
        """A channel's own check fails; what follows for its service is written too."""
        await self.change("measured", subject, Verdict.DOWN, reason=reason, ago_s=ago_s)
        await self.change("effective", subject, Verdict.DOWN, reason=reason, ago_s=ago_s)

    async def service_falls(
        self, slug: str, *, reason: str = "connect_refused", cause: str = "", ago_s: float = 60
    ) -> None:
        """Every channel of a service that counts is down, and so is the service."""
        service = self.catalogue.services_by_subject[f"service:{slug}"]
        for each in service.channels:
            if each.remote:
                if each.checks and not cause:
                    await self.change("measured", each.subject, Verdict.DOWN, reason=reason, ago_s=ago_s)
                blamed = cause or ("" if each.checks else each.depends[0].system)
                why = "dependency" if blamed else reason
                await self.change(
                    "effective", each.subject, Verdict.DOWN, reason=why, cause=blamed, ago_s=ago_s
                )
        why = "dependency" if cause else reason
        await self.change("effective", service.subject, Verdict.DOWN, reason=why, cause=cause, ago_s=ago_s)

    async def system_falls(self, slug: str, *, ago_s: float = 60) -> list[str]:
        """A system is down and takes with it every service that cannot do without it; returns their slugs."""
        subject = f"system:{slug}"
        await self.change("measured", subject, Verdict.DOWN, reason="timeout", ago_s=ago_s)
        await self.change("effective", subject, Verdict.DOWN, reason="timeout", ago_s=ago_s)
        taken = []
        for service in self.catalogue.services:
            counted = [one for one in service.channels if one.remote and one.completes]
            if all(Dependency(system=subject, effect=Effect.BLOCKS) in one.depends for one in counted):
                await self.service_falls(service.slug, cause=subject, ago_s=ago_s)
                taken.append(service.slug)
        return taken

    async def incident(
        self,
        subject: str,
        *,
        number: str = "INC-2026-0001",
        sign: Sign = Sign.UNAVAILABLE,
        severity: Severity = Severity.CRITICAL,
        ago_s: float = 60,
        **more: Any,
    ) -> Incident:
        """An incident as derive's leader would store it, with the first line of its timeline."""
        now_ms = round(self.now.timestamp() * 1000)
        since_ms = now_ms - round(ago_s * 1000)
        made = Incident(
            number=number,
            subject=subject,
            sign=sign,
            verdict=Verdict.DEGRADED if sign is Sign.DEGRADED else Verdict.DOWN,
            severity=severity,
            since_ms=since_ms,
            opened_ms=now_ms,
            raised_ms=now_ms,
            **more,
        )
        async with self.store.transaction() as connection:
            await incidents.keep(connection, [row_of(made)])
            await incidents.note(connection, [incidents.NoteRow(number, "opened", since_ms)])
            await connection.execute("notify continuity")
        return made

    async def work(self, *subjects: str, from_s: float, to_s: float, noticed: bool = True) -> int:
        """Planned work on these from so many seconds hence to so many; `noticed`: announced two days ago."""
        async with self.store.transaction() as connection:
            number: int = await connection.fetchval(
                "insert into exclusion (kind, subjects, during, why, announced_by, announced_at) "
                "values ('maintenance', $1, tstzrange($2, $3), 'New certificates', 'Amal', $4) returning id",
                list(subjects),
                self.ago(-from_s),
                self.ago(-to_s),
                self.ago(172_800 if noticed else 0),
            )
        return number

    async def attempts(
        self, subject: str, *, hours: float = 6, down_s: tuple[float, float] | None = None, every_s: int = 30
    ) -> None:
        """Beats of the subject's check with plausible phases; failures between `down_s` seconds ago."""
        rng = random.Random(subject)
        key = f"{subject}/main"
        beats = int(hours * 3600 / every_s)
        rows = []
        for beat in range(beats):
            seconds = beat * every_s + 7
            failed = down_s is not None and down_s[1] <= seconds <= down_s[0]
            wave = 1 + 0.4 * math.sin(seconds / 2400) + rng.random() * 0.25
            phases = {"dns": 2.2 * wave, "connect": 11 * wave, "tls": 24 * wave}
            if not failed:
                phases |= {"first_byte": 85 * wave, "transfer": 9 * wave}
            rows.append(
                (
                    key,
                    self.ago(seconds),
                    "down" if failed else "up",
                    "status" if failed else "ok",
                    "answered 503, expected 200" if failed else "",
                    msgspec.json.encode(phases).decode(),
                    503 if failed else 200,
                    self.ago(-40 * 86_400),
                )
            )
        async with self.store.transaction() as connection:
            await days(connection, [self.ago(hours * 3600), self.now])
            await connection.executemany(
                "insert into observation (check_key, vantage, due, attempt, outcome, reason, sentence, "
                "every_ms, late_ms, took_ms, phases_ms, status, certificate_expires, serial, skewed, beyond) "
                "values ($1, 'main', $2, 0, $3, $4, $5, 30000, 0, 120, $6, $7, $8, 1, false, false)",
                rows,
            )

    async def counted(self, *rows: Added, fold: bool = True, ago_s: float = 1) -> None:
        """Counts as `count` adds them, and its clock."""
        await counts.make_partitions(self.store, {row.minute_ms // counts.WEEK_MS for row in rows})
        series = await counts.series_of(self.store, {(row.channel, row.outcome) for row in rows})
        async with self.store.transaction() as connection:
            await counts.add(connection, rows, series=series)
        while fold and await counts.fold(self.store):
            pass
        await self.count_clock(ago_s=ago_s)

    async def count_clock(self, *, ago_s: float = 1) -> None:
        async with self.store.transaction() as connection:
            await connection.execute(
                "insert into stream_offset (cluster, topic, partition, next, judged_until) "
                "values ($1, 'continuity.transactions', 0, 1, now() - make_interval(secs => $2)) "
                "on conflict (cluster, topic, partition) do update set judged_until = excluded.judged_until",
                CLUSTER,
                float(ago_s),
            )

    async def usual(self, channel: str, *, an_hour: float) -> None:
        """The same rate at every hour of the week, well known; nine in ten are completed."""
        every, completed = (
            Usual(
                rates=packed([rate] * SLOTS),
                behind=packed([1000.0] * SLOTS),
                hourly=0.001,
                daily=0.002,
                level=0.001,
            )
            for rate in (an_hour, an_hour * 0.9)
        )
        pattern = Pattern(
            every=every, completed=completed, failing=Failing(0.01), days=21, events=9999, to_ms=0
        )
        async with self.store.transaction() as connection:
            await expected.keep_patterns(connection, [(channel, stream_key(channel), encode(pattern))])

    async def finding(
        self, channel: str, kind: str, *, level: str = "incident", ago_s: float = 600, seen: int = 0
    ) -> None:
        began_ms = int(self.ago(ago_s).timestamp() * 1000)
        found = expected.Found(channel, kind, level, began_ms, 0.00001, 40.0, seen)
        async with self.store.transaction() as connection:
            await expected.keep_findings(connection, [found])

    async def missed(
        self, subject: str, *, from_s: float, to_s: float | None, missed: float = 120.0, made_up: float = 70.0
    ) -> None:
        """An outage between so many seconds ago; it lasts where `to_s` is None."""
        over = to_s is not None
        row = Missed(
            subject=subject,
            began_ms=int(self.ago(from_s).timestamp() * 1000),
            ended_ms=None if to_s is None else int(self.ago(to_s).timestamp() * 1000),
            expected=missed + 5,
            seen=5,
            missed=missed,
            low=missed * 0.8,
            high=missed * 1.25,
            own=10.0,
            shared=4.0,
            made_up=made_up if over else None,
            made_up_low=made_up * 0.5 if over else None,
            made_up_high=made_up * 1.3 if over else None,
            made_up_done=over,
            as_of_ms=int(self.now.timestamp() * 1000),
        )
        async with self.store.transaction() as connection:
            await expected.keep_missed(connection, [row])

    def minute(self, ago_s: float) -> int:
        """The minute, in Unix ms, that held the instant so many seconds ago."""
        return int(self.ago(ago_s).timestamp() // 60 * 60_000)

    async def gap(self, check_key: str, *, from_s: float, to_s: float) -> None:
        async with self.store.transaction() as connection:
            await connection.execute(
                "insert into gap (check_key, vantage, first_due, last_due, beats, why) "
                "values ($1, 'main', $2, $3, $4, 'no_heartbeat')",
                check_key,
                self.ago(from_s),
                self.ago(to_s),
                int((from_s - to_s) / 30) + 1,
            )


def partition(key: str) -> int:
    """Any stable spread will do here."""
    return sum(key.encode()) % PARTITIONS


async def days(connection: asyncpg.Connection, moments: Iterable[datetime]) -> None:
    """Partitions of `observation` for these days."""
    for day in sorted({moment.date() for moment in moments}):
        await connection.execute(
            f"create table if not exists observation_{day:%Y%m%d} partition of observation "
            f"for values from ('{day}Z') to ('{day + timedelta(days=1)}Z')"
        )
