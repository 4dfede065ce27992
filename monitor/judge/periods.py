"""Calendar periods of a time zone, and the days that a range holds. Pure; local time only finds the edges."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from monitor.model import DayName

DAY = timedelta(days=1)
WEEKDAYS = tuple(day.value for day in DayName)


class Kind(StrEnum):
    """Kinds of period. `7d` and `28d` are the days that end with a day, that one included."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    DAYS_7 = "7d"
    DAYS_28 = "28d"


ROLLING = {Kind.DAYS_7: 7, Kind.DAYS_28: 28}
PARTS = {
    Kind.WEEK: Kind.DAY,
    Kind.MONTH: Kind.DAY,
    Kind.DAYS_7: Kind.DAY,
    Kind.DAYS_28: Kind.DAY,
    Kind.QUARTER: Kind.MONTH,
    Kind.YEAR: Kind.MONTH,
}
"""What each kind is summed from; it comes in an order in which parts stand before what they make."""


class Period(NamedTuple):
    """[start, end) of a kind, in Unix milliseconds."""

    kind: Kind
    start_ms: int
    end_ms: int


@lru_cache(maxsize=4096)
def midnight_ms(day: date, zone: ZoneInfo) -> int:
    """The instant a local day begins: 00:00, or the first instant after it where the clock skips it."""
    at = datetime(day.year, day.month, day.day, tzinfo=zone)
    return int(at.astimezone(UTC).timestamp()) * 1000


def day_of(at_ms: int, zone: ZoneInfo) -> date:
    """The local date of an instant."""
    return datetime.fromtimestamp(at_ms // 1000, zone).date()


def period_at(kind: Kind, at_ms: int, zone: ZoneInfo, *, week_start: int = 0) -> Period:
    """The period of `kind` that holds the instant; rolling kinds end with its day. Weekday 0 is Monday."""
    return period_of(kind, day_of(at_ms, zone), zone, week_start=week_start)


def period_of(kind: Kind, day: date, zone: ZoneInfo, *, week_start: int = 0) -> Period:
    """The period of `kind` that holds the local day; rolling kinds end with it."""
    first, after = _edges(kind, day, week_start)
    return Period(kind, midnight_ms(first, zone), midnight_ms(after, zone))


def _edges(kind: Kind, day: date, week_start: int) -> tuple[date, date]:
    match kind:
        case Kind.DAY:
            return day, day + DAY
        case Kind.WEEK:
            first = day - ((day.weekday() - week_start) % 7) * DAY
            return first, first + 7 * DAY
        case Kind.MONTH:
            return _months(day.year, day.month, 1)
        case Kind.QUARTER:
            return _months(day.year, (day.month - 1) // 3 * 3 + 1, 3)
        case Kind.YEAR:
            return _months(day.year, 1, 12)
        case Kind.DAYS_7 | Kind.DAYS_28:
            return day - (ROLLING[kind] - 1) * DAY, day + DAY


def _months(year: int, month: int, count: int) -> tuple[date, date]:
    years, index = divmod(month - 1 + count, 12)
    return date(year, month, 1), date(year + years, index + 1, 1)


def days_touching(start_ms: int, end_ms: int, zone: ZoneInfo) -> Iterator[Period]:
    """Every local day that shares an instant with [start, end), the first one first; none without time."""
    if start_ms >= end_ms:
        return
    day, last = day_of(start_ms, zone), day_of(end_ms - 1, zone)
    while day <= last:
        period = period_of(Kind.DAY, day, zone)
        if period.start_ms < period.end_ms:
            yield period
        day += DAY


def days_within(start_ms: int, end_ms: int, zone: ZoneInfo) -> list[Period]:
    """The whole local days of [start, end)."""
    touching = days_touching(start_ms, end_ms, zone)
    return [day for day in touching if start_ms <= day.start_ms and day.end_ms <= end_ms]
