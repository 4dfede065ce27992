"""Acknowledging from a phone: at 400 pixels and without JavaScript, in both languages."""

from __future__ import annotations

import time

import pytest
from playwright.async_api import expect

from monitor import links
from monitor.store import deliveries
from tests.browser.conftest import Open
from tests.serving import serving


@pytest.mark.parametrize(
    ("language", "button", "done"),
    [("en", "Acknowledge", "Acknowledged by on-call"), ("ar", "تأكيد استلام البلاغ", "on-call")],
)
async def test_a_link_out_of_a_message_acknowledges_on_a_phone_without_javascript(
    database: str, open_page: Open, language: str, button: str, done: str
) -> None:
    async with serving(database) as served:
        await served.world.incident("system:identity")
        key = await deliveries.signing_key(served.world.store, links.ACKNOWLEDGE, fresh=b"k" * 32)
        expires_s = int(time.time()) + 600
        link = links.Link(links.ACKNOWLEDGE, "INC-2026-0001", "on-call", 0, expires_s)
        address = f"{served.url}/acknowledge/{links.signed(link, key)}?lang={language}"
        page = await open_page(address, width=400, java_script_enabled=False)
        await page.get_by_role("button", name=button).click()
        await expect(page.locator("[role=status]")).to_contain_text(done)
        wide = await page.evaluate("document.documentElement.scrollWidth")
    assert wide == 400
