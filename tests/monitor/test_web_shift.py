"""One shift on one page: what was opened and closed, who has it, what comes, and a signed note."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor.judge.incidents import State
from monitor.model import Severity, Verdict
from monitor.store import exclusions, incidents
from monitor.store.tokens import Role
from monitor.web.problems import Refused
from monitor.web.shift import since_of
from tests.acting import bearer, field, post, sign_in, words
from tests.serving import Served, serving, until

DUBAI = "Asia/Dubai"


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(DUBAI)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("now", "asked", "meant"),
    [
        ("2026-11-25T22:10", "19:00", "2026-11-25T19:00"),
        ("2026-11-25T07:10", "19:00", "2026-11-24T19:00"),
        ("2026-11-25T19:00", "19:00", "2026-11-24T19:00"),
        ("2026-11-25T07:10", "2026-11-23T19:00", "2026-11-23T19:00"),
        ("2026-11-25T07:10", "2026-11-24T15:00:00Z", "2026-11-24T19:00"),
    ],
)
def test_since_is_the_last_such_hour_of_the_catalogues_zone(now: str, asked: str, meant: str) -> None:
    assert since_of(asked, zone=DUBAI, now_ms=at(now)) == at(meant)


@pytest.mark.parametrize("asked", ["25:00", "noon", "2026-11-26T19:00", "2020-01-01T00:00"])
def test_a_shift_that_cannot_be_is_refused(asked: str) -> None:
    with pytest.raises(Refused, match="`since` must"):
        since_of(asked, zone=DUBAI, now_ms=at("2026-11-25T22:10"))


async def busy(served: Served) -> None:
    """One open and acknowledged, one closed, work within the next hours, one system no longer measured."""
    world, now_ms = served.world, served.live.now_ms
    await world.incident("system:payments", services=("service:s0009",))
    await incidents.acknowledge(served.store, "INC-2026-0001", actor="Ann")
    await world.incident(
        "service:s0001",
        number="INC-2026-0002",
        severity=Severity.WARNING,
        state=State.CLOSED,
        well_ms=now_ms,
        closed_ms=now_ms,
    )
    async with served.store.transaction() as connection:
        await exclusions.announce(
            connection,
            kind="maintenance",
            subjects=["system:documents"],
            from_ms=now_ms + 3_600_000,
            to_ms=now_ms + 7_200_000,
            why="New disks",
            by="Provider",
        )
        for hours, why in ((13, "Too far"), (1, "Holiday")):
            await exclusions.announce(
                connection,
                kind="maintenance" if why == "Too far" else "out_of_hours",
                subjects=["system:documents"],
                from_ms=now_ms + hours * 3_600_000,
                to_ms=now_ms + (hours + 1) * 3_600_000,
                why=why,
                by="Provider",
            )
    await world.change("measured", "system:messages", Verdict.UNKNOWN, reason="silence")
    await until(lambda: _unknown(served))


def _unknown(served: Served) -> bool:
    picture = served.live.picture
    measured = picture and picture.systems["messages"].measured
    return measured is not None and measured.verdict is Verdict.UNKNOWN


async def test_the_page_tells_the_shift(database: str) -> None:
    async with serving(database) as served:
        await busy(served)
        text = words(await served.text("/shift"))
    assert "Opened 2 Closed in this shift 1 Still open 1" in text
    assert "INC-2026-0001 new Payment gateway Critical Failing" in text
    assert "Ann" in text
    assert "New disks Provider" in text
    assert "Too far" not in text
    assert "Holiday" not in text
    assert "Message centre since" in text
    assert "No hand-over note is signed." in text


async def test_api_and_page_name_the_same(database: str) -> None:
    async with serving(database) as served:
        await busy(served)
        found: Any = await served.json("/api/v1/shift")
    assert found["opened"] == ["INC-2026-0001", "INC-2026-0002"]
    assert [one["number"] for one in found["open"]] == ["INC-2026-0001"]
    assert [one["number"] for one in found["closed"]] == ["INC-2026-0002"]
    assert [one["why"] for one in found["work"]] == ["New disks"]
    assert [one["subject"] for one in found["unknown"]] == ["system:messages"]
    assert found["not_delivered"] == []


async def test_messages_that_did_not_arrive_are_told_where_messages_are_delivered(database: str) -> None:
    async with serving(database) as served:
        await _deliveries(served)
        found: Any = await served.json("/api/v1/shift")
        shift, incident = (
            words(await served.text("/shift")),
            words(await served.text("/incidents/INC-2026-0001")),
        )
    assert [(one["receiver"], one["said"]) for one in found["not_delivered"]] == [
        ("mail", "550 no such user")
    ]
    assert "mail INC-2026-0001 not delivered 550 no such user" in shift
    assert "chat message delivered" in incident


async def _deliveries(served: Served) -> None:
    """One that arrived and one that did not."""
    await served.world.incident("system:payments")
    async with served.store.transaction() as connection:
        await connection.execute(
            "with told as (insert into notice (incident, topic, severity) "
            "values ('INC-2026-0001', 'first', 'critical') returning id) "
            "insert into delivery (notice, incident, receiver, why, state, tries, said, done_at) "
            "select told.id, 'INC-2026-0001', v.* from told, (values "
            "('chat', 'notice', 'sent', 1, '', now()), "
            "('mail', 'notice', 'failed', 3, '550 no such user', now())) v"
        )


async def test_an_operator_signs_and_the_next_shift_reads_it(database: str) -> None:
    async with serving(database) as served:
        await sign_in(served)
        csrf = await field(served, "/shift?since=19:00")
        sent = {"csrf": csrf, "since": "", "text": "The provider calls back at 06:00"}
        signed = await post(served, "/shift/hand-over", data=sent)
        text = words(await served.text("/shift"))
        async with served.store.connection() as connection:
            audited = await connection.fetchrow("select actor, action from audit order by id desc limit 1")
    assert signed[0] == 303
    assert "The provider calls back at 06:00 Night desk" in text
    assert tuple(audited) == ("Night desk", "shift.handed_over")


@pytest.mark.parametrize("body", [{"text": ""}, {"text": "x", "since": "25:00"}, {"text": "x" * 2001}])
async def test_a_hand_over_that_is_none_is_refused(database: str, body: dict[str, str]) -> None:
    async with serving(database) as served:
        answer = await post(served, "/api/v1/shift/hand-over", json=body, headers=await bearer(served))
        found: Any = await served.json("/api/v1/shift")
    assert (answer[0], found["hand_overs"]) == (400, [])


async def test_only_an_operator_hands_over(database: str) -> None:
    async with serving(database) as served:
        headers = await bearer(served, "Guest", Role.VIEWER)
        viewer = await post(served, "/api/v1/shift/hand-over", json={"text": "x"}, headers=headers)
        await sign_in(served)
        forged = await post(served, "/shift/hand-over", data={"text": "x"})
        found: Any = await served.json("/api/v1/shift")
    assert (viewer[0], forged[0], found["hand_overs"]) == (403, 403, [])


async def test_the_page_speaks_arabic(database: str) -> None:
    async with serving(database) as served:
        await busy(served)
        text = words(await served.text("/shift?lang=ar"))
    assert "الصيانة المجدولة الآن وخلال 12 ساعة قادمة" in text
    assert "بوابة الدفع" in text
