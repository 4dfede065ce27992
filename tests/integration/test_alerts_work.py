"""Work on a real PostgreSQL to a real webhook: everybody it concerns is told once, in their language."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest

from monitor.config.alerts import AlertsSettings, Receiver, When
from monitor.judge import work_desk
from monitor.judge.exclusions import Filing
from monitor.judge.work import Details
from monitor.judge.work_desk import Announcement
from monitor.store.pool import Store, open_store
from tests.integration.notifying import Webhook, log, notifier, webhook
from tests.world import World, government

HOUR_MS = 3_600_000


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with open_store(database) as opened:
        await World(opened, government(entities=4, services=20)).begin()
        yield opened


@pytest.fixture
async def hook(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Webhook]:
    async with webhook() as opened:
        for name in ("first", "second", "third"):
            monkeypatch.setenv(name.upper(), opened.address(name))
        yield opened


def receiver(name: str, entity: str, language: str = "en") -> Receiver:
    return Receiver(
        name=name, to=f"env:{name.upper()}", entities=(entity,), language=language, warning=When.ALWAYS
    )


SETTINGS = AlertsSettings(
    receivers=(receiver("first", "e01"), receiver("second", "e02", "ar"), receiver("third", "e03"))
)


async def announced(store: Store, *subjects: str, entities: tuple[str, ...], from_h: float = 48) -> int:
    from_ms = int(time.time() * 1000) + round(from_h * HOUR_MS)
    filed = Announcement(
        Filing.WORK,
        subjects,
        [(from_ms, from_ms + HOUR_MS)],
        "New certificates",
        Details(entities=entities, phone="+971 4 555 0101"),
        "Amal",
    )
    return (await work_desk.announce(store, filed))[0]


async def test_everybody_it_concerns_is_told_once_in_their_language_and_nobody_else(
    store: Store, hook: Webhook
) -> None:
    await announced(store, "service:s0001", entities=("e01", "e02"))
    async with notifier(store, SETTINGS) as one, notifier(store, SETTINGS, holder="two") as two:
        for _ in range(3):
            await one.turn()
            await two.turn()
    [english], [arabic] = hook.titles("first"), hook.titles("second")
    assert (english.startswith("PLANNED WORK"), arabic.startswith("أعمال مجدولة")) == (True, True)
    assert hook.titles("third") == []
    assert "https://monitor.example/planned-work/1" in hook.got[0].body["message"]


async def test_an_extension_and_the_end_follow_in_the_thread_of_the_work(store: Store, hook: Webhook) -> None:
    number = await announced(store, "service:s0001", entities=("e01",), from_h=-0.5)
    now_ms = int(time.time() * 1000)
    async with notifier(store, SETTINGS) as one:
        await one.turn()
        longer = await work_desk.extend(store, number, to_ms=now_ms + 2 * HOUR_MS, by="Amal", now_ms=now_ms)
        await one.turn()
        await store_begins_now(store, longer)
        await work_desk.finish(store, longer, by="Amal", now_ms=int(time.time() * 1000) + 1)
        await one.turns(2)
    said = [" ".join(title.split()[:2]) for title in hook.titles("first")]
    assert said == ["PLANNED WORK", "WORK EXTENDED", "WORK FINISHED"]
    assert {each.incident for each in await log(store)} == {f"WORK-{number}"}


async def store_begins_now(store: Store, number: int) -> None:
    """As if the time of the extension had come."""
    async with store.connection() as connection:
        await connection.execute(
            "update exclusion set during = tstzrange(now(), upper(during)) where id = $1", number
        )


async def test_what_was_called_off_before_it_was_told_is_told_to_nobody(store: Store, hook: Webhook) -> None:
    number = await announced(store, "service:s0001", entities=("e01",))
    await work_desk.cancel(store, number, by="Amal", now_ms=int(time.time() * 1000))
    async with notifier(store, SETTINGS) as one:
        await one.turns(2)
    assert hook.got == []
    assert [each.state for each in await log(store)] == ["dropped", "dropped"]
