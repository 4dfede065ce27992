"""The meeting's view of a report: every item and every figure is there, also without JavaScript."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from monitor.report.figures import said_of
from monitor.store import committee
from monitor.store.tokens import Role
from tests.acting import field, sign_in, words
from tests.golden_week import EXPECTED, about, golden, golden_of_transport
from tests.monitor.test_report_intervals import earlier_version
from tests.reported import publish
from tests.serving import serving

PAGE = "/committee/meeting"


def section(page: str, name: str) -> str:
    return words("<main" + page.partition(f'id="{name}"')[2].partition("</section>")[0])


@pytest.mark.parametrize(("language", "said"), [("en", "target met"), ("ar", "تحقق المستهدف")])
async def test_the_items_of_the_first_page_are_there_one_after_another(
    database: str, language: str, said: str
) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        page = await served.text(f"{PAGE}?lang={language}")
    assert re.findall(r'id="([\w-]+)" tabindex="-1" data-slide', page) == [
        "sentence", "show-F05", "show-F06", "show-F08", "show-F10", "show-F14", "show-F17",
        "outage-1", "outage-2", "outage-3", "decisions", "actions", "inquiries",
    ]  # fmt: skip
    assert said in section(page, "sentence")


async def test_every_figure_says_how_it_was_counted_with_the_frozen_digits(database: str) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        page = await served.text(f"{PAGE}?lang=en")
    shown = {
        each.code: re.search(rf'id="{each.code}".*?<data value="([^"]*)"', page, re.DOTALL)[1]  # type: ignore[index]
        for each in said_of("total")
    }
    assert shown == EXPECTED
    # 790 of 798 hours, as worked out in the golden week
    assert re.search(r"790 hours.* of .*798 hours", section(page, "F01"))
    assert "4 of 5" in section(page, "F08")


async def test_it_shows_the_version_that_is_named_and_no_other(database: str) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        await publish(served.store, golden(about=about(version=2)))
        one = await served.text(f"{PAGE}?label=2026-W47&version=1&lang=en")
        last = await served.text(f"{PAGE}?lang=en")
        async with served.http.get(f"{served.url}{PAGE}?label=2026-W01") as answer:
            missing = answer.status
    assert missing == 404
    assert "version 1 ." in section(one, "F01")
    assert "version 2 ." in section(last, "F01")


async def test_before_the_first_report_it_says_so_and_still_shows_what_was_agreed(database: str) -> None:
    async with serving(database) as served:
        due = datetime.now(UTC).date() + timedelta(days=3)
        await committee.agree(served.store, what="Change the cables", who="Amal", due=due, by="Committee")
        page = await served.text(f"{PAGE}?lang=en")
    assert "No report has been published yet" in section(page, "none")
    assert "Change the cables" in section(page, "actions")


async def test_a_question_of_the_meeting_is_filed_with_report_and_figure_and_leads_back(
    database: str,
) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        await sign_in(served, "Committee", Role.COMMITTEE)
        due = datetime.now(UTC).date() + timedelta(days=7)
        sent = {
            "csrf": await field(served, PAGE), "meeting": "1", "label": "2026-W47", "version": "1",
            "code": "F07", "question": "Which five?", "owner": "Interior", "due": due.isoformat(),
        }  # fmt: skip
        async with served.http.post(
            f"{served.url}/committee/inquiries", data=sent, allow_redirects=False
        ) as answer:
            status, place = answer.status, answer.headers["Location"]
        page = await served.text(place.partition("#")[0] + "&lang=en")
        [kept] = await committee.inquiries(served.store, limit=5)
    assert (status, place) == (303, f"{PAGE}?label=2026-W47&version=1&asked=1#F07")
    assert (kept.code, kept.label, kept.version, kept.asked_by) == ("F07", "2026-W47", 1, "Committee")
    assert "Inquiry" in page
    assert "Which five?" in section(page, "inquiries")


async def test_a_report_of_sample_data_is_marked(database: str) -> None:
    async with serving(database) as served:
        await publish(served.store, golden(about=about(sample=True)))
        assert "notice sample" in await served.text(PAGE)


# -- the intervals of a figure


async def test_a_figure_shows_its_worst_intervals_and_how_many_more_there_are(database: str) -> None:
    """Without exclusions four, of which three fit a wall: 6, 4 and 3 hours."""
    async with serving(database) as served:
        await publish(served.store, golden())
        page = await served.text(f"{PAGE}?lang=en")
    said = section(page, "F05")
    told = ("Driving licence", "Passport renewal", "National identity", "One more line")
    at = [said.index(text) for text in told]
    assert at == sorted(at)
    assert "left out by announcement" in said
    assert re.search(r"With exclusions +98.99%", said)
    assert re.search(r"Coverage +98.52%", said)


async def test_a_figure_that_is_not_of_time_has_no_empty_rows(database: str) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        page = await served.text(f"{PAGE}?lang=en")
    assert 'class="times"' not in page.partition('id="F07"')[2].partition("</section>")[0]
    assert "Numerator" not in section(page, "F07")


async def test_a_report_of_the_version_before_is_shown_without_intervals(database: str) -> None:
    async with serving(database) as served:
        await publish(served.store, earlier_version())
        page = await served.text(f"{PAGE}?lang=en")
    assert "frozen before its intervals were kept" in section(page, "F10")
    assert "8 hours" in section(page, "F10")


# -- of an entity

OF_ENTITY = "entity:e01"


async def test_the_meeting_of_an_entity_shows_its_own_report(database: str) -> None:
    """161 + 84 hours available of 246."""
    async with serving(database) as served:
        await publish(served.store, golden())
        await publish(served.store, golden_of_transport(scope=OF_ENTITY))
        page = await served.text(f"{PAGE}?scope=e01&lang=en")
        named = await served.text(f"{PAGE}?scope=e01&label=2026-W47&version=1&lang=en")
        everybody = await served.text(f"{PAGE}?lang=en")
        async with served.http.get(f"{served.url}{PAGE}?scope=nobody") as answer:
            missing = answer.status
    assert "99.59%" in section(page, "sentence")
    assert section(named, "F10") == section(page, "F10")
    assert "98.99%" in section(everybody, "sentence")
    assert missing == 404


async def test_the_page_of_an_entitys_report_leads_to_its_meeting(database: str) -> None:
    async with serving(database) as served:
        await publish(served.store, golden_of_transport(scope=OF_ENTITY))
        page = await served.text("/reports/2026-W47?entity=e01&lang=en")
        [link] = re.findall(r'href="(/committee/meeting[^"]*)"', page)
        wall = await served.text(link.replace("&amp;", "&") + "&lang=en")
    assert link == "/committee/meeting?label=2026-W47&amp;version=1&amp;scope=e01"
    assert "99.59%" in section(wall, "sentence")


async def test_a_question_about_an_entitys_report_is_filed_with_it_and_leads_back_to_it(
    database: str,
) -> None:
    wall = f"{PAGE}?label=2026-W47&version=1&scope=e01"
    async with serving(database) as served:
        await publish(served.store, golden_of_transport(scope=OF_ENTITY))
        await sign_in(served, "Committee", Role.COMMITTEE)
        page = await served.text(wall)
        due = datetime.now(UTC).date() + timedelta(days=7)
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
        sent = hidden | {"code": "F10", "question": "Why?", "owner": "Transport", "due": due.isoformat()}
        async with served.http.post(
            f"{served.url}/committee/inquiries", data=sent, allow_redirects=False
        ) as answer:
            status, place = answer.status, answer.headers["Location"]
        [kept] = await committee.inquiries(served.store, limit=5)
        committees = await served.text("/committee?lang=en")
        [told] = (await served.json("/api/v1/committee/inquiries"))["items"]  # type: ignore[misc]
    assert (status, place) == (303, f"{wall}&asked=1#F10")
    assert (kept.scope, kept.label, kept.code, told["scope"]) == (OF_ENTITY, "2026-W47", "F10", OF_ENTITY)
    assert f'href="{wall.replace("&", "&amp;")}#F10"' in committees


async def test_a_question_may_not_name_a_report_that_the_entity_does_not_have(database: str) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        await sign_in(served, "Committee", Role.COMMITTEE)
        due = datetime.now(UTC).date() + timedelta(days=7)
        for scope in ("e01", "nobody"):
            sent = {
                "csrf": await field(served, PAGE), "label": "2026-W47", "scope": scope,
                "question": "Why?", "owner": "Transport", "due": due.isoformat(),
            }  # fmt: skip
            async with served.http.post(f"{served.url}/committee/inquiries", data=sent) as answer:
                assert answer.status == 400
