"""When a service is offered, by its hours and the calendar, and so when it is closed. Pure; Unix ms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from monitor.judge.periods import DAY, WEEKDAYS, day_of, midnight_ms
from monitor.judge.ranges import Range, union
from monitor.model import Calendar, Catalogue
from monitor.offered import Offered

OFFICE = "office"
DAILY = "daily "
NOON_MIN = 12 * 60
FULL_MIN = 24 * 60


class Era(NamedTuple):
    """A version of the catalogue, or what it says of hours, in force on [from, to)."""

    from_ms: int
    to_ms: int
    catalogue: Catalogue | Offered


def minutes(text: str) -> tuple[int, int]:
    """`HH:MM-HH:MM` as minutes of the day; an end of 24:00 is the day's. Raises ValueError."""
    begin, end = (_minute(each) for each in text.split("-"))
    if not begin < end <= FULL_MIN:
        raise ValueError(f"{text} ends before it begins")
    return begin, end


def _minute(text: str) -> int:
    hour, minute = (int(each) for each in text.split(":"))
    if minute > 59 or hour * 60 + minute > FULL_MIN:
        raise ValueError(f"{text} is no time of a day")
    return hour * 60 + minute


def closed(eras: Sequence[Era]) -> dict[str, list[Range]]:
    """When each service with hours, and each of its channels, is closed; without those open day and night."""
    hours: dict[str, list[str]] = {}  # of each subject, era by era; empty where it has none
    for number, era in enumerate(eras):
        for service in era.catalogue.services:
            for subject in (service.subject, *(channel.subject for channel in service.channels)):
                if service.hours:
                    hours.setdefault(subject, [""] * len(eras))[number] = service.hours
    known: dict[tuple[str, ...], list[Range]] = {}
    for written in {tuple(each) for each in hours.values()}:
        pairs = [(each, era) for each, era in zip(written, eras, strict=True) if each]
        known[written] = union(shut for each, era in pairs for shut in _closed(each, era))
    return {subject: known[tuple(each)] for subject, each in hours.items()}


def _closed(hours: str, era: Era) -> Iterator[Range]:
    """What the days of an era leave between their hours."""
    at_ms = era.from_ms
    for begin_ms, end_ms in _open(hours, era):
        if at_ms < begin_ms:
            yield at_ms, min(begin_ms, era.to_ms)
        at_ms = max(at_ms, end_ms)
    if at_ms < era.to_ms:
        yield at_ms, era.to_ms


def _open(hours: str, era: Era) -> Iterator[Range]:
    zone, calendar = ZoneInfo(era.catalogue.zone), era.catalogue.calendar
    day, last = day_of(era.from_ms, zone), day_of(era.to_ms - 1, zone)
    while day <= last:
        if (span := _of_day(hours, day, calendar)) is not None:
            begin_ms = _begin_ms(day, span[0], zone)
            end_ms = _end_ms(day, span[1], zone)
            if begin_ms < era.to_ms and end_ms > era.from_ms:
                yield begin_ms, end_ms
        day += DAY


def _of_day(hours: str, day: date, calendar: Calendar) -> tuple[int, int] | None:
    """Minutes of the local day in which it is offered; None when it is not."""
    if hours.startswith(DAILY):
        return minutes(hours.removeprefix(DAILY))
    name = WEEKDAYS[day.weekday()]
    if name in calendar.weekend or any(_within(day, each.first, each.last) for each in calendar.holidays):
        return None
    begin, end = minutes(_office(day, calendar) if hours == OFFICE else hours)
    if name in calendar.half_days:
        end = min(end, NOON_MIN)
    return (begin, end) if begin < end else None


def _office(day: date, calendar: Calendar) -> str:
    fasting = (each.hours for each in calendar.ramadan if each.hours and _within(day, each.first, each.last))
    return next(fasting, calendar.hours)


def _within(day: date, first: str, last: str) -> bool:
    return first <= day.isoformat() <= last


def _begin_ms(day: date, minute: int, zone: ZoneInfo) -> int:
    """When the clock on the wall first shows it; where it is skipped, when the clock jumps."""
    first_s, last_s, at = _readings(day, minute, zone)
    return (first_s if first_s <= last_s else _jump_s(last_s, first_s, at, zone)) * 1000


def _end_ms(day: date, minute: int, zone: ZoneInfo) -> int:
    """When the clock on the wall has shown everything before it for the last time."""
    if minute == FULL_MIN:
        return midnight_ms(day + DAY, zone)
    first_s, last_s, at = _readings(day, minute - 1, zone)
    return (last_s + 60 if first_s <= last_s else _jump_s(last_s, first_s, at, zone)) * 1000


def _readings(day: date, minute: int, zone: ZoneInfo) -> tuple[int, int, datetime]:
    """When the clock shows it first and last, Unix seconds; the other way round where it is skipped."""
    at = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone)
    first_s, last_s = (int(at.replace(fold=fold).timestamp()) for fold in (0, 1))
    return first_s, last_s, at


def _jump_s(from_s: int, to_s: int, skipped: datetime, zone: ZoneInfo) -> int:
    moments = (datetime.fromtimestamp(each, zone) for each in range(from_s, to_s + 1, 60))
    wall = skipped.replace(tzinfo=None)
    return next(int(each.timestamp()) for each in moments if each.replace(tzinfo=None) > wall)


def closed_at(catalogue: Catalogue, at_ms: int) -> set[str]:
    """Services outside their hours at an instant, and their channels."""
    era = Era(at_ms, at_ms + 1, catalogue)
    written = {service.hours for service in catalogue.services if service.hours}
    shut = {hours for hours in written if not any(_open(hours, era))}
    return {
        subject
        for service in catalogue.services
        if service.hours in shut
        for subject in (service.subject, *(channel.subject for channel in service.channels))
    }
