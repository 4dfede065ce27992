"""The committee's page and API: its week, both figures of what waits, what it agreed and asked."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from monitor.judge.terms import Terms
from monitor.model import Policy, Verdict
from monitor.store.tokens import Role
from monitor.web.committee import weeks_of
from tests.acting import bearer, field, post, sign_in, words
from tests.golden_week import about, golden
from tests.reported import publish
from tests.serving import Served, serving

DAY_S = 86_400
ACTIONS, INQUIRIES = "/api/v1/committee/actions", "/api/v1/committee/inquiries"


def day(ahead: int = 7) -> str:
    return (datetime.now(UTC).date() + timedelta(days=ahead)).isoformat()


def action(**more: str) -> dict[str, str]:
    return {"what": "Renew certificates by day", "who": "Amal", "due": day(), **more}


def inquiry(**more: str) -> dict[str, str]:
    return {"question": "Why did the app stay down?", "owner": "Interior", "due": day(), **more}


async def send(served: Served, path: str, body: object, who: dict[str, str]) -> tuple[int, Any]:
    status, text = await post(served, path, json=body, headers=who)
    return status, msgspec.json.decode(text)


async def committee(served: Served) -> dict[str, str]:
    return await bearer(served, "Committee", Role.COMMITTEE)


async def acts(served: Served) -> list[tuple[str, str, str]]:
    async with served.store.connection() as connection:
        rows = await connection.fetch(
            "select actor, action, object from audit where action like 'committee.%' order by id"
        )
    return [tuple(row) for row in rows]


# -- actions


async def test_an_action_is_carried_over_until_it_is_done_and_each_act_is_audited(database: str) -> None:
    async with serving(database) as served:
        who = await committee(served)
        status, made = await send(served, ACTIONS, action(), who)
        before: Any = await served.json(f"{ACTIONS}?state=open")
        _, done = await send(served, f"{ACTIONS}/1/done", {"result": "Since Sunday"}, who)
        after: Any = await served.json(f"{ACTIONS}?state=open")
        audited = await acts(served)
    assert (status, made["done_at"], made["agreed_by"]) == (201, None, "Committee")
    assert ([each["number"] for each in before["items"]], after["items"]) == ([1], [])
    assert (done["done_by"], done["result"]) == ("Committee", "Since Sunday")
    assert audited == [
        ("Committee", "committee.action_agreed", "action:1"),
        ("Committee", "committee.action_done", "action:1"),
    ]


async def test_what_is_done_cannot_be_done_again_and_what_is_not_there_is_not_found(database: str) -> None:
    async with serving(database) as served:
        who = await committee(served)
        await send(served, ACTIONS, action(), who)
        statuses = [
            (await send(served, f"{ACTIONS}/{number}/done", {"result": ""}, who))[0] for number in (1, 1, 2)
        ]
    assert statuses == [200, 409, 404]


async def test_the_soonest_due_stands_first_and_what_is_done_last(database: str) -> None:
    async with serving(database) as served:
        who = await committee(served)
        for ahead in (9, 3, 5):
            await send(served, ACTIONS, action(due=day(ahead)), who)
        await send(served, f"{ACTIONS}/2/done", {}, who)
        found: Any = await served.json(ACTIONS)
    assert [each["number"] for each in found["items"]] == [3, 1, 2]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"what": " "}, "`what` has from 1 to 500 characters"),
        ({"who": "x" * 101}, "`who` has from 1 to 100 characters"),
        ({"due": "soon"}, "`due` must be a day such as 2026-12-04"),
        ({"due": "2020-01-01"}, "`due` must lie from"),
        ({"due": "9999-12-31"}, "`due` must lie from"),
    ],
)
async def test_a_bad_action_is_refused_with_what_is_right(
    database: str, changed: dict[str, str], said: str
) -> None:
    async with serving(database) as served:
        status, problem = await send(served, ACTIONS, action(**changed), await committee(served))
    assert (status, said in problem["detail"]) == (400, True)


# -- inquiries


async def test_an_inquiry_keeps_its_report_and_figure_and_how_long_the_answer_took(database: str) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        who = await committee(served)
        status, made = await send(served, INQUIRIES, inquiry(label="2026-W47", code="F07"), who)
        async with served.store.transaction() as connection:
            await connection.execute("update inquiry set asked_at = now() - interval '26 hours'")
        _, done = await send(served, f"{INQUIRIES}/1/answer", {"answer": "A cable was cut"}, who)
        page = words(await served.text("/committee?lang=en"))
        audited = await acts(served)
    assert (status, made["label"], made["version"], made["code"]) == (201, "2026-W47", 1, "F07")
    assert (done["answer"], done["seconds_to_answer"] // 3600) == ("A cable was cut", 26)
    assert "1 day 2 h" in page
    assert [each[1] for each in audited] == ["committee.asked", "committee.answered"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"question": ""}, "`question` has from 1"),
        ({"label": "2026-W01"}, "`label` names no published report"),
        ({"label": "2026-W47", "version": "9"}, "`version` of 2026-W47 must be one of 1"),
        ({"code": "F99"}, "`code` must be a figure from F01"),
    ],
)
async def test_a_bad_inquiry_is_refused_with_what_is_right(
    database: str, changed: dict[str, str], said: str
) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        status, problem = await send(served, INQUIRIES, inquiry(**changed), await committee(served))
    assert (status, said in problem["detail"]) == (400, True)


# -- who may


async def test_only_the_committee_and_operators_write(database: str) -> None:
    async with serving(database) as served:
        statuses = {
            role: (await send(served, ACTIONS, action(), await bearer(served, role, role)))[0]
            for role in Role
        }
        nobody, _ = await send(served, ACTIONS, action(), {})
    assert {role for role, status in statuses.items() if status == 201} == {Role.COMMITTEE, Role.OPERATOR}
    assert ({*statuses.values()}, nobody) == ({201, 403}, 401)


async def test_the_forms_write_and_a_form_of_another_page_does_not(database: str) -> None:
    async with serving(database) as served:
        await sign_in(served, "Committee", Role.COMMITTEE)
        csrf = await field(served, "/committee")
        strange, _ = await post(served, "/committee/actions", data=action(csrf="guess"))
        own, _ = await post(served, "/committee/actions", data=action(csrf=csrf))
        asked, _ = await post(served, "/committee/inquiries", data=inquiry(csrf=csrf))
        done, _ = await post(served, "/committee/actions/1/done", data={"csrf": csrf, "result": "Yes"})
        told, _ = await post(served, "/committee/inquiries/1/answer", data={"csrf": csrf, "answer": "Cut"})
        page = words(await served.text("/committee?lang=en"))
    assert (strange, own, asked, done, told) == (403, 303, 303, 303, 303)
    assert "Renew certificates by day" in page
    assert "Why did the app stay down?" in page


async def test_whoever_is_not_signed_in_reads_and_finds_no_form(database: str) -> None:
    async with serving(database) as served:
        page = await served.text("/committee?lang=en")
    assert 'method="post" action="/committee' not in page
    assert "sign in with the committee" in words(page)


async def test_an_overdue_action_says_so(database: str) -> None:
    async with serving(database) as served:
        await send(served, ACTIONS, action(), await committee(served))
        async with served.store.transaction() as connection:
            await connection.execute("update committee_action set due = $1", date(2026, 1, 1))
        assert "متأخر عن موعده" in await served.text("/committee?lang=ar")


# -- the week, and what waits


async def belong(served: Served, *, ago_s: float = 7200) -> None:
    """The government's services, for the two hours in which they have been up, or so many seconds."""
    async with served.store.transaction() as connection:
        await connection.executemany(
            "insert into membership values ($1, 'government', tstzrange($2, null))",
            [(each.subject, served.world.ago(ago_s)) for each in served.world.catalogue.services],
        )


