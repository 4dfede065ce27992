"""When a service is offered, by its hours and the calendar, and so when it is closed. Pure; Unix ms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from monitor.judge.periods import DAY, day_of, midnight_ms
from monitor.judge.ranges import Range, union
from monitor.model import Calendar, Catalogue, DayName
from monitor.offered import Offered

WEEK = tuple(DayName)
OFFICE = "office"
DAILY = "daily "
NOON_MIN = 12 * 60
FULL_MIN = 24 * 60
AHEAD_MS = 62 * 86_400_000
BACK_MS = 7 * 86_400_000


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
    if any(_within(day, each.first, each.last) for each in calendar.holidays):
        return None
    return _of_weekday(WEEK[day.weekday()], hours, day, calendar)


def _of_weekday(name: DayName, hours: str, day: date, calendar: Calendar) -> tuple[int, int] | None:
    """Minutes of such a day of the week, by the office hours of that day; None when it is a day of rest."""
    if name in calendar.weekend:
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


def opens_ms(catalogue: Catalogue, hours: str, at_ms: int) -> int | None:
    """When what is closed then opens; None when it does not within two months."""
    begins = (begin_ms for begin_ms, _ in _open(hours, Era(at_ms, at_ms + AHEAD_MS, catalogue)))
    return next(begins, None)


def opened_ms(catalogue: Catalogue, hours: str, at_ms: int) -> int:
    """Since when what is open then is open: at most a week is looked back at."""
    found_ms = at_ms
    for begin_ms, end_ms in reversed(list(_open(hours, Era(at_ms - BACK_MS, at_ms + 1, catalogue)))):
        if end_ms < found_ms:
            break
        found_ms = min(begin_ms, found_ms)
    return found_ms


def opens_within(catalogue: Catalogue, hours: str, from_ms: int, to_ms: int) -> bool:
    """Whether it is open at any instant of [from, to)."""
    return any(_open(hours, Era(from_ms, to_ms, catalogue)))


class Usual(NamedTuple):
    """A stretch of days of the week with the same hours: minutes of the day, None where it is closed."""

    days: tuple[DayName, ...]
    span: tuple[int, int] | None


def usual_week(catalogue: Catalogue, hours: str, at_ms: int) -> list[Usual]:
    """The week as it is but for holidays, by the calendar of that day; in the order of the calendar."""
    calendar, day = catalogue.calendar, day_of(at_ms, ZoneInfo(catalogue.zone))
    first = WEEK.index(calendar.week_start)
    names = (*WEEK[first:], *WEEK[:first])
    if hours.startswith(DAILY):
        return [Usual(names, minutes(hours.removeprefix(DAILY)))]
    found: list[Usual] = []
    for name in names:
        span = _of_weekday(name, hours, day, calendar)
        if found and found[-1].span == span:
            found[-1] = Usual((*found[-1].days, name), span)
        else:
            found.append(Usual((name,), span))
    return found


def fasting(catalogue: Catalogue, hours: str, at_ms: int) -> bool:
    """Whether the hours of that day are those of Ramadan."""
    day = day_of(at_ms, ZoneInfo(catalogue.zone))
    of = catalogue.calendar.ramadan
    return hours == OFFICE and any(each.hours and _within(day, each.first, each.last) for each in of)
