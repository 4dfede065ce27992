"""The usual pattern of a channel, and what it lets one expect of any stretch of time. Pure; Unix ms.

What is expected is never a number alone. Four things make counts differ from their usual rate, each measured
from the channel's own history: chance (`burst` times the mean; 1 is Poisson, more when transactions come in
batches), hours that differ (`hourly`), days that differ as a whole (`daily`), and how well the level of these
weeks is known (`level`); the last three are variances relative to the square of the mean.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from functools import cached_property
from math import sqrt

import msgspec

from monitor.judge import tails
from monitor.judge.hours import SLOTS, WEEK_SLOTS, Hours

PRIOR_EVENTS = 2.0  # what the shape of an entity weighs, in transactions a slot: shapes differ by two thirds
HOLIDAY_VARIANCE = 0.1  # a holiday is less like a day of the weekend than those are like one another


class Expectation(msgspec.Struct, frozen=True):
    """Expected count of a stretch. `own` is variance by itself, `shared` a deviation in common with others.

    The uncertainty of days and levels is taken as common to whatever is added up: cautious, never too narrow.
    """

    mean: float = 0.0
    own: float = 0.0
    shared: float = 0.0

    @property
    def variance(self) -> float:
        return self.own + self.shared * self.shared

    def band(self, share: float) -> tuple[float, float]:
        """The interval that a count as usual lies in with probability `share`, its ends included."""
        aside = (1.0 - share) / 2.0
        return (
            tails.quantile(aside, self.mean, self.variance),
            tails.quantile(1.0 - aside, self.mean, self.variance),
        )

    def __add__(self, other: Expectation) -> Expectation:
        return Expectation(self.mean + other.mean, self.own + other.own, self.shared + other.shared)

    def times(self, factor: float) -> Expectation:
        """That share of it."""
        return Expectation(self.mean * factor, self.own * factor * factor, self.shared * factor)


def total(parts: Iterable[Expectation]) -> Expectation:
    """Of several channels, or of stretches that do not overlap."""
    return sum(parts, Expectation())


class Usual(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Rates of one group of outcomes: transactions an hour by slot, and how sure they are."""

    rates: bytes  # float32 each
    behind: bytes  # float32 each: transactions that speak for the slot's rate, the prior's not among them
    burst: float = 1.0
    hourly: float = 0.0
    daily: float = 0.0
    level: float = 1.0

    @cached_property
    def _rates(self) -> memoryview[float]:
        return memoryview(self.rates).cast("f")

    @cached_property
    def _behind(self) -> memoryview[float]:
        return memoryview(self.behind).cast("f")

    def rate(self, slot: int) -> float:
        """Transactions an hour."""
        return self._rates[slot]

    def unsure(self, slot: int) -> float:
        """Relative variance of the slot's rate."""
        return 1.0 / (PRIOR_EVENTS + self._behind[slot])

    @cached_property
    def a_week(self) -> float:
        """Transactions of a usual week."""
        return sum(self._rates[:WEEK_SLOTS])

    def mean(self, hours: Hours, from_ms: int, to_ms: int) -> float:
        """The mean of what is usual in [from_ms, to_ms)."""
        rates = self._rates
        return sum([rates[hour.slot] * share for hour, share in hours.pieces(from_ms, to_ms)])

    def expected(self, hours: Hours, from_ms: int, to_ms: int) -> Expectation:
        """What is usual in [from_ms, to_ms)."""
        mean = hourly = 0.0
        days: dict[int, list[float]] = {}  # mean and variance of the day's own effect
        for hour, share in hours.pieces(from_ms, to_ms):
            part = self.rate(hour.slot) * share
            mean += part
            hourly += part * part * (self.hourly + self.unsure(hour.slot))
            day = days.setdefault(hour.day, [0.0, self.daily + HOLIDAY_VARIANCE * hour.holiday])
            day[0] += part
        daily = sum(part * part * variance for part, variance in days.values())
        return Expectation(mean, self.burst * mean + hourly, sqrt(daily + self.level * mean * mean))


class Failing(msgspec.Struct, frozen=True):
    """The usual share of failed among completed and failed, and how much it differs from hour to hour."""

    share: float = 0.0
    spread: float = 0.0  # intra-class correlation; 0 is binomial
    trials: float = 0.0  # transactions that speak for it


class Pattern(msgspec.Struct, frozen=True, kw_only=True):
    """What is usual on one channel. `every` counts transactions of any outcome."""

    schema: int = 1
    every: Usual
    completed: Usual
    failing: Failing
    days: float  # of history that it is made from, without what was left out
    events: int  # transactions in them
    to_ms: int  # the end of that history
    counted: int = 0  # transactions of the channel ever counted when it was made
    late_s: float = 0.0  # how long after a minute its events are there (monitor/judge/lateness.py)


def packed(values: Iterable[float]) -> bytes:
    """Slots as they are stored: four bytes each."""
    told = array("f", values)
    assert len(told) == SLOTS
    return told.tobytes()


_pattern = msgspec.json.Decoder(Pattern)


def encode(pattern: Pattern) -> str:
    """As it is stored."""
    return msgspec.json.encode(pattern).decode()


def decode(document: str) -> Pattern:
    """As it was stored."""
    return _pattern.decode(document)
