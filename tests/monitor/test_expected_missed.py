"""Missed transactions: the truth lies in the interval as often as it says; nothing is counted twice."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.judge import reckon
from monitor.judge.fitting import nothing
from monitor.judge.hours import HOUR_MS, SLOTS, Hours
from monitor.judge.missed import MADE_UP_MS, Estimate, Range, expected_in, made_up, missed, united
from monitor.judge.pattern import Expectation, Usual, packed
from monitor.judge.windows import MINUTE_MS
from monitor.model import Calendar
from tests.monitor.simulated import Traffic
from tests.monitor.watched_weeks import learn

HOURS = Hours("Asia/Dubai", Calendar())
NOW = 1_793_563_200_000
FLAT = Usual(rates=packed([60.0] * SLOTS), behind=packed([1000.0] * SLOTS), level=0.001, daily=0.01)


@pytest.mark.parametrize(
    ("a_week", "given"),
    [
        (600, {}),
        (6_000, {"hourly": 0.03, "daily": 0.02}),
        (60_000, {"hourly": 0.03, "daily": 0.02}),
        (60_000, {"hourly": 0.1, "daily": 0.05}),
    ],
)
def test_the_interval_holds_the_truth_nine_times_in_ten(a_week: int, given: dict[str, float]) -> None:
    """Outages of 20 minutes to 10 hours, whole or in part, over many simulated channels."""
    held = outages = 0
    for seed in range(20):
        chance = random.Random(seed)
        traffic = Traffic(HOURS, a_week, chance, origin_ms=NOW, **given)  # type: ignore[arg-type]
        pattern = learn(traffic, NOW)
        for day in range(7):
            begin = NOW + day * 24 * HOUR_MS + chance.randrange(7 * 60, 16 * 60) * MINUTE_MS
            length = chance.choice([20, 60, 180, 600])
            share = chance.choice([0.0, 0.0, 0.3])  # of what comes that gets through all the same
            would = sum(traffic.minute(begin + n * MINUTE_MS) for n in range(length))
            got = sum(chance.random() < share for _ in range(would))
            expected = pattern.every.expected(HOURS, begin, begin + length * MINUTE_MS)
            found = missed(expected, got)
            held += found.low <= would - got <= found.high
            outages += 1
    print(f"{a_week} a week, {given}: {held / outages:.3f} of {outages}")
    assert 0.84 <= held / outages <= 0.99


@settings(deadline=None)
@given(st.floats(0, 1000), st.floats(1, 20), st.floats(0, 100), st.integers(0, 3000))
def test_it_is_never_negative_and_within_its_own_interval(
    mean: float, times: float, shared: float, seen: int
) -> None:
    found = missed(Expectation(mean, mean * times, shared), seen)
    assert 0 <= found.low <= found.high
    assert found.value >= 0
    assert found.value <= found.high or found.high == 0 or mean < 5


@settings(deadline=None)
@given(st.integers(0, 3000), st.integers(0, 500))
def test_no_more_is_made_up_than_was_missed(seen_after: int, seen: int) -> None:
    lost = missed(Expectation(200, 220, 20), seen)
    found = made_up(Expectation(1000, 1100, 80), seen_after, of=lost)
    assert 0 <= found.value <= lost.value
    assert 0 <= found.low <= found.value
    assert found.value <= found.high <= lost.high or lost.value == 0


def test_what_is_made_up_is_the_surplus_after_the_outage() -> None:
    lost = Estimate(500, 450, 550)
    assert made_up(Expectation(1000, 1000, 0), 1200, of=lost).value == 200


ranges = st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 400)), max_size=12)


@settings(deadline=None)
@given(ranges)
def test_united_stretches_hold_every_minute_once(given_ranges: list[tuple[int, int]]) -> None:
    stretches = [(first, first + length) for first, length in given_ranges]
    found = united(stretches)
    minutes = [minute for first, last in found for minute in range(first, last)]
    assert len(minutes) == len(set(minutes))
    assert set(minutes) == {minute for first, last in stretches for minute in range(first, last)}


@settings(max_examples=50, deadline=None)
@given(ranges, ranges)
def test_overlapping_outages_are_never_added(
    one: list[tuple[int, int]], other: list[tuple[int, int]]
) -> None:
    """60 an hour, all day: a minute of a channel in any outage is one transaction, however many there are."""

    def stretches(given_ranges: Sequence[tuple[int, int]]) -> list[Range]:
        return [
            (NOW + first * MINUTE_MS, NOW + (first + length) * MINUTE_MS) for first, length in given_ranges
        ]

    both = {"a": stretches(one) + stretches(other), "b": stretches(other)}
    found = expected_in({"a": FLAT, "b": FLAT}, both, HOURS)
    minutes = sum((to - begin) // MINUTE_MS for each in both.values() for begin, to in united(each))
    assert found.mean == pytest.approx(minutes, rel=1e-6)


outage_lists = st.lists(st.tuples(st.integers(1, 90_000), st.integers(1, 200_000)), min_size=1, max_size=10)


@settings(deadline=None)
@given(outage_lists, st.integers(0, 3_000_000))
def test_outages_of_a_subject_are_reckoned_over_stretches_apart_from_one_another(
    lengths: list[tuple[int, int]], counted_ms: int
) -> None:
    """Also those that follow each other within one minute, and what is made up after each."""
    outages, at_ms = [], NOW
    for pause_ms, length_ms in lengths:
        outages.append(("service:a/web", at_ms + pause_ms, at_ms + pause_ms + length_ms))
        at_ms += pause_ms + length_ms
    as_of_ms = NOW + counted_ms
    rows = list(reckon.reckoned(outages, lambda subject: as_of_ms))
    stretches = [each for row in rows for each in (row.during, row.after)]
    minutes = [at for first, last in stretches for at in range(first, last, MINUTE_MS)]
    assert len(minutes) == len(set(minutes))
    assert all(first % MINUTE_MS == 0 and first <= last for first, last in stretches)
    assert all(last <= as_of_ms or first == last for first, last in stretches)


def row(
    began_min: int, ended_min: int | None, *, as_of_min: int, seen: int = 0, seen_after: int = 0
) -> reckon.Missed:
    ended_ms = None if ended_min is None else NOW + ended_min * MINUTE_MS
    outage = ("service:a/web", NOW + began_min * MINUTE_MS, ended_ms)
    (found,) = reckon.reckoned([outage], lambda subject: NOW + as_of_min * MINUTE_MS)
    return reckon.row(found, [FLAT], HOURS, seen=seen, seen_after=seen_after)


def test_while_it_lasts_nothing_is_made_up_and_the_figure_grows() -> None:
    early, later = row(0, None, as_of_min=10), row(0, None, as_of_min=30)
    assert (early.missed, later.missed, later.made_up) == (pytest.approx(10), pytest.approx(30), None)


def test_what_was_made_up_is_only_so_far_until_a_day_has_passed() -> None:
    day = MADE_UP_MS // MINUTE_MS
    soon = row(0, 30, as_of_min=90, seen_after=75)
    late = row(0, 30, as_of_min=30 + day, seen_after=day + 10)
    assert (soon.made_up, soon.made_up_done) == (pytest.approx(15), False)
    assert (late.made_up, late.made_up_done) == (pytest.approx(10), True)


def test_of_long_ago_only_what_is_over_has_no_row_and_is_counted_to_the_end_is_overdue() -> None:
    hour = 60 * MINUTE_MS
    outages = [
        ("service:a/web", NOW, NOW + hour),
        ("service:a/web", NOW + 2 * hour, NOW + 3 * hour),  # it has a row
        ("service:a/web", NOW + 4 * hour, NOW + 5 * hour),
        ("service:a/web", NOW + 6 * hour, NOW + 9 * hour),  # not of long ago
        ("service:a/web", NOW + 10 * hour, None),
    ]
    rows = list(reckon.reckoned(outages, lambda subject: NOW + 5 * hour + MADE_UP_MS))
    known = {("service:a/web", NOW + 2 * hour)}
    found, waits = reckon.overdue(rows, known, before_ms=NOW + 8 * hour)
    assert ([each.began_ms - NOW for each in found], waits) == ([4 * hour, 0], False)


def test_an_outage_of_long_ago_waits_until_the_day_after_it_is_counted() -> None:
    rows = list(reckon.reckoned([("service:a", NOW, NOW + MINUTE_MS)], lambda subject: NOW + MADE_UP_MS))
    assert reckon.overdue(rows, (), before_ms=NOW + 2 * MADE_UP_MS) == ([], True)


def test_what_is_not_counted_yet_has_no_figure() -> None:
    outage = ("service:a/web", NOW, None)
    assert list(reckon.reckoned([outage], lambda subject: None)) == []


def test_rows_of_channels_add_up_and_those_of_services_are_not_added_to_them() -> None:
    channels = [row(0, 30, as_of_min=60), row(40, 50, as_of_min=60)]
    whole = channels[0]._replace(subject="service:a")
    found = reckon.together([*channels, whole])
    assert found.value == pytest.approx(40)
    assert found.high - found.low < sum(each.high - each.low for each in channels)


def test_a_channel_that_never_completed_anything_misses_nothing() -> None:
    assert missed(nothing(1.0).expected(HOURS, NOW, NOW + HOUR_MS), 0) == Estimate(0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("estimate", "printed"),
    [
        (Estimate(719.2, 605.8, 840.1), ("719", (605, 841))),
        (Estimate(9.96, 4.2, 15.0), ("10.0", (4, 15))),
        (Estimate(0.06, 0.0, 0.0), ("0.1", (0, 1))),  # nine in ten such outages cost nothing at all
        (Estimate(0.0, 0.0, 0.0), ("0", (0, 0))),
    ],
)
def test_an_estimate_lies_in_the_interval_printed_beside_it(
    estimate: Estimate, printed: tuple[str, tuple[int, int]]
) -> None:
    assert (estimate.about, estimate.whole) == printed
