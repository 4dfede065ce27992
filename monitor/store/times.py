"""Unix milliseconds outside, `timestamptz` inside: exact both ways."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def moment(ms: int) -> datetime:
    """The instant of Unix milliseconds `ms`, UTC."""
    return EPOCH + timedelta(milliseconds=ms)


def millis(at: datetime) -> int:
    """Unix milliseconds of an instant."""
    return (at - EPOCH) // _MILLISECOND


def moment_or_none(ms: int | None) -> datetime | None:
    """The same of what may not be."""
    return None if ms is None else moment(ms)


def millis_or_none(at: datetime | None) -> int | None:
    """The same of what may not be."""
    return None if at is None else millis(at)
