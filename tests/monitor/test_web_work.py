"""Work over the API: announced with a preview, extended, finished, called off, and ruled on."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from monitor.store import tokens
from monitor.store.tokens import Role
from tests.acting import bearer, field, post, sign_in, words
from tests.serving import Served, serving, until
from tests.world import government

API = "/api/v1/exclusions"


def at(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat(timespec="seconds")


def work(from_h: float = 48, to_h: float = 50, **more: Any) -> dict[str, Any]:
    return {
        "subjects": ["identity"], "from": at(from_h), "to": at(to_h), "why": "New certificates",
        "public_en": "Signing in is not possible.", "public_ar": "تعذّر تسجيل الدخول.", "phone": "+000 1",
        **more,
    }  # fmt: skip


async def send(served: Served, path: str, body: object, who: dict[str, str]) -> tuple[int, Any]:
    status, text = await post(served, path, json=body, headers=who)
    return status, msgspec.json.decode(text)


async def coordinator(served: Served, name: str = "Amal") -> dict[str, str]:
    return await bearer(served, name, Role.COORDINATOR)


async def of_entity(served: Served, name: str, entity: str) -> dict[str, str]:
    secret = await tokens.create_token(served.store, name, role=Role.COORDINATOR, entities=[entity])
    return {"Authorization": f"Bearer {secret}"}


async def acts(served: Served) -> list[str]:
    async with served.store.connection() as connection:
        rows = await connection.fetch("select action from audit where action like 'exclusion.%' order by id")
    return [str(row["action"]) for row in rows]


async def topics(served: Served) -> list[tuple[int, str]]:
    async with served.store.connection() as connection:
        return [
            tuple(row) for row in await connection.fetch("select exclusion, topic from notice order by id")
        ]


async def test_a_preview_says_what_it_takes_and_announces_nothing(database: str) -> None:
    async with serving(database) as served:
        who = await coordinator(served)
        status, seen = await send(served, API, work(preview=True), who)
        left: Any = await served.json(API)
    assert (status, seen["numbers"], left["items"]) == (200, [], [])
    assert seen["services_without_remote"] == ["service:s0000", "service:s0005", "service:s0010"]
    assert seen["entities"] == ["e00", "e01", "e02", "e03"]
    assert (seen["expected_transactions"], seen["short_notice"]) == (None, False)


async def test_the_preview_expects_what_is_usual_and_names_the_quietest_hours(database: str) -> None:
    async with serving(database) as served:
        await served.world.usual("service:s0000/web", an_hour=100)
        await served.traffic.usuals.follow(served.store, served.world.catalogue)
        status, seen = await send(served, API, work(preview=True), await coordinator(served))
    assert (status, seen["expected_transactions"]) == (200, pytest.approx(180, abs=0.5))
    assert seen["quietest_from"].endswith(":00:00.000Z")


async def test_it_is_announced_told_and_takes_what_it_blocks_out_of_the_figures(database: str) -> None:
    async with serving(database) as served:
        status, made = await send(served, API, work(), await coordinator(served))
        found: Any = await served.json(f"{API}/{made['numbers'][0]}")
        told, done = await topics(served), await acts(served)
    assert (status, found["state"], found["standing"]) == (201, "announced", "noticed")
    assert found["subjects"][:4] == ["system:identity", "service:s0000", "service:s0005", "service:s0010"]
    assert found["public_text"] == {"en": "Signing in is not possible.", "ar": "تعذّر تسجيل الدخول."}
    assert (told, done) == ([(found["number"], "work_announced")], ["exclusion.announced"])


async def test_the_preview_names_what_it_overlaps(database: str) -> None:
    async with serving(database) as served:
        who = await coordinator(served)
        _, first = await send(served, API, work(), who)
        _, seen = await send(served, API, work(49, 51, preview=True, subjects=["payments"]), who)
        _, apart = await send(served, API, work(50, 51, preview=True), who)
    assert (seen["overlaps"], apart["overlaps"]) == (first["numbers"], [])


async def test_weekly_work_is_dated_occurrences_of_one_series(database: str) -> None:
    async with serving(database) as served:
        _, made = await send(served, API, work(repeat="weekly", times="3"), await coordinator(served))
        listed: Any = await served.json(API)
    assert len(made["numbers"]) == 3
    assert [each["series"] for each in listed["items"]] == [made["numbers"][0]] * 2 + [None]


async def test_an_extension_is_a_new_announcement_and_counts_as_overrun(database: str) -> None:
    async with serving(database) as served:
        who = await coordinator(served)
        _, made = await send(served, API, work(-0.1, 0.2), who)
        number = made["numbers"][0]
        status, longer = await send(served, f"{API}/{number}/extend", {"to": at(3)}, who)
        first: Any = await served.json(f"{API}/{number}")
        again, _ = await send(served, f"{API}/{number}/finish", {}, who)
    assert (status, longer["extends"], longer["standing"], longer["waiting"]) == (
        201,
        number,
        "overrun",
        True,
    )
    assert (first["state"], first["asked_if_over"], again) == ("extended", False, 409)


async def test_in_its_last_quarter_of_an_hour_it_asks_and_finishing_ends_it_at_once(database: str) -> None:
    async with serving(database) as served:
        who = await coordinator(served)
        _, made = await send(served, API, work(-0.1, 0.2), who)
        path = f"{API}/{made['numbers'][0]}"
        asked: Any = await served.json(path)
        early, _ = await send(served, f"{path}/cancel", {}, who)
        status, over = await send(served, f"{path}/roll-back", {}, who)
        done = await acts(served)
    assert (asked["asked_if_over"], early, status, over["state"]) == (True, 409, 200, "finished")
    assert done == ["exclusion.announced", "exclusion.rolled_back"]


async def test_what_is_called_off_was_never_there(database: str) -> None:
    async with serving(database) as served:
        who = await coordinator(served)
        _, made = await send(served, API, work(), who)
        path = f"{API}/{made['numbers'][0]}"
        early, _ = await send(served, f"{path}/finish", {}, who)
        status, found = await send(served, f"{path}/cancel", {}, who)
    assert (early, status, found["state"], found["waiting"]) == (409, 200, "cancelled", False)


@pytest.mark.parametrize(("act", "standing"), [("approve", "approved"), ("reject", "rejected")])
async def test_short_notice_counts_until_the_committee_rules_once(
    database: str, act: str, standing: str
) -> None:
    async with serving(database) as served:
        _, made = await send(served, API, work(1, 2), await coordinator(served))
        path = f"{API}/{made['numbers'][0]}"
        waiting: Any = await served.json(f"{API}?waiting=true")
        who = await bearer(served, "Committee", Role.COMMITTEE)
        mute, _ = await send(served, f"{path}/{act}", {"why": ""}, who)
        status, found = await send(served, f"{path}/{act}", {"why": "A security fix"}, who)
        again, _ = await send(served, f"{path}/approve", {"why": "Again"}, who)
    assert [each["standing"] for each in waiting["items"]] == ["short_notice"]
    assert (mute, status, found["standing"], again) == (400, 200, standing, 409)
    assert (found["ruled_by"], found["ruling_why"]) == ("Committee", "A security fix")


async def test_t46_work_announced_while_it_is_down_counts_however_early(database: str) -> None:
    async with serving(database) as served:
        await served.world.service_falls("s0005")
        _, made = await send(served, API, work(), await coordinator(served))
        found: Any = await served.json(f"{API}/{made['numbers'][0]}")
    assert (found["standing"], found["applied"], found["waiting"]) == ("already_down", False, True)


async def test_an_outage_of_their_own_counts_until_the_committee_approves(database: str) -> None:
    async with serving(database) as served:
        sent = work(-5, -3, filing="outage", subjects=["s0001"])
        status, made = await send(served, API, sent, await of_entity(served, "Amal", "e01"))
        found: Any = await served.json(f"{API}/{made['numbers'][0]}")
    assert (status, found["filing"], found["standing"], found["waiting"]) == (
        201,
        "outage",
        "short_notice",
        True,
    )


async def test_a_fault_in_another_entitys_system_names_the_system(database: str) -> None:
    async with serving(database) as served:
        sent = work(-5, -3, filing="fault", subjects=["s0001"], system="payments")
        status, made = await send(served, API, sent, await of_entity(served, "Amal", "e01"))
        found: Any = await served.json(f"{API}/{made['numbers'][0]}")
    assert (status, found["filing"], found["system"]) == (201, "fault", "system:payments")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"subjects": []}, "from 1 to 200"),
        ({"subjects": ["identiy"]}, "did you mean"),
        ({"subjects": ["government"]}, "names no system, service or channel"),
        ({"from": "tomorrow"}, "must be an instant"),
        ({"to": at(40)}, "must be later"),
        ({"why": ""}, "from 1 to 500"),
        ({"filing": "party"}, "one of work, outage, fault"),
        ({"filing": "outage"}, "what is still to come is planned work"),
        ({"filing": "fault", "from": at(-2), "to": at(-1), "system": "x"}, "names no system"),
        ({"from": at(-3), "to": at(-1)}, "file an outage of your own"),
        ({"repeat": "weekly", "times": "99"}, "from 2 to 26"),
        ({"roll_back": at(1)}, "between `from` and `to`"),
    ],
)
async def test_what_cannot_be_announced_says_which_field_and_what_is_right(
    database: str, changed: dict[str, Any], said: str
) -> None:
    async with serving(database) as served:
        status, body = await send(served, API, work() | changed, await coordinator(served))
        left: Any = await served.json(API)
    assert (status, said in body["detail"], left["items"]) == (400, True, []), body


async def test_a_coordinator_speaks_only_for_their_entities(database: str) -> None:
    async with serving(database) as served:
        theirs, _ = await send(served, API, work(subjects=["s0001"]), await of_entity(served, "A", "e01"))
        others, _ = await send(served, API, work(subjects=["s0002"]), await of_entity(served, "B", "e01"))
    assert (theirs, others) == (201, 403)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.COMMITTEE])
async def test_who_may_not_announce_does_not(database: str, role: Role) -> None:
    async with serving(database) as served:
        status, _ = await send(served, API, work(), await bearer(served, "V", role))
        nobody, _ = await send(served, API, work(), {})
        done = await acts(served)
    assert (status, nobody, done) == (403, 401, [])


async def test_only_the_committee_rules(database: str) -> None:
    async with serving(database) as served:
        who = await coordinator(served)
        _, made = await send(served, API, work(1, 2), who)
        status, _ = await send(served, f"{API}/{made['numbers'][0]}/approve", {"why": "Please"}, who)
    assert status == 403


async def test_what_is_under_work_now_is_shown_so_and_not_required(database: str) -> None:
    async with serving(database) as served:
        await served.world.service_falls("s0001")
        await served.world.work("service:s0001", from_s=-600, to_s=3600)
        await until(lambda: served.live.picture is not None and served.live.picture.headline.required == 11)
        line: Any = await served.json("/api/v1/continuity")
        service: Any = await served.json("/api/v1/services/s0001")
        text = words(await served.text("/services/s0001"))
    assert (line["available"], line["not_available"]) == (11, 0)
    assert (service["excluded"], service["verdict"]) == ("maintenance", "down")
    assert "Planned maintenance" in text


async def test_on_the_page_it_is_previewed_sent_and_then_called_off(database: str) -> None:
    async with serving(database) as served:
        await sign_in(served, "Amal", Role.COORDINATOR)
        csrf = await field(served, "/planned-work/new")
        sent = [(key, str(value)) for key, value in work(subjects="system:identity").items()]
        form = [*sent, ("subjects", "system:payments"), ("csrf", csrf)]
        _, seen = await post(served, "/planned-work/new", data=form)
        status, _ = await post(served, "/planned-work/new", data=[*form, ("step", "send")])
        shown = words(await served.text("/planned-work/1"))
        await post(served, "/planned-work/1/cancel", data={"csrf": csrf})
        arabic = words(await served.text("/planned-work?lang=ar"))
    assert "It takes the last remote channel of 4 services." in words(seen)
    assert status == 303
    assert "Announced" in shown
    assert "Not counted: announced in time" in shown
    assert "ملغاة" in arabic


async def test_the_committee_rules_on_the_page_with_its_reason(database: str) -> None:
    async with serving(database) as served:
        await served.world.work("service:s0001", from_s=-600, to_s=3600, noticed=False)
        await sign_in(served, "Committee", Role.COMMITTEE)
        csrf = await field(served, "/planned-work/1")
        sent = {"csrf": csrf, "ruling": "reject", "why": "It could have waited"}
        status, _ = await post(served, "/planned-work/1/ruling", data=sent)
        text = words(await served.text("/planned-work/1"))
    assert status == 303
    assert "Counts: rejected by the committee" in text
    assert "It could have waited" in text


async def exists(served: Served, subject: str, parent: str) -> None:
    async with served.store.connection() as connection:
        await connection.execute(
            "insert into membership values ($1, $2, tstzrange(now() - interval '2 hours', null))",
            subject,
            parent,
        )


async def test_downtime_of_others_in_its_time_is_attributed_to_the_owner_of_the_system(database: str) -> None:
    catalogue = government(entities=4, services=12)
    owned = [replace(one, entity="e00") if one.slug == "identity" else one for one in catalogue.systems]
    async with serving(database, replace(catalogue, systems=tuple(owned))) as served:
        await exists(served, "service:s0005", "entity:e01")
        await served.world.service_falls("s0005", ago_s=1800)
        number = await served.world.work("system:identity", from_s=-3600, to_s=-600)
        found: Any = await served.json(f"{API}/{number}")
        page = await served.text(f"/planned-work/{number}")
        arabic = await served.text(f"/planned-work/{number}?lang=ar")
        texts = words(page), words(arabic)
    [other] = found["downtime_of_others"]
    assert (other["service"], other["entity"], other["owner"]) == ("service:s0005", "e01", "e00")
    assert other["down"] == pytest.approx(1200, abs=30)
    assert "Downtime of others in this time" in texts[0]
    assert "توقف خدمات الجهات الأخرى في هذه الفترة" in texts[1]


@pytest.mark.parametrize(
    ("changed", "at_field", "english", "arabic"),
    [
        ({"why": ""}, "why", "This must be filled in.", "هذا الحقل مطلوب."),
        ({"to": at(47)}, "to", "The end must be later than the beginning", "بعد البداية"),
        ({"subjects": "moon"}, "subjects", "Choose from 1 to 200 systems", "اختر من 1 إلى 200"),
    ],
)
async def test_a_form_that_does_not_fit_says_so_at_its_field_and_keeps_what_was_filled_in(
    database: str, changed: dict[str, Any], at_field: str, english: str, arabic: str
) -> None:
    async with serving(database) as served:
        await sign_in(served, "Amal", Role.COORDINATOR)
        csrf = await field(served, "/planned-work/new")
        form = work(subjects="system:identity", csrf=csrf) | changed
        status, page = await post(served, "/planned-work/new", data=form)
        _, other = await post(served, "/planned-work/new?lang=ar", data=form)
        left: Any = await served.json(API)
    assert (status, left["items"]) == (400, [])
    assert re.search(rf'id="{at_field}"[^>]* aria-invalid="true" aria-describedby="{at_field}-wrong', page)
    assert english in words(page)
    assert arabic in words(other)
    kept = ["Signing in is not possible.", "تعذّر تسجيل الدخول.", "+000 1", form["from"]]
    assert [text for text in kept if f'value="{text}"' not in html.unescape(page)] == []
    if at_field != "subjects":
        assert re.search(r'<option value="system:identity" selected>', page)


async def test_downtime_in_the_time_of_a_fault_is_attributed_to_the_system_it_lies_in(database: str) -> None:
    catalogue = government(entities=4, services=12)
    owned = [replace(one, entity="e00") if one.slug == "identity" else one for one in catalogue.systems]
    async with serving(database, replace(catalogue, systems=tuple(owned))) as served:
        await exists(served, "service:s0005", "entity:e01")
        await served.world.service_falls("s0005", ago_s=1800)
        fault = work(-1, -0.25, subjects=["s0005"], filing="fault", system="identity")
        _, made = await send(served, API, fault, await of_entity(served, "Omar", "e01"))
        found: Any = await served.json(f"{API}/{made['numbers'][0]}")
    [other] = found["downtime_of_others"]
    assert (other["service"], other["owner"]) == ("service:s0005", "e00")
    assert other["down"] == pytest.approx(900, abs=30)
