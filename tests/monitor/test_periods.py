"""Periods of a calendar in any zone, at their edges, over changes of the clock, with any first weekday."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.judge.periods import Kind, days_touching, days_within, period_at, period_of
from monitor.judge.terms import terms_of
from monitor.model import Calendar, Catalogue, DayName

HOUR_MS = 3_600_000
ZONES = (
    "UTC",
    "Asia/Dubai",
    "Europe/Berlin",
    "America/Havana",
    "Asia/Beirut",
    "Pacific/Apia",
    "Asia/Kathmandu",
)
MONDAY, SUNDAY, SATURDAY = 0, 6, 5
zones = st.sampled_from([ZoneInfo(name) for name in ZONES])
instants = st.datetimes(datetime(2010, 1, 1), datetime(2035, 1, 1)).map(
    lambda at: int(at.replace(tzinfo=UTC).timestamp()) * 1000
)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@given(st.sampled_from(list(Kind)), instants, zones, st.integers(0, 6))
def test_t12_an_instant_lies_in_its_period_and_neighbours_meet(
    kind: Kind, at_ms: int, zone: ZoneInfo, week_start: int
) -> None:
    found = period_at(kind, at_ms, zone, week_start=week_start)
    assert found.start_ms <= at_ms < found.end_ms
    if kind not in (Kind.DAYS_7, Kind.DAYS_28):
        after = period_at(kind, found.end_ms, zone, week_start=week_start)
        before = period_at(kind, found.start_ms - 1, zone, week_start=week_start)
        assert (after.start_ms, before.end_ms) == (found.end_ms, found.start_ms)


@pytest.mark.parametrize(
    ("kind", "last", "first"),
    [
        (Kind.DAY, "2026-11-15T23:59:59.999+04:00", "2026-11-16T00:00:00+04:00"),
        (Kind.WEEK, "2026-11-15T23:59:59.999+04:00", "2026-11-16T00:00:00+04:00"),
        (Kind.MONTH, "2028-02-29T23:59:59.999+04:00", "2028-03-01T00:00:00+04:00"),
        (Kind.QUARTER, "2026-12-31T23:59:59.999+04:00", "2027-01-01T00:00:00+04:00"),
        (Kind.YEAR, "2026-12-31T23:59:59.999+04:00", "2027-01-01T00:00:00+04:00"),
    ],
)
def test_t12_the_last_instant_of_a_period_and_the_first_of_the_next(
    kind: Kind, last: str, first: str
) -> None:
    zone = ZoneInfo("Asia/Dubai")
    assert (period_at(kind, ms(last), zone).end_ms, period_at(kind, ms(first), zone).start_ms) == (
        ms(first),
        ms(first),
    )


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)]
)
def test_t13_a_day_on_which_the_clock_changes_has_23_or_25_hours(day: date, hours: int) -> None:
    found = period_of(Kind.DAY, day, ZoneInfo("Europe/Berlin"))
    assert found.end_ms - found.start_ms == hours * HOUR_MS


def test_t13_where_the_clock_skips_midnight_the_day_begins_with_the_first_instant_there_is() -> None:
    found = period_of(Kind.DAY, date(2024, 3, 10), ZoneInfo("America/Havana"))  # 00:00 became 01:00
    assert found.start_ms == ms("2024-03-10T01:00:00-04:00")


def test_t13_a_day_that_never_was_has_no_time() -> None:
    """Samoa left out 30 December 2011."""
    found = period_of(Kind.DAY, date(2011, 12, 30), ZoneInfo("Pacific/Apia"))
    assert found.start_ms == found.end_ms


@pytest.mark.parametrize(
    ("start", "first"), [(MONDAY, "2026-11-23"), (SUNDAY, "2026-11-22"), (SATURDAY, "2026-11-21")]
)
def test_t14_a_week_begins_with_the_day_the_setting_says(start: int, first: str) -> None:
    found = period_of(Kind.WEEK, date(2026, 11, 25), ZoneInfo("Asia/Bahrain"), week_start=start)
    assert found.start_ms == ms(f"{first}T00:00:00+03:00")


def test_the_last_seven_days_are_today_and_the_six_before_it() -> None:
    found = period_of(Kind.DAYS_7, date(2026, 11, 25), ZoneInfo("UTC"))
    assert (found.start_ms, found.end_ms) == (ms("2026-11-19T00:00:00Z"), ms("2026-11-26T00:00:00Z"))


@given(instants, st.integers(1, 40 * 24 * HOUR_MS), zones)
def test_the_days_of_a_range_cover_it_without_a_hole_and_the_whole_ones_lie_inside(
    start_ms: int, length_ms: int, zone: ZoneInfo
) -> None:
    touching = list(days_touching(start_ms, start_ms + length_ms, zone))
    within = days_within(start_ms, start_ms + length_ms, zone)
    assert touching[0].start_ms <= start_ms
    assert touching[-1].end_ms >= start_ms + length_ms
    assert all(one.end_ms == two.start_ms for one, two in pairwise(touching))
    assert [day for day in touching if day in within] == within


def test_quarters_begin_in_january_april_july_october() -> None:
    zone, day = ZoneInfo("UTC"), date(2026, 1, 1)
    starts = {period_of(Kind.QUARTER, day + timedelta(days=n), zone).start_ms for n in range(365)}
    assert starts == {ms(f"2026-{month}-01T00:00:00Z") for month in ("01", "04", "07", "10")}


def test_t14_the_start_of_the_week_is_part_of_the_terms_that_are_printed() -> None:
    bahrain = Catalogue(zone="Asia/Bahrain", calendar=Calendar(week_start=DayName.SUNDAY))
    terms = terms_of(bahrain)
    found = terms.period(Kind.WEEK, ms("2026-11-25T12:00:00+03:00"))
    assert (found.start_ms, terms.written) == (
        ms("2026-11-22T00:00:00+03:00"),
        '[6,"exclude",true,0.9,2,86400.0]',
    )
