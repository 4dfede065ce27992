"""What the commands about reports do."""

from __future__ import annotations

from typing import Any

from monitor.addresses import version
from monitor.commands import asked
from monitor.config.settings import Settings


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
