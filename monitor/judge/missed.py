"""Missed transactions (estimate) of outages, and what was made up afterwards; always with an interval. Pure.

What would have come is not known, only what is usual; so every figure is an estimate with the 90 % interval
of what might have come. Outages that overlap are never added: stretches are united first, channel by channel.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil, floor

import msgspec

from monitor.judge.hours import Hours
from monitor.judge.pattern import Expectation, Usual, total

INTERVAL = 0.9
MADE_UP_MS = 24 * 3_600_000

Range = tuple[int, int]


class Estimate(msgspec.Struct, frozen=True):
    """A number nobody could count, and the interval it lies in with probability 90 %; never negative."""

    value: float
    low: float
    high: float

    @property
    def about(self) -> str:
        """The estimate as it is printed."""
        return about(self.value)

    @property
    def whole(self) -> tuple[int, int]:
        """The interval as it is printed: widened to whole transactions, and until the estimate lies in it.

        Of something rare the likeliest nine in ten are all nothing, while the mean is a little more.
        """
        return floor(min(self.low, self.value)), ceil(max(self.high, self.value))


def about(estimate: float) -> str:
    """Whole from ten on, for nobody knows it to a fraction."""
    return f"{estimate:.1f}" if 0 < estimate < 10 else f"{estimate:.0f}"


def missed(expected: Expectation, seen: int) -> Estimate:
    """Expected less seen, of the same stretch."""
    low, high = expected.band(INTERVAL)
    return Estimate(max(expected.mean - seen, 0.0), max(low - seen, 0.0), max(high - seen, 0.0))


def made_up(expected: Expectation, seen: int, *, of: Estimate) -> Estimate:
    """Seen above what is expected, in the 24 hours after an outage; at most what was missed in it."""
    low, high = expected.band(INTERVAL)
    return Estimate(
        min(max(seen - expected.mean, 0.0), of.value),
        min(max(seen - high, 0.0), of.low),
        min(max(seen - low, 0.0), of.high),
    )


def united(ranges: Iterable[Range]) -> list[Range]:
    """The same instants, each once: sorted, apart from one another, none empty."""
    found: list[Range] = []
    for from_ms, to_ms in sorted(ranges):
        if from_ms >= to_ms:
            continue
        if found and from_ms <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], to_ms))
        else:
            found.append((from_ms, to_ms))
    return found


def expected_in(
    usuals: Mapping[str, Usual], outages: Mapping[str, Sequence[Range]], hours: Hours
) -> Expectation:
    """What was to be expected of each channel within its outages together; a minute counts once a channel."""
    return total(
        usuals[channel].expected(hours, from_ms, to_ms)
        for channel, ranges in outages.items()
        if channel in usuals
        for from_ms, to_ms in united(ranges)
    )


def together(rows: Iterable[tuple[Expectation, int]]) -> Estimate:
    """Of (expected, seen) of stretches that do not overlap, such as outages of single channels."""
    rows = list(rows)
    return missed(total(expected for expected, _ in rows), sum(seen for _, seen in rows))
