"""What the commands about incidents and shifts do, each as the API gives it."""

from __future__ import annotations

from typing import Any

from monitor.commands import asked
from monitor.config.settings import Settings


def listed(settings: Settings, *, closed: bool = False, limit: int = 50) -> list[dict[str, Any]]:
    """Open incidents, or those closed last. Raises StoreUnavailable."""
    from monitor.web.api import incident_desk

    return asked(settings, lambda store, _: incident_desk.listed(store, closed=closed, limit=limit))


def one(settings: Settings, number: str) -> dict[str, Any]:
    """One with its timeline. Raises UsageError, StoreUnavailable."""
    from monitor.web.api import incident_desk

    return asked(settings, lambda store, _: incident_desk.one(store, number))


def opened(settings: Settings, sent: dict[str, str], *, by: str) -> dict[str, Any]:
    """A new one by hand. Raises UsageError for what is wrong with it, StoreUnavailable."""
    from monitor.web.api import incident_desk

    return asked(settings, lambda store, now_ms: incident_desk.opened(store, sent, by=by, now_ms=now_ms))


def noted(settings: Settings, number: str, text: str, *, by: str) -> dict[str, Any]:
    """With one more note. Raises UsageError, StoreUnavailable."""
    from monitor.web.api import incident_desk

    return asked(settings, lambda store, _: incident_desk.noted(store, number, text, by=by))


def closed(settings: Settings, number: str, *, by: str, summary: str | None) -> dict[str, Any]:
    """Closed by hand. Raises UsageError when it cannot be, StoreUnavailable."""
    from monitor.web.api import incident_desk

    return asked(
        settings,
        lambda store, now_ms: incident_desk.closed(store, number, by=by, now_ms=now_ms, summary=summary),
    )


def shift(settings: Settings, since: str, *, text: str | None, by: str) -> dict[str, Any]:
    """A shift; a `text` is signed first. Raises UsageError, StoreUnavailable."""
    from monitor.web.api.shift import shift_named

    return asked(settings, lambda store, now_ms: shift_named(store, since, text=text, by=by))
