"""What the commands about the public's pages do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from monitor.commands import asked
from monitor.config.settings import Settings
from monitor.errors import UsageError

if TYPE_CHECKING:
    from monitor.store.pool import Store


def export(settings: Settings, folder: Path) -> int:
    """Write the public pages as of now; returns how many files. Raises UsageError, StoreUnavailable."""
    from monitor.public import folder as folders
    from monitor.public import publishing

    folders.check_target(folder)
    files = asked(settings, lambda store, _: publishing.export(store, url=settings.public.url))
    if files is None:
        raise UsageError("there is no catalogue yet; start `derive` first")
    try:
        folders.write(folder, files)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}") from error
    return len(files)


def say(settings: Settings, incident: str, *, ar: str, en: str, clock: str | None, by: str) -> None:
    """Add to what the public is told of an incident. Raises UsageError, StoreUnavailable."""
    from zoneinfo import ZoneInfo

    from monitor.judge.promises import next_at, word
    from monitor.store import incidents, public, read

    async def add(store: Store, now_ms: int) -> None:
        if await incidents.one(store, incident) is None:
            raise UsageError(f"no incident {incident!r}; the page /incidents lists them")
        catalogue = (await read.version(store, await read.serial_in_force(store))).catalogue
        due_ms = None if clock is None else next_at(clock, zone=ZoneInfo(catalogue.zone), now_ms=now_ms)
        said = word({"ar": ar, "en": en}, catalogue.languages, next_update_ms=due_ms, now_ms=now_ms)
        await public.say(store, incident, **said._asdict(), actor=by)

    asked(settings, add)
