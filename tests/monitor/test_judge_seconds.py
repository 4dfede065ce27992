"""Time is conserved, no data is not a number, and a percentage is cut and never rounded up."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.judge.seconds import Spent, format_percent, spent, total
from monitor.judge.timeline import Step
from monitor.model import Verdict

DAY_MS = 86_400_000
TIMELINE = [
    Step(1_000, Verdict.UP),
    Step(5_000, Verdict.DEGRADED, "slow"),
    Step(6_000, Verdict.DOWN, "timeout"),
    Step(9_000, Verdict.UNKNOWN, "silence"),
]


def test_t1_every_instant_is_exactly_one_of_four() -> None:
    assert spent(TIMELINE, start_ms=0, end_ms=10_000) == Spent(
        up_ms=4_000, degraded_ms=1_000, unknown_ms=2_000, down_ms=3_000
    )


@given(st.integers(0, 12_000), st.integers(0, 12_000), st.integers(0, 12_000))
def test_a_period_split_anywhere_sums_to_the_whole(one: int, two: int, three: int) -> None:
    start, middle, end = sorted((one, two, three))
    parts = [
        spent(TIMELINE, start_ms=start, end_ms=middle),
        spent(TIMELINE, start_ms=middle, end_ms=end),
    ]
    whole = spent(TIMELINE, start_ms=start, end_ms=end)
    assert (total(parts), whole.total_ms) == (whole, end - start)


def test_t2_nothing_measured_is_no_number_neither_0_nor_100() -> None:
    nothing = spent([], start_ms=0, end_ms=DAY_MS)
    assert (nothing.availability, nothing.coverage) == (None, 0)


def test_availability_counts_degraded_as_available_and_leaves_unknown_out() -> None:
    found = spent(TIMELINE, start_ms=0, end_ms=10_000)
    assert (found.availability, found.coverage) == (Fraction(5, 8), Fraction(8, 10))


def test_t3_our_own_outage_lowers_coverage_and_not_availability() -> None:
    steps = [Step(0, Verdict.UP), Step(DAY_MS // 2, Verdict.UNKNOWN, "silence")]
    found = spent(steps, start_ms=0, end_ms=DAY_MS)
    assert (found.availability, found.coverage) == (1, Fraction(1, 2))


@pytest.mark.parametrize(
    ("numerator", "denominator", "decimals", "printed"),
    [
        (9_496, 10_000, 1, "94.9"),  # T41: not 95.0
        (999_999, 1_000_000, 2, "99.99"),  # not 100 beside an outage
        (1, 1, 2, "100"),
        (0, 5, 1, "0.0"),
        (1, 3, 0, "33"),
        (5, 1_000, 3, "0.500"),
        (0, 0, 1, None),
    ],
)
def test_t41_a_percentage_is_cut_and_100_means_nothing_was_lost(
    numerator: int, denominator: int, decimals: int, printed: str | None
) -> None:
    assert format_percent(numerator, denominator, decimals) == printed
