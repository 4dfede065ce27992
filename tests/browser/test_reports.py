"""Reports in a browser: axe finds nothing in either language, and nothing is wider than a telephone."""

from __future__ import annotations

import pytest
from axe_playwright_python.async_playwright import Axe

from monitor.store import report_deliveries, tokens
from monitor.store.report_deliveries import Which
from monitor.store.tokens import Role
from tests.browser.conftest import Open
from tests.golden_week import about, catalogues, golden
from tests.replied import ARABIC, replied
from tests.reported import draft, publish
from tests.serving import serving

PAGES = (
    "/reports?",
    "/reports/2026-W47?",
    "/reports/2026-W47/files/html?",
    "/reports/2026-W47/figures/F05?subject=service:licence&",
)


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_axe_finds_nothing_on_reports_and_their_editions(
    database: str, open_page: Open, language: str
) -> None:
    found = {}
    async with serving(database) as served:
        await publish(served.store, golden(about=about(sample=True)))
        for path in PAGES:
            page = await open_page(f"{served.url}{path}lang={language}")
            results = await Axe().run(page)
            found[path] = [
                (each["id"], [node["html"][:150] for node in each["nodes"][:3]])
                for each in results.response["violations"]
            ]
    assert found == {path: [] for path in PAGES}


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_a_reviewer_signs_a_draft_off_by_keyboard_and_axe_finds_nothing(
    database: str, open_page: Open, language: str
) -> None:
    async with serving(database) as served:
        await draft(served.store, golden())
        code = await tokens.create_sign_in(served.store, "Fatima", Role.COMMITTEE)
        page = await open_page(f"{served.url}/sign-in/{code}", width=400)
        await page.locator("main button").click()
        await page.wait_for_url(lambda address: "/sign-in/" not in address)
        await page.goto(f"{served.url}/reports/2026-W47/draft?lang={language}")
        results = await Axe().run(page)
        await page.locator("main form[action$='sign-off'] button").press("Enter")
        await page.wait_for_url("**/reports/2026-W47")
    assert [each["id"] for each in results.response["violations"]] == []


@pytest.mark.parametrize("width", [400, 1280, 3840])
async def test_a_page_is_no_wider_than_its_window_and_needs_no_script(
    database: str, open_page: Open, width: int
) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        for path in PAGES:
            page = await open_page(f"{served.url}{path}lang=ar", width=width, java_script_enabled=False)
            box = await page.locator("main").bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_axe_finds_nothing_where_somebody_has_not_received_a_report(
    database: str, open_page: Open, language: str
) -> None:
    found = {}
    async with serving(database) as served:
        await publish(served.store, golden())
        async with served.store.transaction() as connection:
            await report_deliveries.plan(connection, Which("government", "2026-W47", 1), ["chair", "archive"])
            await connection.execute(
                "update report_delivery set tries = 3, made_at = made_at - interval '1 hour', "
                "said = 'the mail server answered 550'"
            )
            await connection.execute(
                "update report_delivery set state = 'failed', done_at = now() where recipient = 'chair'"
            )
        code = await tokens.create_sign_in(served.store, "Fatima", Role.COMMITTEE)
        page = await open_page(f"{served.url}/sign-in/{code}", width=400)
        await page.locator("main button").click()
        await page.wait_for_url(lambda address: "/sign-in/" not in address)
        for path in ("/reports", "/committee"):
            await page.goto(f"{served.url}{path}?lang={language}")
            box = await page.locator("section[aria-labelledby='undelivered-title']").bounding_box()
            assert box is not None
            assert (box["x"] >= 0, box["x"] + box["width"] <= 400) == (True, True)
            found[path] = [each["id"] for each in (await Axe().run(page)).response["violations"]]
    assert found == {"/reports": [], "/committee": []}


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_a_coordinator_replies_by_keyboard_without_script_and_reads_it_on_the_report(
    database: str, open_page: Open, language: str
) -> None:
    async with serving(database, catalogues()[0]) as served:
        await publish(served.store, replied(first=101))
        secret = await tokens.create_token(served.store, "Amal", role=Role.COORDINATOR, entities=["interior"])
        where = f"/reports/2026-W47/replies?lang={language}"
        page = await open_page(f"{served.url}/sign-in?lang={language}", width=400, java_script_enabled=False)
        await page.locator("main input[name='token']").fill(secret)
        await page.locator("main form button").first.press("Enter")
        await page.wait_for_url(lambda address: "/sign-in" not in address)
        await page.goto(f"{served.url}{where}")
        await page.locator("#about").select_option("F10")
        await page.locator("#ar").fill(ARABIC)
        await page.locator("main form.fields button").press("Enter")
        await page.wait_for_url("**/replies?entity=interior#reply-1")
        sent = await page.locator("#reply-1").inner_text()
        box = await page.locator("main").bounding_box()
        await page.goto(f"{served.url}/reports/2026-W47")
        later = await page.locator("#replies").inner_text()
    assert "Cisco ASR 9000" in sent
    assert box is not None
    assert (box["x"] >= 0, box["x"] + box["width"] <= 400) == (True, True)
    assert "ما ورد أو سُحب بعد النشر" in later if language == "ar" else "after publication" in later


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_axe_finds_nothing_where_replies_are_read_and_written(
    database: str, open_page: Open, language: str
) -> None:
    found = {}
    async with serving(database, catalogues()[0]) as served:
        await publish(served.store, replied(first=101))
        code = await tokens.create_sign_in(served.store, "Fatima", Role.COMMITTEE)
        page = await open_page(f"{served.url}/sign-in/{code}")
        await page.locator("main button").click()
        await page.wait_for_url(lambda address: "/sign-in/" not in address)
        paths = (
            "/reports/2026-W47/replies?entity=interior&", "/reports/2026-W47?", "/committee?",
            "/reports/2026-W47/files/html?", "/entities/interior?", "/committee/meeting?label=2026-W47&",
        )  # fmt: skip
        for path in paths:
            await page.goto(f"{served.url}{path}lang={language}")
            if "replies?" in path:
                await page.locator("#en").fill("A router failed.")
                await page.locator("main form.fields button").click()
                await page.wait_for_url("**#reply-1")
            results = await Axe().run(page)
            found[path] = [
                (each["id"], [node["html"][:150] for node in each["nodes"][:3]])
                for each in results.response["violations"]
            ]
    assert found == {path: [] for path in paths}
