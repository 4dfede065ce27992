"""A signed link out of a message acknowledges one incident, once somebody presses the button."""

from __future__ import annotations

import time

import aiohttp
import pytest

from monitor import links
from monitor.store import deliveries, incidents
from tests.acting import audited, words
from tests.serving import Served, serving

NUMBER = "INC-2026-0001"


async def link(served: Served, *, left_s: int = 60, turn: int = 0, about: str = NUMBER) -> str:
    key = await deliveries.signing_key(served.world.store, links.ACKNOWLEDGE, fresh=b"k" * 32)
    made = links.Link(links.ACKNOWLEDGE, about, "on-call", turn, int(time.time()) + left_s)
    return f"{served.url}/acknowledge/{links.signed(made, key)}"


async def acknowledged_by(served: Served) -> str | None:
    kept = await incidents.one(served.world.store, NUMBER)
    assert kept is not None
    return kept.acknowledged_by


async def test_looking_at_the_link_acknowledges_nothing_and_pressing_the_button_does_as_the_receiver(
    database: str,
) -> None:
    async with serving(database) as served, aiohttp.ClientSession() as browser:
        await served.world.incident("system:identity")
        address = await link(served)
        async with browser.get(address) as response:
            before = words(await response.text())
        assert ("Digital identity" in before, await acknowledged_by(served)) == (True, None)
        async with browser.post(address) as response:
            after = words(await response.text())
        assert "Acknowledged by on-call" in after
        assert await acknowledged_by(served) == "on-call"
        assert ("on-call", "incident.acknowledged", NUMBER) in await audited(served)


async def test_the_page_speaks_arabic(database: str) -> None:
    async with serving(database) as served, aiohttp.ClientSession() as browser:
        await served.world.incident("system:identity")
        async with browser.get(f"{await link(served)}?lang=ar") as response:
            page = await response.text()
    assert ('dir="rtl"' in page, "وصلك البلاغ باسم" in page) == (True, True)


async def test_whoever_comes_second_sees_who_was_first(database: str) -> None:
    async with serving(database) as served, aiohttp.ClientSession() as browser:
        await served.world.incident("system:identity")
        await incidents.acknowledge(served.world.store, NUMBER, actor="layla")
        async with browser.post(await link(served)) as response:
            assert "Acknowledged by layla" in words(await response.text())


@pytest.mark.parametrize("spoilt", [{"left_s": -1}, {"turn": 1}, {"about": "INC-2026-0002"}])
async def test_a_link_that_expired_or_is_of_another_turn_or_incident_opens_nothing(
    database: str, spoilt: dict[str, int]
) -> None:
    async with serving(database) as served, aiohttp.ClientSession() as browser:
        await served.world.incident("system:identity")
        address = await link(served, **spoilt)  # type: ignore[arg-type]
        for ask in (browser.get, browser.post):
            async with ask(address) as response:
                assert (response.status, "not valid any more" in await response.text()) == (403, True)
        assert await acknowledged_by(served) is None


async def test_another_site_cannot_press_the_button(database: str) -> None:
    async with serving(database) as served, aiohttp.ClientSession() as browser:
        await served.world.incident("system:identity")
        headers = {"Origin": "https://elsewhere.example"}
        async with browser.post(await link(served), headers=headers) as response:
            assert response.status == 403
        assert await acknowledged_by(served) is None
