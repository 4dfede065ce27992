"""A real Chromium, and a page that fails its test when the console shows an error."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip

Open = Callable[..., Awaitable[Page]]


def _is_error(message: ConsoleMessage, url: str) -> bool:
    """The status of the page that was asked for is the test's own matter."""
    return message.type == "error" and message.location["url"] != url


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("chromium is not installed")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        await browser.close()


@pytest.fixture
async def open_page(chromium: Browser) -> AsyncIterator[Open]:
    """`await open_page(url, width=…)`: what the console says as an error fails the test at its end.

    A connection that a test cuts itself is the one thing it may say, and 503 while a server comes back.
    """
    opened: list[tuple[Page, list[str]]] = []

    async def go(url: str, *, width: int = 1280, height: int = 900, **options: Any) -> Page:
        context = await chromium.new_context(viewport={"width": width, "height": height}, **options)
        page, said = await context.new_page(), []
        page.on("console", lambda message: said.append(message.text) if _is_error(message, url) else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        opened.append((page, said))
        page.set_default_timeout(15_000)
        await page.goto(url)
        return page

    yield go
    errors = [line for _, said in opened for line in said if not re.search(r"net::ERR_|status of 503", line)]
    for page, _ in opened:
        await page.context.close()
    assert errors == []
