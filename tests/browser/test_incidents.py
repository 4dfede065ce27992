"""In a browser: an incident taken in hand by keyboard, its call sheet copied, a shift signed and printed."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from monitor.judge.incidents import State
from monitor.model import Severity, Verdict
from monitor.store import exclusions, incidents, shift, tokens
from monitor.store.tokens import Role
from tests.browser.conftest import Open
from tests.serving import Served, serving

NUMBER = "INC-2026-0001"
LONG = "مزود الشبكة يستبدل جهاز التوزيع، ومن المتوقع أن ينتهي قبل السادسة صباحًا"


async def sign_in(served: Served, page: Page) -> None:
    code = await tokens.create_sign_in(served.store, "Night desk", Role.OPERATOR)
    await page.goto(f"{served.url}/sign-in/{code}")
    await page.get_by_role("button", name="Sign in").click()


async def test_an_incident_is_acknowledged_and_noted_by_keyboard(database: str, open_page: Open) -> None:
    async with serving(database) as served:
        await served.world.incident("system:identity")
        page = await open_page(served.url)
        await sign_in(served, page)
        await page.goto(f"{served.url}/incidents/{NUMBER}")
        await page.get_by_role("button", name="Acknowledge").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("#subject")).to_contain_text("Acknowledged by Night desk")
        await page.get_by_label("Note for the timeline").focus()
        await page.keyboard.type("Called the provider")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.locator("#timeline")).to_contain_text("Called the provider")


async def test_an_incident_is_opened_by_hand_and_closed(database: str, open_page: Open) -> None:
    async with serving(database) as served:
        page = await open_page(served.url)
        await sign_in(served, page)
        await page.goto(f"{served.url}/incidents")
        await page.get_by_role("link", name="Report an incident").click()
        await page.get_by_label("What it is about").select_option(label="Payment gateway")
        await page.get_by_label("What is wrong").fill("Receipts are not printed")
        await page.get_by_role("button", name="Open the incident").click()
        await expect(page.locator("h1")).to_have_text("Payment gateway")
        await page.get_by_role("button", name="Close the incident").click()
        await expect(page.locator(".over")).to_contain_text("Closed")
        await page.get_by_label("Summary, what happened").fill("A printer queue was full")
        await page.get_by_role("button", name="Sign the summary").click()
        await expect(page.locator("#summed")).to_contain_text("A printer queue was full")


async def test_the_call_sheet_is_copied(database: str, open_page: Open) -> None:
    async with serving(database) as served:
        await served.world.incident("system:identity")
        granted = ["clipboard-read", "clipboard-write"]
        page = await open_page(f"{served.url}/incidents/{NUMBER}", permissions=granted)
        await page.get_by_role("button", name="Copy the call sheet").click()
        await expect(page.locator("#call-says")).to_have_text("Copied.")
        copied = await page.evaluate("navigator.clipboard.readText()")
    assert "Night shift · +000 4 555 0101" in copied


async def full(served: Served) -> None:
    """As much as a bad night holds: more incidents than the page lists, work, and notes."""
    now_ms = served.live.now_ms
    subjects = [service.subject for service in served.world.catalogue.services]
    for number, subject in enumerate((*subjects, "system:identity", "system:payments"), 1):
        await served.world.incident(subject, number=f"INC-2026-{number:04d}")
        over = {"state": State.CLOSED, "well_ms": now_ms, "closed_ms": now_ms}
        name = f"INC-2026-{100 + number:04d}"
        await served.world.incident(subject, number=name, severity=Severity.WARNING, **over)
    await incidents.acknowledge(served.store, NUMBER, actor="ليلى")
    async with served.store.transaction() as connection:
        for hours in range(4):
            await exclusions.announce(
                connection,
                kind="maintenance",
                subjects=["system:documents", *subjects[:4]],
                from_ms=now_ms + hours * 3_600_000,
                to_ms=now_ms + (hours + 1) * 3_600_000,
                why="استبدال الأقراص",
                by="Provider",
            )
    for system in ("documents", "messages"):
        await served.world.change("measured", f"system:{system}", Verdict.UNKNOWN, reason="silence")
    since_ms = now_ms - 3_600_000
    await shift.hand_over(served.store, since_ms=since_ms, author="ليلى", text=" ".join([LONG] * 4))


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_a_shift_of_a_bad_night_prints_on_one_page(
    database: str, open_page: Open, language: str
) -> None:
    async with serving(database) as served:
        await full(served)
        page = await open_page(f"{served.url}/shift?lang={language}")
        await expect(page.locator("#notes")).to_contain_text(LONG)
        printed = await page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_nothing_is_wider_than_a_telephone(database: str, open_page: Open, language: str) -> None:
    wider = {}
    async with serving(database) as served:
        await full(served)
        for path in ("/incidents", "/incidents/new", f"/incidents/{NUMBER}", "/shift", "/"):
            page = await open_page(f"{served.url}{path}?lang={language}", width=400)
            wider[path] = await page.evaluate("document.scrollingElement.scrollWidth") - 400
    assert {path for path, px in wider.items() if px > 0} == set()


async def test_a_shift_is_handed_over_in_arabic(database: str, open_page: Open) -> None:
    async with serving(database) as served:
        page = await open_page(served.url)
        await sign_in(served, page)
        await page.goto(f"{served.url}/shift?lang=ar")
        await page.get_by_label("ملاحظة للمناوبة التالية").fill(LONG)
        await page.get_by_role("button", name="توقيع وتسليم").click()
        await expect(page.locator("#notes")).to_contain_text(LONG)
        await expect(page.locator("#notes")).to_contain_text("Night desk")
