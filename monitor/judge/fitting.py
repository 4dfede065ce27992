"""Usual patterns out of hourly counts: robust, with a trend, blended with the entity's shape. Pure; Unix ms.

A slot's rate is a mean over the weeks, the recent ones weighing more, of the hours that can be believed: not
those the caller marks (down, not counted), not those far from what the other weeks say, and not long runs of
zeros. Few transactions lean on the shape of the entity at the channel's own level, many speak for themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import compress
from statistics import fmean, median

from monitor.judge.failing import failing_of
from monitor.judge.hours import HOUR_MS, SLOTS, WEEK_SLOTS, Hours
from monitor.judge.pattern import PRIOR_EVENTS, Pattern, Usual, packed

SHAPE_DECAY = 0.9  # weight of a week against the week after it, for what a slot is like
LEVEL_DECAY = 0.6  # the same for how much there is of all
WEEK_EVENTS = 20.0  # with so many transactions a week's level is half its own
FAR = 4.0  # deviations from which an hour is not believed
CLEAR = 4.0  # with so many an hour the median of the weeks is better than their mean
LONG_RUN = 14.0  # expected transactions from which a run of zeros is an outage nobody noted
HOURLY, HOURLY_WEIGHT = 0.03, 1e4  # believed before there is evidence, and the squares that outweigh it
DAILY, DAILY_WEIGHT = 0.01, 2e4
LEVEL, LEVEL_WEEKS = 0.0025, 2.0
BURST_EVENTS = 30.0
FLOOR = 0.02  # no hour of a shape that many share is taken to be emptier than this, against its mean
MINUTE_MS = 60_000
FLAT = [1.0] * SLOTS


class Span:
    """Some weeks of UTC hours, up to `to_ms`, with what every channel's fit needs of each of them."""

    def __init__(self, hours: Hours, *, to_ms: int, weeks: int) -> None:
        self.to_ms = to_ms // HOUR_MS * HOUR_MS
        self.length = weeks * WEEK_SLOTS
        self.from_ms = self.to_ms - self.length * HOUR_MS
        local = [hours.at(self.from_ms + index * HOUR_MS) for index in range(self.length)]
        self.slots = [hour.slot for hour in local]
        self.days = [hour.day for hour in local]
        self.weeks = [(self.length - 1 - index) // WEEK_SLOTS for index in range(self.length)]
        self.weights = [SHAPE_DECAY**week for week in self.weeks]
        self.as_usual = hours.as_usual

    def index(self, at_ms: int) -> int:
        """Of the hour that holds `at_ms`; outside [0, length) when it is not of the span."""
        return (at_ms - self.from_ms) // HOUR_MS

    def hours_of(self, from_ms: int, to_ms: int) -> range:
        """Indexes of the hours that [from_ms, to_ms) touches, as far as they are of the span."""
        return range(max(0, self.index(from_ms)), min(self.length, self.index(to_ms - 1) + 1))


class Counts:
    """What one channel had in each hour of a span, in all and by the outcomes that matter."""

    def __init__(self, span: Span) -> None:
        self.every = [0] * span.length
        self.completed = [0] * span.length
        self.failed = [0] * span.length

    def add(self, outcome: str, index: int, events: int) -> None:
        self.every[index] += events
        if outcome == "completed":
            self.completed[index] += events
        elif outcome == "failed":
            self.failed[index] += events


def fit(
    span: Span, counts: Counts, *, bad: Collection[int], prior: Sequence[float], burst: float = 1.0
) -> Pattern | None:
    """The pattern of one channel, or None where nothing was ever counted.

    `bad` are indexes of hours that say nothing of what is usual; `prior` is a shape, with a mean over the
    week of 1; `burst` is the variance of minutes within their hour against their mean.
    """
    believed = _since_the_first(counts.every, bad)
    every = _usual(span, counts.every, believed, prior=prior, burst=burst)
    if every is None:
        return None
    completed = _usual(span, counts.completed, believed, prior=shape_of(every), burst=burst)
    return Pattern(
        every=every,
        completed=completed or nothing(burst),
        failing=failing_of(counts.failed, counts.completed, believed),
        days=sum(believed) / 24,
        events=sum(counts.every),
        to_ms=span.to_ms,
    )


def fit_shape(span: Span, counts: Sequence[int], prior: Sequence[float] = FLAT) -> list[float]:
    """The shape of many channels together: rates by slot, with a mean over the week of 1."""
    usual = _usual(span, counts, _since_the_first(counts, ()), prior=prior, burst=1.0)
    return list(prior) if usual is None else shape_of(usual)


def burst_of(
    minutes: Mapping[int, tuple[int, int, int]], *, from_ms: int, to_ms: int, before: float = 1.0
) -> float:
    """Variance of minutes against their mean, from one to the next, so that a change of the rate is no part.

    `before` is what was known; BURST_EVENTS transactions weigh as much as that.
    """
    apart = events = last = 0
    for minute in range(from_ms, to_ms, MINUTE_MS):
        seen = minutes[minute][0] if minute in minutes else 0
        apart += (seen - last) ** 2
        events += seen
        last = seen
    return max((apart / 2 + BURST_EVENTS * before) / (events + BURST_EVENTS), 1.0)


def shape_of(usual: Usual) -> list[float]:
    """Its rates against their own mean over the week."""
    rates = [usual.rate(slot) for slot in range(SLOTS)]
    mean = sum(rates[:WEEK_SLOTS]) / WEEK_SLOTS
    return [rate / mean for rate in rates]


def nothing(burst: float) -> Usual:
    """Nothing of this was ever counted, and nothing is expected."""
    return Usual(rates=packed([0.0] * SLOTS), behind=packed([0.0] * SLOTS), burst=burst)


def _since_the_first(counts: Sequence[int], bad: Collection[int]) -> list[bool]:
    """Hours to be believed: from the first transaction on, without those that are bad."""
    first = next((index for index, count in enumerate(counts) if count), len(counts))
    believed = [False] * first + [True] * (len(counts) - first)
    for index in bad:
        believed[index] = False
    return believed


def _usual(
    span: Span, counts: Sequence[int], believed: Sequence[bool], *, prior: Sequence[float], burst: float
) -> Usual | None:
    if not any(compress(counts, believed)):
        return None
    prior = [max(each, FLOOR) for each in prior]
    kept = list(compress(range(span.length), believed))
    first = _Fit(span, counts, kept, shape=prior, burst=burst)
    rough = first.rough_shape(prior)
    kept = first.without_outliers(rough, own=first.rough_shape(None))
    second = _Fit(span, counts, kept, shape=rough, burst=burst)
    return second.usual(prior)


class _Fit:
    """One pass over the hours that are kept: levels by week under a shape, then what follows from them."""

    def __init__(
        self, span: Span, counts: Sequence[int], kept: Sequence[int], *, shape: Sequence[float], burst: float
    ) -> None:
        self._span, self._counts, self._kept, self._burst = span, counts, kept, burst
        weeks = span.weeks[kept[0]] + 1
        self._seen, self._exposed = [0.0] * weeks, [0.0] * weeks
        for index in kept:
            week = span.weeks[index]
            self._seen[week] += counts[index]
            self._exposed[week] += shape[span.slots[index]]
        slope = self._slope()
        self._trend = [max(1.0 - slope * (week + 1), 0.2) for week in range(weeks)]
        self._level = self._decayed()
        overall = sum(self._seen) / sum(self._exposed)
        weight = WEEK_EVENTS * burst
        self._levels = [
            overall * (seen + weight) / (overall * exposed + weight)
            for seen, exposed in zip(self._seen, self._exposed, strict=True)
        ]

    def _slope(self) -> float:
        """Growth a week, relative to now, as far as it is more than chance, by a straight line."""
        points = [
            (week, seen / exposed)
            for week, (seen, exposed) in enumerate(zip(self._seen, self._exposed, strict=True))
            if exposed > WEEK_SLOTS / 3
        ]
        if len(points) < 4:
            return 0.0
        ages, values = [age for age, _ in points], [value for _, value in points]
        middle, mean = fmean(ages), fmean(values)
        squares = sum((age - middle) ** 2 for age in ages)
        slope = sum((age - middle) * (value - mean) for age, value in points) / squares
        apart = sum((value - mean - slope * (age - middle)) ** 2 for age, value in points)
        noise = apart / (len(points) - 2) / squares
        at_now = mean - slope * (middle + 1)
        if slope == 0 or at_now <= 0:
            return 0.0
        return -slope * max(1.0 - 2.0 * noise / (slope * slope), 0.0) / at_now

    def _decayed(self, first: int = 0) -> float:
        """The level that the weeks from the `first` back speak for, the recent ones more, brought to now."""
        seen = exposed = 0.0
        for week in range(first, len(self._seen)):
            weight = LEVEL_DECAY ** (week - first)
            seen += weight * self._seen[week]
            exposed += weight * self._exposed[week] * self._trend[week]
        return seen / exposed if exposed else 0.0

    def _by_slot(self) -> list[list[int]]:
        found: list[list[int]] = [[] for _ in range(SLOTS)]
        slots = self._span.slots
        for index in self._kept:
            found[slots[index]].append(index)
        return found

    def rough_shape(self, prior: Sequence[float] | None) -> list[float]:
        """Each slot against the week's level, in a way that a single wild week does not move.

        Without a prior only the channel's own counts speak: a slot that never had any is 0.
        """
        counts, weeks, levels = self._counts, self._span.weeks, self._levels
        shape = [0.0] * SLOTS if prior is None else list(prior)
        for slot, indexes in enumerate(self._by_slot()):
            if not indexes:
                continue
            middle = median([counts[index] / levels[weeks[index]] for index in indexes])
            if len(indexes) >= 3 and middle * self._level >= CLEAR:
                shape[slot] = middle
                continue
            seen, exposed = 0, 0.0
            for index in indexes:
                seen += counts[index]
                exposed += levels[weeks[index]]
            shape[slot] = seen / exposed
            if prior is not None:
                shape[slot] = (PRIOR_EVENTS + seen) / (PRIOR_EVENTS / prior[slot] + exposed)
        mean = sum(shape[:WEEK_SLOTS]) / WEEK_SLOTS
        return [each / mean for each in shape]

    def without_outliers(self, shape: Sequence[float], *, own: Sequence[float]) -> list[int]:
        """The hours kept that are not far from what the shape and their week's level say.

        `own` is the shape without a prior: hours that are always empty are no outage, whatever others do.
        """
        counts, slots, weeks = self._counts, self._span.slots, self._span.weeks
        means = [self._levels[weeks[index]] * shape[slots[index]] for index in self._kept]
        hourly = self._robust_spread(means)
        far = FAR * FAR
        kept = []
        for index, mean in zip(self._kept, means, strict=True):
            apart = counts[index] - mean
            if apart * apart <= far * (self._burst * mean + hourly * mean * mean + 1.0):
                kept.append(index)
        gone = self._long_runs([self._levels[weeks[index]] * own[slots[index]] for index in self._kept])
        kept = [index for index in kept if index not in gone]
        return kept if any(counts[index] for index in kept) else list(self._kept)

    def _robust_spread(self, means: Sequence[float]) -> float:
        """Relative variance of hours, from the middle of their deviations."""
        counts = self._counts
        clear = [
            (abs(counts[index] - mean) / mean, mean)
            for index, mean in zip(self._kept, means, strict=True)
            if mean >= 2 * CLEAR
        ]
        if len(clear) < 24:
            return HOURLY
        middle = 1.4826 * median([apart for apart, _ in clear])
        return max(middle * middle - self._burst / median([mean for _, mean in clear]), 0.0)

    def _long_runs(self, means: Sequence[float]) -> set[int]:
        """Hours of runs of zeros too long to be chance, and too short to be how it is now."""
        gone: set[int] = set()
        run: list[int] = []
        expected = 0.0
        for index, mean in [*zip(self._kept, means, strict=True), (-1, 0.0)]:
            if index >= 0 and self._counts[index] == 0:
                run.append(index)
                expected += mean
                continue
            if expected > LONG_RUN * self._burst and len(run) < WEEK_SLOTS:
                gone.update(run)
            run, expected = [], 0.0
        return gone

    def usual(self, prior: Sequence[float]) -> Usual:
        """The rates, and how much counts differ from them."""
        seen, exposed = self._sums()
        weight, level = PRIOR_EVENTS * self._burst, max(self._level, 1e-9)
        rates = [
            (weight + seen[slot]) / (weight / (prior[slot] * level) + exposed[slot])
            for slot in range(WEEK_SLOTS)
        ]
        for slot, like in zip(range(WEEK_SLOTS, SLOTS), self._span.as_usual, strict=True):
            scaled = sum(rates[each] * share for each, share in like)
            rates.append((weight + seen[slot]) / (weight / max(scaled, 1e-9) + exposed[slot]))
        hourly, daily = self._spreads(rates)
        return Usual(
            rates=packed(rates),
            behind=packed(each / self._burst for each in seen),
            burst=self._burst,
            hourly=hourly,
            daily=daily,
            level=self._level_variance(hourly, daily),
        )

    def _sums(self) -> tuple[list[float], list[float]]:
        """Per slot, weighted: transactions, and hours at today's level."""
        seen, exposed = [0.0] * SLOTS, [0.0] * SLOTS
        span, counts = self._span, self._counts
        level = max(self._level, 1e-9)
        factors = [SHAPE_DECAY**week * each / level for week, each in enumerate(self._levels)]
        for index in self._kept:
            slot = span.slots[index]
            seen[slot] += span.weights[index] * counts[index]
            exposed[slot] += factors[span.weeks[index]]
        return seen, exposed

    def _spreads(self, rates: Sequence[float]) -> tuple[float, float]:
        """Relative variances of hours within a day and of days, beyond chance; by moments."""
        span, counts = self._span, self._counts
        level = max(self._level, 1e-9)
        factors = [each / level for each in self._levels]
        days: dict[int, list[float]] = {}
        apart_hours = squares = 0.0
        for index in self._kept:
            mean = rates[span.slots[index]] * factors[span.weeks[index]]
            apart = counts[index] - mean
            apart_hours += apart * apart
            squares += mean * mean
            day = days.setdefault(span.days[index], [0.0, 0.0])
            day[0] += apart
            day[1] += mean
        apart_days = sum(apart * apart for apart, _ in days.values())
        day_squares = sum(mean * mean for _, mean in days.values())
        chance = self._burst * sum(mean for _, mean in days.values())
        weeks = len(self._kept) / WEEK_SLOTS
        free = 1.0 - 1.0 / weeks if weeks > 1.5 else 0.0  # the rates were made from the same hours
        free_days = free * 6 / 7  # and so were the levels of the weeks
        share = squares / day_squares if day_squares else 1.0
        both = _blend(
            apart_hours, chance, free=free, squares=squares, usual=HOURLY + DAILY, weight=HOURLY_WEIGHT
        )
        in_days = _blend(
            apart_days,
            chance,
            free=free_days,
            squares=day_squares,
            usual=DAILY + share * HOURLY,
            weight=DAILY_WEIGHT,
        )
        hourly = min(max((both - in_days) / (1 - share), 0.0), both) if share < 0.9 else both
        unsure = 1.0 + 1.0 / max(weeks, 1.0)  # the rates have their share of the same luck
        return hourly * unsure, (both - hourly) * unsure

    def _level_variance(self, hourly: float, daily: float) -> float:
        """How far the level of the coming days may be from the one that is taken, relative, squared."""
        burst, squares, weeks = self._burst, LEVEL * LEVEL_WEEKS, LEVEL_WEEKS
        for week in range(len(self._seen) - 1):
            before = self._decayed(week + 1)
            exposed = self._exposed[week] * self._trend[week]
            if self._exposed[week] < WEEK_SLOTS / 3 or self._seen[week] == 0 or before == 0:
                continue
            apart = self._seen[week] / exposed / before - 1.0
            chance = 1.5 * (burst / self._seen[week] + daily / 7 + hourly / WEEK_SLOTS)
            squares += apart * apart - chance
            weeks += 1
        drift = min(max(squares / weeks, LEVEL / 6), 1.0)
        seen = sum(LEVEL_DECAY**week * each for week, each in enumerate(self._seen))
        days = len(self._kept) / 24
        young = 0.25 / (1 + days * days / 4)  # the shape of a few days is hardly known
        return drift + burst / max(seen, 1.0) + daily / max(min(days, 14.0), 1.0) + young


def _blend(apart: float, chance: float, *, free: float, squares: float, usual: float, weight: float) -> float:
    """A relative variance: what was found beyond chance, with what is believed where little was.

    `free` is the share of the deviations that the fit has left.
    """
    found = apart - free * chance if free else 0.0
    return max((found + usual * weight) / (free * squares + weight), 0.0)
