"""What the ways out are called in the delivery log."""

from __future__ import annotations

from urllib.parse import urlsplit


def name_of(url: str) -> str:
    """Of an Alertmanager: `alertmanager/host:port`."""
    return f"alertmanager/{urlsplit(url).netloc}"
