"""How unusual each value of a series is, told as it comes: in constant memory, one setting for all. Pure.

A value is unusual when it departs from what is usual by more than the largest departure in memory. Usual is
said in three ways: the level of the last 50 points, the level of the last 200, and what this time of day and
hour of the week have brought. Each departure, up and down apart, is held against its own record. A record
halves in four weeks, so that what was long ago may be new again; it grows by no more than four times at once,
so that one absurd value does not deafen the detector. By how much a record was broken means the same in every
series, whatever its unit and the shape of its noise: that is the score. Beside it, a run of one same value is
told when it lasts three times as long as any in memory.

An anomaly is told when it begins. While it is in memory (that halves in 100 points) only what is twice as
unusual is told again; the rest scores 0.
"""

from __future__ import annotations

import math

THRESHOLD = 0.5  # a score from here on is worth a look: a record broken by 15 %
FALSE_ALARMS_PER_1000 = 3.0  # points of noise; measured: about 1 at 5 minutes a point, 2.5 at an hour

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WEEK_MS = 7 * DAY_MS
SLOT_MS = HOUR_MS // 4  # of the day
MEMORY_MS = 4 * WEEK_MS  # in which a record halves,
MEMORY_POINTS = 2700  # and not in fewer points: a gap is not forgetting

SHORT, LONG = 1 / 50, 1 / 200  # weight of a point in the level
SMOOTH = 1 / 8  # in what lasts longer than a point
DAILY = 0.5  # share of a day's departure that is usual on the next day
WEEKLY = 0.3  # and in the same hour of the next week
USUAL = 0.003  # weight of a point in the usual departure from the season
OUTLIER = 4.0  # a season learns no more at once than so many usual departures
GROWTH_MAX = 4.0  # of a record at once
MARGIN = 0.15  # by which a record is broken at the threshold, in logarithms
MARGIN_MAX = 1.0
STILL_TIMES, STILL_MARGIN = 3, 0.3  # a run of one value is told when so many times the longest, and how much
YOUNG = 150  # points after which a record counts half, and then more and more
LEARNING = 100  # points before a departure counts at all
FOLLOW = 1 / 36  # of the way to the largest departure, a point: what grows step by step breaks a record too
FADING = 0.5 ** (1 / 100)  # of an alarm told, a point
AGAIN = 2  # what is so many times as unusual is told again
ROUNDING = 1e-9  # a departure smaller than this share of the value is none
VALUE_MAX = 1e300  # larger ones are held to be as large, so that differences stay finite


class Detector:
    """The anomalies of one series: give every point once, in the order of its arrival."""

    __slots__ = ("_at_ms", "_level", "_long", "_points", "_records", "_season", "_smooth", "_still", "_told")

    def __init__(self) -> None:
        self._at_ms: int | None = None
        self._points = 0
        self._level = self._long = self._smooth = 0.0
        self._season = _Season()
        self._records = [_Record() for _ in range(8)]  # of four departures, up and down
        self._still = _Stillness()
        self._told = 0.0  # the margin of the alarm that is still in memory

    def score(self, timestamp_ms: int, value: float) -> float:
        """How unusual `value` is after what came before it, from 0 to 1; see THRESHOLD.

        Time is Unix ms; points out of order are taken as they come. A value that is missing (NaN or infinite)
        scores 0 and changes nothing.
        """
        if not math.isfinite(value):
            return 0.0
        value = min(max(value, -VALUE_MAX), VALUE_MAX)
        step_ms = 0 if self._at_ms is None else max(timestamp_ms - self._at_ms, 0)
        self._at_ms = timestamp_ms
        margin = self._margin(timestamp_ms, value, step_ms)
        self._told *= FADING
        if margin <= AGAIN * self._told:
            return 0.0
        self._told = margin
        return 1 - math.pow(0.5, margin / MARGIN)

    def _margin(self, at_ms: int, value: float, step_ms: int) -> float:
        """By how much the value breaks the record it breaks most."""
        keep = math.pow(0.5, min(step_ms / MEMORY_MS, 1 / MEMORY_POINTS))
        short, long, smooth = self._departures(value)
        least = ROUNDING * (abs(value) + abs(self._long))
        season = self._season.departure(at_ms, value, step_ms)
        departures: tuple[float, ...] = (short, -short, long, -long, smooth, -smooth)
        if season is not None:
            departures += (season, -season)
        margin = self._still.margin(value, keep)
        for record, departure in zip(self._records, departures, strict=False):
            broken = record.broken(departure, keep, least)
            if broken > margin:
                margin = broken
        return margin

    def _departures(self, value: float) -> tuple[float, float, float]:
        """From the level of the last points, from that of more points, and how much of the latter lasts."""
        if not self._points:
            self._level = self._long = value
        self._points += 1
        first = 1 / self._points  # at the beginning a plain mean
        short, long = value - self._level, value - self._long
        self._level += max(SHORT, first) * short
        self._long += max(LONG, first) * long
        self._smooth += SMOOTH * (long - self._smooth)
        return short, long, self._smooth


