"""The meeting on a wall, held by keyboard alone, in both languages, at 1280 and 4K."""

from __future__ import annotations

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from monitor.store import committee, tokens
from monitor.store.tokens import Role
from tests.browser.conftest import Open
from tests.golden_week import about, golden, golden_of_transport
from tests.reported import publish
from tests.serving import Served, serving

PAGE = "/committee/meeting"


async def signed_in(served: Served, open_page: Open, path: str) -> Page:
    """A browser of the committee's, at that page."""
    code = await tokens.create_sign_in(served.store, "Committee", Role.COMMITTEE)
    page = await open_page(f"{served.url}/sign-in/{code}")
    await page.keyboard.press("Tab")
    await page.locator("main button").focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{served.url}/")
    await page.goto(served.url + path)
    return page


async def shown(page: Page, name: str) -> None:
    """That section, and no other, is on the wall, and has the focus."""
    await expect(page.locator(f"#{name}")).to_be_visible()
    await expect(page.locator("main > section:visible")).to_have_count(1)


@pytest.mark.parametrize(
    ("language", "onward", "backward"), [("en", "ArrowRight", "ArrowLeft"), ("ar", "ArrowLeft", "ArrowRight")]
)
async def test_arrows_and_space_go_through_the_items_the_way_the_language_reads(
    database: str, open_page: Open, language: str, onward: str, backward: str
) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        page = await open_page(f"{served.url}{PAGE}?lang={language}")
        await shown(page, "sentence")
        for key, name in (
            (onward, "show-F05"),
            (" ", "show-F06"),
            (backward, "show-F05"),
            ("End", "inquiries"),
        ):
            await page.keyboard.press(key)
            await shown(page, name)
        await page.keyboard.press(onward)
        await shown(page, "inquiries")


async def test_a_typed_code_opens_how_that_figure_was_counted_and_escape_leads_back(
    database: str, open_page: Open
) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        page = await open_page(f"{served.url}{PAGE}?lang=en")
        await page.keyboard.press(" ")
        await page.keyboard.type("F01")
        await shown(page, "F01")
        share = await page.locator('[data-share="F01"]').text_content()
        await page.keyboard.press("Escape")
        await shown(page, "show-F05")
        await page.keyboard.press("Enter")
        await shown(page, "F05")
        await page.keyboard.type("f99")
        await expect(page.locator("#said")).to_have_text("There is no figure \u2068F99\u2069.")
        await shown(page, "F05")
    assert share is not None
    assert "790 hours" in share


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080), (3840, 2160)])
@pytest.mark.parametrize("language", ["en", "ar"])
async def test_the_intervals_of_a_figure_are_on_the_wall_without_scrolling_in_type_that_is_read_from_afar(
    database: str, open_page: Open, language: str, width: int, height: int
) -> None:
    """Read from three metres: at least a fortieth of the height, half a degree on a screen of a metre."""
    async with serving(database) as served:
        await publish(served.store, golden())
        page = await open_page(f"{served.url}{PAGE}?lang={language}", width=width, height=height)
        await page.keyboard.type("F05")
        await shown(page, "F05")
        last = page.locator("#F05 .times li").last
        box = await last.bounding_box()
        size = await last.evaluate("one => parseFloat(getComputedStyle(one).fontSize)")
        await expect(page.locator("#F05 .times li")).to_have_count(3)
    assert box is not None
    assert box["y"] + box["height"] <= height
    assert size >= height / 40


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_the_meeting_of_an_entity_is_held_from_the_page_of_its_report_by_keyboard_alone(
    database: str, open_page: Open, language: str
) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        await publish(served.store, golden_of_transport(scope="entity:e01"))
        page = await signed_in(served, open_page, f"/reports/2026-W47?entity=e01&lang={language}")
        await page.locator('a[href^="/committee/meeting?"]').focus()
        await page.keyboard.press("Enter")
        await shown(page, "sentence")
        await expect(page.locator("#sentence")).to_contain_text("99.59%")
        await page.keyboard.type("F10")
        await shown(page, "F10")
        found = await _violations(page)
        await page.keyboard.press("i")
        await expect(page.locator("#question")).to_be_focused()
        await page.keyboard.type("Why an hour?")
        await page.keyboard.press("Tab")
        await page.keyboard.type("Transport")
        await page.keyboard.press("Enter")
        await shown(page, "F10")
        await expect(page.locator("#F10 .big")).to_contain_text("1" if language == "en" else "ساعة واحدة")
        [kept] = await committee.inquiries(served.store, limit=2)
    assert (kept.scope, kept.code, found) == ("entity:e01", "F10", [])


