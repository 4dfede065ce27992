"""What an entity answers, on a real PostgreSQL: in drafts at once, in what is frozen later, never before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import msgspec
import pytest

from monitor.config.delivery import DeliverySettings, Recipient
from monitor.config.settings import ReportSettings
from monitor.errors import BadRow, UsageError
from monitor.judge.terms import terms_of
from monitor.model import GOVERNMENT
from monitor.report.delivery.plan import Superseded, release_due, sign_off
from monitor.report.document import Document, decode, digest, encode
from monitor.report.gather import Ask
from monitor.report.publishing import Why, freeze
from monitor.report.replying import REPLIES_MAX, TEXT_MAX, Unfit, Wish, replied, reply, withdraw
from monitor.report.times import named_stretch
from monitor.store import replies as table
from monitor.store import report_deliveries, report_drafts, reports
from monitor.store.lease import Lease
from monitor.store.pool import Store, open_store
from monitor.store.replies import Said
from monitor.store.report_drafts import Draft
from tests import golden_week as golden
from tests import reported
from tests.integration import golden_store

LABEL = "2026-W47"
CATALOGUE = golden.catalogues()[0]
INTERIOR, TRANSPORT = "entity:interior", "entity:transport"
WAITS = """
    select exists (select from pg_locks join pg_database d on d.oid = database
                   where not granted and d.datname = current_database())