async def test_what_waits_shows_everybodys_figure_with_and_without(database: str) -> None:
    async with serving(database) as served:
        await belong(served)
        await served.world.service_falls("s0001", ago_s=600)
        number = await served.world.work("service:s0001", from_s=-900, to_s=900, noticed=False)
        page = await served.text("/committee?lang=en")
    found = re.findall(rf'data-figure="{number}/[^/"]+/[12]">([0-9.]+)%', page)
    assert found[1::2] == ["100", "100"]  # nothing else was down
    # of twelve services one has been down for ten minutes of two hours: 1 − 10/1440 and 1 − 10/120
    everybody, its_own = (float(each) for each in found[::2])
    assert 99.1 < everybody < 99.4
    assert 90 < its_own < 92


async def test_work_over_the_end_of_a_week_shows_both_figures_of_both_weeks(database: str) -> None:
    """Down for the last eight days, so in this week and in one before it: of twelve services one."""
    async with serving(database) as served:
        await belong(served, ago_s=20 * DAY_S)
        for each in served.world.catalogue.services:
            await served.world.change("effective", each.subject, Verdict.UP, ago_s=20 * DAY_S)
        await served.world.service_falls("s0001", ago_s=8 * DAY_S)
        number = await served.world.work("service:s0001", from_s=-8 * DAY_S, to_s=60, noticed=False)
        page = await served.text("/committee?lang=en")
    found = re.findall(rf'data-figure="{number}/([^/"]+)/[12]">([0-9.]+|[a-z ]+)', page)
    labels = [label for label, _ in found]
    assert labels == sorted(labels)
    assert 2 <= len(set(labels)) <= 3
    for label in set(labels):
        everybody, left_out = [text for of, text in found if of == label][:2]
        assert float(everybody) < 99
        assert left_out == "100"


