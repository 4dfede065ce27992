"""What the commands about sending reports and signing them off do."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from monitor.addresses import stored
from monitor.config.settings import Settings
from monitor.errors import UsageError


def send_again(settings: Settings, label: str, *, entity: str | None, to: str | None, by: str) -> list[str]:
    """Have a published report sent again; to whom. Raises UsageError, StoreUnavailable."""
    from monitor.report.asking import named
    from monitor.report.delivery import plan

    async def planned() -> list[str]:
        async with stored(settings) as store:
            whose = await named(store, entity)
            again = plan.Again(label, whose.scope, whose.slug, to, by)
            _, names = await plan.send_again(store, settings.report.delivery, again)
            return names

    return asyncio.run(planned())


def deliveries(settings: Settings, *, label: str | None) -> list[Any]:
    """The log of what was sent to whom, the newest first. Raises StoreUnavailable."""
    from monitor.store import report_deliveries as table

    async def listed() -> list[Any]:
        async with stored(settings) as store:
            return list(await table.log(store, label=label))

    return asyncio.run(listed())


def drafts(settings: Settings) -> list[Any]:
    """Drafts that wait to be signed off, the oldest first. Raises StoreUnavailable."""
    from monitor.store import report_drafts as table

    async def listed() -> list[Any]:
        async with stored(settings) as store:
            return list(await table.waiting(store))

    return asyncio.run(listed())


def draft_read(settings: Settings, label: str, *, entity: str | None) -> bytes:
    """The JSON that a draft will be published with. Raises UsageError when none waits, StoreUnavailable."""
    from monitor.report.asking import named
    from monitor.store import report_drafts as table

    async def read() -> bytes:
        async with stored(settings) as store:
            scope = (await named(store, entity)).scope
            found = await table.one(store, scope=scope, label=label)
            if found is None:
                raise UsageError(f"no draft {label} of {scope} waits; `continuity report drafts` lists them")
            return found[1]

    return asyncio.run(read())


def reply(settings: Settings, label: str, *, entity: str, about: str, texts: Sequence[str], by: str) -> int:
    """Keep what an entity answers, on its behalf; its number. Raises UsageError, StoreUnavailable."""
    from monitor.report import replying
    from monitor.report.asking import catalogue_in_force
    from monitor.report.replies import language_of

    said = {language_of(text): text for text in texts}
    if len(said) < len(texts):
        raise UsageError("give one text in each language")

    async def kept() -> int:
        async with stored(settings) as store:
            ar, en = said.get("ar", ""), said.get("en", "")
            wish = replying.Wish(label, entity, about, ar, en, by=by, on_behalf=True)
            return await replying.reply(store, await catalogue_in_force(store), wish)

    return asyncio.run(kept())


def replies(settings: Settings, label: str, *, entity: str | None, limit: int = 1000) -> list[Any]:
    """What was answered about a period, withdrawn replies too. Raises UsageError, StoreUnavailable."""
    from monitor.model import GOVERNMENT
    from monitor.report.asking import named
    from monitor.store import replies as table

    async def listed() -> list[Any]:
        async with stored(settings) as store:
            scope = (await named(store, entity)).scope
            whose = None if scope == GOVERNMENT else scope
            return list(await table.listed(store, label=label, entity=whose, limit=limit))

    return asyncio.run(listed())


def withdraw_reply(settings: Settings, number: int, *, by: str) -> None:
    """Withdraw a reply. Raises UsageError when it does not stand, StoreUnavailable."""
    from monitor.report import replying

    async def withdrawn() -> bool:
        async with stored(settings) as store:
            return await replying.withdraw(store, number, by=by) is not None

    if not asyncio.run(withdrawn()):
        raise UsageError(f"no reply has the number {number}, or it is withdrawn already")


def sign_off(settings: Settings, label: str, *, entity: str | None, by: str, sha256: str) -> Any:
    """Publish a draft as it is, if that is its SHA-256. Raises UsageError, StoreUnavailable."""
    from monitor.report.asking import named
    from monitor.report.delivery import plan

    async def signed() -> Any:
        async with stored(settings) as store:
            scope = (await named(store, entity)).scope
            return await plan.sign_off(store, label=label, scope=scope, by=by, sha256=sha256)

    return asyncio.run(signed())
