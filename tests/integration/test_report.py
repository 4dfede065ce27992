"""Reports out of a real PostgreSQL: the golden week read from its tables, frozen, and never changed again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from monitor.config.settings import ReportSettings
from monitor.demo.past import give_a_past
from monitor.errors import BadRow, UsageError
from monitor.judge import work_desk
from monitor.judge.periods import Kind, day_of
from monitor.judge.seconds import Says
from monitor.judge.terms import terms_of
from monitor.lifetime import Stop
from monitor.model import GOVERNMENT
from monitor.report import publishing
from monitor.report.asking import Wanted, publish, read_frozen
from monitor.report.document import Document, decode, digest, encode
from monitor.report.evidence import adds_up, stretches
from monitor.report.files import FORMATS, file_of
from monitor.report.gather import Ask, gather
from monitor.report.metrics import ReportMetrics
from monitor.report.numbers import build
from monitor.report.publishing import Reporting, Why, freeze
from monitor.report.times import Stretch, named_stretch, stretch_of
from monitor.report.unreckoned import unreckoned
from monitor.store import counts, figures, reports, seen
from monitor.store.counts import Added
from monitor.store.lease import Lease
from monitor.store.pool import Store, open_store
from tests import golden_week as golden
from tests.golden_week import EXPECTED_OF
from tests.integration import golden_store
from tests.integration.notifying import until
from tests.ledger import DAY_MS, HOUR_MS, Ledger, catalogue
from tests.world import World

TERMS = terms_of(golden.catalogues()[0])
SETTINGS = ReportSettings()


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with open_store(database) as opened:
        yield opened


def week(label: str = "2026-W47") -> Stretch:
    return named_stretch(label, TERMS.zone, week_start=TERMS.week_start)


def ask(scope: str = GOVERNMENT, *, version: int = 1, stretch: Stretch | None = None) -> Ask:
    return Ask(stretch or week(), scope, version)


async def test_the_golden_week_read_from_its_tables_is_the_one_worked_out_by_hand(store: Store) -> None:
    """All of it but when it was read and the weeks of the trend, of which the hand has three."""
    await golden_store.write(store)
    document = await freeze(store, ask(), SETTINGS, software="0.1.0")
    by_hand = golden.golden()
    assert document.total.figures == by_hand.total.figures
    for kind in ("entities", "services", "outages", "work", "certificates", "at_risk", "decisions"):
        assert getattr(document, kind) == getattr(by_hand, kind), kind
    assert (document.intervals, document.belonged) == (by_hand.intervals, by_hand.belonged)


@pytest.mark.parametrize("scope", [GOVERNMENT, "entity:interior", "entity:transport"])
async def test_intervals_sum_to_what_accounting_stored_of_everybody_in_the_report(
    store: Store, scope: str
) -> None:
    await golden_store.write(store)
    document = build(await gather(store, ask(scope), SETTINGS, software="0.1.0"))
    for part in (document.total, *document.entities, *document.services):
        assert adds_up(part, stretches(document, part)), part.subject


async def test_a_free_range_of_the_same_days_has_the_same_figures(store: Store) -> None:
    await golden_store.write(store)
    stored = build(await gather(store, ask(), SETTINGS, software="0.1.0"))
    free = build(await gather(store, ask(stretch=week("2026-11-16_2026-11-22")), SETTINGS, software="0.1.0"))
    assert free.total.figures == stored.total.figures
    assert [each.figures for each in free.services] == [each.figures for each in stored.services]


async def test_the_same_facts_and_as_of_give_the_same_bytes(store: Store) -> None:
    await golden_store.write(store)
    one = await gather(store, ask(), SETTINGS, software="0.1.0")
    two = await gather(store, ask(), SETTINGS, software="0.1.0")
    as_of = one.about.as_of
    assert two.about.as_of > as_of
    again = build(two)
    assert encode(replace(again, about=replace(again.about, as_of=as_of))) == encode(build(one))


async def test_t30_a_published_report_never_changes_and_a_correction_says_what_did(store: Store) -> None:
    ledger = await golden_store.write(store)
    await freeze(store, ask(), SETTINGS, software="0.1.0")
    first = await reports.document(store, scope=GOVERNMENT, label="2026-W47")
    assert first is not None
    late = golden.at("17T12:00")
    await ledger.says("service:vehicle", (late, "down"), (late + HOUR_MS, "up"))
    await ledger.judged(golden.END_MS + 2 * HOUR_MS)
    await ledger.account()
    assert await reports.document(store, scope=GOVERNMENT, label="2026-W47") == first

    why = Why("committee", "an outage of the vehicle registration was reported late")
    second = await freeze(store, ask(version=2), SETTINGS, software="0.1.0", why=why)
    assert second.correction is not None
    assert (second.correction.corrects, second.correction.sha256) == (1, digest(first))
    changed = {(each.subject, each.code): each for each in second.correction.changed}
    all_of_it = changed[GOVERNMENT, "F01"]
    assert all_of_it.old is not None
    assert all_of_it.new is not None
    assert (all_of_it.old.text, all_of_it.new.text) == ("98.99", "98.87")  # (790 - 1) / 798 = 98.872…
    assert ("service:passport", "F01") not in changed
    assert await reports.document(store, scope=GOVERNMENT, label="2026-W47", version=1) == first
    assert [line.version for line in await reports.versions(store, scope=GOVERNMENT, label="2026-W47")] == [
        2,
        1,
    ]


async def test_t30_whatever_comes_in_late_a_published_report_and_all_its_files_stay_byte_for_byte(
    store: Store,
) -> None:
    """Late measurements, transactions and rulings move a new version, and nothing of the old one."""
    ledger = await golden_store.write(store)
    await freeze(store, ask(), SETTINGS, software="0.1.0")
    published = await reports.document(store, scope=GOVERNMENT, label="2026-W47", version=1)
    assert published is not None
    files = editions(published)

    noon = golden.at("17T12:00")
    await ledger.says("service:vehicle", (noon, "down"), (noon + HOUR_MS, "up"))
    await World(store, golden.catalogues()[0]).counted(Added("service:passport/web", "completed", noon, 400))
    notice_ms = round(TERMS.policy.notice_s * 1000)
    await work_desk.approve(store, 4, by="committee", why="it was known", notice_ms=notice_ms)
    await ledger.judged(golden.END_MS + 2 * HOUR_MS)
    await ledger.account()

    kept = await reports.document(store, scope=GOVERNMENT, label="2026-W47", version=1)
    assert kept == published
    assert editions(published) == files
    second = await freeze(store, ask(version=2), SETTINGS, software="0.1.0", why=Why("committee", "late"))
    assert second.correction is not None
    old = {each.code: each.old for each in second.correction.changed if each.subject == GOVERNMENT}
    # an hour more and an hour and a half less of down, one cause more; 400 more transactions
    assert {"F01", "F10", "F19", "F30"} <= old.keys()
    assert {code: value and value.text for code, value in old.items()} == {
        code: golden.EXPECTED[code] for code in old
    }
    assert second.total.figures["F19"].text == "2000"
    assert editions(await stored(store, version=1)) == files


async def stored(store: Store, *, version: int) -> bytes:
    text = await reports.document(store, scope=GOVERNMENT, label="2026-W47", version=version)
    assert text is not None
    return text


def editions(text: bytes) -> dict[str, bytes]:
    """Every file of a version, of the PDF on both papers."""
    found = {
        f"{form} {language}": file_of(text, form, language).body
        for form in FORMATS
        for language in ("ar", "en")
    }
    return found | {"projector": file_of(text, "pdf", "ar", paper="projector").body}


@pytest.mark.parametrize(
    "statement",
    ["update report_version set document = '{}'", "delete from report_version", "truncate report_version"],
)
async def test_the_database_refuses_to_change_a_published_report(store: Store, statement: str) -> None:
    await golden_store.write(store)
    await freeze(store, ask(), SETTINGS, software="0.1.0")
    with pytest.raises(BadRow, match="never changes"):
        async with store.transaction() as connection:
            await connection.execute(statement)


async def test_a_version_is_published_once(store: Store) -> None:
    await golden_store.write(store)
    await freeze(store, ask(), SETTINGS, software="0.1.0")
    with pytest.raises(BadRow):
        await freeze(store, ask(), SETTINGS, software="0.1.0")


async def test_a_report_of_an_entity_has_its_services_and_its_part_of_one_that_moved(store: Store) -> None:
    await golden_store.write(store)
    document = build(await gather(store, ask("entity:interior"), SETTINGS, software="0.1.0"))
    assert document.total.figures["F01"].text == EXPECTED_OF["entity:interior"]["F01"]
    assert [part.slug for part in document.services if part.slug == "licence"] == []
    vehicle = document.part("service:vehicle")
    assert vehicle is not None
    assert vehicle.counted.up_ms == 72 * HOUR_MS
    assert document.entities == ()


async def test_a_service_that_moved_is_compared_with_what_of_it_was_the_entitys_before(store: Store) -> None:
    """vehicle was down for a day of the week before, when it was the interior's: 144/168 = 85.714… %."""
    ledger = await golden_store.write(store)
    began = golden.START_MS - 5 * DAY_MS
    await ledger.says("service:vehicle", (began, "down"), (began + DAY_MS, "up"))
    await ledger.judged(golden.END_MS + 2 * HOUR_MS)
    await ledger.account()
    before, after = [
        build(await gather(store, ask(scope), SETTINGS, software="0.1.0")).part("service:vehicle")
        for scope in ("entity:interior", "entity:transport")
    ]
    assert before is not None
    assert after is not None
    assert (before.figures["F01"].text, before.figures["F04"].text) == ("100", "+14.29")
    assert after.figures["F04"].says is Says.NOT_APPLICABLE


