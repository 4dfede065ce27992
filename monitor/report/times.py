"""Which stretch of time a report is about, and how it is called. Pure; local dates find the edges only.

A week, whatever day it begins with, has the number of the ISO week in which its fourth day lies, and so most
of its days.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from monitor.judge.periods import DAY, Kind, day_of, midnight_ms, period_of
from monitor.report.document import Kind as ReportKind

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WEEK, _MONTH = re.compile(r"(\d{4})-W(\d{2})"), re.compile(r"(\d{4})-(\d{2})")
_QUARTER = re.compile(r"(\d{4})-Q([1-4])")
_RANGE = re.compile(r"(\d{4}-\d{2}-\d{2})_(\d{4}-\d{2}-\d{2})")
RANGE_MAX_DAYS = 3 * 366
FIRST_YEAR, LAST_YEAR = 1971, 2107


class BadLabel(ValueError):
    """No report is called so; the text says how they are called."""


class Stretch(NamedTuple):
    """[start, end) in Unix ms; `first` and `last` are its local days, the last one itself in it."""

    kind: ReportKind
    label: str
    first: date
    last: date
    start_ms: int
    end_ms: int


def utc(ms: int) -> datetime:
    """The instant of Unix milliseconds, UTC."""
    return EPOCH + timedelta(milliseconds=ms)


def stretch_of(kind: Kind, day: date, zone: ZoneInfo, *, week_start: int) -> Stretch:
    """The week, month or quarter that holds the local day. Weekday 0 is Monday."""
    period = period_of(kind, day, zone, week_start=week_start)
    first, last = day_of(period.start_ms, zone), day_of(period.end_ms - 1, zone)
    match kind:
        case Kind.WEEK:
            return Stretch("week", week_label(first), first, last, period.start_ms, period.end_ms)
        case Kind.MONTH:
            return Stretch("month", f"{first:%Y-%m}", first, last, period.start_ms, period.end_ms)
        case Kind.QUARTER:
            label = f"{first.year:04d}-Q{(first.month + 2) // 3}"
            return Stretch("quarter", label, first, last, period.start_ms, period.end_ms)
        case _:
            raise AssertionError(f"there is no report of a {kind}")


def week_label(first: date) -> str:
    """2026-W47: of the week that begins on that day."""
    found = (first + 3 * DAY).isocalendar()
    return f"{found.year:04d}-W{found.week:02d}"


def named_stretch(label: str, zone: ZoneInfo, *, week_start: int) -> Stretch:
    """What `2026-W47`, `2026-11`, `2026-Q4` or `2026-11-01_2026-11-10` means. Raises BadLabel."""
    try:
        found = _named(label, zone, week_start)
    except (ValueError, OverflowError) as error:
        raise BadLabel(f"{label!r} is no period: {error}") from None
    if found is None:
        raise BadLabel(f"{label!r} is no period: write 2026-W47, 2026-11, 2026-Q4 or 2026-11-01_2026-11-10")
    return found


def _named(label: str, zone: ZoneInfo, week_start: int) -> Stretch | None:
    if match := _WEEK.fullmatch(label):
        monday = date.fromisocalendar(_year(match[1]), int(match[2]), 1)
        fourth = monday + ((week_start + 3) % 7) * DAY
        return stretch_of(Kind.WEEK, fourth, zone, week_start=week_start)
    if match := _QUARTER.fullmatch(label):
        day = date(_year(match[1]), int(match[2]) * 3, 1)
        return stretch_of(Kind.QUARTER, day, zone, week_start=week_start)
    if match := _MONTH.fullmatch(label):
        return stretch_of(Kind.MONTH, date(_year(match[1]), int(match[2]), 1), zone, week_start=week_start)
    if match := _RANGE.fullmatch(label):
        return range_stretch(date.fromisoformat(match[1]), date.fromisoformat(match[2]), zone)
    return None


def _year(text: str) -> int:
    year = int(text)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"years from {FIRST_YEAR} to {LAST_YEAR} are known")
    return year


def range_stretch(first: date, last: date, zone: ZoneInfo) -> Stretch:
    """From one local day to another, both in it. Raises ValueError when it runs backwards or is too long."""
    days = (last - first).days + 1
    if not 0 < days <= RANGE_MAX_DAYS:
        raise ValueError("the first day must not be after the last, nor more than three years before it")
    _year(f"{first.year:04d}")
    start_ms, end_ms = midnight_ms(first, zone), midnight_ms(last + DAY, zone)
    return Stretch("range", f"{first}_{last}", first, last, start_ms, end_ms)


def before(stretch: Stretch, zone: ZoneInfo, *, week_start: int) -> Stretch:
    """The stretch of the same kind just before; of a range, as many days."""
    day = stretch.first - DAY
    if stretch.kind == "range":
        return range_stretch(day - (stretch.last - stretch.first), day, zone)
    return stretch_of(Kind(stretch.kind), day, zone, week_start=week_start)
