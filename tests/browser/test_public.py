"""The public's pages in a real browser: with and without scripts, on a telephone, and when they are old."""

from __future__ import annotations

import functools
import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from msgspec import structs
from playwright.async_api import Page, expect

from monitor.facts import Day
from monitor.model import Verdict
from monitor.public import folder as folders
from monitor.public.pages import Pages
from monitor.public.serve import OLD_MS
from monitor.public.told import Given
from tests import world
from tests.browser.conftest import Open
from tests.monitor.public_scene import APP, WEB, day, given, government, incident, said, work
from tests.monitor.test_public_served import serving

HOUR_MS = 3_600_000
WRITTEN = '{"public": {"ar": "ستُحدَّث التطبيقات.", "en": "The apps are renewed."}}'
DOWN, DEGRADED = Verdict.DOWN, Verdict.DEGRADED
PAGES = (
    "index.html",
    "services.html",
    "entities/civil.html",
    "services/passport.html",
    "services/s0005.html",
    "nothing",
)


def shown() -> Given:
    """Something of every kind, as of now by the browser's clock."""
    base = world.government(entities=6, services=24, languages=("ar", "en"))
    own = government()
    services = [
        structs.replace(one, hours="08:00-15:00") if one.slug == "s0005" else one for one in base.services
    ]
    catalogue = structs.replace(
        base, services=(*services, *own.services), entities=(*base.entities, *own.entities)
    )
    known = given(
        (WEB, DOWN, 600.0),
        ("service:s0001/web", DOWN, 600.0),
        ("system:app-e01", DOWN, 600.0),
        ("service:s0002/web", DOWN, 3500.0),
        ("system:app-e02", DOWN, 3500.0),
        ("service:s0003/web", DEGRADED, 600.0),
        ("system:app-e03", DEGRADED, 600.0),
        ("system:app-e00", DOWN, 600.0),
        catalogue=catalogue,
        incidents=[
            incident(WEB, APP, since_s=600.0),
            incident("service:s0001/web", services=("service:s0001",), since_s=600.0, number="INC-2026-0002"),
        ],
        said=[said(900.0, ar="تعمل الفرق على إعادة الموقع.", en="Teams are working on the website.")],
        exclusions=[
            work("service:passport", from_s=90_000.0, to_s=97_200.0),
            work("system:app-e04", from_s=200_000.0, to_s=207_200.0, number=2, document=WRITTEN),
            work("system:app-e00", from_s=0.0, to_s=1800.0, number=3),
            work("system:app-e00", from_s=1800.0, to_s=7200.0, number=4, extends=3),
        ],
        days={
            "service:passport": [day(ago, down_ms=3_600_000 * (ago % 13 == 0)) for ago in range(80, 0, -1)],
            "service:s0005": [shut(ago) if ago % 7 in (1, 2) else day(ago) for ago in range(80, 0, -1)],
        },
    )
    return as_of(known, time.time() * 1000)


def shut(ago: int) -> Day:
    """A day on which the service was not offered."""
    return day(ago, up_ms=0, out_of_hours_ms=24 * HOUR_MS, says="not_applicable")