@pytest.mark.parametrize("entity", ["entity:interior", "entity:transport"])
async def test_an_entity_reads_of_itself_what_the_government_reads_of_it(store: Store, entity: str) -> None:
    """Though a service moved: it is among those of its last owner, by the time that was the owner's."""
    await golden_store.write(store)
    of_all = build(await gather(store, ask(), SETTINGS, software="0.1.0")).part(entity)
    itself = build(await gather(store, ask(entity), SETTINGS, software="0.1.0")).total
    assert of_all is not None
    assert {code: itself.figures[code] for code in of_all.figures} == of_all.figures


async def test_before_the_first_catalogue_there_is_no_report(store: Store) -> None:
    with pytest.raises(UsageError, match="no catalogue"):
        await freeze(store, ask(), SETTINGS, software="0.1.0")


# -- because somebody asks


async def asks(store: Store, label: str | None, **more: Any) -> Document:
    return await publish(store, Wanted(label, by="desk", **more), SETTINGS, software="0.1.0")


async def test_whoever_publishes_by_hand_is_told_what_stands_in_the_way(store: Store) -> None:
    """The counters of transactions never said how far they are."""
    await golden_store.write(store)
    with pytest.raises(UsageError, match="counted until nothing"):
        await asks(store, "2026-W47")
    with pytest.raises(UsageError, match="nothing to correct"):
        await asks(store, "2026-W47", why="late", incomplete=True)
    with pytest.raises(UsageError, match="is not over yet"):
        await asks(store, "2100-W01", incomplete=True)
    with pytest.raises(UsageError, match="no entity is called 'nobody'"):
        await asks(store, "2026-W47", entity="nobody", incomplete=True)
    document = await asks(store, "2026-W47", incomplete=True)
    assert [each.what for each in document.not_in] == ["counted"]
    with pytest.raises(UsageError, match="published already, as version 1"):
        await asks(store, "2026-W47", incomplete=True)
    corrected = await asks(store, "2026-W47", why="looked at again", incomplete=True)
    assert corrected.correction is not None
    assert (corrected.about.version, corrected.correction.by, corrected.correction.changed) == (2, "desk", ())


