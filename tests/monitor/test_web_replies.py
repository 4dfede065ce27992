"""Answering for an entity on pages and API: who may, where it is read, and what a published report keeps."""

from __future__ import annotations

import re

import pytest

from monitor.report.document import digest
from monitor.report.files import FORMATS
from monitor.report.replying import TEXT_MAX
from monitor.store import tokens
from monitor.store.tokens import Role
from tests.acting import field, post, words
from tests.golden_week import catalogues, golden
from tests.replied import ARABIC, MARKUP, replied
from tests.reported import draft, publish
from tests.serving import Served, serving

LABEL = "2026-W47"
API, PAGE = f"/api/v1/reports/{LABEL}/replies", f"/reports/{LABEL}/replies"
CATALOGUE = catalogues()[0]
LATER = "Received or withdrawn after publication"


async def token(served: Served, name: str, role: Role, *entities: str) -> dict[str, str]:
    secret = await tokens.create_token(served.store, name, role=role, entities=entities)
    return {"Authorization": f"Bearer {secret}"}


async def sign_in(served: Served, name: str, role: Role, *entities: str) -> None:
    """The browser of the test becomes theirs."""
    secret = await tokens.create_token(served.store, name, role=role, entities=entities)
    csrf = await field(served, "/sign-in")
    async with served.http.post(f"{served.url}/sign-in", data={"csrf": csrf, "token": secret}) as answer:
        assert answer.status == 200


async def numbers(served: Served, path: str, **headers: str) -> list[int]:
    async with served.http.get(served.url + path, headers=headers) as answer:
        assert answer.status == 200
        return [each["number"] for each in (await answer.json())["items"]]


# -- who may


@pytest.mark.parametrize(
    ("role", "entities", "status"),
    [
        (Role.COORDINATOR, ("interior",), 201),
        (Role.COORDINATOR, ("transport",), 403),
        (Role.COORDINATOR, (), 403),
        (Role.OPERATOR, (), 201),
        (Role.OPERATOR, ("transport",), 403),
        (Role.COMMITTEE, (), 201),
        (Role.VIEWER, (), 403),
        (Role.VIEWER, ("interior",), 403),
        (Role.SENDER, ("interior",), 403),
        (None, (), 401),
    ],
)
async def test_a_coordinator_answers_for_its_own_entity_and_others_on_behalf_or_not_at_all(
    database: str, role: Role | None, entities: tuple[str, ...], status: int
) -> None:
    async with serving(database, CATALOGUE) as served:
        who = await token(served, "Amal", role, *entities) if role else {}
        sent = {"json": {"en": "A router failed."}, "headers": who}
        async with served.http.post(f"{served.url}{API}?entity=interior", **sent) as answer:
            told = await answer.json()
            assert answer.status == status
        if status != 201:
            assert await numbers(served, API, **(await token(served, "Fatima", Role.COMMITTEE))) == []
            return
        assert (told["said_by"], told["on_behalf"]) == ("Amal", role is not Role.COORDINATOR)
        assert (told["entity"], told["en"], told["ar"]) == ("entity:interior", "A router failed.", None)


async def test_a_coordinator_withdraws_its_own_reply_once_and_nobody_elses(database: str) -> None:
    async with serving(database, CATALOGUE) as served:
        own = await token(served, "Amal", Role.COORDINATOR, "interior")
        other = await token(served, "Saif", Role.COORDINATOR, "transport")
        sent = {"headers": own, "json": {"about": "F10", "ar": ARABIC}}
        assert (await post(served, f"{API}?entity=interior", **sent))[0] == 201
        [number] = await numbers(served, API, **own)
        path = f"{API}/{number}/withdraw"
        statuses = [(await post(served, path, headers=who))[0] for who in ({}, other, own, own)]
        elsewhere, _ = await post(served, path.replace("W47", "W46"), headers=own)
    assert statuses == [401, 403, 200, 409]
    assert elsewhere == 404


