"""Which hour of the week an instant is in the catalogue's zone and calendar. Pure; Unix milliseconds.

Counts are kept by UTC hours, and each of them belongs to one *slot*: an hour of the local week (Monday 00 is
0, Sunday 23 is 167), or an hour of a Ramadan day (168 and on, working days and then days of the weekend). A
holiday has the slots of the main day of the weekend. Where clocks are put back a slot comes twice on that
day, and where they are put forward it is left out; nothing else changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from monitor.model import Calendar, Catalogue, DayName

HOUR_MS = 3_600_000
WEEK_SLOTS = 168
RAMADAN_WORK = 168
RAMADAN_REST = 192
SLOTS = 216
_KEPT_MAX = 50_000  # hours remembered: five years
_DAYS = list(DayName)


class LocalHour(NamedTuple):
    """One UTC hour: its slot, its local day (a proleptic ordinal), and whether that is a holiday."""

    slot: int
    day: int
    holiday: bool


class Hours:
    """The hours of one zone and calendar."""

    def __init__(self, zone: str, calendar: Calendar) -> None:
        self._zone = ZoneInfo(zone)
        self._holidays = _days_of([(each.first, each.last) for each in calendar.holidays])
        self._ramadan = _days_of([(each.first, each.last) for each in calendar.ramadan])
        self._weekend = frozenset(_DAYS.index(day) for day in calendar.weekend)
        self._rest = _DAYS.index(calendar.weekend[0]) if calendar.weekend else None
        self.as_usual = _as_usual(calendar, self._weekend)
        self._known: dict[int, LocalHour] = {}

    @classmethod
    def of(cls, catalogue: Catalogue) -> Hours:
        """Of the catalogue's zone and calendar."""
        return cls(catalogue.zone, catalogue.calendar)

    def at(self, at_ms: int) -> LocalHour:
        """Of the UTC hour that holds `at_ms`."""
        hour = at_ms // HOUR_MS
        found = self._known.get(hour)
        if found is None:
            if len(self._known) >= _KEPT_MAX:
                self._known.clear()
            found = self._known[hour] = self._look(hour)
        return found

    def _look(self, hour: int) -> LocalHour:
        local = datetime.fromtimestamp(hour * 3600, self._zone)
        day = local.toordinal()
        weekday = local.weekday()
        if day in self._holidays:
            return LocalHour((weekday if self._rest is None else self._rest) * 24 + local.hour, day, True)
        if day in self._ramadan:
            first = RAMADAN_REST if weekday in self._weekend else RAMADAN_WORK
            return LocalHour(first + local.hour, day, False)
        return LocalHour(weekday * 24 + local.hour, day, False)

    def pieces(self, from_ms: int, to_ms: int) -> Iterator[tuple[LocalHour, float]]:
        """(hour, share of it) of each UTC hour that [from_ms, to_ms) touches."""
        at_ms = from_ms
        while at_ms < to_ms:
            end_ms = min((at_ms // HOUR_MS + 1) * HOUR_MS, to_ms)
            yield self.at(at_ms), (end_ms - at_ms) / HOUR_MS
            at_ms = end_ms


def _days_of(stretches: list[tuple[str, str]]) -> frozenset[int]:
    return frozenset(
        day
        for first, last in stretches
        for day in range(date.fromisoformat(first).toordinal(), date.fromisoformat(last).toordinal() + 1)
    )


def _as_usual(calendar: Calendar, weekend: frozenset[int]) -> list[list[tuple[int, float]]]:
    """Per Ramadan slot, what of the usual week it is like: (slot, weight) of the days that it stands for.

    Within office hours the usual ones are moved, and pressed together or drawn out, to those of Ramadan.
    """
    hours = next((each.hours for each in reversed(calendar.ramadan) if each.hours), calendar.hours)
    work = [day for day in range(7) if day not in weekend] or list(range(7))
    rest = sorted(weekend) or list(range(7))
    moved = _moved(_stretch(calendar.hours), _stretch(hours))
    still = [[(hour, 1.0)] for hour in range(24)]
    return [
        [(day * 24 + hour, share / len(days)) for day in days for hour, share in shares]
        for days, each in ((work, moved), (rest, still))
        for shares in each
    ]


def _stretch(hours: str) -> tuple[float, float]:
    begin, end = (time.fromisoformat(each) for each in hours.split("-"))
    return begin.hour + begin.minute / 60, end.hour + end.minute / 60


def _moved(usual: tuple[float, float], now: tuple[float, float]) -> list[list[tuple[int, float]]]:
    """Per hour of a Ramadan day, the usual hours that fall into it and what share of each does."""

    def place(hour: float) -> float:
        """Where a usual hour of the day lies now: before, in or after office hours, in proportion."""
        marks = [(0.0, 0.0), *zip(usual, now, strict=True), (24.0, 24.0)]
        for (was, is_now), (was_next, is_next) in pairwise(marks):
            if hour <= was_next and was_next > was:
                return is_now + (hour - was) * (is_next - is_now) / (was_next - was)
        return hour

    found: list[list[tuple[int, float]]] = [[] for _ in range(24)]
    for hour in range(24):
        begin, end = place(hour), place(hour + 1)
        for now_hour in range(24):
            overlap = min(end, now_hour + 1) - max(begin, now_hour)
            if overlap > 1e-9:
                found[now_hour].append((hour, overlap / (end - begin)))
    return found