"""
REVIEWER = Recipient(name="reviewer", folder="/nowhere", reviews=True)
REVIEWED = ReportSettings(review_s=3600.0, delivery=DeliverySettings(recipients=(REVIEWER,)))


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with open_store(database) as opened:
        await golden_store.write(opened)
        yield opened


async def says(
    store: Store, en: str, *, entity: str = "interior", about: str = "", label: str = LABEL
) -> int:
    wish = Wish(label, entity, about, ar="", en=en, by="Amal", on_behalf=False)
    return await reply(store, CATALOGUE, wish)


async def frozen(
    store: Store,
    scope: str = GOVERNMENT,
    *,
    version: int = 1,
    settings: ReportSettings | None = None,
    label: str = LABEL,
) -> Document:
    """Published, as a correction from version 2 on; with settings, kept back for a reviewer."""
    terms = terms_of(CATALOGUE)
    asked = Ask(named_stretch(label, terms.zone, week_start=terms.week_start), scope, version)
    why = Why("committee", "replies came in") if version > 1 else None
    return await freeze(
        store, asked, settings or ReportSettings(), software="0.1.0", why=why, review=settings is not None
    )


def told(document: Document) -> list[tuple[str, str]]:
    return [(each.entity, each.text.en) for each in document.replies]


async def published(store: Store, scope: str = GOVERNMENT, *, version: int | None = None) -> bytes | None:
    return await reports.document(store, scope=scope, label=LABEL, version=version)


async def in_review(store: Store, scope: str = GOVERNMENT) -> tuple[Draft, Document]:
    found = await report_drafts.one(store, scope=scope, label=LABEL)
    assert found is not None
    draft, text = found
    assert draft.sha256 == digest(text)
    return draft, decode(text)


# -- frozen


async def test_replies_known_at_freezing_are_in_the_report_of_everybody_and_of_their_entity(
    store: Store,
) -> None:
    await says(store, "A cable was cut.", entity="transport", about="F01")
    await says(store, "Certificates are renewed by day now.", about="INC-2026-0007")
    await says(store, "The week before was measured otherwise.")
    await says(store, "Of another week.", label="2026-W46")
    every = await frozen(store)
    assert told(every) == [
        (INTERIOR, "Certificates are renewed by day now."),
        (INTERIOR, "The week before was measured otherwise."),
        (TRANSPORT, "A cable was cut."),
    ]
    of_outage, of_week, of_figure = every.replies
    assert (of_outage.subject, of_outage.incident) == ("system:identity", "INC-2026-0007")
    assert of_outage.subject_name.en == golden.NAMES.get("identity", of_outage.subject_name).en != ""
    assert (of_outage.name.ar, of_outage.by, of_outage.on_behalf) == ("وزارة الداخلية", "Amal", False)
    assert (of_figure.code, of_week.code, of_week.subject) == ("F01", "", "")
    assert told(await frozen(store, TRANSPORT)) == [(TRANSPORT, "A cable was cut.")]


async def test_a_reply_after_publication_leaves_what_is_published_and_is_no_changed_figure_of_a_correction(
    store: Store,
) -> None:
    await frozen(store)
    before = await published(store)
    await says(store, "A cable was cut.", about="F01")
    assert await published(store) == before
    second = await frozen(store, version=2)
    assert told(second) == [(INTERIOR, "A cable was cut.")]
    assert second.correction is not None
    assert second.correction.changed == ()
    assert await published(store, version=1) == before


async def test_a_reply_that_was_withdrawn_stays_in_the_version_that_has_it_and_is_in_none_after(
    store: Store,
) -> None:
    number = await says(store, "A cable was cut.")
    await says(store, "It was a router.")
    first = await frozen(store)
    withdrawn = await withdraw(store, number, by="Amal")
    assert withdrawn is not None
    assert (withdrawn.withdrawn_by, await withdraw(store, number, by="Amal")) == ("Amal", None)
    assert told(first) == [(INTERIOR, "A cable was cut."), (INTERIOR, "It was a router.")]
    assert await published(store) == encode(first)
    assert told(await frozen(store, version=2)) == [(INTERIOR, "It was a router.")]


async def test_every_act_is_in_the_audit(store: Store) -> None:
    number = await says(store, "A cable was cut.")
    await withdraw(store, number, by="Fatima")
    async with store.connection() as connection:
        rows = await connection.fetch("select actor, action, object from audit where object like 'reply:%'")
    assert [tuple(row) for row in rows] == [
        ("Amal", "report.replied", f"reply:{LABEL}/{number}"),
        ("Fatima", "report.reply_withdrawn", f"reply:{LABEL}/{number}"),
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "update report_reply set en = 'something else'",
        "update report_reply set en = 'both', withdrawn_at = now(), withdrawn_by = 'x'",
        "delete from report_reply",
        "truncate report_reply",
    ],
)
async def test_the_database_refuses_to_edit_or_delete_a_reply(store: Store, statement: str) -> None:
    await says(store, "A cable was cut.")
    with pytest.raises(BadRow, match="never edited or deleted"):
        async with store.transaction() as connection:
            await connection.execute(statement)


def test_a_report_of_a_version_without_replies_is_read_as_one_to_which_nobody_replied() -> None:
    before = msgspec.json.decode(encode(golden.golden()))
    del before["replies"]
    assert decode(msgspec.json.encode(before)) == golden.golden()


# -- drafts


async def test_a_reply_during_the_review_makes_the_drafts_anew_with_the_same_figures(store: Store) -> None:
    every = await frozen(store, settings=REVIEWED)
    own = await frozen(store, INTERIOR, settings=REVIEWED)
    other = await frozen(store, TRANSPORT, settings=REVIEWED)
    await says(store, "A cable was cut.", about="F01")
    for scope, before in ((GOVERNMENT, every), (INTERIOR, own)):
        draft, made = await in_review(store, scope)
        assert draft.sha256 != digest(encode(before))
        assert draft.remade_ms is not None
        assert told(made) == [(INTERIOR, "A cable was cut.")]
        assert msgspec.structs.replace(made, replies=()) == before
    draft, made = await in_review(store, TRANSPORT)
    assert (draft.remade_ms, made) == (None, other)
    async with store.connection() as connection:
        detail = await connection.fetchval(
            "select detail from audit where action = 'report.draft_remade' and object like '%government%'"
        )
    assert msgspec.json.decode(detail)["before"] == digest(encode(every))


async def test_whoever_was_sent_a_draft_is_sent_the_new_one_and_several_replies_make_one_delivery(
    store: Store,
) -> None:
    await frozen(store, settings=REVIEWED)
    claimed = await report_deliveries.claim(store, ["reviewer"], lease="a", lease_s=60)
    assert claimed is not None
    assert not claimed.remade
    await says(store, "One.")
    await report_deliveries.close(store, claimed, state="sent", said="")
    await says(store, "Two.")
    async with store.connection() as connection:
        await connection.execute("update report_delivery set due_at = now() where state = 'waiting'")
    again = await report_deliveries.claim(store, ["reviewer"], lease="b", lease_s=60)
    assert again is not None
    assert again.remade
    assert told(decode(again.document)) == [(INTERIOR, "One."), (INTERIOR, "Two.")]
    assert await report_deliveries.claim(store, ["reviewer"], lease="c", lease_s=60) is None


async def test_nobody_signs_bytes_they_did_not_see(store: Store) -> None:
    await frozen(store, settings=REVIEWED)
    seen, _ = await in_review(store)
    await says(store, "A cable was cut.")
    with pytest.raises(Superseded, match="made anew"):
        await sign_off(store, label=LABEL, scope=GOVERNMENT, by="Fatima", sha256=seen.sha256)
    assert await published(store) is None
    now, made = await in_review(store)
    with pytest.raises(UsageError, match="at least 16 digits"):
        await sign_off(store, label=LABEL, scope=GOVERNMENT, by="Fatima", sha256=now.sha256[:15])
    await sign_off(store, label=LABEL, scope=GOVERNMENT, by="Fatima", sha256=now.sha256[:16])
    assert await published(store) == encode(made)
    async with store.connection() as connection:
        detail = await connection.fetchval("select detail from audit where action = 'report.signed_off'")
    assert msgspec.json.decode(detail) == {"sha256": now.sha256}


async def test_a_draft_at_its_deadline_is_published_with_the_replies_it_has(store: Store) -> None:
    await frozen(store, settings=REVIEWED)
    number = await says(store, "A cable was cut.")
    await says(store, "It was a router.")
    await withdraw(store, number, by="Amal")
    async with store.connection() as connection:
        await connection.execute("update report_draft set review_until = now()")
    lease = Lease(store, role="report", holder="test")
    await lease.take_or_renew()
    assert await release_due(store, lease) == 1
    text = await published(store)
    assert text is not None
    assert told(decode(text)) == [(INTERIOR, "It was a router.")]


async def test_a_reply_on_its_way_while_a_draft_is_made_is_in_that_draft(store: Store, database: str) -> None:
    document, watcher = golden.golden(), await asyncpg.connect(database)
    try:
        async with store.transaction() as connection:
            made = await replied(connection, document)
            coming = asyncio.create_task(says(store, "A cable was cut."))
            async with asyncio.timeout(10):
                while not await watcher.fetchval(WAITS):  # noqa: ASYNC110 - the event is in PostgreSQL
                    await asyncio.sleep(0.02)
            await report_drafts.add(
                connection, reported.row_of(made), review_s=3600, recipients=[], by="test"
            )
        await coming
    finally:
        await watcher.close()
    assert told(made) == []
    assert told((await in_review(store))[1]) == [(INTERIOR, "A cable was cut.")]


async def test_a_report_waits_for_a_reply_that_is_being_kept_and_has_it(store: Store, database: str) -> None:
    said = Said(INTERIOR, LABEL, "F01", "", None, "", "", "A cable was cut.", "Amal", on_behalf=False)
    watcher = await asyncpg.connect(database)
    try:
        async with store.transaction() as connection:
            await table.add(connection, said)
            making = asyncio.create_task(frozen(store))
            async with asyncio.timeout(10):
                while not await watcher.fetchval(WAITS):  # noqa: ASYNC110 - the event is in PostgreSQL
                    await asyncio.sleep(0.02)
    finally:
        await watcher.close()
    assert told(await making) == [(INTERIOR, "A cable was cut.")]


# -- what is no reply


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"label": "2100-W01"}, "has not begun"),
        ({"label": "W47"}, "is no period"),
        ({"entity": "nobody"}, "no entity is called"),
        ({"about": "F99"}, "is no figure, no incident, and no outage"),
        ({"about": "service:licence@2026-11-20T02:00:00Z"}, "is not of interior"),
        ({"about": "service:nothing@2026-11-20T02:00:00Z"}, "no service and no system"),
        ({"about": "service:passport@2026-11-20T02:00:00"}, "no instant with its zone"),
        ({"about": "service:passport@2026-11-23T02:00:00Z"}, "began after"),
        ({"about": "INC-2026-0007", "label": "2026-W48"}, "was over before"),
        ({"en": "x" * (TEXT_MAX + 1)}, "at most 1000 characters"),
        ({"en": " \n "}, "needs a text"),
    ],
)
async def test_what_cannot_be_kept_is_refused_with_what_would_be_right(
    store: Store, changed: dict[str, str], said: str
) -> None:
    wish = Wish(LABEL, "interior", "", ar="", en="A cable was cut.", by="Amal", on_behalf=False)
    with pytest.raises(Unfit, match=said):
        await reply(store, CATALOGUE, wish._replace(**changed))
    assert await table.listed(store, label=LABEL, entity=None, limit=10) == []


async def test_a_reply_is_kept_in_one_line_and_cannot_turn_what_stands_around_it(store: Store) -> None:
    await says(store, "  A cable\n was \u202ecut. ")
    [kept] = await table.listed(store, label=LABEL, entity=None, limit=10)
    assert kept.en == "A cable was cut."


async def test_of_a_service_that_is_gone_its_last_entity_answers(store: Store) -> None:
    assert await says(store, "It was closed for good.", about="service:visa@2026-11-17T06:00:00Z")


async def test_an_entity_has_so_many_replies_about_a_period_and_no_more(store: Store) -> None:
    for number in range(REPLIES_MAX):
        await says(store, f"Reply {number}.")
    with pytest.raises(Unfit, match="50 replies of interior"):
        await says(store, "One more.")
