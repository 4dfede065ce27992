"""What people file of work and faults: what they say of it, when it comes again, where it is. Pure; Unix ms.

Nothing is edited. Work that takes longer is announced anew as an extension, what ends early is finished, and
what is called off before it began was never there.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec

from monitor.judge.exclusions import Exclusion, Filing
from monitor.judge.ranges import Range
from monitor.model import Text

OCCURRENCES_MAX = 26
LONGEST_MS = 14 * 86_400_000
ASK_BEFORE_MS = 15 * 60_000


class Repeat(StrEnum):
    """How announced work comes again."""

    ONCE = "once"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Phase(StrEnum):
    """Where it is."""

    ANNOUNCED = "announced"
    IN_PROGRESS = "in_progress"
    EXTENDED = "extended"  # it goes on in the extension
    FINISHED = "finished"
    CANCELLED = "cancelled"


class Details(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is said of it beside when, what and why."""

    still: Text = Text()  # what still works
    public: Text = Text()  # what the public is told
    phone: str = ""  # of who is on duty
    roll_back_ms: int | None = None  # the last moment to decide to go back
    system: str = ""  # of a fault: the system of another entity that it lies in
    entities: tuple[str, ...] = ()  # who is affected, and was told


def occurrences(from_ms: int, to_ms: int, zone: str, repeat: Repeat, times: int) -> list[Range]:
    """The dated stretches, the first one included: at the same local time each week or month.

    The 31st is the last day of a shorter month. Each is as long as the first by the clock on the wall.
    """
    first, last = (datetime.fromtimestamp(ms / 1000, ZoneInfo(zone)) for ms in (from_ms, to_ms))
    length = last.replace(tzinfo=None) - first.replace(tzinfo=None)
    found: list[Range] = [(from_ms, to_ms)]
    for number in range(1, 1 if repeat is Repeat.ONCE else min(times, OCCURRENCES_MAX)):
        begins = _later(first, repeat, number)
        ends = begins.replace(tzinfo=None) + length
        found.append((_ms(begins), _ms(ends.replace(tzinfo=ZoneInfo(zone)))))
    return found


def _later(first: datetime, repeat: Repeat, number: int) -> datetime:
    if repeat is Repeat.WEEKLY:
        return first + timedelta(weeks=number)  # the wall's clock: aware datetimes add local days
    months = first.month - 1 + number
    year, month = first.year + months // 12, months % 12 + 1
    ends = monthrange(year, month)[1]
    return first.replace(year=year, month=month, day=min(first.day, ends))


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def phase(exclusion: Exclusion, *, now_ms: int, extended: Collection[int]) -> Phase:
    """Where it is at `now_ms`; `extended` are the numbers that another one prolongs."""
    begins_ms, ends_ms = exclusion.range
    if exclusion.finished_at_ms is not None and exclusion.finished_at_ms <= exclusion.from_ms:
        return Phase.CANCELLED
    if now_ms < begins_ms:
        return Phase.ANNOUNCED
    if exclusion.finished_at_ms is not None and exclusion.finished_at_ms <= now_ms:
        return Phase.FINISHED
    if exclusion.id in extended:
        return Phase.EXTENDED
    return Phase.IN_PROGRESS if now_ms < ends_ms else Phase.FINISHED


def asks(exclusion: Exclusion, *, now_ms: int, extended: Collection[int]) -> bool:
    """Whether somebody is to say now if it is over: in the last quarter of an hour, unless that is known."""
    going_on = phase(exclusion, now_ms=now_ms, extended=extended) is Phase.IN_PROGRESS
    return exclusion.filing is Filing.WORK and going_on and now_ms >= exclusion.range[1] - ASK_BEFORE_MS
