"""Which days a report is about: edges of weeks over summer time and at the ends of years."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from monitor.facts import Dirty
from monitor.judge.periods import Kind
from monitor.report.due import Clocks, finished_weeks, missing, next_due_ms
from monitor.report.times import BadLabel, before, named_stretch, stretch_of, week_label
from tests.golden_week import DAY_MS, END_MS, HOUR_MS, START_MS, WEEK_MS

DUBAI, BAHRAIN, LONDON = ZoneInfo("Asia/Dubai"), ZoneInfo("Asia/Bahrain"), ZoneInfo("Europe/London")
MONDAY, SATURDAY, SUNDAY = 0, 5, 6


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("zone", "week_start", "label", "first", "last", "began"),
    [
        (DUBAI, MONDAY, "2026-W47", "2026-11-16", "2026-11-22", "2026-11-15T20:00Z"),
        (BAHRAIN, SUNDAY, "2026-W47", "2026-11-15", "2026-11-21", "2026-11-14T21:00Z"),
        (BAHRAIN, SATURDAY, "2026-W47", "2026-11-14", "2026-11-20", "2026-11-13T21:00Z"),
        (LONDON, MONDAY, "2026-W43", "2026-10-19", "2026-10-25", "2026-10-18T23:00Z"),
        (DUBAI, MONDAY, "2026-W53", "2026-12-28", "2027-01-03", "2026-12-27T20:00Z"),
        (DUBAI, SUNDAY, "2027-W01", "2027-01-03", "2027-01-09", "2027-01-02T20:00Z"),
        (DUBAI, SATURDAY, "2026-W01", "2025-12-27", "2026-01-02", "2025-12-26T20:00Z"),
        (DUBAI, MONDAY, "2025-W01", "2024-12-30", "2025-01-05", "2024-12-29T20:00Z"),
    ],
)
def test_t14_a_week_begins_as_the_setting_says(
    zone: ZoneInfo, week_start: int, label: str, first: str, last: str, began: str
) -> None:
    week = named_stretch(label, zone, week_start=week_start)
    assert (str(week.first), str(week.last), week.start_ms) == (first, last, ms(began.replace("Z", "+00:00")))
    assert week_label(week.first) == label


@pytest.mark.parametrize(("label", "hours"), [("2026-W43", 169), ("2026-W13", 167), ("2026-W20", 168)])
def test_t13_a_week_over_a_change_of_the_clock_has_the_hours_it_has(label: str, hours: int) -> None:
    week = named_stretch(label, LONDON, week_start=MONDAY)
    assert (week.end_ms - week.start_ms) // HOUR_MS == hours


@pytest.mark.parametrize("week_start", range(7))
def test_t12_weeks_of_ten_years_follow_one_another_each_under_its_own_name(week_start: int) -> None:
    week = stretch_of(Kind.WEEK, date(2030, 1, 9), DUBAI, week_start=week_start)
    seen = set()
    for _ in range(530):
        assert named_stretch(week.label, DUBAI, week_start=week_start) == week
        assert week.label not in seen
        seen.add(week.label)
        earlier = before(week, DUBAI, week_start=week_start)
        assert earlier.end_ms == week.start_ms
        week = earlier


def test_with_weeks_from_monday_labels_are_those_of_iso() -> None:
    for year in range(2020, 2032):
        for day in (date(year, 1, 1), date(year, 12, 31), date(year, 7, 4)):
            number = day.isocalendar()
            week = stretch_of(Kind.WEEK, day, DUBAI, week_start=MONDAY)
            assert week.label == f"{number.year}-W{number.week:02d}"


@pytest.mark.parametrize(
    ("label", "first", "last"),
    [
        ("2026-11", "2026-11-01", "2026-11-30"),
        ("2026-Q4", "2026-10-01", "2026-12-31"),
        ("2026-11-01_2026-11-10", "2026-11-01", "2026-11-10"),
        ("2026-11-10_2026-11-10", "2026-11-10", "2026-11-10"),
    ],
)
def test_months_quarters_and_ranges_are_named(label: str, first: str, last: str) -> None:
    found = named_stretch(label, DUBAI, week_start=MONDAY)
    assert (str(found.first), str(found.last), found.label) == (first, last, label)


@pytest.mark.parametrize(
    ("label", "earlier"),
    [("2026-01", "2025-12"), ("2026-Q1", "2025-Q4"), ("2026-11-11_2026-11-20", "2026-11-01_2026-11-10")],
)
def test_the_period_before_is_of_the_same_kind(label: str, earlier: str) -> None:
    found = before(named_stretch(label, DUBAI, week_start=MONDAY), DUBAI, week_start=MONDAY)
    assert found.label == earlier


@pytest.mark.parametrize(
    "label",
    [
        "2026-W54",
        "2025-W53",
        "2026-W00",
        "2026-13",
        "2026-Q5",
        "2026-11-10_2026-11-01",
        "next",
        "",
        "0001-01",
    ],
)
def test_what_is_no_period_is_refused_with_how_to_write_one(label: str) -> None:
    with pytest.raises(BadLabel, match="is no period"):
        named_stretch(label, DUBAI, week_start=MONDAY)


# -- when it may be published

WEEK = named_stretch("2026-W47", DUBAI, week_start=MONDAY)


def clocks(
    *, judged: int | None = END_MS + HOUR_MS, counted: int | None = END_MS + HOUR_MS, counts: bool = True,
    unfolded: int | None = None, accounted: int | None = END_MS, dirty: tuple[Dirty, ...] = (),
) -> Clocks:  # fmt: skip
    return Clocks(judged, counts, counted, unfolded, accounted, dirty)


def lacking(found: Clocks) -> list[tuple[str, datetime | None]]:
    return [(each.what, each.until) for each in missing(WEEK, found, grace_ms=HOUR_MS)]


def test_nothing_lacks_once_every_clock_has_passed_the_end_and_the_grace() -> None:
    assert lacking(clocks()) == []


def test_a_clock_within_the_grace_is_waited_for() -> None:
    until = datetime.fromtimestamp((END_MS + HOUR_MS - 1) / 1000, UTC)
    assert lacking(clocks(judged=END_MS + HOUR_MS - 1)) == [("judged", until)]
    assert lacking(clocks(counted=END_MS + HOUR_MS - 1)) == [("counted", until)]


def test_transactions_are_waited_for_only_where_anybody_sends_some() -> None:
    assert lacking(clocks(counted=None, counts=False)) == []
    assert lacking(clocks(counted=None)) == [("counted", None)]


def test_hours_of_transactions_that_are_not_summed_yet_are_waited_for() -> None:
    hour = START_MS + 5 * HOUR_MS
    assert lacking(clocks(unfolded=hour)) == [("counted", datetime.fromtimestamp(hour / 1000, UTC))]
    assert lacking(clocks(unfolded=END_MS)) == []


def test_sums_that_are_to_be_made_anew_are_waited_for() -> None:
    since = datetime.fromtimestamp((START_MS + DAY_MS) / 1000, UTC)
    assert lacking(clocks(dirty=(Dirty(1, START_MS + DAY_MS, None),))) == [("accounted", since)]
    assert lacking(clocks(dirty=(Dirty(1, END_MS, None), Dirty(2, START_MS - DAY_MS, START_MS)))) == []


def test_estimates_of_what_outages_of_the_week_cost_are_waited_for() -> None:
    began = START_MS + DAY_MS
    found = lacking(clocks()._replace(unreckoned_ms=(START_MS - 1, END_MS, began + 1, began)))
    assert found == [("estimated", datetime.fromtimestamp(began / 1000, UTC))]
    assert lacking(clocks()._replace(unreckoned_ms=(START_MS - 1, END_MS))) == []


def test_nothing_at_all_lacks_everything() -> None:
    found = lacking(Clocks(None, True, None, None, None, ()))
    assert found == [("judged", None), ("counted", None), ("accounted", None)]


def test_weeks_that_ended_while_nobody_published_come_oldest_first() -> None:
    found = finished_weeks(
        END_MS + HOUR_MS, DUBAI, week_start=MONDAY, began_ms=START_MS - 2 * WEEK_MS + DAY_MS, grace_ms=HOUR_MS
    )
    assert [week.label for week in found] == ["2026-W45", "2026-W46", "2026-W47"]


def test_a_week_is_not_finished_before_its_grace_is_over() -> None:
    found = finished_weeks(
        END_MS + HOUR_MS - 1, DUBAI, week_start=MONDAY, began_ms=START_MS, grace_ms=HOUR_MS
    )
    assert list(found) == []


@pytest.mark.parametrize(
    ("now", "due"),
    [(END_MS - 1, END_MS), (END_MS + HOUR_MS - 1, END_MS), (END_MS + HOUR_MS, END_MS + WEEK_MS)],
)
def test_the_next_report_is_due_at_the_end_of_its_week_and_the_grace(now: int, due: int) -> None:
    assert next_due_ms(now, DUBAI, week_start=MONDAY, grace_ms=HOUR_MS) == due + HOUR_MS
