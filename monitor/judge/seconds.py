"""Time spent in each verdict, availability and coverage, and the one way to print a percentage. Pure; ms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import msgspec

from monitor.judge.timeline import Step, value_at
from monitor.model import Verdict


class Spent(msgspec.Struct, frozen=True):
    """Milliseconds in each verdict. Add them up first; a ratio comes last (T18)."""

    up_ms: int = 0
    degraded_ms: int = 0
    unknown_ms: int = 0
    down_ms: int = 0

    @property
    def total_ms(self) -> int:
        return self.up_ms + self.degraded_ms + self.unknown_ms + self.down_ms

    @property
    def measured_ms(self) -> int:
        return self.up_ms + self.degraded_ms + self.down_ms

    @property
    def availability(self) -> Fraction | None:
        """(up + degraded) / measured; None when nothing was measured: no data is not 100 %, nor 0 % (T2)."""
        return Fraction(self.up_ms + self.degraded_ms, self.measured_ms) if self.measured_ms else None

    @property
    def coverage(self) -> Fraction | None:
        """Measured of all the time; None for no time at all."""
        return Fraction(self.measured_ms, self.total_ms) if self.total_ms else None

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.up_ms + other.up_ms,
            self.degraded_ms + other.degraded_ms,
            self.unknown_ms + other.unknown_ms,
            self.down_ms + other.down_ms,
        )


def spent(steps: Sequence[Step], *, start_ms: int, end_ms: int) -> Spent:
    """Milliseconds a timeline spent in each verdict within [start_ms, end_ms)."""
    assert start_ms <= end_ms
    per = dict.fromkeys(Verdict, 0)
    since_ms, verdict = start_ms, value_at(steps, start_ms).verdict
    for step in steps:
        if start_ms < step.at_ms < end_ms:
            per[verdict] += step.at_ms - since_ms
            since_ms, verdict = step.at_ms, step.verdict
    per[verdict] += end_ms - since_ms
    result = Spent(per[Verdict.UP], per[Verdict.DEGRADED], per[Verdict.UNKNOWN], per[Verdict.DOWN])
    assert result.total_ms == end_ms - start_ms, "time is conserved"
    return result


def total(parts: Iterable[Spent]) -> Spent:
    """All of them together: of several subjects, or of several stretches of one."""
    return sum(parts, Spent())


def format_percent(numerator: int, denominator: int, decimals: int) -> str | None:
    """`numerator` of `denominator` in percent, cut and never rounded up; None when the denominator is 0.

    "100" stands without decimals and only where nothing is missing (T41).
    """
    assert 0 <= numerator <= denominator or denominator == 0
    if denominator == 0:
        return None
    if numerator == denominator:
        return "100"
    scaled = numerator * 100 * 10**decimals // denominator
    whole, rest = divmod(scaled, 10**decimals)
    return f"{whole}.{rest:0{decimals}d}" if decimals else str(whole)