def as_of(known: Given, at_ms: float) -> Given:
    return replace(known, picture=replace(known.picture, as_of_ms=int(at_ms)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folders.write(tmp_path, Pages().files(shown()))
    return tmp_path


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Any static host."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the library
        pass


@contextmanager
def any_host(folder: Path) -> Iterator[str]:
    """The folder as a host serves it that knows nothing of us."""
    handler = functools.partial(Quiet, directory=str(folder / "current"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


async def violations(page: Page) -> list[object]:
    results = await Axe().run(page)
    return [
        (each["id"], [node["html"][:150] for node in each["nodes"][:3]])
        for each in results.response["violations"]
    ]


@pytest.mark.parametrize(("language", "theme"), [("ar", "light"), ("en", "dark")])
async def test_axe_finds_no_violation(folder: Path, open_page: Open, language: str, theme: str) -> None:
    found = {}
    async with serving(folder) as public:
        for path in PAGES:
            page = await open_page(f"{public.url}/{language}/{path}", color_scheme=theme, width=400)
            found[path] = await violations(page)
    assert found == {path: [] for path in PAGES}


async def test_axe_finds_no_violation_on_a_page_that_is_old(folder: Path, open_page: Open) -> None:
    folders.write(folder, Pages().files(as_of(shown(), time.time() * 1000 - 2 * OLD_MS)))
    async with serving(folder) as public:
        page = await open_page(f"{public.url}/ar/")
        await expect(page.locator(".old")).to_be_visible()
        assert await violations(page) == []


@pytest.mark.parametrize(
    ("language", "width", "scripts"),
    [("ar", 400, False), ("ar", 1280, True), ("ar", 3840, True), ("en", 400, True), ("en", 3840, False)],
)
async def test_a_person_learns_what_fails_and_where_to_go_instead(
    folder: Path, open_page: Open, language: str, width: int, scripts: bool
) -> None:
    name, way = {
        "ar": ("تجديد جواز السفر", "عبر التطبيق"),
        "en": ("Passport renewal", "in the app"),
    }[language]
    async with serving(folder) as public:
        page = await open_page(f"{public.url}/{language}/", width=width, java_script_enabled=scripts)
        line = page.locator("li.partly", has_text=name)
        await expect(line).to_contain_text(way)
        await line.get_by_role("link", name=name).click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(name)
        await expect(page.locator("svg.bars")).to_be_visible()
        call = page.locator("#ways ~ ul a[href^='tel:']")
        await expect(call).to_be_visible()
        assert await width_of(page) <= width


@pytest.mark.parametrize("language", ["ar", "en"])
async def test_a_person_without_a_mouse_or_scripts_finds_a_service(
    folder: Path, open_page: Open, language: str
) -> None:
    asked, name = {"ar": ("الجواز", "تجديد جواز السفر"), "en": ("passport", "Passport renewal")}[language]
    async with serving(folder) as public:
        page = await open_page(f"{public.url}/{language}/", width=400, java_script_enabled=False)
        await tab_to(page, ".skip")
        await page.keyboard.press("Enter")
        await tab_to(page, "input[type=search]")
        await page.keyboard.type(asked)
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/services.html?q=*")
        await tab_to(page, "#services a")
        assert await page.locator(":focus").evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text(name)


async def tab_to(page: Page, wanted: str) -> None:
    """Press Tab until it has the focus; a page has no more stops than this."""
    for _ in range(80):
        await page.keyboard.press("Tab")
        if await page.locator(f"{wanted}:focus").count():
            return
    raise AssertionError(f"{wanted} cannot be reached by the keyboard")


async def width_of(page: Page) -> int:
    """How wide the page is in truth; what scrolls by itself does not count."""
    return int(await page.locator("html").evaluate("e => e.scrollWidth"))


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
async def test_a_service_is_found_by_its_name(folder: Path, open_page: Open, scripts: bool) -> None:
    async with serving(folder) as public:
        page = await open_page(f"{public.url}/ar/", java_script_enabled=scripts)
        await page.get_by_role("searchbox").fill("الجواز")
        await page.get_by_role("button").click()
        await expect(page.locator("#services li[data-k]:visible")).to_have_count(1)
        await expect(page.get_by_role("searchbox")).to_have_value("الجواز")
        await expect(page.locator("#found")).to_be_visible()


async def test_the_list_narrows_while_a_name_is_typed_on_any_host(folder: Path, open_page: Open) -> None:
    with any_host(folder) as url:
        page = await open_page(f"{url}/en/services.html?q=passport")
        await expect(page.locator("#services li[data-k]:visible")).to_have_count(1)
        await page.get_by_role("searchbox").fill("zzz")
        await expect(page.locator("#none")).to_be_visible()


async def test_t47_a_folder_that_is_old_says_so_on_any_host(folder: Path, open_page: Open) -> None:
    folders.write(folder, Pages().files(as_of(shown(), time.time() * 1000 - OLD_MS - 1000)))
    with any_host(folder) as url:
        page = await open_page(f"{url}/ar/index.html")
        await expect(page.locator(".old")).to_be_visible()
        await expect(page.locator(".old")).to_contain_text("لم تُحدَّث هذه الصفحة منذ")


async def test_t47_a_page_left_open_says_when_it_has_become_old(folder: Path, open_page: Open) -> None:
    folders.write(folder, Pages().files(as_of(shown(), time.time() * 1000 - OLD_MS + 4000)))
    with any_host(folder) as url:
        page = await open_page(f"{url}/en/index.html")
        await expect(page.locator(".old")).to_be_hidden()
        await expect(page.locator(".old")).to_be_visible(timeout=30_000)


async def test_t47_without_a_script_it_says_from_when_on_to_distrust_it(
    folder: Path, open_page: Open
) -> None:
    with any_host(folder) as url:
        page = await open_page(f"{url}/en/index.html", java_script_enabled=False)
        await expect(page.locator("noscript .check")).to_contain_text("more than five minutes ago")
