"""Usual patterns from simulated traffic of known rates: right, robust, and honest about how sure they are."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from monitor.judge.fitting import FLAT, Counts, Span, burst_of, fit, fit_shape, shape_of
from monitor.judge.hours import HOUR_MS, RAMADAN_WORK, Hours
from monitor.judge.pattern import Expectation, Pattern, decode, encode
from monitor.model import Calendar, DayName, Holiday, Ramadan
from tests.monitor.simulated import DAY_CURVE, NIGHT_CURVE, Traffic

MINUTE_MS = 60_000
WEEK_HOURS = 168
UAE = Calendar(weekend=(DayName.SATURDAY, DayName.SUNDAY), half_days=(DayName.FRIDAY,))
HOURS = Hours("Asia/Dubai", UAE)


def at(text: str, zone: str = "Asia/Dubai") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


NOW = at("2026-11-02T00:00")


class Past:
    """Some weeks of one channel's history up to `now_ms`, drawn from its traffic."""

    def __init__(
        self,
        traffic: Traffic,
        *,
        now_ms: int = NOW,
        weeks: float = 8,
        change: Callable[[int, int], int] = lambda at_ms, count: count,
    ) -> None:
        self.traffic, self.span = traffic, Span(traffic.hours, to_ms=now_ms, weeks=8)
        self.counts = Counts(self.span)
        for index in range(self.span.length - round(weeks * WEEK_HOURS), self.span.length):
            at_ms = self.span.from_ms + index * HOUR_MS
            count = change(at_ms, traffic.hour(at_ms))
            failed = sum(traffic.chance.random() < traffic.failing for _ in range(min(count, 400)))
            self.counts.add("completed", index, count - failed)
            self.counts.add("failed", index, failed)

    def fit(self, *, bad: Sequence[int] = (), prior: Sequence[float] = FLAT, burst: float = 1.0) -> Pattern:
        pattern = fit(self.span, self.counts, bad=set(bad), prior=prior, burst=burst)
        assert pattern is not None
        return pattern

    def hours_of(self, from_ms: int, to_ms: int) -> range:
        return self.span.hours_of(from_ms, to_ms)


def traffic(a_week: float, seed: int = 1, hours: Hours = HOURS, **given: object) -> Traffic:
    return Traffic(hours, a_week, random.Random(seed), origin_ms=NOW, **given)  # type: ignore[arg-type]


def week_of(pattern: Pattern, source: Traffic, from_ms: int = NOW) -> tuple[float, float]:
    """Largest error of a six-hour stretch of the next week, relative to the mean, and the week's error."""
    ends = range(from_ms, from_ms + 7 * 24 * HOUR_MS, 6 * HOUR_MS)
    found = [pattern.every.expected(source.hours, each, each + 6 * HOUR_MS).mean for each in ends]
    truth = [sum(source.rate(each + n * HOUR_MS) for n in range(6)) for each in ends]
    mean = sum(truth) / len(truth)
    return (
        max(abs(one - other) for one, other in zip(found, truth, strict=True)) / mean,
        sum(found) / sum(truth) - 1,
    )


@pytest.mark.parametrize("a_week", [300, 3_000, 30_000])
def test_eight_weeks_tell_the_rate_of_every_part_of_the_week(a_week: int) -> None:
    source = traffic(a_week)
    worst, whole = week_of(Past(source).fit(), source)
    assert worst < 1.8 * (a_week / 28) ** -0.5 + 0.05
    assert abs(whole) < 0.06


