"""The leader's second loop on a real PostgreSQL: patterns, findings, missed transactions."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from monitor.errors import LeaseLost
from monitor.facts import Finding, Missed, Place
from monitor.judge import overdue
from monitor.judge.counting import KEPT_MS
from monitor.judge.hours import HOUR_MS, Hours
from monitor.judge.pattern import decode
from monitor.judge.watching import Watching
from monitor.judge.windows import MINUTE_MS
from monitor.metrics import WatchMetrics
from monitor.model import Calendar, Catalogue, Channel, ChannelKind, Service
from monitor.store import changes, counts, expected
from monitor.store.changes import ChangeRow
from monitor.store.counts import WEEK_MS, Added
from monitor.store.lease import Lease
from monitor.store.pool import Store, open_store
from monitor.store.times import moment
from tests.monitor.simulated import Traffic

NOW = 1_762_336_800_000  # Wednesday 5 November 2025, 10:00 UTC: a busy hour
WEEKS = 3
TOPIC = "continuity.transactions"
NAMES = ("passport", "permit", "licence", "visa")
HOURS = Hours("UTC", Calendar())


def path(service: str) -> str:
    return f"service:{service}/web"


def catalogue(names: tuple[str, ...] = NAMES) -> Catalogue:
    return Catalogue(
        services=tuple(
            Service(
                slug=name,
                channels=(Channel(subject=path(name), slug="web", kind=ChannelKind.WEB),),
            )
            for name in names
        )
    )


class World:
    """Four services with three weeks of history, a clock, and a leader driven by hand."""

    def __init__(self, store: Store) -> None:
        self.store, self.now_ms = store, NOW
        self.lease = Lease(store, role="derive", holder="one")
        self.metrics = WatchMetrics(CollectorRegistry())
        self.elsewhere: dict[str, int] = {}  # services in another partition than 0
        self.watching = Watching(
            store,
            lease=self.lease,
            topic=TOPIC,
            owner=lambda service: self.elsewhere.get(service, 0),
            metrics=self.metrics,
            now_ms=lambda: self.now_ms,
        )
        self.traffic = {
            name: Traffic(HOURS, 60_000, random.Random(number), origin_ms=NOW)
            for number, name in enumerate(NAMES)
        }

    async def begin(self) -> None:
        """The catalogue, and history up to now: by the hour, but by the minute where windows reach."""
        await self.publish(catalogue())
        await self.lease.take_or_renew()
        async with self.store.connection() as connection:  # nobody renews it here, however slow the machine
            await connection.execute("update lease set until = now() + interval '1 h'")
        first, near, end = NOW - WEEKS * WEEK_MS, NOW - 7 * HOUR_MS, NOW + 3 * MINUTE_MS
        await self.count(
            Added(path(name), "completed", at, traffic.hour(at))
            for name, traffic in self.traffic.items()
            for at in range(first, near, HOUR_MS)
        )
        await self.count(
            Added(path(name), "completed", at, traffic.minute(at))
            for name, traffic in self.traffic.items()
            for at in range(near, end, MINUTE_MS)
        )
        await self.clock(end)
        await self.watching.turn()

    async def publish(self, new: Catalogue) -> None:
        async with self.store.connection() as connection:
            await connection.execute(
                "insert into catalogue (sha256, valid_from, document) values ('', $1, $2)",
                moment(NOW - WEEKS * WEEK_MS),
                msgspec.json.encode(new).decode(),
            )

    async def count(self, rows: object, *, fold: bool = True) -> None:
        """As the role count does it."""
        added = [row for row in rows if row.events]  # type: ignore[attr-defined]
        if not added:
            return
        await counts.make_partitions(self.store, {row.minute_ms // WEEK_MS for row in added})
        series = await counts.series_of(self.store, {(row.channel, row.outcome) for row in added})
        async with self.store.transaction() as connection:
            await counts.add(connection, added, series=series)
        while fold and await counts.fold(self.store):
            pass

    async def clock(self, until_ms: int, *, partition: int = 0) -> None:
        """All that came up to then is counted."""
        self.now_ms = until_ms + 5_000
        async with self.store.connection() as connection:
            await connection.execute(
                "insert into stream_offset (cluster, topic, partition, next, judged_until) "
                "values ('c', $1, $2, 0, $3) on conflict (cluster, topic, partition) do update "
                "set judged_until = excluded.judged_until",
                TOPIC,
                partition,
                moment(until_ms),
            )

    async def pass_minutes(
        self, minutes: int, *, outcome: str = "completed", factors: Mapping[str, float] | None = None
    ) -> None:
        """So many minutes of usual traffic times a factor, then one turn of the leader."""
        begin = (self.now_ms - 5_000) // MINUTE_MS * MINUTE_MS
        rows = [
            Added(path(name), outcome, at, round(traffic.minute(at) * (factors or {}).get(name, 1.0)))
            for name, traffic in self.traffic.items()
            for at in range(begin, begin + minutes * MINUTE_MS, MINUTE_MS)
        ]
        await self.count(rows)
        await self.clock(begin + minutes * MINUTE_MS)
        await self.watching.turn()

    async def change(self, subject: str, *steps: tuple[int, str]) -> None:
        rows = [ChangeRow("effective", subject, at, verdict, "ok", "", "[]", 1) for at, verdict in steps]
        async with self.store.transaction() as connection:
            await changes.add(connection, rows)

    async def was_down_long_ago(self, name: str) -> int:
        """For two hours, a week ago; returns when it began."""
        began = NOW - WEEK_MS
        await self.change(path(name), (began, "down"), (began + 2 * HOUR_MS, "up"))
        return began

    async def reckoned(self) -> list[Missed]:
        """What is stored, without a turn."""
        return await expected.missed(self.store, from_ms=0, to_ms=self.now_ms + HOUR_MS)

    async def findings(self) -> list[Finding]:
        return await expected.findings(self.store, from_ms=0, to_ms=self.now_ms + HOUR_MS)

    async def missed(self) -> list[Missed]:
        self.watching._reckoner.forget()  # as if five minutes had passed
        await self.watching.turn()
        return await expected.missed(self.store, from_ms=0, to_ms=self.now_ms + HOUR_MS)


@pytest.fixture
async def world(database: str) -> AsyncIterator[World]:
    async with open_store(database) as store:
        made = World(store)
        await made.begin()
        yield made


def told(found: list[Finding]) -> set[tuple[str, str, str, bool]]:
    return {(each.subject, each.kind, each.level, each.ended_ms is None) for each in found}


async def test_every_channel_with_counts_has_a_pattern_after_the_first_turn(world: World) -> None:
    stored = await expected.patterns(world.store)
    assert [each.channel for each in stored] == sorted(path(name) for name in NAMES)


async def test_usual_traffic_is_no_finding(world: World) -> None:
    for _ in range(6):
        await world.pass_minutes(5)
    assert [each for each in await world.findings() if each.level == "incident"] == []


async def test_a_silent_channel_is_found_and_the_next_transaction_ends_it(world: World) -> None:
    await world.pass_minutes(30)
    silent_from = world.now_ms // MINUTE_MS * MINUTE_MS
    await world.pass_minutes(6, factors={"passport": 0.0})
    found = await world.findings()
    assert told(found) == {(path("passport"), "silence", "incident", True)}
    assert (found[0].began_ms, found[0].seen) == (silent_from, 0)
    assert found[0].probability < 1e-5
    await world.pass_minutes(2)
    ended = [each.ended_ms for each in await world.findings()]
    assert ended == [silent_from + 6 * MINUTE_MS]


async def test_nothing_is_silent_past_the_clock_of_the_counts(world: World) -> None:
    await world.pass_minutes(30)
    world.now_ms += 30 * MINUTE_MS  # we are behind: nobody has read what came since
    await world.watching.turn()
    assert await world.findings() == []


async def test_when_most_fall_silent_at_once_that_is_one_finding(world: World) -> None:
    await world.pass_minutes(30)
    await world.pass_minutes(6, factors=dict.fromkeys(NAMES, 0.0))
    assert told(await world.findings()) == {("government", "silence", "incident", True)}
    await world.pass_minutes(3)
    assert told(await world.findings()) == {("government", "silence", "incident", False)}


async def test_late_events_withdraw_a_silence_that_never_was(world: World) -> None:
    await world.pass_minutes(30)
    begin = world.now_ms // MINUTE_MS * MINUTE_MS
    await world.pass_minutes(6, factors={"passport": 0.0})
    before = Place(0, 0)
    await world.count([Added(path("passport"), "completed", begin + n * MINUTE_MS, 6) for n in range(6)])
    await world.pass_minutes(1)
    followed = await expected.findings_since(world.store, before)
    assert await world.findings() == []
    assert [each.withdrawn_at_ms is None for each in followed] == [False]


async def test_a_drop_and_a_failure_rate_are_told_apart(world: World) -> None:
    await world.pass_minutes(60)
    await world.pass_minutes(20, factors={"passport": 0.2, "permit": 0.0, "licence": 1.0, "visa": 1.0})
    await world.pass_minutes(
        20, outcome="failed", factors={"passport": 0.2, "permit": 1.0, "licence": 0.0, "visa": 0.0}
    )
    kinds = {(each.subject, each.kind) for each in await world.findings() if each.level == "incident"}
    assert (path("passport"), "drop") in kinds
    assert (path("permit"), "failure_rate") in kinds
    assert (path("visa"), "failure_rate") not in kinds


async def test_a_channel_known_to_be_down_is_not_silent_as_well(world: World) -> None:
    await world.pass_minutes(30)
    await world.change(path("passport"), (world.now_ms, "down"))
    await world.pass_minutes(10, factors={"passport": 0.0})
    assert await world.findings() == []


async def test_missed_transactions_have_an_interval_and_what_was_made_up_comes_later(world: World) -> None:
    await world.pass_minutes(30)
    began = world.now_ms // MINUTE_MS * MINUTE_MS
    truth = sum(world.traffic["passport"].rate(began + n * MINUTE_MS) / 60 for n in range(30))
    await world.change("service:passport", (began, "down"))
    await world.change(path("passport"), (began, "down"))
    await world.pass_minutes(30, factors={"passport": 0.0})
    open_rows = {each.subject: each for each in await world.missed()}
    channel = open_rows[path("passport")]
    assert (channel.ended_ms, channel.seen, channel.made_up) == (None, 0, None)
    assert channel.low <= truth <= channel.high
    assert open_rows["service:passport"].missed == pytest.approx(channel.missed)
    ended = began + 30 * MINUTE_MS
    await world.change("service:passport", (ended, "up"))
    await world.change(path("passport"), (ended, "up"))
    await world.pass_minutes(120, factors={"passport": 1.3})
    later = {each.subject: each for each in await world.missed()}[path("passport")]
    assert (later.ended_ms, later.made_up_done) == (ended, False)
    assert later.made_up is not None
    assert 0 < later.made_up <= later.missed


async def test_an_outage_that_is_withdrawn_has_no_figure_any_more(world: World) -> None:
    began = world.now_ms - 5 * MINUTE_MS
    await world.change(path("passport"), (began, "down"), (began + 2 * MINUTE_MS, "up"))
    assert [each.subject for each in await world.missed()] == [path("passport")]
    async with world.store.transaction() as connection:
        await changes.withdraw(connection, [("effective", path("passport"), began)])
    assert await world.missed() == []


async def test_a_late_event_makes_the_figure_of_its_outage_anew(world: World) -> None:
    await world.pass_minutes(30)
    began = world.now_ms // MINUTE_MS * MINUTE_MS
    await world.change(path("passport"), (began, "down"), (began + 10 * MINUTE_MS, "up"))
    await world.pass_minutes(20, factors={"passport": 0.0})
    before = (await world.missed())[0]
    await world.count([Added(path("passport"), "completed", began + MINUTE_MS, 7)])
    after = (await world.missed())[0]
    assert (after.seen - before.seen, before.missed - after.missed) == (7, pytest.approx(7))


async def test_an_outage_of_long_ago_is_reckoned_when_it_comes_in_and_never_again(world: World) -> None:
    began = await world.was_down_long_ago("passport")
    await world.watching.turn()
    first = await world.reckoned()
    assert [(each.began_ms, each.ended_ms, each.made_up_done) for each in first] == [
        (began, began + 2 * HOUR_MS, True)
    ]
    assert first[0].low <= first[0].missed <= first[0].high
    assert first[0].expected == pytest.approx(first[0].seen, rel=0.2)  # it was usual traffic all the same
    await world.count([Added(path("passport"), "completed", began, 500)])
    world.watching._forget()  # as another leader begins
    await world.watching.turn()
    assert await world.reckoned() == first


async def test_what_nobody_reckoned_is_looked_for_when_a_leader_begins_and_not_at_every_turn(
    world: World,
) -> None:
    await world.was_down_long_ago("passport")
    await world.watching.turn()
    first = await world.reckoned()
    async with world.store.connection() as connection:
        await connection.execute("delete from missed")
    await world.watching.turn()
    assert await world.reckoned() == []
    world.watching._forget()
    await world.watching.turn()
    assert [each.began_ms for each in await world.reckoned()] == [each.began_ms for each in first]


async def test_an_outage_of_before_anything_was_usual_is_reckoned_once_something_is(world: World) -> None:
    await world.publish(catalogue((*NAMES, "tax")))
    began = await world.was_down_long_ago("tax")
    await world.pass_minutes(1)
    assert await world.reckoned() == []
    hours = range(began - 24 * HOUR_MS, NOW - 7 * HOUR_MS, HOUR_MS)
    await world.count(Added(path("tax"), "completed", at, 60) for at in hours)
    for _ in range(3):  # so much of it came at once that it is waited for more
        await world.pass_minutes(1)
    assert [(each.subject, each.began_ms) for each in await world.reckoned()] == [(path("tax"), began)]


async def test_an_outage_of_these_days_does_not_wait_for_the_next_round_once_something_is_usual(
    world: World,
) -> None:
    await world.publish(catalogue((*NAMES, "tax")))
    began = NOW - 26 * HOUR_MS
    await world.change(path("tax"), (began, "down"), (began + HOUR_MS, "up"))
    hours = range(NOW - WEEK_MS, NOW - 7 * HOUR_MS, HOUR_MS)
    await world.count(Added(path("tax"), "completed", at, 60) for at in hours)
    for _ in range(3):  # so much of it came at once that it is waited for more
        await world.pass_minutes(1)
    assert [(each.subject, each.began_ms) for each in await world.reckoned()] == [(path("tax"), began)]


async def test_nothing_is_told_before_every_partition_was_read_to_its_end_once(world: World) -> None:
    """Else half a history would be taken for all there is."""
    began = await world.was_down_long_ago("passport")
    world.elsewhere["service:visa"] = 1
    world.watching._forget()
    waiting = await world.watching.turn(), await world.reckoned()
    await world.clock(world.now_ms - 5_000, partition=1)
    await world.watching.turn()
    assert waiting == (1, [])
    assert [each.began_ms for each in await world.reckoned()] == [began]


async def test_outages_of_long_ago_are_reckoned_some_in_a_turn(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overdue, "CHUNK", 2)
    monkeypatch.setattr(overdue, "BUDGET_S", 0.0)
    for name in NAMES[:3]:
        await world.was_down_long_ago(name)
    await world.watching.turn()
    few = len(await world.reckoned())
    await world.watching.turn()
    assert (few, len(await world.reckoned())) == (2, 3)


async def test_an_outage_whose_minutes_are_no_longer_kept_is_not_reckoned(world: World) -> None:
    await world.change(path("passport"), (NOW - KEPT_MS - HOUR_MS, "down"), (NOW - KEPT_MS, "up"))
    await world.watching.turn()
    assert await world.reckoned() == []


async def test_a_leader_that_lost_its_lease_keeps_no_finding_t44(world: World) -> None:
    await world.pass_minutes(30)
    async with world.store.connection() as connection:
        await connection.execute("update lease set epoch = epoch + 1, holder = 'two'")
    with pytest.raises(LeaseLost):
        await world.pass_minutes(6, factors={"passport": 0.0})
    assert await world.findings() == []


async def test_findings_go_on_under_another_leader(world: World) -> None:
    await world.pass_minutes(30)
    await world.pass_minutes(6, factors={"passport": 0.0})
    world.watching._forget()  # as a new leader begins
    await world.pass_minutes(1, factors={"passport": 0.0})
    assert told(await world.findings()) == {(path("passport"), "silence", "incident", True)}


async def test_a_service_that_leaves_the_catalogue_leaves_no_open_finding(world: World) -> None:
    await world.pass_minutes(30)
    await world.pass_minutes(6, factors={"passport": 0.0})
    await world.publish(catalogue(NAMES[1:]))
    await world.pass_minutes(1)
    assert told(await world.findings()) == {(path("passport"), "silence", "incident", False)}


async def test_a_history_that_comes_in_later_makes_the_patterns_anew(world: World) -> None:
    before = {each.channel: decode(each.document) for each in await expected.patterns(world.store)}
    first = NOW - 2 * WEEKS * WEEK_MS
    await world.count(
        (Added(path("passport"), "completed", at, 400) for at in range(first, first + WEEK_MS, HOUR_MS)),
        fold=False,
    )
    await world.watching.turn()
    waiting = {each.channel: decode(each.document) for each in await expected.patterns(world.store)}
    await world.pass_minutes(1)
    await world.pass_minutes(1)
    after = {each.channel: decode(each.document) for each in await expected.patterns(world.store)}
    assert waiting == before
    assert after[path("passport")].days > before[path("passport")].days + 6


async def test_events_that_come_hours_late_leave_neither_a_silence_nor_a_drop(world: World) -> None:
    await world.pass_minutes(30)
    begin = world.now_ms // MINUTE_MS * MINUTE_MS
    await world.pass_minutes(180, factors={"passport": 0.0})
    silent = told(await world.findings())
    traffic = world.traffic["passport"]
    minutes = range(begin, begin + 180 * MINUTE_MS, MINUTE_MS)
    await world.count(Added(path("passport"), "completed", at, traffic.minute(at)) for at in minutes)
    await world.pass_minutes(1)
    await world.pass_minutes(1)
    assert (silent, await world.findings()) == ({(path("passport"), "silence", "incident", True)}, [])


async def test_when_most_drop_at_once_as_on_a_holiday_nobody_wrote_down_that_is_one_finding(
    world: World,
) -> None:
    await world.pass_minutes(30)
    await world.pass_minutes(60, factors=dict.fromkeys(NAMES, 0.25))
    assert told(await world.findings()) == {("government", "drop", "incident", True)}
