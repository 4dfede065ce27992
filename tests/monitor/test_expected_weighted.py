"""The headline by transactions: a busy hour of an outage weighs more than a quiet one."""

from __future__ import annotations

import pytest

from monitor.judge.hours import HOUR_MS, SLOTS, Hours
from monitor.judge.pattern import Usual, packed
from monitor.judge.timeline import Step
from monitor.judge.weighted import Offer, Weighted, weighted
from monitor.model import Calendar, Missing, Verdict

HOURS = Hours("UTC", Calendar())
MONDAY = 1_793_577_600_000  # 2026-11-02 00:00 UTC
DAY_MS = 24 * HOUR_MS


def usual(*busy: tuple[int, float]) -> Usual:
    rates = [0.0] * SLOTS
    for hour, rate in busy:
        rates[hour] = rate
    return Usual(rates=packed(rates), behind=packed([10.0] * SLOTS))


def steps(*of: tuple[int, Verdict]) -> list[Step]:
    return [Step(MONDAY + round(hour * HOUR_MS), verdict) for hour, verdict in of]


def monday(*offers: Offer) -> Weighted:
    return weighted(offers, HOURS, from_ms=MONDAY, to_ms=MONDAY + DAY_MS)


def test_an_outage_weighs_what_people_would_have_done_in_it() -> None:
    day = usual((3, 10.0), (10, 90.0))
    down_at_night = steps((0, Verdict.UP), (3, Verdict.DOWN), (4, Verdict.UP))
    down_at_noon = steps((0, Verdict.UP), (10, Verdict.DOWN), (11, Verdict.UP))
    night, noon = monday(Offer(down_at_night, [day])), monday(Offer(down_at_noon, [day]))
    assert (night.counted(), noon.counted()) == ((90, 100), (10, 100))


def test_part_of_an_hour_is_part_of_what_is_expected_in_it() -> None:
    found = monday(Offer(steps((0, Verdict.UP), (10.5, Verdict.DOWN)), [usual((10, 60.0))]))
    assert (found.available, found.unavailable) == (pytest.approx(30), pytest.approx(30))


def test_degraded_can_be_made_and_unknown_is_left_out_or_counted_as_the_policy_says() -> None:
    timeline = steps((0, Verdict.DEGRADED), (10, Verdict.UNKNOWN), (11, Verdict.DOWN))
    found = monday(Offer(timeline, [usual((9, 50.0), (10, 30.0), (11, 20.0))]))
    assert (found.counted(), found.counted(Missing.BAD), found.counted(Missing.GOOD)) == (
        (50, 70),
        (50, 100),
        (80, 100),
    )
    assert found.coverage == pytest.approx(0.7)


def test_services_and_their_channels_add_up() -> None:
    up, down = steps((0, Verdict.UP)), steps((0, Verdict.DOWN))
    found = monday(Offer(up, [usual((9, 30.0)), usual((9, 10.0))]), Offer(down, [usual((9, 60.0))]))
    assert found.counted() == (40, 100)


def test_nothing_expected_is_no_figure() -> None:
    found = monday(Offer(steps((0, Verdict.UP)), []))
    assert (found.counted(), found.coverage) == ((0, 0), None)


def test_before_anything_was_measured_it_is_unknown() -> None:
    found = monday(Offer(steps((10, Verdict.UP)), [usual((9, 30.0), (10, 30.0))]))
    assert (found.available, found.unknown) == (pytest.approx(30), pytest.approx(30))