async def test_work_announced_late_that_has_not_begun_changes_no_figure(database: str) -> None:
    async with serving(database) as served:
        await served.world.work("service:s0001", from_s=900, to_s=1800, noticed=False)
        assert "It has not begun" in words(await served.text("/committee?lang=en"))


async def test_the_committee_rules_from_its_page_and_an_operator_does_not(database: str) -> None:
    async with serving(database) as served:
        await served.world.work("service:s0001", from_s=-900, to_s=900, noticed=False)
        await sign_in(served, "Desk", Role.OPERATOR)
        desk = await served.text("/committee")
        await sign_in(served, "Committee", Role.COMMITTEE)
        theirs = await served.text("/committee")
        sent = {"csrf": await field(served, "/committee"), "why": "Known late", "ruling": "approve"}
        await post(served, "/planned-work/1/ruling", data=sent)
        left = words(await served.text("/committee?lang=en"))
    assert ("/planned-work/1/ruling" in desk, "/planned-work/1/ruling" in theirs) == (False, True)
    assert "Nothing waits for a decision." in left


async def test_every_version_of_a_report_is_in_the_history_and_the_page_names_its_announced_work(
    database: str,
) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        await publish(served.store, golden(about=about(version=2)))
        await served.world.work("service:s0001", from_s=-900, to_s=900)
        page = await served.text("/committee?lang=en")
    assert 'href="/reports/2026-W47?version=2"' in page
    assert 'href="/reports/2026-W47?version=1"' in page
    assert "New certificates" in words(page)


async def test_a_week_with_a_report_shows_the_digits_that_were_frozen(database: str) -> None:
    """Of thirteen weeks that are over; the week of the report is the golden one, seen from the next."""
    async with serving(database) as served:
        await publish(served.store, golden())
        now_ms = int(datetime(2026, 11, 25, tzinfo=UTC).timestamp() * 1000)
        found = await weeks_of(served.store, Terms(ZoneInfo("Asia/Dubai"), 0, Policy()), now_ms=now_ms)
    assert (found.now.label, found.last.label, len(found.over)) == ("2026-W48", "2026-W47", 13)
    assert (found.last.availability, found.last.coverage, found.last.met) == ("98.99", "98.51", True)
    assert (found.last.outages, found.last.down_ms) == (4, 28_800_000)
    assert found.over[1].availability is None
