"""What the commands about alerts do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from monitor.addresses import replacements
from monitor.commands import asked
from monitor.config.load import load
from monitor.config.settings import Settings


def try_receiver(config: Path, name: str) -> tuple[bool, str]:
    """Whether a receiver took a test message, and what it said. Raises UsageError, ConfigError."""
    from urllib.parse import urlsplit

    from monitor.alerts.trying import tried
    from monitor.outcome import Fate

    loaded = load(config, replace=replacements())
    url = loaded.settings.web.url
    host = urlsplit(url).hostname or "localhost"
    outcome = asyncio.run(tried(loaded.settings.alerts, loaded.catalogue, name, url=url, host=host))
    return outcome.fate is Fate.ACCEPTED, outcome.said


def explained(config: Path, slug: str) -> dict[str, Any]:
    """Who would be told of a service now, by the configuration in `config`, and what is open.

    Raises UsageError when no service is called so, ConfigError, StoreUnavailable.
    """
    from monitor.alerts import explain

    loaded = load(config, replace=replacements())
    given, catalogue = loaded.settings.alerts, loaded.catalogue
    return asked(
        loaded.settings, lambda store, now_ms: explain.explained(store, given, catalogue, slug, now_ms=now_ms)
    )


def delivery_log(settings: Settings, *, incident: str | None, limit: int) -> list[Any]:
    """What became of each message, the newest first. Raises StoreUnavailable."""
    from monitor.store import deliveries

    return asked(settings, lambda store, _: deliveries.log(store, incident=incident, limit=limit))
