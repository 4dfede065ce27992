"""Reports and the committee's pages on a telephone, a desk, a wall: both languages, no mouse, no script."""

from __future__ import annotations

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from monitor.store import committee, tokens
from monitor.store.tokens import Role
from tests.browser.conftest import Open
from tests.golden_week import about, golden
from tests.reported import publish
from tests.serving import Served, serving

PAGES = ("/reports", "/reports/2026-W47", "/committee", "/committee/meeting")
SCREENS = [(400, 800), (1280, 720), (3840, 2160)]
WIDER = """() => {
  const out = one => one.getBoundingClientRect().right > innerWidth || one.getBoundingClientRect().left < 0
  const every = [...document.querySelectorAll('main *')].filter(one => !one.closest('.scroll') && out(one))
  const fits = document.documentElement.scrollWidth <= innerWidth
  return fits ? [] : every.map(one => one.outerHTML.slice(0, 150))
}"""
"""What sticks out of the window, where the page has to be scrolled sideways."""
CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"


async def signed_in(served: Served, open_page: Open, **options: object) -> Page:
    """A browser of the committee's."""
    code = await tokens.create_sign_in(served.store, "Committee", Role.COMMITTEE)
    page = await open_page(f"{served.url}/sign-in/{code}", **options)
    await page.locator("main button").press("Enter")
    await page.wait_for_url(f"{served.url}/")
    return page


async def fill(served: Served) -> None:
    """A published week with its correction, and work that waits for a ruling."""
    await publish(served.store, golden(about=about(sample=True)))
    await publish(served.store, golden(about=about(sample=True, version=2)))
    await served.world.service_falls("s0001", ago_s=600)
    await served.world.work("service:s0001", from_s=-900, to_s=900, noticed=False)


@pytest.mark.parametrize(("width", "height"), SCREENS)
@pytest.mark.parametrize("language", ["en", "ar"])
async def test_no_page_is_wider_than_its_window_with_a_script_or_without_and_axe_finds_nothing(
    database: str, open_page: Open, language: str, width: int, height: int
) -> None:
    wide, found = {}, {}
    async with serving(database) as served:
        await fill(served)
        for script in (True, False):
            page = await signed_in(served, open_page, width=width, height=height, java_script_enabled=script)
            for path in PAGES:
                await page.goto(f"{served.url}{path}?lang={language}")
                await expect(page.locator("main")).to_be_visible()
                wide[path, script] = await page.evaluate(WIDER)
                if script:
                    violations = (await Axe().run(page)).response["violations"]
                    found[path] = [
                        (each["id"], [node["html"][:150] for node in each["nodes"][:3]])
                        for each in violations
                    ]
    assert {where: those for where, those in wide.items() if those} == {}
    assert found == {path: [] for path in PAGES}


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("path", PAGES[:3])
async def test_every_control_is_reached_with_the_tab_key_and_shows_that_it_is(
    database: str, open_page: Open, language: str, path: str
) -> None:
    async with serving(database) as served:
        await fill(served)
        page = await signed_in(served, open_page, java_script_enabled=False)
        await page.goto(f"{served.url}{path}?lang={language}")
        controls = await page.locator(CONTROLS).count()
        assert controls > 5
        for _ in range(controls + 8 * await page.locator("input[type=date]").count() + 2):  # a date has parts
            await page.keyboard.press("Tab")
            await page.evaluate(MARK)
        found = await page.evaluate(LEFT, CONTROLS)
    assert found == {"unreached": [], "unseen": []}


MARK = """() => {
  const one = document.activeElement, style = getComputedStyle(one)
  const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1
  const seen = outlined || style.boxShadow !== 'none' || one.type === 'date'  // the browser marks its part
  if (one !== document.body) one.dataset.reached = seen ? 'seen' : 'unseen'
}"""
LEFT = """controls => {
  const told = one => one.outerHTML.slice(0, 150)
  const every = [...document.querySelectorAll(controls)].filter(one => one.checkVisibility() && !one.disabled)
  return {
    unreached: every.filter(one => !one.dataset.reached).map(told),
    unseen: every.filter(one => one.dataset.reached === 'unseen').map(told),
  }
}"""


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_an_action_is_agreed_and_work_is_ruled_on_without_a_mouse_or_a_script(
    database: str, open_page: Open, language: str
) -> None:
    async with serving(database) as served:
        await fill(served)
        page = await signed_in(served, open_page, width=400, java_script_enabled=False)
        await page.goto(f"{served.url}/committee?lang={language}")
        await page.locator("#why-1").focus()
        await page.keyboard.type("Known late")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/planned-work/1**")
        await page.goto(f"{served.url}/committee?lang={language}")
        await expect(page.locator("#why-1")).to_have_count(0)
        await page.locator("form[action$='/actions'] input[name=what]").focus()
        await page.keyboard.type("Renew certificates by day")
        await page.keyboard.press("Tab")
        await page.keyboard.type("Amal")
        await page.keyboard.press("Tab")
        await page.keyboard.type("12312026")
        await page.keyboard.press("Enter")
        await expect(page.locator("#actions")).to_contain_text("Renew certificates by day")
        [agreed] = await committee.actions(served.store, limit=2)
    assert (agreed.what, agreed.who) == ("Renew certificates by day", "Amal")
