"""Who is told what, and when. Pure; Unix milliseconds unless a name says seconds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from monitor.config.alerts import Receiver, When
from monitor.judge.incidents import Incident, Topic
from monitor.model import Calendar, Catalogue, DayName, Holiday, Ramadan, Severity

REMINDERS_MAX = 24
NOON = time(12)
DAYS_AHEAD = 32  # the longest the calendar may rest without a working day
TOPICS = frozenset(topic.value for topic in Topic)
_DAYS = list(DayName)


class WorkingHours:
    """When the country works, by the catalogue's calendar and zone."""

    def __init__(self, calendar: Calendar, zone: str) -> None:
        self._zone = ZoneInfo(zone)
        self._calendar = calendar
        self._weekend = {_DAYS.index(day) for day in calendar.weekend}
        self._half = {_DAYS.index(day) for day in calendar.half_days}

    @classmethod
    def of(cls, catalogue: Catalogue) -> WorkingHours:
        return cls(catalogue.calendar, catalogue.zone)

    def open_from(self, now_ms: int) -> int:
        """`now_ms` within working hours, else when they begin next. A country that never works: now."""
        now = datetime.fromtimestamp(now_ms / 1000, self._zone)
        for ahead in range(DAYS_AHEAD):
            day = now.date() + timedelta(days=ahead)
            stretch = self._stretch(day)
            if stretch is None:
                continue
            begin, end = (datetime.combine(day, each, self._zone) for each in stretch)
            if now < end:
                return max(now_ms, round(begin.timestamp() * 1000))
        return now_ms

    def _stretch(self, day: date) -> tuple[time, time] | None:
        """The working hours of a local day; None on a day of rest."""
        if day.weekday() in self._weekend or any(_holds(each, day) for each in self._calendar.holidays):
            return None
        fasting = next((each.hours for each in self._calendar.ramadan if _holds(each, day)), "")
        begin, end = (time.fromisoformat(each) for each in (fasting or self._calendar.hours).split("-"))
        return begin, min(end, NOON) if day.weekday() in self._half else end


def _holds(stretch: Holiday | Ramadan, day: date) -> bool:
    return date.fromisoformat(stretch.first) <= day <= date.fromisoformat(stretch.last)


def takes(receiver: Receiver, severity: Severity) -> When:
    """In which hours a receiver is told of a severity; what is only shown is told to nobody."""
    table = {Severity.CRITICAL: receiver.critical, Severity.WARNING: receiver.warning}
    return table.get(severity, When.NEVER)


def listeners(receivers: Iterable[Receiver], severity: Severity, entity: str) -> list[Receiver]:
    """Who is told of an incident of that entity ("" where nobody owns it).

    What nobody listens to for its entity goes to those who listen to no entity in particular, and when there
    are none to everybody who takes the severity: an alert without a reader is no alert.
    """
    able = [one for one in receivers if takes(one, severity) is not When.NEVER]
    matching = [one for one in able if not one.entities or entity in one.entities]
    return matching or able


def due_ms(receiver: Receiver, severity: Severity, hours: WorkingHours, *, now_ms: int) -> int:
    """When it may be told: now, or when working hours begin."""
    return now_ms if takes(receiver, severity) is When.ALWAYS else hours.open_from(now_ms)


def needless(topic: str, incident: Incident | None, *, heard: bool) -> str:
    """Why a message need not go out any more; "" when it must."""
    if incident is None or topic not in TOPICS:
        return ""
    if topic == Topic.RESOLVED:
        return "" if heard else "it was never told that this began"
    return "" if incident.open else "it was over before it could be told"
