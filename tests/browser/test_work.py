"""A coordinator announces work on the pages, in both languages, on a wide screen and a narrow one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from monitor.store import tokens
from monitor.store.tokens import Role
from tests.browser.conftest import Open
from tests.serving import Served, serving


async def signed_in(served: Served, open_page: Open, language: str, width: int) -> Page:
    code = await tokens.create_sign_in(served.store, "Amal", Role.COORDINATOR)
    page = await open_page(f"{served.url}/sign-in/{code}?lang={language}", width=width)
    await page.locator("main button").click()
    await page.goto(f"{served.url}/planned-work/new?lang={language}")
    return page


async def violations(page: Page) -> list[str]:
    found = await Axe().run(page)
    return [each["id"] for each in found.response["violations"]]


async def fits(page: Page) -> bool:
    return bool(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("ar", 400)])
async def test_work_is_previewed_announced_and_shown(
    database: str, open_page: Open, language: str, width: int
) -> None:
    begins = datetime.now(UTC) + timedelta(days=3)
    async with serving(database) as served:
        await served.world.usual("service:s0000/web", an_hour=100)
        await served.traffic.usuals.follow(served.store, served.world.catalogue)
        page = await signed_in(served, open_page, language, width)
        found = {"form": (await violations(page), await fits(page))}
        await page.locator("#subjects").select_option("system:identity")
        await page.locator("#from").fill(f"{begins:%Y-%m-%dT22:00}")
        await page.locator("#to").fill(f"{begins:%Y-%m-%dT23:30}")
        await page.locator("#why").fill("New certificates / شهادات جديدة")
        await page.locator("button[value=preview]").click()
        await expect(page.locator("#takes li")).to_have_count(4)
        found["preview"] = (await violations(page), await fits(page))
        await page.locator("button[value=send]").click()
        await expect(page.locator("h1")).to_contain_text("New certificates")
        found["one"] = (await violations(page), await fits(page))
        await page.goto(f"{served.url}/planned-work")
        await expect(page.locator("#ahead li")).to_have_count(1)
        found["list"] = (await violations(page), await fits(page))
    assert found == dict.fromkeys(found, ([], True))
