"""What the commands about reports do: publishing and reading, sending, drafts, replies of entities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from monitor.addresses import version
from monitor.commands import asked
from monitor.config.settings import Settings
from monitor.errors import UsageError

if TYPE_CHECKING:
    from monitor.store.pool import Store


def publish(
    settings: Settings, label: str | None, *, entity: str | None, incomplete: bool, why: str | None, by: str
) -> Any:
    """Freeze a report that is not published yet, or with `why` a correction; returns its document.

    Without `label`: the last week that is over. Raises UsageError, StoreUnavailable.
    """
    from monitor.report import asking

    wanted = asking.Wanted(label, entity, incomplete=incomplete, why=why, by=by)
    return asked(
        settings, lambda store, _: asking.publish(store, wanted, settings.report, software=version())
    )


def listed(settings: Settings, *, limit: int = 100) -> list[Any]:
    """The last version of each published report, the newest period first. Raises StoreUnavailable."""
    from monitor.store import reports

    return list(asked(settings, lambda store, _: reports.newest(store, limit=limit)))


def read(settings: Settings, label: str, *, entity: str | None, number: int | None) -> bytes:
    """The frozen JSON of a report. Raises UsageError when there is none, StoreUnavailable."""
    from monitor.report.asking import read_frozen

    return asked(settings, lambda store, _: read_frozen(store, label, entity=entity, version=number))


# -- sending


def send_again(settings: Settings, label: str, *, entity: str | None, to: str | None, by: str) -> list[str]:
    """Have a published report sent again; to whom. Raises UsageError, StoreUnavailable."""
    from monitor.report.asking import named
    from monitor.report.delivery import plan

    async def planned(store: Store, now_ms: int) -> list[str]:
        whose = await named(store, entity)
        again = plan.Again(label, whose.scope, whose.slug, to, by)
        _, names = await plan.send_again(store, settings.report.delivery, again)
        return names

    return asked(settings, planned)


def deliveries(settings: Settings, *, label: str | None) -> list[Any]:
    """The log of what was sent to whom, the newest first. Raises StoreUnavailable."""
    from monitor.store import report_deliveries

    return list(asked(settings, lambda store, _: report_deliveries.log(store, label=label)))


# -- drafts


def drafts(settings: Settings) -> list[Any]:
    """Drafts that wait to be signed off, the oldest first. Raises StoreUnavailable."""
    from monitor.store import report_drafts

    return list(asked(settings, lambda store, _: report_drafts.waiting(store)))


def draft_read(settings: Settings, label: str, *, entity: str | None) -> bytes:
    """The JSON that a draft will be published with. Raises UsageError when none waits, StoreUnavailable."""
    from monitor.report.asking import named
    from monitor.store import report_drafts

    async def found(store: Store, _: int) -> bytes:
        scope = (await named(store, entity)).scope
        draft = await report_drafts.one(store, scope=scope, label=label)
        if draft is None:
            raise UsageError(f"no draft {label} of {scope} waits; `continuity report drafts` lists them")
        return draft[1]

    return asked(settings, found)


def sign_off(settings: Settings, label: str, *, entity: str | None, by: str, sha256: str) -> Any:
    """Publish a draft as it is, if that is its SHA-256. Raises UsageError, StoreUnavailable."""
    from monitor.report.asking import named
    from monitor.report.delivery import plan

    async def signed(store: Store, _: int) -> Any:
        scope = (await named(store, entity)).scope
        return await plan.sign_off(store, label=label, scope=scope, by=by, sha256=sha256)

    return asked(settings, signed)


# -- replies of entities


def reply(settings: Settings, label: str, *, entity: str, about: str, texts: Sequence[str], by: str) -> int:
    """Keep what an entity answers, on its behalf; its number. Raises UsageError, StoreUnavailable."""
    from monitor.report import replying
    from monitor.report.asking import catalogue_in_force
    from monitor.report.replies import language_of

    said = {language_of(text): text for text in texts}
    if len(said) < len(texts):
        raise UsageError("give one text in each language")
    ar, en = said.get("ar", ""), said.get("en", "")
    wish = replying.Wish(label, entity, about, ar, en, by=by, on_behalf=True)

    async def kept(store: Store, _: int) -> int:
        return await replying.reply(store, await catalogue_in_force(store), wish)

    return asked(settings, kept)


def replies(settings: Settings, label: str, *, entity: str | None, limit: int = 1000) -> list[Any]:
    """What was answered about a period, withdrawn replies too. Raises UsageError, StoreUnavailable."""
    from monitor.model import GOVERNMENT
    from monitor.report.asking import named
    from monitor.store import replies as table

    async def found(store: Store, _: int) -> list[Any]:
        scope = (await named(store, entity)).scope
        whose = None if scope == GOVERNMENT else scope
        return list(await table.listed(store, label=label, entity=whose, limit=limit))

    return asked(settings, found)


def withdraw_reply(settings: Settings, number: int, *, by: str) -> None:
    """Withdraw a reply. Raises UsageError when it does not stand, StoreUnavailable."""
    from monitor.report import replying

    if asked(settings, lambda store, _: replying.withdraw(store, number, by=by)) is None:
        raise UsageError(f"no reply has the number {number}, or it is withdrawn already")
