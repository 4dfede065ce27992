"""The country's calendar: from what was written to the model, and what its types cannot say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, time

from monitor.config.decode import Reading, shown
from monitor.config.form import CalendarForm, File, HolidayForm, RamadanForm
from monitor.model import Calendar, Holiday, Ramadan, Text

LONGEST_DAYS = 31  # of one holiday, and of Ramadan


def expand_calendar(form: object, files: Sequence[File], name_of: Callable[[HolidayForm], Text]) -> Calendar:
    """The calendar of all files together; days in order."""
    week = form if isinstance(form, CalendarForm) else CalendarForm()
    holidays = [
        Holiday(first=each.date, last=each.until or each.date, name=name_of(each))
        for file in files
        for each in file.holidays
    ]
    ramadan = [
        Ramadan(first=each.date, last=each.until, hours=each.hours or "")
        for file in files
        for each in file.ramadan
    ]
    return Calendar(
        week_start=week.week_start,
        weekend=week.weekend,
        half_days=week.half_days,
        hours=week.hours,
        holidays=tuple(sorted(holidays, key=lambda each: each.first)),
        ramadan=tuple(sorted(ramadan, key=lambda each: each.first)),
    )


def hold_calendar(form: object, files: Sequence[File], reading: Reading) -> None:
    """Note dates that do not exist, stretches that end before they begin or meet, hours that are none."""
    for service in (each for file in files for each in file.services):
        if service.hours is not None and service.hours != "office":
            _hours(service.hours.removeprefix("daily ").replace("-24:00", "-23:59"), service, reading)
    if isinstance(form, CalendarForm):
        _week(form, reading)
    for holiday in (each for file in files for each in file.holidays):
        _stretch(holiday, reading)
    taken: list[tuple[date, date, RamadanForm]] = []
    for each in (each for file in files for each in file.ramadan):
        if each.hours is not None:
            _hours(each.hours, each, reading)
        stretch = _stretch(each, reading)
        if stretch is None:
            continue
        for first, last, other in taken:
            if stretch[0] <= last and first <= stretch[1]:
                mark = reading.mark(other, "date")
                reading.say(f"meets the Ramadan in {mark.file}:{mark.line}", each, "date")
        taken.append((*stretch, each))


def _week(form: CalendarForm, reading: Reading) -> None:
    if reading.wrote(form, "hours"):
        _hours(form.hours, form, reading)
    for day in form.half_days:
        if day in form.weekend:
            text = (
                f"{day.value} is a day of the weekend already: a half day is a working day that ends at noon"
            )
            reading.say(text, form, "half_days", day.value)
    for key, days in (("weekend", form.weekend), ("half_days", form.half_days)):
        for name in _twice(days):
            reading.say(f"{name} is given twice", form, key)
    if len(set(form.weekend) | set(form.half_days)) == 7:
        reading.say("no working day is left", form, "weekend")


def _twice(days: Sequence[str]) -> Iterator[str]:
    for index, day in enumerate(days):
        if day in days[:index]:
            yield str(day)


def _stretch(form: HolidayForm | RamadanForm, reading: Reading) -> tuple[date, date] | None:
    """First and last day, or None with a problem noted."""
    first = _date(form.date, form, "date", reading=reading)
    last = first if form.until is None else _date(form.until, form, "until", reading=reading)
    if first is None or last is None:
        return None
    days = (last - first).days + 1
    if days < 1:
        reading.say(f"ends on {last} before it begins on {first}", form, "until")
    elif days > LONGEST_DAYS:
        reading.say(f"lasts {days} days; at most {LONGEST_DAYS} are allowed", form, "until")
    else:
        return first, last
    return None


def _date(text: str, form: object, key: str, *, reading: Reading) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        reading.say(f"{shown(text)} is not a day of the calendar", form, key)
        return None


def _hours(text: str, form: object, reading: Reading) -> None:
    try:
        begin, end = (time.fromisoformat(each) for each in text.split("-"))
    except ValueError:
        reading.say(f"{shown(text)} is not a stretch of a day: write HH:MM-HH:MM", form, "hours")
        return
    if begin >= end:
        reading.say(f"{shown(text)} ends before it begins", form, "hours")
