"""Instants as the API writes and reads them: RFC 3339, UTC, milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import overload


@overload
def rfc3339(ms: int) -> str: ...
@overload
def rfc3339(ms: None) -> None: ...
def rfc3339(ms: int | None) -> str | None:
    """`2026-11-15T08:00:05.250Z`; None stays None."""
    if ms is None:
        return None
    at = datetime.fromtimestamp(ms // 1000, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def parse_rfc3339(text: str) -> int:
    """Unix milliseconds. Raises ValueError when it is no instant, or one without an offset."""
    at = datetime.fromisoformat(text.replace(" ", "+"))  # a `+` in a query arrives as a space
    if at.tzinfo is None:
        raise ValueError("no offset from UTC")
    return int(at.timestamp() * 1000)
