"""A draft on pages and API: read by reviewers alone, signed off by one of them, published byte by byte."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest

from monitor.report.document import digest
from monitor.report.voice import DRAFT_MARK
from monitor.store import reports
from monitor.store.tokens import Role
from tests.acting import bearer, field, post, sign_in
from tests.golden_week import about, golden
from tests.reported import draft
from tests.serving import serving

LABEL = "2026-W47"
DRAFTS = "/api/v1/reports/drafts"
PAGE, API = f"/reports/{LABEL}/draft", f"/api/v1/reports/{LABEL}"


async def test_a_draft_is_read_by_reviewers_alone(database: str) -> None:
    async with serving(database) as served:
        text = await draft(served.store, golden())
        viewer = await bearer(served, "Viewer", Role.VIEWER)
        member = await bearer(served, "Fatima", Role.COMMITTEE)
        answers = {}
        for path in (PAGE, f"{PAGE}/files/html", DRAFTS, f"{API}/draft/files/csv", f"{API}/draft"):
            for who, headers in (("nobody", {}), ("viewer", viewer), ("member", member)):
                async with served.http.get(served.url + path, headers=headers) as answer:
                    answers[path, who] = answer.status
                    body = await answer.read()
        async with served.http.get(served.url + API) as answer:
            published = answer.status
        shown = await served.text(f"{PAGE}?lang=ar", **member)
        marked = await served.text(f"{PAGE}/files/html?lang=ar", **member)
        listed = await served.text("/reports", **member)
        open_list = await served.text("/reports")
    assert body == text
    assert [status for (_, who), status in answers.items() if who == "member"] == [200] * 5
    assert {status for (_, who), status in answers.items() if who != "member"} <= {401, 403}
    assert published == 404
    assert "تحقق المستهدف" in shown
    assert DRAFT_MARK in marked
    assert (PAGE in listed, PAGE in open_list) == (True, False)


@pytest.mark.parametrize("language", ["ar", "en"])
async def test_every_file_of_a_draft_is_one_click_away_and_says_so_in_its_name(
    database: str, language: str
) -> None:
    async with serving(database) as served:
        text = await draft(served.store, golden(about=about(sample=True)))
        member = await bearer(served, "Fatima", Role.COMMITTEE)
        page = await served.text(f"{PAGE}?lang={language}", **member)
        links = re.findall(r'href="(/reports/[^"]+/files/[^"]+)"', page.replace("&amp;", "&"))
        names, kept = {}, set()
        for link in links:
            async with served.http.get(served.url + link, headers=member) as answer:
                names[link] = answer.headers["Content-Disposition"]
                kept.add((answer.status, answer.headers["Cache-Control"]))
                body = await answer.read()
    assert (len(links), kept) == (13, {(200, "no-store")})
    assert [link for link, name in names.items() if "-DRAFT-SAMPLE-DATA." not in name] == []
    assert (links[-1].partition("?")[0], body) == (f"{PAGE}/files/json", text)


async def test_the_pdf_of_a_draft_is_marked_in_the_language_that_is_asked_for(database: str) -> None:
    async with serving(database) as served:
        await draft(served.store, golden())
        member = await bearer(served, "Fatima", Role.COMMITTEE)
        found = {}
        for address in (PAGE, f"{API}/draft"):
            url = f"{served.url}{address}/files/pdf?lang=ar&paper=projector"
            async with served.http.get(url, headers=member) as answer:
                found[answer.headers["Content-Disposition"]] = (await answer.read())[:5]
    name = "continuity-2026-W47-government-v1-ar-projector-DRAFT.pdf"
    assert found == {f'attachment; filename="{name}"': b"%PDF-"}


async def test_the_api_lists_the_drafts_that_wait(database: str) -> None:
    async with serving(database) as served:
        text = await draft(served.store, golden())
        member = await bearer(served, "Fatima", Role.OPERATOR)
        async with served.http.get(served.url + DRAFTS, headers=member) as answer:
            [line] = (await answer.json())["items"]
        signed = {"headers": member, "json": {"sha256": line["sha256"]}}
        assert (await post(served, f"{API}/sign-off", **signed))[0] == 200
        async with served.http.get(served.url + DRAFTS, headers=member) as answer:
            after = await answer.json()
    made, until = (datetime.fromisoformat(line.pop(key)) for key in ("made_at", "review_until"))
    assert line == {"scope": "government", "label": LABEL, "version": 1, "sha256": digest(text)}
    assert until - made == timedelta(hours=1)
    assert after == {"items": []}


@pytest.mark.parametrize("role", [Role.COMMITTEE, Role.OPERATOR])
async def test_signing_off_over_the_api_publishes_the_draft_under_the_name_of_the_token(
    database: str, role: Role
) -> None:
    async with serving(database) as served:
        text = await draft(served.store, golden())
        viewer = await bearer(served, "Viewer", Role.VIEWER)
        member = await bearer(served, "Fatima", role)
        signed = {"json": {"sha256": digest(text)}}
        other = {"json": {"sha256": "0" * 64}}
        assert (await post(served, f"{API}/sign-off", **signed))[0] == 401
        assert (await post(served, f"{API}/sign-off", headers=viewer, **signed))[0] == 403
        assert (await post(served, f"{API}/sign-off", headers=member, json={}))[0] == 400
        assert (await post(served, f"{API}/sign-off", headers=member, **other))[0] == 409
        assert (await post(served, f"{API}/sign-off", headers=member, **signed))[0] == 200
        assert (await post(served, f"{API}/sign-off", headers=member, **signed))[0] == 404
        published = await reports.document(served.store, scope="government", label=LABEL)
        async with served.store.connection() as connection:
            signed = await connection.fetchrow(
                "select actor, object from audit where action = 'report.signed_off'"
            )
            planned = await connection.fetch("select recipient, stage from report_delivery")
    assert published == text
    assert tuple(signed) == ("Fatima", f"report:government/{LABEL}/1")
    assert [tuple(row) for row in planned] == [("chair", "published")]


async def test_the_button_of_the_page_signs_off_and_needs_its_own_form(database: str) -> None:
    async with serving(database) as served:
        text = await draft(served.store, golden())
        await sign_in(served, "Fatima", Role.COMMITTEE)
        page = await served.text(f"{PAGE}?lang=en")
        seen = {"sha256": re.findall(r'name="sha256" value="([^"]+)"', page)[0]}
        forged, _ = await post(served, f"{PAGE}/sign-off", data={"csrf": "guessed", **seen})
        status, _ = await post(served, f"{PAGE}/sign-off", data={"csrf": await field(served, PAGE), **seen})
        published = await served.text(f"/reports/{LABEL}")
    assert "Sign off and publish now" in page
    assert (forged, seen["sha256"]) == (403, digest(text))
    assert (status, "98.99" in published) == (303, True)
