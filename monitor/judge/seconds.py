"""Time spent in each state, what follows from it for a ratio, and the one way to print one. Pure; ms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

import msgspec

from monitor.facts import TallyRow
from monitor.judge.levels import exact
from monitor.judge.timeline import Step, value_at
from monitor.model import Missing, Policy, Verdict


class State(StrEnum):
    """What a millisecond of a subject counts as: out of hours before maintenance, that before the verdict."""

    UP = "up"
    DEGRADED = "degraded"
    UNKNOWN = "unknown"
    DOWN = "down"
    MAINTENANCE = "maintenance"
    OUT_OF_HOURS = "out_of_hours"


class Spent(msgspec.Struct, frozen=True):
    """Milliseconds in each state. Add them up first; a ratio comes last (T18)."""

    up_ms: int = 0
    degraded_ms: int = 0
    unknown_ms: int = 0
    down_ms: int = 0
    maintenance_ms: int = 0
    out_of_hours_ms: int = 0

    @property
    def total_ms(self) -> int:
        return self.required_ms + self.maintenance_ms + self.out_of_hours_ms

    @property
    def required_ms(self) -> int:
        """Time in which the subject should have been there: all but what is excluded."""
        return self.measured_ms + self.unknown_ms

    @property
    def measured_ms(self) -> int:
        return self.up_ms + self.degraded_ms + self.down_ms

    def counted(self, policy: Policy) -> tuple[int, int]:
        """Numerator and denominator of availability, as the policy says of degraded and unknown (T4)."""
        good = self.up_ms + (self.degraded_ms if policy.degraded_counts else 0)
        if policy.missing is Missing.GOOD:
            good += self.unknown_ms
        left_out = self.unknown_ms if policy.missing is Missing.EXCLUDE else 0
        return good, self.measured_ms + self.unknown_ms - left_out

    @property
    def availability(self) -> Fraction | None:
        """(up + degraded) / measured; None when nothing was measured: no data is not 100 %, nor 0 % (T2)."""
        return Fraction(*self.counted(Policy())) if self.measured_ms else None

    @property
    def coverage(self) -> Fraction | None:
        """Measured of all the time that was required; None for none at all."""
        return Fraction(self.measured_ms, self.required_ms) if self.required_ms else None

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.up_ms + other.up_ms,
            self.degraded_ms + other.degraded_ms,
            self.unknown_ms + other.unknown_ms,
            self.down_ms + other.down_ms,
            self.maintenance_ms + other.maintenance_ms,
            self.out_of_hours_ms + other.out_of_hours_ms,
        )


def spent(steps: Sequence[Step], *, start_ms: int, end_ms: int) -> Spent:
    """Milliseconds a timeline spent in each verdict within [start_ms, end_ms), nothing excluded."""
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


def spent_of(row: TallyRow) -> Spent:
    """Milliseconds by state of a stored tally."""
    return Spent(
        row.up_ms, row.degraded_ms, row.unknown_ms, row.down_ms, row.maintenance_ms, row.out_of_hours_ms
    )


def total(parts: Iterable[Spent]) -> Spent:
    """All of them together: of several subjects, or of several stretches of one."""
    return sum(parts, Spent())


class Says(StrEnum):
    """What can be said of a stretch: a figure, or why there is none."""

    FIGURE = "figure"
    NO_DATA = "no_data"  # nothing was measured (T2)
    INSUFFICIENT = "insufficient_data"  # too little was measured for a figure (T1)
    NOT_APPLICABLE = "not_applicable"  # all of it was excluded (T8), or the subject did not exist


class Rate(msgspec.Struct, frozen=True):
    """What is printed of a stretch: percentages as text, cut; `availability` only where there is a figure."""

    says: Says
    availability: str | None
    coverage: str | None


def says(spent: Spent, policy: Policy) -> Says:
    """What can be said of `spent`. The only place that decides it."""
    measured_ms = spent.measured_ms
    required_ms = measured_ms + spent.unknown_ms
    if not required_ms:
        return Says.NOT_APPLICABLE
    if not measured_ms:
        return Says.NO_DATA
    gate = _exact(policy.coverage_gate)
    enough = measured_ms * gate.denominator >= gate.numerator * required_ms
    return Says.FIGURE if enough else Says.INSUFFICIENT


def rate(spent: Spent, policy: Policy) -> Rate:
    """The same with both percentages as they are printed."""
    said, decimals = says(spent, policy), policy.decimals
    coverage = format_percent(spent.measured_ms, spent.required_ms, decimals)
    counted = format_percent(*spent.counted(policy), decimals) if said is Says.FIGURE else None
    return Rate(said, counted, coverage)


_exact = lru_cache(exact)  # asked for every figure that is stored


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


def ratio_of(percent: str) -> str:
    """A printed percentage as a share of 1 with the same digits: "99.96" is "0.9996", "100" is "1"."""
    whole, _, rest = percent.partition(".")
    digits = f"{whole:0>3}{rest}"
    return f"{digits[: -2 - len(rest)]}.{digits[-2 - len(rest) :]}".rstrip("0").rstrip(".") or "0"