def test_outages_nobody_noted_and_wild_hours_do_not_move_it() -> None:
    def change(at_ms: int, count: int) -> int:
        weeks, hour = divmod((NOW - at_ms) // HOUR_MS, WEEK_HOURS)
        if weeks in (1, 4) and hour < 30:
            return 0
        return count * 20 if weeks == 2 and hour < 5 else count

    source = traffic(20_000, hourly=0.01)
    worst, whole = week_of(Past(source, change=change).fit(), source)
    assert worst < 0.25
    assert abs(whole) < 0.05


def test_a_long_outage_of_a_small_channel_does_not_move_it() -> None:
    source = traffic(400)
    first = NOW - 20 * 24 * HOUR_MS
    past = Past(source, change=lambda at_ms, count: 0 if first <= at_ms < first + 72 * HOUR_MS else count)
    assert abs(week_of(past.fit(), source)[1]) < 0.08


def test_hours_that_are_known_to_be_bad_are_left_out() -> None:
    source = traffic(5_000)
    first = NOW - 14 * 24 * HOUR_MS
    past = Past(source, change=lambda at_ms, count: count // 2 if at_ms >= first else count)
    whole = week_of(past.fit(bad=past.hours_of(first, NOW)), source)[1]
    assert abs(whole) < 0.06
    assert week_of(past.fit(), source)[1] < -0.3


def test_growth_is_followed() -> None:
    source = traffic(10_000, growth=1.05)
    assert abs(week_of(Past(source).fit(), source)[1]) < 0.07


def test_a_new_level_is_learned_within_weeks() -> None:
    source = traffic(10_000)
    source.change = lambda at_ms: 1.0 if at_ms < NOW - 21 * 24 * HOUR_MS else 1.6
    assert abs(week_of(Past(source).fit(), source)[1]) < 0.2


def test_a_holiday_is_expected_to_be_like_the_weekend() -> None:
    calendar = Calendar(holidays=(Holiday(first="2026-11-04", last="2026-11-04"),))
    hours = Hours("Asia/Dubai", calendar)
    pattern = Past(traffic(10_000, hours=hours)).fit()
    noon = at("2026-11-04T12:00")
    holiday = pattern.every.expected(hours, noon, noon + HOUR_MS)
    usual = pattern.every.expected(HOURS, noon, noon + HOUR_MS)
    saturday = pattern.every.expected(hours, at("2026-11-07T12:00"), at("2026-11-07T13:00"))
    assert holiday.mean == pytest.approx(saturday.mean)
    assert usual.mean > 2 * holiday.mean
    assert holiday.variance > saturday.variance


def test_holidays_in_the_history_do_not_lower_what_is_usual_on_their_weekday() -> None:
    days = [f"2026-10-{day:02}" for day in (7, 14, 21)]
    calendar = Calendar(holidays=tuple(Holiday(first=day, last=day) for day in days))
    source = traffic(10_000, hours=Hours("Asia/Dubai", calendar))
    pattern = Past(source).fit()
    noon = at("2026-11-04T12:00")
    expected = pattern.every.expected(source.hours, noon, noon + HOUR_MS).mean
    assert expected == pytest.approx(source.rate(noon), rel=0.12)


RAMADAN = Calendar(
    weekend=(DayName.SATURDAY, DayName.SUNDAY),
    hours="08:00-15:00",
    ramadan=(Ramadan(first="2026-02-18", last="2026-03-19", hours="10:00-14:00"),),
)


def test_before_there_is_a_ramadan_its_hours_are_the_usual_ones_moved() -> None:
    hours = Hours("Asia/Dubai", RAMADAN)
    source = Traffic(hours, 20_000, random.Random(5), origin_ms=at("2026-02-16T00:00"))
    usual = Past(source, now_ms=at("2026-02-16T00:00")).fit().every
    office = sum(usual.rate(RAMADAN_WORK + hour) for hour in range(10, 14))
    assert office == pytest.approx(sum(usual.rate(24 + hour) for hour in range(8, 15)), rel=0.1)
    assert usual.rate(RAMADAN_WORK + 8) < usual.rate(24 + 8) * 0.7


def test_enough_days_of_ramadan_have_a_shape_of_their_own() -> None:
    hours = Hours("Asia/Dubai", RAMADAN)
    begin, now = at("2026-02-18T00:00"), at("2026-03-11T00:00")
    night = [each * sum(DAY_CURVE) / sum(NIGHT_CURVE) for each in NIGHT_CURVE]

    def change(at_ms: int) -> float:
        hour = hours.at(at_ms).slot % 24
        return 1.0 if at_ms < begin else night[hour] / DAY_CURVE[hour]

    source = Traffic(hours, 20_000, random.Random(5), origin_ms=now, rest=(), change=change)
    usual = Past(source, now_ms=now).fit().every
    for hour in (2, 11, 22):
        assert usual.rate(RAMADAN_WORK + hour) == pytest.approx(
            source.rate(at("2026-03-11T00:00") + hour * HOUR_MS), rel=0.25
        )


def test_after_clocks_were_put_back_local_habits_stay_where_they_were() -> None:
    hours = Hours("Europe/Berlin", Calendar())
    now = at("2026-10-26T00:00", "Europe/Berlin")
    source = Traffic(hours, 20_000, random.Random(2), origin_ms=now)
    worst, _ = week_of(Past(source, now_ms=now).fit(), source, from_ms=now)
    assert worst < 0.2


def test_a_new_channel_takes_the_shape_of_its_entity_at_its_own_level() -> None:
    entity = traffic(50_000, seed=9)
    shape = fit_shape(Past(entity).span, Past(entity).counts.every)
    new = traffic(500, seed=3)
    past = Past(new, weeks=2 / 7)
    blind, led = week_of(past.fit(), new)[0], week_of(past.fit(prior=shape), new)[0]
    assert led < 0.6
    assert led < blind / 2


def test_its_own_shape_outweighs_the_entitys_as_data_come() -> None:
    shape = shape_of(Past(traffic(50_000, seed=9)).fit().every)
    own = traffic(5_000, seed=4, curve=NIGHT_CURVE)
    errors = [week_of(Past(own, weeks=weeks).fit(prior=shape), own)[0] for weeks in (1 / 7, 1, 6)]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.3


def test_nothing_ever_counted_has_no_pattern() -> None:
    span = Span(HOURS, to_ms=NOW, weeks=8)
    assert fit(span, Counts(span), bad=(), prior=FLAT) is None


def test_what_is_stored_is_what_was_fitted() -> None:
    pattern = Past(traffic(500)).fit()
    assert decode(encode(pattern)) == pattern


def test_the_failure_rate_is_the_usual_one_whatever_a_bad_day_did() -> None:
    source = traffic(5_000, failing=0.04)
    past = Past(source)
    for index in past.hours_of(NOW - 40 * HOUR_MS, NOW - 34 * HOUR_MS):
        past.counts.failed[index] += past.counts.completed[index] // 2
    assert past.fit().failing.share == pytest.approx(0.04, rel=0.15)


def test_batches_show_in_the_minutes_and_a_change_of_the_rate_does_not() -> None:
    busy = traffic(200_000, seed=6)
    batched = traffic(20_000, seed=6, batch=5)
    end = at("2026-11-02T14:00")

    def minutes(source: Traffic) -> dict[int, tuple[int, int, int]]:
        ends = range(end - 6 * HOUR_MS, end, MINUTE_MS)
        return {each: (source.minute(each), 0, 0) for each in ends}

    found = [burst_of(minutes(each), from_ms=end - 6 * HOUR_MS, to_ms=end) for each in (busy, batched)]
    assert found[0] < 1.3
    assert 3.8 < found[1] < 6.2


@pytest.mark.parametrize(
    ("a_week", "given", "weeks"),
    [
        (300, {}, 8),
        (3_000, {"hourly": 0.02, "daily": 0.01}, 8),
        (3_000, {"hourly": 0.1, "daily": 0.05}, 8),
        (30_000, {"hourly": 0.02, "daily": 0.01}, 8),
        (3_000, {"hourly": 0.02, "daily": 0.01}, 2),
        (3_000, {"hourly": 0.02, "daily": 0.01, "growth": 1.04}, 6),
    ],
)
def test_the_band_holds_what_it_says(a_week: int, given: dict[str, float], weeks: int) -> None:
    """The 80 % and the 95 % band over stretches of 1, 6 and 24 hours of the week that follows."""
    inside = {0.8: 0, 0.95: 0}
    looked = 0
    for seed in range(16):
        source = traffic(a_week, seed=seed, **given)
        usual = Past(source, weeks=weeks).fit().every
        for hours_long in (1, 6, 24):
            for begin in range(8, WEEK_HOURS - 24, 20):
                from_ms = NOW + begin * HOUR_MS
                seen = sum(source.hour(from_ms + n * HOUR_MS) for n in range(hours_long))
                expected = usual.expected(HOURS, from_ms, from_ms + hours_long * HOUR_MS)
                looked += 1
                for share in inside:
                    low, high = expected.band(share)
                    inside[share] += low <= seen <= high
    held = {share: count / looked for share, count in inside.items()}
    print(f"{a_week} a week, {given}, {weeks} weeks: {held}")
    assert 0.74 <= held[0.8] <= 0.93
    assert held[0.95] >= 0.90


def test_expectations_add_up_and_never_get_surer_by_it() -> None:
    one, other = Expectation(10, 12, 3), Expectation(20, 20, 4)
    assert one + other == Expectation(30, 32, 7)
    assert (one + other).variance >= one.variance + other.variance


def test_hours_in_which_an_office_is_always_closed_are_expected_to_be_empty() -> None:
    office = [0] * 8 + [20, 30, 30, 25, 20, 20, 8] + [0] * 9
    shape = shape_of(Past(traffic(50_000, seed=9)).fit().every)  # of others, that are open all day
    for weeks in (3, 8):
        usual = Past(traffic(10_000, curve=office, weekend=0.0), weeks=weeks).fit(prior=shape).every
        evening = usual.expected(HOURS, at("2026-11-04T16:00"), at("2026-11-04T22:00"))
        assert evening.mean < 5
        assert usual.rate(2 * 24 + 9) > 100
        sunday = usual.expected(HOURS, at("2026-11-08T09:00"), at("2026-11-08T15:00"))
        assert sunday.mean < 5
