"""Incidents by hand, on pages and API: opened, closed, summed up, and the suspected cause ruled on."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.judge.incidents import State
from monitor.store.tokens import Role
from tests.acting import audited, bearer, field, post, sign_in, words
from tests.serving import Served, serving

NUMBER = "INC-2026-0001"
PAGE, API = f"/incidents/{NUMBER}", f"/api/v1/incidents/{NUMBER}"
REPORT = {
    "subject": "payments",
    "title": "Receipts are not printed",
    "verdict": "degraded",
    "severity": "warning",
}


async def opened(served: Served) -> str:
    """The number of one opened over the API."""
    status, _ = await post(served, "/api/v1/incidents", json=REPORT, headers=await bearer(served))
    assert status == 201
    [item] = await items(served)
    return str(item["number"])


async def items(served: Served, state: str = "open") -> Any:
    return (await served.json(f"/api/v1/incidents?state={state}"))["items"]


async def test_a_person_opens_one_on_the_page_and_is_named(database: str) -> None:
    async with serving(database) as served:
        await sign_in(served)
        csrf = await field(served, "/incidents/new?subject=system:payments")
        sent = {**REPORT, "subject": "system:payments", "since": "", "csrf": csrf}
        async with served.http.post(f"{served.url}/incidents/new", data=sent) as answer:
            text = words(await answer.text())
        found = await audited(served)
    assert "Payment gateway" in text
    assert "Receipts are not printed" in text
    assert "Opened by Night desk" in text
    assert [row[:2] for row in found] == [("Night desk", "incident.opened")]


async def test_over_the_api_it_is_closed_and_summed_up(database: str) -> None:
    async with serving(database) as served:
        number = await opened(served)
        headers = await bearer(served, "Day desk")
        path = f"/api/v1/incidents/{number}"
        early = await post(served, f"{path}/summary", json={"text": "A fuse."}, headers=headers)
        closed = await post(served, f"{path}/close", headers=headers)
        again = await post(served, f"{path}/close", headers=headers)
        summed = await post(served, f"{path}/summary", json={"text": "A fuse."}, headers=headers)
        text = words(await served.text(f"/incidents/{number}"))
    assert [early[0], closed[0], again[0], summed[0]] == [409, 200, 409, 201]
    assert "Summary A fuse. Day desk" in text


async def test_a_suspected_cause_is_ruled_on_by_a_person(database: str) -> None:
    async with serving(database) as served:
        await served.world.incident("system:identity", suspected=True)
        await sign_in(served)
        csrf = await field(served, PAGE)
        await post(served, f"{PAGE}/cause", data={"csrf": csrf, "ruling": "rejected"})
        rejected = words(await served.text(PAGE))
        await post(served, f"{PAGE}/cause", data={"csrf": csrf, "ruling": "confirmed"})
        confirmed = words(await served.text(PAGE))
        found: Any = await served.json(API)
        done = await audited(served)
    assert "Services that failed together" in rejected
    assert "Night desk has rejected Digital identity as the cause." in rejected
    assert "confirmed by Night desk" in confirmed
    assert (found["ruling"], found["ruled_by"]) == ("confirmed", "Night desk")
    assert [row[1] for row in done] == ["incident.cause_rejected", "incident.cause_confirmed"]


async def test_what_its_own_check_confirmed_is_not_ruled_on(database: str) -> None:
    async with serving(database) as served:
        await served.world.incident("system:identity")
        headers = await bearer(served)
        answer = await post(served, f"{API}/cause", json={"ruling": "rejected"}, headers=headers)
        text = words(await served.text(PAGE))
    assert answer[0] == 409
    assert "Reject the cause" not in text


async def test_of_one_subject_one_is_open(database: str) -> None:
    async with serving(database) as served:
        number = await opened(served)
        headers = await bearer(served, "Day desk")
        status, body = await post(served, "/api/v1/incidents", json=REPORT, headers=headers)
    assert (status, f"{number} is open for it" in body) == (409, True)


@pytest.mark.parametrize(
    ("field_name", "value", "said"),
    [
        ("subject", "payment", "did you mean"),
        ("subject", "service:s0001/web", "names no system or service"),
        ("title", " ", "from 1 to 200 characters"),
        ("verdict", "up", "one of down, degraded"),
        ("severity", "loud", "one of info, warning, critical"),
        ("since", "yesterday", "must be an instant"),
        ("since", "2020-01-01T00:00", "within the last seven days"),
    ],
)
async def test_a_report_that_cannot_be_says_which_field_and_what_is_right(
    database: str, field_name: str, value: str, said: str
) -> None:
    async with serving(database) as served:
        sent = {**REPORT, field_name: value}
        status, body = await post(served, "/api/v1/incidents", json=sent, headers=await bearer(served))
        left = await items(served)
    assert (status, said in body, left) == (400, True, [])


@pytest.mark.parametrize("act", ["close", "cause", "summary"])
async def test_only_an_operator_acts_and_only_from_our_pages(database: str, act: str) -> None:
    async with serving(database) as served:
        await served.world.incident("system:identity", suspected=True, by="Ann")
        viewer = await post(served, f"{API}/{act}", json={}, headers=await bearer(served, "V", Role.VIEWER))
        nobody = await post(served, f"{API}/{act}", json={})
        await sign_in(served)
        elsewhere = await post(served, f"{PAGE}/{act}", data={"ruling": "confirmed", "text": "x"})
        found = await audited(served)
    assert ([viewer[0], nobody[0], elsewhere[0]], found) == ([403, 401, 403], [])


async def test_a_closed_one_that_a_person_opened_says_so_in_arabic(database: str) -> None:
    async with serving(database) as served:
        now_ms = served.live.now_ms
        await served.world.incident(
            "system:payments", state=State.CLOSED, closed_ms=now_ms, by="ليلى", title="تعذّر طباعة الإيصالات"
        )
        text = words(await served.text(f"{PAGE}?lang=ar"))
    assert "تعذّر طباعة الإيصالات" in text
    assert "سجّلها ليلى" in text