async def test_an_arabic_keyboard_has_the_same_keys(database: str, open_page: Open) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        page = await open_page(f"{served.url}{PAGE}?lang=ar")
        for key, code in (("ب", "KeyF"), ("٠", "Digit0"), ("٧", "Digit7")):
            await page.evaluate(
                "([key, code]) => document.activeElement.dispatchEvent("
                "new KeyboardEvent('keydown', { key, code, bubbles: true, cancelable: true }))",
                [key, code],
            )
        await shown(page, "F07")


async def test_one_key_files_the_question_about_the_figure_on_the_wall(
    database: str, open_page: Open
) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        page = await signed_in(served, open_page, f"{PAGE}?lang=en")
        await page.keyboard.type("F07i")
        await expect(page.locator("#question")).to_be_focused()
        await expect(page.locator("#code")).to_have_value("F07")
        await page.keyboard.type("Which five if F is pressed?")
        await page.keyboard.press("Tab")
        await page.keyboard.type("Interior")
        await page.keyboard.press("Enter")
        await expect(page.locator("#said")).to_contain_text("is filed")
        await shown(page, "F07")
        [kept] = await committee.inquiries(served.store, limit=2)
    assert (kept.question, kept.owner, kept.code) == ("Which five if F is pressed?", "Interior", "F07")
    assert (kept.label, kept.asked_by, (kept.due - golden().about.last).days > 0) == (
        "2026-W47",
        "Committee",
        True,
    )


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_axe_finds_nothing_on_any_item_nor_on_the_committees_page(
    database: str, open_page: Open, language: str
) -> None:
    found = {}
    async with serving(database) as served:
        await publish(served.store, golden(about=about(sample=True)))
        await served.world.work("service:s0001", from_s=-900, to_s=900, noticed=False)
        page = await signed_in(served, open_page, f"/committee?lang={language}")
        found["/committee"] = await _violations(page)
        await page.goto(f"{served.url}{PAGE}?lang={language}")
        for name in ("sentence", "outage-1", "F01", "ask", "keys"):
            await page.goto(f"{served.url}{PAGE}?lang={language}#{name}")
            await shown(page, name)
            found[name] = await _violations(page)
    assert found == {name: [] for name in found}


async def _violations(page: Page) -> list[tuple[str, list[str]]]:
    results = await Axe().run(page)
    return [
        (each["id"], [node["html"][:150] for node in each["nodes"][:3]])
        for each in results.response["violations"]
    ]


@pytest.mark.parametrize(("width", "height"), [(400, 800), (1280, 720), (3840, 2160)])
@pytest.mark.parametrize("language", ["en", "ar"])
async def test_no_item_is_wider_than_the_wall_and_big_type_grows_with_it(
    database: str, open_page: Open, language: str, width: int, height: int
) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        page = await open_page(f"{served.url}{PAGE}?lang={language}", width=width, height=height)
        wide = []
        for _ in range(13):
            wide.append(await page.evaluate("document.documentElement.scrollWidth"))
            await page.keyboard.press(" ")
        size = await page.evaluate("parseFloat(getComputedStyle(document.querySelector('.say')).fontSize)")
    assert max(wide) <= width
    assert size >= width / 40


async def test_without_javascript_every_item_and_figure_is_reached_by_links(
    database: str, open_page: Open
) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        page = await open_page(f"{served.url}{PAGE}?lang=en", java_script_enabled=False)
        await expect(page.locator("main > section:visible")).to_have_count(
            await page.locator("main > section").count()
        )
        places = [await link.get_attribute("href") for link in await page.locator('a[href^="#"]').all()]
        missing = [place for place in places if place and await page.locator(place).count() != 1]
    assert (len(places) > 10, missing) == (True, [])
