"""Reports that did not reach somebody, on the pages: for who may do something about it, and what to type."""

from __future__ import annotations

import pytest

from monitor.model import GOVERNMENT
from monitor.store import report_deliveries as table
from monitor.store.pool import Store
from monitor.store.report_deliveries import Which
from monitor.store.tokens import Role
from tests.acting import bearer, words
from tests.golden_week import golden
from tests.reported import publish
from tests.serving import serving

LABEL = "2026-W47"
PAGES = ("/reports", "/committee")


async def delivery(
    store: Store, recipient: str, state: str, *, said: str = "", tries: int = 1, which: Which | None = None
) -> None:
    """As the role `report` leaves it behind: planned an hour ago, and what became of it."""
    async with store.transaction() as connection:
        await table.plan(connection, which or Which(GOVERNMENT, LABEL, 1), [recipient])
        await connection.execute(
            "update report_delivery set state = $2, said = $3, tries = $4, "
            "made_at = now() - interval '1 hour', "
            "done_at = case when $2 <> 'waiting' then now() end where recipient = $1",
            recipient,
            state,
            said,
            tries,
        )


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    ("language", "given_up", "again"),
    [
        ("en", "given up for chair at", "When the cause is mended, send it again:"),
        ("ar", "توقفت محاولات التسليم إلى chair في", "بعد معالجة السبب، أعد الإرسال بالأمر:"),
    ],
)
async def test_a_reviewer_reads_that_a_delivery_was_given_up_why_and_what_to_do(
    database: str, page: str, language: str, given_up: str, again: str
) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        await delivery(served.store, "chair", "failed", said="the mail server answered 550")
        member = await bearer(served, "Fatima", Role.COMMITTEE)
        plain = " ".join(words(await served.text(f"{page}?lang={language}", **member)).split())
    assert given_up in plain
    assert "the mail server answered 550" in plain
    assert f"{again} continuity report deliver {LABEL} --to chair" in plain


@pytest.mark.parametrize(
    ("language", "waits", "tries"),
    [
        ("en", "has waited to reach archive since", "after 3 tries"),
        ("ar", "بانتظار التسليم إلى archive منذ", "بعد 3 محاولات"),
    ],
)
async def test_a_reviewer_reads_since_when_a_delivery_waits(
    database: str, language: str, waits: str, tries: str
) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        await delivery(served.store, "archive", "waiting", said="the folder said: File exists", tries=3)
        member = await bearer(served, "Fatima", Role.OPERATOR)
        plain = " ".join(words(await served.text(f"/reports?lang={language}", **member)).split())
    assert waits in plain
    assert tries in plain


async def test_what_was_never_tried_hints_at_the_role_and_names_the_entity(database: str) -> None:
    which = Which("entity:e01", LABEL, 1)
    async with serving(database) as served:
        await delivery(served.store, "archive", "waiting", tries=0, which=which)
        member = await bearer(served, "Fatima", Role.OPERATOR)
        page = await served.text("/reports?lang=en", **member)
        plain = " ".join(words(page).split())
    assert "not tried once; perhaps the role report is not running" in plain
    assert f"continuity report deliver {LABEL} --entity e01 --to archive" in plain
    assert f'href="/reports/{LABEL}?entity=e01"' in page


async def test_a_draft_that_did_not_arrive_is_read_on_its_page(database: str) -> None:
    which = Which(GOVERNMENT, LABEL, 1, "draft")
    async with serving(database) as served:
        await publish(served.store, golden())
        await delivery(served.store, "chair", "failed", which=which)
        member = await bearer(served, "Fatima", Role.OPERATOR)
        page = await served.text("/reports?lang=en", **member)
    assert "The reviewer can read the draft here meanwhile." in page
    assert f'href="/reports/{LABEL}/draft"' in page
    assert "--to chair" not in page


@pytest.mark.parametrize("page", PAGES)
async def test_nobody_else_is_told_and_what_arrived_is_not_told_of(database: str, page: str) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        await delivery(served.store, "chair", "failed", said="answered 403")
        await delivery(served.store, "archive", "sent", said="written")
        viewer = await bearer(served, "Viewer", Role.VIEWER)
        member = await bearer(served, "Fatima", Role.COMMITTEE)
        unseen = [await served.text(page), await served.text(page, **viewer)]
        seen = await served.text(page, **member)
    assert ["answered 403" in text for text in (*unseen, seen)] == [False, False, True]
    assert "written" not in words(seen).split()