@pytest.mark.parametrize("label", ["2026-10", "2026-Q3", "2026-11-10_2026-11-19"])
async def test_months_quarters_and_ranges_are_published_the_same_way(store: Store, label: str) -> None:
    await golden_store.write(store)
    document = await asks(store, label, entity="interior", incomplete=True)
    assert (document.about.label, document.about.scope) == (label, "entity:interior")
    assert document.total.figures["F01"].text is not None
    text = await read_frozen(store, label, entity="interior", version=None)
    assert decode(text) == document


# -- the role


def reporting(
    store: Store, settings: ReportSettings = SETTINGS, *, look_s: float = publishing.LOOK_S
) -> Reporting:
    lease = Lease(store, role="report", holder="test")
    metrics = ReportMetrics(CollectorRegistry())
    return Reporting(store, lease=lease, settings=settings, metrics=metrics, software="0.1.0", look_s=look_s)


async def last_week(store: Store) -> Stretch:
    """The week before this one, by the clock of the database, in the zone of the ledger."""
    terms = terms_of(catalogue())
    this = terms.period(Kind.WEEK, await reports.now(store))
    day = day_of(this.start_ms - 1, terms.zone)
    return stretch_of(Kind.WEEK, day, terms.zone, week_start=terms.week_start)


@pytest.fixture
async def ledger(store: Store) -> Ledger:
    """A week that is over, with one outage, and nothing of it judged yet."""
    made, ended = Ledger(store), await last_week(store)
    await made.begin(ended.start_ms)
    await made.says("service:a", (ended.start_ms, "up"), (ended.start_ms + DAY_MS, "down"))
    return made


