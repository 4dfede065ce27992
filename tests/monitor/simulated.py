"""Traffic of known rates, for tests: daily and weekly shape, days and hours that differ, batches."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log, sqrt

from monitor.judge.hours import HOUR_MS, Hours

DAY_CURVE = [1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 20, 19, 17, 15, 13, 11, 10, 10, 11, 11, 9, 6, 4, 2]
NIGHT_CURVE = [10, 8, 5, 4, 3, 2, 2, 3, 5, 9, 14, 16, 15, 10, 6, 4, 3, 2, 3, 6, 10, 14, 15, 13]


def poisson(chance: random.Random, mean: float) -> int:
    """One draw; a normal one where the mean is large."""
    if mean > 60:
        return max(0, round(chance.gauss(mean, sqrt(mean))))
    limit, product, count = exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        count += 1
    return count


def gamma(chance: random.Random, variance: float) -> float:
    """One draw with mean 1."""
    return chance.gammavariate(1 / variance, variance) if variance > 0 else 1.0


@dataclass
class Traffic:
    """One channel: `a_week` transactions in a usual week; the variances are relative, squared."""

    hours: Hours
    a_week: float
    chance: random.Random
    weekend: float = 0.4
    rest: tuple[int, ...] = (5, 6)
    curve: list[int] = None  # type: ignore[assignment]
    hourly: float = 0.0
    daily: float = 0.0
    growth: float = 1.0  # a week
    batch: int = 1  # transactions that come together
    failing: float = 0.02
    origin_ms: int = 0
    change: Callable[[int], float] = lambda at_ms: 1.0

    def __post_init__(self) -> None:
        curve = self.curve or DAY_CURVE
        week = [
            curve[hour] * (self.weekend if day in self.rest else 1.0)
            for day in range(7)
            for hour in range(24)
        ]
        self.shape = [each * self.a_week / sum(week) for each in week]
        self._days: dict[int, float] = {}
        self._hours: dict[int, float] = {}

    def rate(self, at_ms: int) -> float:
        """The usual rate an hour, without chance: what a perfect pattern would say."""
        trend = exp(log(self.growth) * (at_ms - self.origin_ms) / (168 * HOUR_MS))
        slot = self.hours.at(at_ms).slot
        if slot >= 168:
            slot = (slot - 168) % 24
        return self.shape[slot] * trend * self.change(at_ms)

    def real_rate(self, at_ms: int) -> float:
        """The rate of this very hour, its day's and its own luck included."""
        day, hour = self.hours.at(at_ms).day, at_ms // HOUR_MS
        if day not in self._days:
            self._days[day] = gamma(self.chance, self.daily)
        if hour not in self._hours:
            self._hours[hour] = gamma(self.chance, self.hourly)
        return self.rate(at_ms) * self._days[day] * self._hours[hour]

    def hour(self, at_ms: int) -> int:
        """How many come in the hour that begins at `at_ms`."""
        return self.batch * poisson(self.chance, self.real_rate(at_ms) / self.batch)

    def minute(self, at_ms: int) -> int:
        """How many come in the minute that begins at `at_ms`."""
        return self.batch * poisson(self.chance, self.real_rate(at_ms) / 60 / self.batch)
