"""Error budgets: on exact milliseconds, with what is to come, and for how long the rest lasts."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.facts import Ended
from monitor.judge.budget import Account, Budget, budget, of_time, of_transactions
from monitor.judge.figures import When
from monitor.judge.seconds import Says, Spent
from monitor.model import Missing, Policy
from monitor.objectives import HALF, WINDOWS, Indicator, Objective, Rung

DAY_MS = 86_400_000
QUARTER = When(0, 90 * DAY_MS, 45 * DAY_MS)
NINES = Objective(indicator=Indicator.AVAILABILITY, target=0.999)


def spent_on(
    bad_ms: int, *, objective: Objective = NINES, when: When = QUARTER, week_bad_ms: int = 0
) -> Budget:
    """A service measured all the time, bad for so long, and for so long in the last seven days."""
    counted_ms = when.stop_ms - when.start_ms
    lately = Account(Says.FIGURE, 7 * DAY_MS - week_bad_ms, 7 * DAY_MS)
    account = Account(Says.FIGURE, counted_ms - bad_ms, counted_ms)
    return budget(objective, when, account, lately=lately, lately_ms=7 * DAY_MS)


def test_a_budget_is_of_the_whole_period_though_half_of_it_is_to_come() -> None:
    assert spent_on(0).whole == 90 * DAY_MS // 1000


def test_t41_met_is_decided_on_exact_seconds_and_not_on_what_is_printed() -> None:
    """94.999999 % prints as 94.99 and not as 95; one millisecond more is on the target."""
    target = Objective(indicator=Indicator.AVAILABILITY, target=0.95)
    day = When(0, DAY_MS, DAY_MS)
    allowed_ms = DAY_MS // 20
    on, under = (spent_on(bad, objective=target, when=day) for bad in (allowed_ms, allowed_ms + 1))
    assert (on.met, on.good_percent(2), under.met, under.good_percent(2)) == (True, "95.00", False, "94.99")


def test_t41_a_budget_that_is_overspent_by_a_moment_is_never_printed_as_whole() -> None:
    day = When(0, DAY_MS, DAY_MS)
    over = spent_on(DAY_MS // 1000 + 1, when=day)
    assert (over.left, over.left_percent(2), over.at_risk) == (-1, "-0.01", True)


@pytest.mark.parametrize("says", [Says.NO_DATA, Says.INSUFFICIENT, Says.NOT_APPLICABLE])
def test_without_a_figure_nothing_is_met_and_nothing_is_at_risk(says: Says) -> None:
    found = budget(NINES, QUARTER, Account(says), lately=Account(says), lately_ms=7 * DAY_MS)
    assert (found.met, found.left_share, found.at_risk, found.burn) == (None, None, False, None)


def test_what_was_lost_lately_says_when_the_rest_is_used_up() -> None:
    """Half of the budget is left; the last week lost a tenth of it."""
    whole_ms = 90 * DAY_MS // 1000
    found = spent_on(whole_ms // 2, week_bad_ms=whole_ms // 10)
    assert found.used_up_ms == QUARTER.stop_ms + 35 * DAY_MS
    assert found.burn == pytest.approx(90 / 70)


def test_a_budget_that_lasts_beyond_the_period_is_not_at_risk() -> None:
    found = spent_on(1000, week_bad_ms=1000)
    assert (found.used_up_ms, found.at_risk) == (None, False)


def test_latency_counts_only_the_time_in_which_it_was_there() -> None:
    spent = Spent(up_ms=90, degraded_ms=10, down_ms=900)
    account = of_time(Indicator.LATENCY, spent, Policy())
    assert (account.good, account.counted) == (90, 100)


def test_a_service_that_was_never_there_has_no_latency() -> None:
    assert of_time(Indicator.LATENCY, Spent(down_ms=900), Policy()).says is Says.NO_DATA


def test_t4_unknown_counts_as_the_policy_says() -> None:
    spent = Spent(up_ms=950, unknown_ms=50)
    bad = [of_time(Indicator.AVAILABILITY, spent, Policy(missing=each)).bad for each in Missing]
    assert bad == [0, 50, 0]


def test_giving_up_is_not_a_failure_to_complete() -> None:
    account = of_transactions(Ended(completed=98, failed=2, abandoned=40))
    assert (account.good, account.counted) == (98, 100)


def test_t21_usual_factors_are_lowered_until_they_can_fire_and_left_out_before_they_cry() -> None:
    found = {
        target: [
            float(Objective(indicator=Indicator.AVAILABILITY, target=target).factor(rung)) for rung in Rung
        ]
        for target in (0.999, 0.95, 0.9, 0.8)
    }
    assert found == {
        0.999: [14.4, 6.0, 1.0],
        0.95: [10.0, 6.0, 1.0],
        0.9: [0.0, 5.0, 1.0],
        0.8: [0.0, 0.0, 1.0],
    }


@given(st.floats(min_value=0.001, max_value=0.99999))
def test_t21_whatever_the_target_some_alert_can_fire_and_none_asks_for_more_than_half(target: float) -> None:
    objective = Objective(indicator=Indicator.AVAILABILITY, target=target)
    shares = [share for rung in WINDOWS if (share := objective.threshold(rung)) is not None]
    assert shares
    assert all(Fraction(0) < share <= HALF for share in shares)