async def look(store: Store, settings: ReportSettings = SETTINGS) -> int:
    """One look of a process that leads only for it."""
    role = reporting(store, settings)
    await role._lease.take_or_renew()
    made = await role.look(Stop())
    await role._lease.give_up()
    return made


async def test_a_week_is_published_when_all_is_in_and_once(store: Store, ledger: Ledger) -> None:
    ended = await last_week(store)
    settings = ReportSettings(grace_s=0.0, deadline_s=604_800.0)
    await ledger.judged(ended.end_ms - 1000)
    await ledger.account()
    assert await look(store, settings) == 0
    await ledger.judged(ended.end_ms)
    await ledger.account()
    assert await look(store, settings) == 2  # the government's and the entity's
    assert await look(store, settings) == 0
    [government, entity] = await reports.newest(store, limit=10)
    assert (government.scope, government.label, government.complete) == (GOVERNMENT, ended.label, True)
    assert entity.scope == "entity:e1"


async def test_a_week_that_waits_is_published_as_soon_as_all_is_in(store: Store, ledger: Ledger) -> None:
    """Not at the next look of every hour."""
    ended, stop = await last_week(store), Stop()
    settings = ReportSettings(grace_s=0.0, deadline_s=604_800.0)
    await ledger.judged(ended.end_ms - 1000)
    await ledger.account()
    role = reporting(store, settings, look_s=3600.0)
    running = asyncio.create_task(role.run(stop))
    await until(lambda: role._left == 2)
    await ledger.judged(ended.end_ms)
    await ledger.account()

    async def published() -> bool:
        return len(await reports.newest(store, limit=10)) == 2

    await until(published)
    stop.request()
    await running


