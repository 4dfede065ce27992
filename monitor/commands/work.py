"""What the commands about planned work do."""

from __future__ import annotations

from typing import Any

from monitor.commands import asked
from monitor.config.settings import Settings


def work(settings: Settings, act: str, *given: Any, **more: Any) -> Any:
    """`act` of monitor.web.api.work_named on the store. Raises UsageError, StoreUnavailable."""
    from monitor.web.api import work_named

    return asked(settings, lambda store, _: getattr(work_named, act)(store, *given, **more))
