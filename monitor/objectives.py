"""What a service promises, and how fast its budget may burn before somebody is told. Pure.

An objective is a target for a share of time or of transactions. What may be missing from it is the error
budget. A burn of 1 spends exactly the budget of the period; an alert looks at how fast it burned over a long
window and, so that it ends soon, over a short one.
"""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

import msgspec

SAMPLES_MIN = 5
HALF = Fraction(1, 2)


class Indicator(StrEnum):
    """What is promised: a share of time, or of transactions."""

    AVAILABILITY = "availability"  # time in which it could be got remotely
    LATENCY = "latency"  # available time in which it answered as fast as it should (not degraded)
    COMPLETION = "completion"  # transactions completed, of those completed or failed


class Rung(StrEnum):
    """How fast the budget burns, the fastest first."""

    FAST = "fast"
    MEDIUM = "medium"
    SLOW = "slow"


class Window(NamedTuple):
    """Seconds looked at, and the usual factor: how many times faster than the budget allows."""

    long_s: int
    short_s: int
    factor: Fraction


WINDOWS = {
    Rung.FAST: Window(3600, 300, Fraction(144, 10)),
    Rung.MEDIUM: Window(6 * 3600, 1800, Fraction(6)),
    Rung.SLOW: Window(3 * 86_400, 6 * 3600, Fraction(1)),
}


class Objective(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One promise of a service. A factor is what a person set, 0 for no alert, None for the derived one."""

    indicator: Indicator
    target: float  # a share of 1, neither 0 nor 1
    fast: float | None = None
    medium: float | None = None
    slow: float | None = None

    @property
    def allowed(self) -> Fraction:
        """The share that may be bad."""
        return _allowed(self.target)

    def threshold(self, rung: Rung) -> Fraction | None:
        """The share of a window that must be bad for an alert (over it, not at it); None without one."""
        factor = self.factor(rung)
        return factor * self.allowed if factor else None

    def factor(self, rung: Rung) -> Fraction:
        """As set, or the usual one, lowered as far as it must be to ask for half of a window at most.

        Lowered to less than half of the usual it would cry over a trifle: then the rung is not used (0), and
        a slower one tells (T21).
        """
        own: float | None = getattr(self, rung.value)
        if own is not None:
            return exactly(own)
        usual = WINDOWS[rung].factor
        lowered = min(usual, HALF / self.allowed)
        return lowered if 2 * lowered >= usual else Fraction(0)


@lru_cache(maxsize=1024)
def exactly(number: float) -> Fraction:
    """The decimal number a person wrote, not the nearest binary one."""
    return Fraction(str(number))


@lru_cache(maxsize=1024)
def _allowed(target: float) -> Fraction:
    return 1 - exactly(target)