class _Record:
    """The largest departure in memory, followed with some delay: an anomaly may grow step by step."""

    __slots__ = ("_followed", "_points", "_top")

    def __init__(self) -> None:
        self._top = self._followed = self._points = 0.0

    def broken(self, departure: float, keep: float, least: float) -> float:
        """By how much, as a logarithm, `departure` breaks the record; 0 when it does not or is below `least`.

        `keep` is the share of memory that is left since the last one. A young record counts for less.
        """
        self._top *= keep
        self._followed += FOLLOW * (self._top - self._followed)
        self._points = self._points * keep + 1
        record = self._followed
        if departure <= record or departure <= least:
            return 0.0
        if self._points <= LEARNING:
            self._top = max(self._top, departure)
            return 0.0
        self._top = max(self._top, min(departure, GROWTH_MAX * record) if record else departure)
        margin = min(math.log(departure / record), MARGIN_MAX) if record else MARGIN_MAX
        return margin / (1 + YOUNG / self._points)


class _Season:
    """What a time of day and an hour of the week usually bring, discovered from the timestamps (UTC)."""

    __slots__ = ("_count", "_day", "_points", "_smooth", "_usual", "_week")

    def __init__(self) -> None:
        self._day = [0.0] * (DAY_MS // SLOT_MS)
        self._count = [0] * (DAY_MS // SLOT_MS)
        self._week = [0.0] * (WEEK_MS // HOUR_MS)
        self._points = 0
        self._usual = self._smooth = 0.0

    def departure(self, at_ms: int, value: float, step_ms: int) -> float | None:
        """How far the last values lie from the season; None in a time of day that was not met before."""
        slot, hour = at_ms % DAY_MS // SLOT_MS, at_ms % WEEK_MS // HOUR_MS
        self._count[slot] += 1
        if self._count[slot] == 1:
            self._day[slot] = value
            return None
        departure = value - self._day[slot] - self._week[hour]
        self._smooth += SMOOTH * (departure - self._smooth)
        self._learn(slot, hour, departure, step_ms)
        return self._smooth

    def _learn(self, slot: int, hour: int, departure: float, step_ms: int) -> None:
        limit = OUTLIER * self._usual if self._usual else math.inf
        learnt = min(max(departure, -limit), limit)
        self._points += 1
        self._usual += max(USUAL, 1 / self._points) * (abs(departure) - self._usual)
        daily = 1 - math.pow(1 - DAILY, min(1.0, step_ms / SLOT_MS))
        self._day[slot] += max(daily, 1 / self._count[slot]) * learnt
        self._week[hour] += WEEKLY * min(1.0, step_ms / HOUR_MS) * learnt


class _Stillness:
    """How long one same value lasts. What a series begins with is no anomaly, however long it lasts."""

    __slots__ = ("_last", "_longest", "_points", "_run")

    def __init__(self) -> None:
        self._last: float | None = None
        self._longest = 0.0
        self._run = self._points = 0

    def margin(self, value: float, keep: float) -> float:
        """Once in a run, when it becomes three times the longest in memory: as much as a clear alarm."""
        self._points += 1
        self._longest *= keep
        if value != self._last:
            self._longest = max(self._longest, float(self._run))
            self._last, self._run = value, 1
            return 0.0
        self._run += 1
        due = int(STILL_TIMES * (self._longest + 1)) + 1
        if self._run != due or not self._longest or self._points <= LEARNING:
            return 0.0
        return STILL_MARGIN / (1 + YOUNG / self._points)