async def test_until_a_period_is_published_its_replies_are_read_by_those_who_may_answer(
    database: str,
) -> None:
    async with serving(database, CATALOGUE) as served:
        own = await token(served, "Amal", Role.COORDINATOR, "interior")
        other = await token(served, "Saif", Role.COORDINATOR, "transport")
        member = await token(served, "Fatima", Role.COMMITTEE)
        viewer = await token(served, "Viewer", Role.VIEWER)
        everybody = (own, other, member, viewer, {})
        await post(served, f"{API}?entity=interior", headers=own, json={"en": "A router failed."})
        before = [len(await numbers(served, API, **who)) for who in everybody]
        shown = "A router failed." in await served.text("/committee", **member)
        open_page = "A router failed." in await served.text("/committee")
        await publish(served.store, golden())
        after = [len(await numbers(served, API, **who)) for who in everybody]
    assert (before, after) == ([1, 0, 1, 0, 0], [1, 1, 1, 1, 1])
    assert (shown, open_page) == (False, False)  # the committee's page has this week and the last one


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({}, "needs a text"),
        ({"en": "x" * (TEXT_MAX + 1)}, "at most 1000 characters"),
        ({"en": "x", "about": "service:licence@2026-11-20T02:00:00Z"}, "is not of interior"),
    ],
)
async def test_what_does_not_fit_is_a_problem_that_says_what_is_right(
    database: str, sent: dict[str, str], said: str
) -> None:
    async with serving(database, CATALOGUE) as served:
        own = await token(served, "Amal", Role.COORDINATOR, "interior")
        status, text = await post(served, f"{API}?entity=interior", headers=own, json=sent)
        nobody, _ = await post(served, API, headers=own, json={"en": "x"})
        far, _ = await post(served, API.replace("2026", "2100") + "?entity=interior", headers=own, json={})
    assert (status, nobody, far) == (400, 400, 404)
    assert said in text


# -- on the pages


@pytest.mark.parametrize(
    ("language", "title", "sent"),
    [("en", "Replies of entities", "The period as a whole"), ("ar", "ردود الجهات", "الفترة بأكملها")],
)
async def test_a_coordinator_writes_on_the_page_without_saying_which_entity_is_theirs(
    database: str, language: str, title: str, sent: str
) -> None:
    async with serving(database, CATALOGUE) as served:
        await sign_in(served, "Amal", Role.COORDINATOR, "interior")
        form = await served.text(f"{PAGE}?lang={language}")
        path = f"{PAGE}?entity=interior"
        filled = {"csrf": await field(served, PAGE), "about": "", "ar": ARABIC, "en": MARKUP}
        forged, _ = await post(served, path, data=filled | {"csrf": "guessed"})
        status, _ = await post(served, path, data=filled)
        other, _ = await post(served, f"{PAGE}?entity=transport", data=filled)
        page = await served.text(path)
    assert title in form
    assert f'<bdi dir="{"rtl" if language == "ar" else "ltr"}">\u2068Amal' in page or language == "en"
    assert f'action="{path}"' in form
    assert (forged, status, other) == (403, 303, 403)
    assert sent in page
    assert "<script>alert" not in page
    assert ("Cisco ASR 9000" if language == "ar" else "#strong[typst]") in page


async def test_what_does_not_fit_is_told_on_the_page_and_what_was_written_stays(database: str) -> None:
    async with serving(database, CATALOGUE) as served:
        await sign_in(served, "Amal", Role.COORDINATOR, "interior")
        path = f"{PAGE}?entity=interior"
        csrf = await field(served, f"{PAGE}?lang=en")
        wrong, about = await post(served, path, data={"csrf": csrf, "about": "F99", "en": "A router failed."})
        empty, text = await post(served, path, data={"csrf": csrf, "about": "F10", "en": ""})
    assert (wrong, empty) == (400, 400)
    assert "has to be a figure, or an outage of this entity" in about
    assert ">A router failed.</textarea>" in about
    assert "with at most 1,000 characters" in words(text)
    assert '<option value="F10" selected' in text


async def test_outages_of_the_published_report_and_its_figures_are_there_to_choose(database: str) -> None:
    async with serving(database, CATALOGUE) as served:
        await publish(served.store, golden())
        await sign_in(served, "Amal", Role.COORDINATOR, "interior")
        page = await served.text(f"{PAGE}?lang=en")
    assert '<option value="INC-2026-0007">National identity' in page
    assert '<option value="service:passport@2026-11-19T18:00:00.000Z">Passport renewal' in page
    assert "service:licence@" not in page  # another entity's
    assert '<option value="F32">' in page


async def test_the_form_is_reached_from_the_entity_the_report_and_the_committee(database: str) -> None:
    async with serving(database, CATALOGUE) as served:
        await publish(served.store, golden())
        pages = [await served.text(path) for path in ("/entities/interior", "/committee")]
        report = await served.text(f"/reports/{LABEL}")
    assert all("/replies" in page for page in pages)
    assert "/replies?entity=interior" in pages[0]
    assert f'href="{PAGE}"' in report


