"""The benchmark's score of alarms against labelled windows: what is earned, what is lost, which threshold."""

from __future__ import annotations

import pytest

from benchmarks.anomalies import Scored, best_score, earnings, score_at

WINDOWS = [(400, 499), (800, 899)]


def scored(*alarms: int, rows: int = 1000) -> list[Scored]:
    scores = [0.9 if at in alarms else 0.0 for at in range(rows)]
    return list(earnings("series", scores, WINDOWS))


def test_saying_nothing_is_0_and_each_window_at_its_first_row_is_100() -> None:
    assert score_at(scored(), 2, 0.5) == 0
    assert score_at(scored(400, 800), 2, 0.5) == pytest.approx(100)


def test_a_window_counts_once_and_by_its_earliest_alarm() -> None:
    assert score_at(scored(400, 401, 450), 2, 0.5) == pytest.approx(score_at(scored(400), 2, 0.5))


def test_a_window_found_at_its_last_row_is_worth_half() -> None:
    assert score_at(scored(499, 899), 2, 0.5) == pytest.approx(51, abs=1)


@pytest.mark.parametrize(
    ("at", "costs"), [(200, 0.11), (500, 0.0), (799, 0.11)], ids=["far before", "just after", "far after"]
)
def test_a_false_alarm_costs_the_more_the_further_it_is_behind_a_window(at: int, costs: float) -> None:
    lost = score_at(scored(400, 800), 2, 0.5) - score_at(scored(400, 800, at), 2, 0.5)
    assert lost == pytest.approx(100 * costs / 4, abs=0.1)


def test_alarms_in_the_probation_do_not_count() -> None:
    assert score_at(scored(10, 149), 2, 0.5) == 0


def test_one_threshold_is_chosen_that_is_best_over_all_series() -> None:
    loud = [Scored("one", 0.9, 1.0, 0), Scored("one", 0.4, -0.11, None), Scored("two", 0.3, 1.0, 0)]
    assert best_score(loud, 2) == (pytest.approx(100 * 3.89 / 4), 0.3)
    assert best_score(loud[:2], 1) == (pytest.approx(100), 0.9)
