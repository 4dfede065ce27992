"""axe-core finds no violation on any page, in either language and theme, whole or broken."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from monitor.model import Verdict
from tests import traffic
from tests.browser.conftest import Open
from tests.serving import Served, serving

PAGES = (
    "/", "/entities/e01", "/services/s0001", "/systems/payments", "/systems", "/incidents",
    "/incidents/INC-2026-0001", "/incidents/new", "/shift", "/sign-in", "/nothing",
)  # fmt: skip


async def troubled(served: Served) -> None:
    """Something of every kind: down, degraded, unknown, a gap, failed attempts, a cause."""
    world = served.world
    await world.system_falls("payments")
    await world.service_falls("s0001", reason="timeout")
    await world.change("effective", "service:s0002", Verdict.DEGRADED, reason="slow")
    await world.change("effective", "service:s0003", Verdict.UNKNOWN, reason="silence")
    await world.attempts("service:s0001/web", hours=1, down_s=(300, 0))
    await world.attempts("system:payments", hours=1, down_s=(300, 0))
    await world.gap("service:s0001/web/main", from_s=1800, to_s=1200)
    await world.incident("system:payments", services=("service:s0009",), channels=("service:s0009/web",))
    await busy(served)


async def busy(served: Served) -> None:
    """Transactions of a day and what is usual, a silence, and an outage with its estimate."""
    world = served.world
    await world.counted(*traffic.rows(world, days=1, dip=traffic.Dip("s0001", 7200, 3600)))
    await traffic.usual(world)
    await world.finding("service:s0001/web", "silence", ago_s=7000)
    await world.missed("service:s0001", from_s=7200, to_s=3600)
    await served.traffic.look_back()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "ar"])
async def test_axe_finds_no_violation(database: str, open_page: Open, language: str, theme: str) -> None:
    found = {}
    async with serving(database) as served:
        await troubled(served)
        for path in PAGES:
            page = await open_page(f"{served.url}{path}?lang={language}", color_scheme=theme)
            if path == "/":
                await expect(page.locator("#s-s0003")).to_have_attribute("data-verdict", "unknown")
            for details in await page.locator("details").all():
                await details.evaluate("one => { one.open = true }")
            results = await Axe().run(page)
            found[path] = [
                (each["id"], [node["html"][:150] for node in each["nodes"][:3]])
                for each in results.response["violations"]
            ]
    assert found == {path: [] for path in PAGES}


async def test_axe_finds_no_violation_on_a_page_that_is_not_live(database: str, open_page: Open) -> None:
    async with serving(database, silence_s=1.0) as served:
        page = await open_page(served.url)
        await expect(page.locator("html")).to_have_class(re.compile("is-live"))
        await page.route("**/api/v1/events", lambda route: route.abort())
        for client in list(served.live.clients):
            client.end()
        await expect(page.locator("#not-live")).to_be_visible()
        results = await Axe().run(page)
    assert [each["id"] for each in results.response["violations"]] == []
