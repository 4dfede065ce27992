"""The meeting's view of a report: every item and every figure is there, also without JavaScript."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from monitor.report.figures import said_of
from monitor.store import committee
from monitor.store.tokens import Role
from tests.acting import field, sign_in, words
from tests.golden_week import EXPECTED, about, golden
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
