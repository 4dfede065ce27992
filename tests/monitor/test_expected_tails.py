"""Tails of counts: equal to sums of single probabilities, small and large, near and far out."""

from __future__ import annotations

from math import comb, exp, lgamma, log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.judge import tails


def single(count: int, mean: float, variance: float) -> float:
    """P(Y = count) of the negative binomial with this mean and variance."""
    size = mean * mean / (variance - mean)
    share = size / (size + mean)
    return exp(
        lgamma(size + count) - lgamma(size) - lgamma(count + 1) + size * log(share) + count * log(1 - share)
    )


@settings(deadline=None)
@given(st.floats(0.1, 300), st.floats(1.01, 20), st.floats(0, 2.5))
def test_the_lower_tail_is_the_sum_of_its_parts(mean: float, times: float, part: float) -> None:
    count = int(mean * part)
    wanted = sum(single(each, mean, mean * times) for each in range(count + 1))
    assert tails.at_most(count, mean, mean * times) == pytest.approx(min(wanted, 1.0), rel=1e-6)


@settings(deadline=None)
@given(st.floats(0.1, 1000), st.floats(1.0, 50), st.integers(1, 3000))
def test_both_tails_together_are_everything(mean: float, times: float, count: int) -> None:
    below = tails.at_most(count - 1, mean, mean * times)
    assert below + tails.at_least(count, mean, mean * times) == pytest.approx(1.0)


def test_without_surplus_variance_it_is_poisson() -> None:
    wanted = exp(-6) * (1 + 6 + 18)
    assert tails.at_most(2, 6.0, 6.0) == pytest.approx(wanted, rel=1e-5)
    assert tails.none_at_all(6.0, 6.0) == pytest.approx(exp(-6), rel=1e-5)


def test_a_rate_that_is_itself_uncertain_makes_nothing_far_likelier() -> None:
    assert tails.none_at_all(20.0, 20.0) == pytest.approx(2.06e-9, rel=0.01)
    assert tails.none_at_all(20.0, 20.0 + 0.1 * 400) == pytest.approx(3.0**-10)


@settings(deadline=None)
@given(st.floats(0.2, 20_000), st.floats(1.0, 30), st.sampled_from([0.025, 0.1, 0.5, 0.9, 0.975]))
def test_a_quantile_is_where_the_tail_says(mean: float, times: float, share: float) -> None:
    found = tails.quantile(share, mean, mean * times)
    reached = tails.at_most(int(found + 0.5), mean, mean * times)
    slack = 0.02 if mean > 50 else 1e-9
    assert reached >= share - slack
    assert found == 0 or tails.at_most(int(found + 0.5) - 2, mean, mean * times) <= share + slack


def test_nothing_expected_is_nothing_seen() -> None:
    assert (tails.at_most(0, 0.0, 0.0), tails.at_least(1, 0.0, 0.0), tails.quantile(0.9, 0.0, 0.0)) == (
        1,
        0,
        0,
    )


def test_without_spread_a_share_is_binomial() -> None:
    wanted = sum(comb(30, k) * 0.05**k * 0.95 ** (30 - k) for k in range(5, 31))
    assert tails.share_at_least(5, 30, share=0.05, spread=0.0) == pytest.approx(wanted, rel=1e-4)


def test_spread_makes_a_high_share_likelier() -> None:
    tight = tails.share_at_least(12, 30, share=0.05, spread=0.0)
    assert tight < tails.share_at_least(12, 30, share=0.05, spread=0.1) / 1000
