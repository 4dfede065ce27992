"""What the sample's people did before the first run, as readers of a real PostgreSQL find it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.config.load import load
from monitor.demo.past import WEEKS, give_a_past, weeks_over
from monitor.judge.exclusions import standing, waits
from monitor.judge.reading import exclusion_of
from monitor.model import Catalogue
from monitor.store import committee, exclusions, replies, reports
from monitor.store.pool import Store, open_store
from tests.ledger import DAY_MS, HOUR_MS, Ledger

NOTICE_MS = 24 * HOUR_MS


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load(Path(__file__).parents[2] / "config", environ={}).catalogue


@pytest.fixture
async def store(database: str, catalogue: Catalogue) -> AsyncIterator[Store]:
    """With the sample's past."""
    async with open_store(database) as opened:
        now_ms = await reports.now(opened)
        ledger = Ledger(opened)
        await ledger.publish(catalogue, at_ms=now_ms)
        await ledger.member("entity:tax", "government", now_ms)
        await give_a_past(opened, history_ms=now_ms - 21 * DAY_MS, now_ms=now_ms)
        yield opened


async def test_work_of_every_kind_was_announced_in_weeks_that_are_over(store: Store) -> None:
    now_ms = await reports.now(store)
    found = [exclusion_of(row) for row in await exclusions.touching(store, from_ms=0, to_ms=now_ms)]
    stands: dict[str, list[str]] = {}
    for each in found:
        stands.setdefault(each.why.partition(" · ")[2], []).append(standing(each, notice_ms=NOTICE_MS).value)
    assert stands == {
        "Upgrade of the signature servers": ["noticed"],
        "Urgent change of the payment gateway for the bank": ["short_notice"],
        "Move of the business register to the new data centre": ["noticed", "rejected"],
    }
    assert all(any(subject.startswith("service:") for subject in each.subjects) for each in found)
    assert [each.why for each in found if waits(each, notice_ms=NOTICE_MS)] == [
        "تغيير عاجل في بوابة الدفع بطلب من البنك · Urgent change of the payment gateway for the bank"
    ]


async def test_every_week_that_is_over_has_an_outage_with_what_was_done(
    store: Store, catalogue: Catalogue
) -> None:
    now_ms = await reports.now(store)
    weeks = weeks_over(catalogue, now_ms)
    systems = [system.subject for system in catalogue.systems]
    noted = [
        await reports.incidents(store, subjects=systems, from_ms=week.start_ms, to_ms=week.end_ms)
        for week in weeks
    ]
    assert len(noted) == WEEKS
    assert all(any(incident.notes for incident in of_week) for of_week in noted)


async def test_the_committee_agreed_and_asked_before_today_and_only_once(
    store: Store, catalogue: Catalogue
) -> None:
    now_ms = await reports.now(store)
    await give_a_past(store, history_ms=now_ms - 21 * DAY_MS, now_ms=now_ms)
    actions = await committee.actions(store, limit=9)
    [inquiry] = await committee.inquiries(store, limit=9)
    assert [action.done_ms is None for action in actions] == [True, False]
    assert all(action.agreed_ms < now_ms - 8 * DAY_MS for action in actions)
    [reply] = await replies.listed(store, label=inquiry.label, entity="entity:tax", limit=9)
    assert (reply.code, reply.on_behalf) == ("F17", False)
    assert (inquiry.label, inquiry.code) == (weeks_over(catalogue, now_ms)[-1].label, "F17")
