"""Which stretch somebody means: a period by its kind, or from and to; the same for API, page and command."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from monitor.judge.periods import Kind, midnight_ms

RANGE_MAX_MS = 3 * 366 * 86_400_000
EARLIEST_MS, LATEST_MS = 0, 2**42  # 1970 to 2109


class BadAsk(ValueError):
    """What was asked makes no stretch; the text says what would be right."""


class Asked(NamedTuple):
    """A period of `kind` that holds `from_ms`, or, without a kind, [from, to)."""

    kind: Kind | None
    from_ms: int
    to_ms: int
    zone: ZoneInfo


def asked(
    *,
    period: str | None,
    start: str | None,
    end: str | None,
    zone: str | None,
    usual_zone: ZoneInfo,
    now_ms: int,
    name: Callable[[str], str] = lambda key: f"`{key}`",
) -> Asked:
    """What is meant by texts. `name` says how a parameter is called where it was given. Raises BadAsk."""
    where = _zone(zone, name) if zone else usual_zone
    if period is not None:
        if period not in list(Kind):
            raise BadAsk(f"{name('period')} must be one of {', '.join(Kind)}")
        if end is not None:
            raise BadAsk(f"give {name('period')} with {name('from')}, or {name('from')} and {name('to')}")
        at_ms = now_ms if start is None else instant(start, where, called=name("from"))
        return Asked(Kind(period), at_ms, at_ms, where)
    if start is None:
        raise BadAsk(f"give {name('period')}, or {name('from')} and {name('to')}")
    from_ms = instant(start, where, called=name("from"))
    to_ms = now_ms if end is None else instant(end, where, called=name("to"))
    if not 0 < to_ms - from_ms <= RANGE_MAX_MS:
        raise BadAsk(f"{name('from')} must be before {name('to')}, by at most three years")
    return Asked(None, from_ms, to_ms, where)


def _zone(text: str, name: Callable[[str], str]) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadAsk(f"{name('zone')} must be a time zone such as Asia/Dubai") from None


def instant(text: str, zone: ZoneInfo, *, called: str) -> int:
    """Unix ms of an RFC 3339 instant, or of the midnight with which a date begins there. Raises BadAsk."""
    try:
        if len(text) == 10:
            at_ms = midnight_ms(date.fromisoformat(text), zone)
        else:
            at = datetime.fromisoformat(text.replace(" ", "+"))  # a `+` in a query arrives as a space
            if at.tzinfo is None:
                raise ValueError("no offset from UTC")
            at_ms = int(at.timestamp() * 1000)
        if not EARLIEST_MS <= at_ms < LATEST_MS:
            raise ValueError("out of range")
    except (ValueError, OverflowError):
        raise BadAsk(
            f"{called} must be a date such as 2026-11-15, or an instant such as 2026-11-15T08:00:00Z"
        ) from None
    return at_ms