async def test_a_week_waits_for_its_transactions_though_no_hour_of_any_is_summed_yet(
    store: Store, ledger: Ledger
) -> None:
    """The first ones ever: who asks the hours alone would say that nobody sends any."""
    ended = await last_week(store)
    settings = ReportSettings(grace_s=0.0, deadline_s=604_800.0)
    await ledger.judged(ended.end_ms)
    await ledger.account()
    row = Added("service:a/web", "completed", ended.start_ms, 5)
    await counts.make_partitions(store, {row.minute_ms // counts.WEEK_MS})
    series = await counts.series_of(store, {(row.channel, row.outcome)})
    async with store.transaction() as connection:
        await counts.add(connection, [row], series=series)
    assert await look(store, settings) == 0


async def test_outages_of_services_with_transactions_are_waited_for_until_they_are_estimated(
    store: Store,
) -> None:
    """The visa service was down as well, but nobody counts its transactions: no estimate will come."""
    await golden_store.write(store)
    over, now_ms = week(), await reports.now(store)

    async def waits() -> list[int]:
        asked = golden.catalogues()[0]
        return await unreckoned(store, asked, from_ms=over.start_ms, to_ms=over.end_ms, now_ms=now_ms)

    assert await waits() == []
    async with store.connection() as connection:
        await connection.execute("delete from missed")
    down = await seen.outages(store, subjects=["service:passport"], from_ms=over.start_ms, to_ms=over.end_ms)
    assert await waits() == [each.began_ms for each in down if each.began_ms >= over.start_ms] != []


async def test_at_the_deadline_it_is_published_and_says_what_was_not_in(store: Store, ledger: Ledger) -> None:
    ended = await last_week(store)
    await ledger.judged(ended.start_ms + 2 * DAY_MS)
    await ledger.account()
    assert await look(store, ReportSettings(grace_s=60.0, deadline_s=61.0)) == 0  # it has only just begun
    assert await look(store, ReportSettings(grace_s=0.0, deadline_s=0.001)) == 2
    text = await reports.document(store, scope=GOVERNMENT, label=ended.label)
    assert text is not None
    document = decode(text)
    assert [each.what for each in document.not_in] == ["judged", "accounted"]
    until = document.not_in[0].until
    assert until is not None
    assert until == document.about.began + timedelta(days=2)
    assert document.total.counted.down_ms == DAY_MS


async def test_who_no_longer_leads_does_not_go_on_saying_that_reports_wait(
    store: Store, ledger: Ledger
) -> None:
    """Its stale word would keep an alert alive that the new leader has long since answered."""
    ended = await last_week(store)
    await ledger.judged(ended.end_ms - 1000)
    await ledger.account()
    role, stop = reporting(store, ReportSettings(grace_s=0.0, deadline_s=604_800.0)), Stop()
    running = asyncio.create_task(role.run(stop))
    await until(lambda: role._metrics.waiting._value.get() == 2)
    async with store.connection() as connection:
        await connection.execute(
            "update lease set holder = 'other', epoch = epoch + 1, until = now() + interval '1 hour'"
        )
    await until(lambda: role._metrics.waiting._value.get() == 0)
    stop.request()
    await running


# -- the sample's past


async def test_sample_data_gets_a_past_once_and_real_data_never(store: Store) -> None:
    now_ms = await reports.now(store)
    real, sample = catalogue(), replace(catalogue(), sample=True)
    ledger = Ledger(store)
    await ledger.begin(now_ms, real)
    assert await give_a_past(store, history_ms=now_ms - 21 * DAY_MS, now_ms=now_ms) == 0
    await ledger.publish(sample, at_ms=now_ms)
    async with store.transaction() as connection:
        await connection.execute("delete from catalogue where serial = (select min(serial) from catalogue)")
    assert await give_a_past(store, history_ms=now_ms - 21 * DAY_MS, now_ms=now_ms) > 0
    began_ms = await figures.began(store)
    assert began_ms is not None
    assert 3 * 7 * DAY_MS <= now_ms - began_ms < 4 * 7 * DAY_MS
    assert await give_a_past(store, history_ms=now_ms - 21 * DAY_MS, now_ms=now_ms) == 0
