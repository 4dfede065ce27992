"""The pages in a real Chromium: they change by themselves, admit when they cannot, and come back."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from monitor.model import Verdict
from monitor.store.counts import Added
from tests.browser.conftest import Open
from tests.browser.test_accessible import busy
from tests.serving import serving, until

SILENCE_S = 2.0
PATHS = ("/", "/entities/e00", "/services/s0000", "/systems/payments", "/systems", "/sign-in")


async def test_the_overview_changes_by_itself_when_a_service_fails(database: str, open_page: Open) -> None:
    async with serving(database) as served:
        page = await open_page(served.url)
        await expect(page.locator("html")).to_have_class(re.compile("is-live"))
        await served.world.service_falls("s0001")
        await expect(page.locator("#s-s0001")).to_have_attribute("data-verdict", "down")
        await expect(page.locator(".big.v-down dd")).to_have_text("1")
        await expect(page.locator(".wrong-item .what a")).to_have_text("Renew a licence")
        await served.world.change("effective", "service:s0001", Verdict.UP)
        await expect(page.locator("#s-s0001")).to_have_attribute("data-verdict", "up")


async def test_the_running_total_moves_without_the_page_being_fetched_anew(
    database: str, open_page: Open
) -> None:
    async with serving(database) as served:
        minute = served.world.minute(0)
        await served.world.counted(Added("service:s0001/web", "completed", minute, 1200))
        await until(lambda: served.traffic.seen is not None and served.traffic.seen.any)
        page = await open_page(f"{served.url}/?lang=ar")
        total = page.locator('[data-count="completed"]')
        await expect(total).to_have_text("1,200")
        await expect(page.locator("html")).to_have_class(re.compile("is-live"))
        await page.route(re.compile(r"/\?lang=ar$"), lambda route: route.abort())
        await served.world.counted(Added("service:s0002/web", "completed", minute, 34))
        await expect(total).to_have_text("1,234")


async def test_t22_the_curve_runs_left_to_right_in_arabic_and_its_table_keeps_intervals_in_order(
    database: str, open_page: Open
) -> None:
    async with serving(database) as served:
        await busy(served)
        page = await open_page(f"{served.url}/services/s0001?lang=ar&hours=6")
        await page.locator("#transactions details").first.evaluate("one => { one.open = true }")
        ticks = await page.locator("#transactions .axis text").evaluate_all(
            "all => all.map(one => [one.textContent, one.getBoundingClientRect().left])"
        )
        order = await page.locator("#transactions details td:last-child bdi").first.evaluate(
            """cell => {
                const text = cell.firstChild;
                const left = at => {
                    const range = document.createRange();
                    range.setStart(text, at); range.setEnd(text, at + 1);
                    return range.getBoundingClientRect().left;
                };
                return left(0) < left(text.length - 1);
            }"""
        )
    places = [left for _, left in ticks]
    assert (places, len(places) > 2, order) == (sorted(places), True, True)


async def test_the_service_page_changes_by_itself(database: str, open_page: Open) -> None:
    async with serving(database) as served:
        page = await open_page(f"{served.url}/services/s0001")
        await expect(page.locator(".verdict .badge")).to_have_text("Up")
        await served.world.service_falls("s0001", reason="tls_expired")
        await expect(page.locator(".verdict .badge")).to_have_text("Down")
        await expect(page.locator("#subject .lead")).to_contain_text("its certificate has expired")


async def test_t47_a_page_whose_stream_is_cut_goes_hatched_and_says_when_it_is_live_again(
    database: str, open_page: Open
) -> None:
    """The stream ends and every try to reconnect fails at first; then the way is free again."""
    async with serving(database, silence_s=SILENCE_S) as served:
        page = await open_page(served.url)
        await expect(page.locator("html")).to_have_class(re.compile("is-live"))
        assert not await hatched(page)
        await page.route("**/api/v1/events", lambda route: route.abort())
        for client in list(served.live.clients):
            client.end()
        await expect(page.locator("#not-live")).to_have_text(re.compile(r"NOT LIVE SINCE .*\d\d:\d\d:\d\d"))
        assert await hatched(page)
        await served.world.service_falls("s0001")
        await page.unroute("**/api/v1/events")
        await expect(page.locator("#not-live")).to_have_text(re.compile(r"Live again since"))
        await expect(page.locator("#s-s0001")).to_have_attribute("data-verdict", "down")
        assert not await hatched(page)


async def test_t47_a_connection_that_never_answers_is_given_up_and_tried_again(
    database: str, open_page: Open
) -> None:
    """No error ever comes: only the silence tells."""
    async with serving(database, silence_s=SILENCE_S) as served:
        page = await open_page(served.url)
        await expect(page.locator("html")).to_have_class(re.compile("is-live"))
        await page.route("**/api/v1/events", lambda route: None)
        for client in list(served.live.clients):
            client.end()
        await expect(page.locator("html")).to_have_class(re.compile("not-live"))
        await page.unroute("**/api/v1/events")
        await expect(page.locator("#not-live")).to_have_text(re.compile(r"Live again since"))


async def test_t47_a_page_survives_a_restart_of_the_server(database: str, open_page: Open) -> None:
    """The server goes away, answers with errors from elsewhere, and comes back on the same port."""
    async with serving(database, silence_s=SILENCE_S) as served:
        port = int(served.url.rsplit(":", 1)[1])
        page = await open_page(served.url)
        await expect(page.locator("html")).to_have_class(re.compile("is-live"))
    await expect(page.locator("html")).to_have_class(re.compile("not-live"))
    async with serving(database, silence_s=SILENCE_S, port=port, fresh=False) as served:
        await expect(page.locator("html")).to_have_class(re.compile("is-live"))
        await served.world.service_falls("s0002")
        await expect(page.locator("#s-s0002")).to_have_attribute("data-verdict", "down")


async def hatched(page: Page) -> bool:
    found = await page.locator(".tile").first.evaluate("tile => getComputedStyle(tile).backgroundImage")
    return "gradient" in found


async def test_searching_filters_at_once_and_stays_when_the_page_changes(
    database: str, open_page: Open
) -> None:
    async with serving(database) as served:
        page = await open_page(served.url)
        await page.get_by_placeholder("Search services and entities").fill("civil")
        await expect(page.locator(".tiles .tile:visible")).to_have_count(3)
        await served.world.service_falls("s0001")
        await expect(page.locator("#s-s0001")).to_have_attribute("data-verdict", "down")
        await expect(page.locator(".tiles .tile:visible")).to_have_count(3)
        await expect(page.locator("[data-shown]")).to_have_text("3")


async def test_the_keyboard_reaches_the_content_and_the_focus_is_seen(database: str, open_page: Open) -> None:
    async with serving(database) as served:
        page = await open_page(served.url)
        await page.keyboard.press("Tab")
        await expect(page.locator(".skip")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("main")).to_be_focused()
        await page.keyboard.press("Tab")
        outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


async def test_without_javascript_every_page_works_and_says_that_it_is_a_snapshot(
    database: str, open_page: Open
) -> None:
    async with serving(database) as served:
        page = await open_page(served.url, java_script_enabled=False)
        await expect(page.locator(".snapshot")).to_be_visible()
        await page.get_by_placeholder("Search services and entities").fill("civil")
        await page.get_by_role("button", name="Show").click()
        await expect(page.locator(".tiles .tile")).to_have_count(3)
        await page.locator("#s-s0001 a").click()
        await expect(page.locator("h1")).to_have_text("Renew a licence")


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("path", PATHS)
async def test_at_400_pixels_nothing_runs_out_of_the_page(
    database: str, open_page: Open, path: str, language: str
) -> None:
    async with serving(database) as served:
        await served.world.system_falls("payments")
        await served.world.attempts("service:s0000/web", hours=1, down_s=(300, 0))
        await busy(served)
        page = await open_page(f"{served.url}{path}?lang={language}", width=400)
        wide = await page.evaluate("document.documentElement.scrollWidth")
    assert wide == 400


async def test_t22_dates_and_percentages_keep_their_order_in_arabic(database: str, open_page: Open) -> None:
    """Measured on the picture: the sign stands right of its number, the seconds right of the hours."""
    async with serving(database) as served:
        await served.world.service_falls("s0001")
        page = await open_page(f"{served.url}/?lang=ar")
        await expect(page.locator(".big.v-down dd")).to_have_text("1")
        order = await page.evaluate(
            """() => [".ratio bdi", ".as-of time bdi"].map(where => {
                const text = document.querySelector(where).firstChild;
                const left = at => {
                    const range = document.createRange();
                    range.setStart(text, at); range.setEnd(text, at + 1);
                    return range.getBoundingClientRect().left;
                };
                return left(0) < left(text.length - 1);
            })"""
        )
        typeface = await page.evaluate("document.fonts.check('16px Plex', 'خدمة')")
    assert (order, typeface) == ([True, True], True)
