"""Figures in a browser: the panel opens to the evidence, and axe finds nothing in either language."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from monitor.store.pool import open_store
from tests.browser.conftest import Open
from tests.ledger import DAY_MS, HOUR_MS, Ledger, catalogue, ms
from tests.serving import serving, until

NOW_MS = ms("2025-11-25T12:00+04:00")


async def write(database: str) -> None:
    """Three services, one with an outage of which half is excluded."""
    async with open_store(database) as store:
        ledger = Ledger(store)
        await ledger.begin(NOW_MS - 40 * DAY_MS)
        fell, rose = NOW_MS - 2 * HOUR_MS, NOW_MS - HOUR_MS
        for subject in ("service:b", "service:c"):
            await ledger.says(subject, (NOW_MS - 40 * DAY_MS, "up"))
        await ledger.says("service:a", (NOW_MS - 40 * DAY_MS, "up"), (fell, "down"), (rose, "up"))
        await ledger.excludes(["service:a"], fell, fell + HOUR_MS // 2, announced_ms=fell - 3 * DAY_MS)
        await ledger.judged(NOW_MS)
        await ledger.account()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "ar"])
async def test_axe_finds_nothing_on_the_panels_and_the_evidence(
    database: str, open_page: Open, language: str, theme: str
) -> None:
    await write(database)
    found = {}
    async with serving(database, catalogue(), fresh=False, keep_alive=False) as served:
        await until(lambda: bool(served.live.figures.rows))
        for path in (
            "/availability?subject=service:a&period=month&from=2025-11-25&",
            "/availability?subject=government&period=month&from=2025-11-25&",
            "/services/a?",
            "/?",
        ):
            page = await open_page(f"{served.url}{path}lang={language}", color_scheme=theme)
            results = await Axe().run(page)
            found[path] = [
                (each["id"], [node["html"][:150] for node in each["nodes"][:3]])
                for each in results.response["violations"]
            ]
    assert found == {path: [] for path in found}


async def test_a_figure_of_the_panel_opens_to_its_own_evidence(database: str, open_page: Open) -> None:
    await write(database)
    async with serving(database, catalogue(), fresh=False, keep_alive=False) as served:
        await until(lambda: bool(served.live.figures.rows))
        page = await open_page(f"{served.url}/services/a?lang=en")
        shown = await page.locator('[data-figure="service:a/28d"]').inner_text()
        await page.get_by_role("link", name=re.compile("Evidence: .*28 days")).click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Service a")
        await expect(page.locator("table").first).to_contain_text(shown)
        await expect(page.get_by_text("Not counted: announced in time")).to_be_visible()
