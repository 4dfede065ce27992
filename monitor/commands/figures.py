"""What the commands about availability and objectives do."""

from __future__ import annotations

from typing import Any

from monitor.commands import asked
from monitor.config.settings import Settings


def availability(settings: Settings, named: str, **stretch: str | None) -> dict[str, Any]:
    """The figure of what `named` means in the catalogue in force, as the API gives it.

    `stretch`: period, start, end and zone as texts. Raises UsageError when there is no such thing or stretch,
    StoreUnavailable.
    """
    from monitor.web.api.named import figure_named

    return asked(settings, lambda store, now_ms: figure_named(store, named, now_ms=now_ms, **stretch))


def objectives(settings: Settings, service: str | None) -> list[dict[str, Any]]:
    """Objectives with their budgets as the API gives them; of one service, or of all and the headline.

    Raises UsageError when no service is called so, StoreUnavailable.
    """
    from monitor.web.api.named import objectives_named

    return asked(settings, lambda store, now_ms: objectives_named(store, service, now_ms=now_ms))
