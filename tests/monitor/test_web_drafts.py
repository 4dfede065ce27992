"""A draft on pages and API: read by reviewers alone, signed off by one of them, published byte by byte."""

from __future__ import annotations

import pytest

from monitor.report.voice import DRAFT_MARK
from monitor.store import reports
from monitor.store.tokens import Role
from tests.acting import bearer, field, post, sign_in
from tests.golden_week import golden
from tests.reported import draft
from tests.serving import serving

LABEL = "2026-W47"
PAGE, API = f"/reports/{LABEL}/draft", f"/api/v1/reports/{LABEL}"


async def test_a_draft_is_read_by_reviewers_alone(database: str) -> None:
    async with serving(database) as served:
        text = await draft(served.store, golden())
        viewer = await bearer(served, "Viewer", Role.VIEWER)
        member = await bearer(served, "Fatima", Role.COMMITTEE)
        answers = {}
        for path in (PAGE, f"{PAGE}/edition", f"{API}/draft"):
            for who, headers in (("nobody", {}), ("viewer", viewer), ("member", member)):
                async with served.http.get(served.url + path, headers=headers) as answer:
                    answers[path, who] = answer.status
                    body = await answer.read()
        async with served.http.get(served.url + API) as answer:
            published = answer.status
        shown = await served.text(f"{PAGE}?lang=ar", **member)
        marked = await served.text(f"{PAGE}/edition?lang=ar", **member)
        listed = await served.text("/reports", **member)
        open_list = await served.text("/reports")
    assert body == text
    assert [status for (_, who), status in answers.items() if who == "member"] == [200] * 3
    assert {status for (_, who), status in answers.items() if who != "member"} <= {401, 403}
    assert published == 404
    assert "تحقق المستهدف" in shown
    assert DRAFT_MARK in marked
    assert (PAGE in listed, PAGE in open_list) == (True, False)


@pytest.mark.parametrize("role", [Role.COMMITTEE, Role.OPERATOR])
async def test_signing_off_over_the_api_publishes_the_draft_under_the_name_of_the_token(
    database: str, role: Role
) -> None:
    async with serving(database) as served:
        text = await draft(served.store, golden())
        viewer = await bearer(served, "Viewer", Role.VIEWER)
        member = await bearer(served, "Fatima", role)
        assert (await post(served, f"{API}/sign-off"))[0] == 401
        assert (await post(served, f"{API}/sign-off", headers=viewer))[0] == 403
        assert (await post(served, f"{API}/sign-off", headers=member))[0] == 200
        assert (await post(served, f"{API}/sign-off", headers=member))[0] == 404
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
        await draft(served.store, golden())
        await sign_in(served, "Fatima", Role.COMMITTEE)
        page = await served.text(f"{PAGE}?lang=en")
        forged, _ = await post(served, f"{PAGE}/sign-off", data={"csrf": "guessed"})
        status, _ = await post(served, f"{PAGE}/sign-off", data={"csrf": await field(served, PAGE)})
        published = await served.text(f"/reports/{LABEL}")
    assert "Sign off and publish now" in page
    assert forged == 403
    assert (status, "98.99" in published) == (303, True)