# -- published, and in review


async def test_a_later_reply_stands_apart_on_the_page_and_in_no_file_of_the_version(database: str) -> None:
    async with serving(database, CATALOGUE) as served:
        text = await publish(served.store, replied(first=101))
        own = await token(served, "Amal", Role.COORDINATOR, "interior")
        files = {}
        for form in FORMATS:
            async with served.http.get(f"{served.url}/reports/{LABEL}/files/{form}?lang=en") as answer:
                files[form] = await answer.read()
        await post(served, f"{API}?entity=interior", headers=own, json={"en": "It came late."})
        page = await served.text(f"/reports/{LABEL}?lang=en")
        for form, before in files.items():
            async with served.http.get(f"{served.url}/reports/{LABEL}/files/{form}?lang=en") as answer:
                assert await answer.read() == before, form
        meeting = await served.text(f"/committee/meeting?label={LABEL}&lang=en")
    assert files["json"] == text
    frozen, mark, after = words(page).partition(LATER)
    assert mark
    assert "Certificates are renewed by day now" in frozen
    assert "It came late." in after
    assert "It came late." not in frozen + meeting


async def test_a_frozen_reply_that_is_withdrawn_stays_and_the_page_says_so_apart(database: str) -> None:
    async with serving(database, CATALOGUE) as served:
        own = await token(served, "Amal", Role.COORDINATOR, "interior")
        await post(served, f"{API}?entity=interior", headers=own, json={"en": ARABIC})
        await publish(served.store, replied())  # has it as number 1
        await post(served, f"{API}/1/withdraw", headers=own)
        page = words(await served.text(f"/reports/{LABEL}?lang=en"))
    frozen, _, after = page.partition(LATER)
    assert "Certificates are renewed by day now" in frozen
    assert "Withdrawn by Amal" in after


async def test_a_draft_that_was_made_anew_is_shown_and_not_signed_by_who_read_the_one_before(
    database: str,
) -> None:
    path = f"/reports/{LABEL}/draft"
    async with serving(database, CATALOGUE) as served:
        before = digest(await draft(served.store, golden()))
        own = await token(served, "Amal", Role.COORDINATOR, "interior")
        await sign_in(served, "Fatima", Role.COMMITTEE)
        csrf = await field(served, f"{path}?lang=en")
        await post(served, f"{API}?entity=interior", headers=own, json={"about": "F01", "en": "A router."})
        status, page = await post(served, f"{path}/sign-off", data={"csrf": csrf, "sha256": before})
        async with served.http.get(f"{served.url}/reports/{LABEL}") as answer:
            published = answer.status
    assert (status, published) == (409, 404)
    assert "Not published" in page
    assert "Made anew at" in page
    assert "A router." in page
    assert before not in page


async def test_on_the_wall_a_figure_and_an_outage_show_what_was_replied_about_them(database: str) -> None:
    async with serving(database, CATALOGUE) as served:
        await publish(served.store, replied())
        page = await served.text("/committee/meeting?lang=en")

    def shown(name: str) -> str:
        section = page.partition(f'id="{name}"')[2].partition("</section>")[0]
        return re.sub("[\u2066-\u2069]", "", words("<main" + section))

    assert "Reply of Ministry of Interior A router failed at the data centre." in shown("F10")
    assert "#strong[typst]" in shown("F01")
    assert "Reply of" not in shown("F02")
    assert "Certificates are renewed by day now" in shown("outage-1")
    assert "HYPERLINK" in shown("replies")


async def test_where_a_figure_is_explained_page_and_api_have_the_replies_about_it(database: str) -> None:
    async with serving(database, CATALOGUE) as served:
        await publish(served.store, replied())
        pages = {
            whose: await served.text(f"/reports/{LABEL}/figures/F10?lang=ar&subject={whose}")
            for whose in ("", "entity:interior", "service:passport", "entity:transport")
        }
        told = await served.json(f"/api/v1/reports/{LABEL}/figures/F10")
        other = await served.json(f"/api/v1/reports/{LABEL}/figures/F02")
    shown = {whose: "Cisco ASR 9000" in page for whose, page in pages.items()}
    assert shown == {"": True, "entity:interior": True, "service:passport": True, "entity:transport": False}
    assert [(each["number"], each["ar"]) for each in told["replies"]] == [(2, ARABIC)]  # type: ignore[attr-defined]
    assert other["replies"] == []
