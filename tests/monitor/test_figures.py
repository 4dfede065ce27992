"""Every figure is what looking at each millisecond gives, however time, subjects and exclusions are cut."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.judge.figures import Excluded, Figure, Tally, When, account, joined, summed
from monitor.judge.ranges import ALWAYS, Ranges, holds, union
from monitor.judge.seconds import Rate, Says, Spent, State, rate, ratio_of
from monitor.judge.timeline import Step, squeeze, value_at
from monitor.model import Missing, Policy, Verdict
from tests.monitor import figure_reference as reference

END = 60
SECOND_MS, HOUR_MS, DAY_MS = 1000, 3_600_000, 86_400_000

verdicts = st.sampled_from(list(Verdict))
moments = st.integers(0, END)
ranges = st.lists(st.tuples(moments, moments), max_size=4).map(union)
timelines = st.lists(st.tuples(moments, verdicts, st.sampled_from(["ok", "timeout"])), max_size=8).map(
    lambda rows: squeeze(Step(at, verdict, reason) for at, verdict, reason in sorted(rows))
)
exclusions = st.builds(Excluded, ranges, ranges, ranges)
memberships = st.one_of(st.just(ALWAYS), ranges)
subjects = st.lists(st.tuples(timelines, memberships, exclusions), min_size=1, max_size=3)
Subject = tuple[list[Step], Ranges, Excluded]


def at(subject: Subject, *, whole: bool) -> reference.At:
    steps, exists, excluded = subject

    def state(t: int) -> State | None:
        if not holds(exists, t):
            return None
        if holds(excluded.closed, t) or (not whole and holds(excluded.out_of_hours, t)):
            return State.OUT_OF_HOURS
        if not whole and holds(excluded.maintenance, t):
            return State.MAINTENANCE
        return State(value_at(steps, t).verdict.value)

    return state


def figure(number: int, subject: Subject, start: int, end: int, as_of: int) -> Figure:
    steps, exists, excluded = subject
    return account(
        f"service:s{number}", steps, When(start, end, as_of), exists=exists,
        excluded=excluded,
    )  # fmt: skip


def plain(tally: Tally) -> Tally:
    return msgspec.structs.replace(tally, edges=())


@given(subjects, st.lists(moments, min_size=2, max_size=6, unique=True), moments)
def test_t1_t9_t11_t18_any_cut_of_time_and_subjects_gives_what_every_millisecond_gives(
    given_subjects: list[Subject], cuts: list[int], as_of: int
) -> None:
    edges = sorted(cuts)
    start, end = edges[0], edges[-1]
    pieces = [
        summed(
            [figure(i, subject, one, two, as_of) for i, subject in enumerate(given_subjects)],
            When(one, two, as_of),
        )
        for one, two in pairwise(edges)
    ]
    found, stop = joined(pieces), max(start, min(end, as_of))
    for whole, tally in ((False, found.counted), (True, found.whole)):
        ats = [at(subject, whole=whole) for subject in given_subjects]
        assert plain(tally) == reference.tally(ats, start, stop)


@given(st.lists(timelines, min_size=1, max_size=3), st.lists(moments, max_size=5, unique=True))
def test_joining_is_the_same_however_the_stretches_are_grouped(
    steps: list[list[Step]], cuts: list[int]
) -> None:
    edges = sorted({0, END, *cuts})
    pieces = [
        summed(
            [figure(i, (each, ALWAYS, Excluded()), one, two, END) for i, each in enumerate(steps)],
            When(one, two, END),
        )
        for one, two in pairwise(edges)
    ]  # fmt: skip
    from_the_right = pieces[-1]
    for piece in reversed(pieces[:-1]):
        from_the_right = joined([piece, from_the_right])
    left = joined(pieces)
    assert (plain(left.counted), sorted(left.counted.edges, key=lambda edge: edge.subject)) == (
        plain(from_the_right.counted),
        sorted(from_the_right.counted.edges, key=lambda edge: edge.subject),
    )


def day(*steps: Step, excluded: Excluded | None = None, as_of_ms: int = DAY_MS) -> Figure:
    return account("service:a", steps, When(0, DAY_MS, as_of_ms), excluded=excluded or Excluded())


UP = Step(-DAY_MS, Verdict.UP)


def outage(from_ms: int, to_ms: int) -> tuple[Step, ...]:
    return (UP, Step(from_ms, Verdict.DOWN, "timeout"), Step(to_ms, Verdict.UP))


def test_t1_a_gap_of_nine_hours_lowers_coverage_and_says_insufficient_data() -> None:
    found = day(UP, Step(HOUR_MS, Verdict.UNKNOWN, "silence"), Step(10 * HOUR_MS, Verdict.UP))
    assert rate(found.counted.spent, Policy()) == Rate(Says.INSUFFICIENT, None, "62.50")


def test_t2_nothing_measured_is_no_data_and_neither_0_nor_100() -> None:
    found = day()
    assert rate(found.counted.spent, Policy()) == Rate(Says.NO_DATA, None, "0.00")


def test_t3_the_monitors_own_outage_is_unknown_and_lowers_no_availability() -> None:
    found = day(UP, Step(HOUR_MS, Verdict.UNKNOWN, "silence"), Step(2 * HOUR_MS, Verdict.UP))
    assert rate(found.counted.spent, Policy()) == Rate(Says.FIGURE, "100", "95.83")


@pytest.mark.parametrize(
    ("missing", "printed"), [(Missing.EXCLUDE, "100"), (Missing.BAD, "95.83"), (Missing.GOOD, "100")]
)
def test_t4_what_unknown_counts_as_is_a_setting(missing: Missing, printed: str) -> None:
    found = day(UP, Step(HOUR_MS, Verdict.UNKNOWN, "silence"), Step(2 * HOUR_MS, Verdict.UP))
    assert rate(found.counted.spent, Policy(missing=missing)).availability == printed


@pytest.mark.parametrize(("counts", "printed"), [(True, "100"), (False, "95.83")])
def test_whether_degraded_counts_as_available_is_a_setting(counts: bool, printed: str) -> None:
    found = day(UP, Step(HOUR_MS, Verdict.DEGRADED, "slow"), Step(2 * HOUR_MS, Verdict.UP))
    assert rate(found.counted.spent, Policy(degraded_counts=counts)).availability == printed


def test_t7_an_exclusion_is_applied_to_the_figure_and_the_figure_without_it_stays() -> None:
    found = day(*outage(HOUR_MS, 3 * HOUR_MS), excluded=Excluded(maintenance=((HOUR_MS, 2 * HOUR_MS),)))
    assert (found.counted.spent, found.whole.spent) == (
        Spent(up_ms=22 * HOUR_MS, down_ms=HOUR_MS, maintenance_ms=HOUR_MS),
        Spent(up_ms=22 * HOUR_MS, down_ms=2 * HOUR_MS),
    )


def test_t8_a_period_wholly_excluded_is_not_applicable() -> None:
    found = day(*outage(0, DAY_MS), excluded=Excluded(maintenance=((0, DAY_MS),)))
    assert rate(found.counted.spent, Policy()) == Rate(Says.NOT_APPLICABLE, None, None)


def test_out_of_hours_goes_before_maintenance_and_maintenance_before_down() -> None:
    excluded = Excluded(closed=((0, 2 * HOUR_MS),), maintenance=((HOUR_MS, 3 * HOUR_MS),))
    assert day(*outage(0, DAY_MS), excluded=excluded).counted.spent == Spent(
        out_of_hours_ms=2 * HOUR_MS, maintenance_ms=HOUR_MS, down_ms=21 * HOUR_MS
    )


def test_t11_an_outage_over_midnight_is_one_outage_of_the_two_days() -> None:
    steps = outage(23 * HOUR_MS, DAY_MS + 2 * HOUR_MS)
    days = [account("service:a", steps, When(at, at + DAY_MS, 2 * DAY_MS)) for at in (0, DAY_MS)]
    both = joined(days).counted
    assert [each.counted.outages for each in days] == [1, 1]
    assert (both.outages, both.longest_ms, both.restored, both.mean_restore_ms) == (
        1, 3 * HOUR_MS, 1, 3 * HOUR_MS,
    )  # fmt: skip


def test_t20_a_period_has_nothing_of_what_lies_before_or_after_it() -> None:
    """An outage from the last hour before a day until the first after it is that day's 24 hours, not 26."""
    steps = outage(23 * HOUR_MS, 2 * DAY_MS + HOUR_MS)
    of_day, after = (
        account("service:a", steps, When(day * DAY_MS, (day + 1) * DAY_MS, 3 * DAY_MS)) for day in (1, 2)
    )
    assert (of_day.counted.spent, after.counted.spent) == (
        Spent(down_ms=24 * HOUR_MS),
        Spent(up_ms=23 * HOUR_MS, down_ms=HOUR_MS),
    )


def test_t18_a_mean_of_ratios_is_never_taken_service_seconds_are_added() -> None:
    """One service up for a day, one that exists for an hour and is down in it: 24 of 25 hours, not 50 %."""
    young = account(
        "service:b", [Step(0, Verdict.DOWN)], When(0, DAY_MS, DAY_MS),
        exists=((0, HOUR_MS),),
    )  # fmt: skip
    both = summed([day(UP), young], When(0, DAY_MS, DAY_MS))
    assert both.counted.spent.availability == Fraction(24, 25)


def test_time_after_the_as_of_is_not_counted_neither_as_unknown() -> None:
    found = day(*outage(HOUR_MS, DAY_MS), as_of_ms=2 * HOUR_MS)
    assert (found.counted.spent.total_ms, found.counted.outages, found.counted.restored) == (
        2 * HOUR_MS, 1, 0,
    )  # fmt: skip


def test_time_outside_membership_does_not_exist() -> None:
    found = account(
        "service:a", outage(0, DAY_MS), When(0, DAY_MS, DAY_MS),
        exists=((HOUR_MS, 2 * HOUR_MS),),
    )  # fmt: skip
    assert found.counted.spent == Spent(down_ms=HOUR_MS)


def test_t6_a_figure_is_of_time_and_not_of_how_often_was_looked() -> None:
    steps = [UP, *(Step(t * SECOND_MS, Verdict.UP) for t in range(1, 500)), *outage(HOUR_MS, 2 * HOUR_MS)[1:]]
    assert day(*squeeze(steps)) == day(*outage(HOUR_MS, 2 * HOUR_MS))


@given(st.integers(1, 10**15), st.integers(0, 6), st.data())
def test_t41_what_is_printed_is_never_more_than_what_is_true(
    whole: int, decimals: int, data: st.DataObject
) -> None:
    lost = data.draw(st.integers(1, whole))
    found = rate(Spent(up_ms=whole - lost, down_ms=lost), Policy(decimals=decimals))
    assert found.availability is not None
    assert Fraction(found.availability) / 100 <= Fraction(whole - lost, whole)
    assert found.availability != "100"


@pytest.mark.parametrize(
    ("percent", "ratio"),
    [("100", "1"), ("99.96", "0.9996"), ("99.90", "0.999"), ("5.00", "0.05"), ("0.00", "0"), ("33", "0.33")],
)
def test_a_ratio_has_the_digits_of_the_percentage(percent: str, ratio: str) -> None:
    assert ratio_of(percent) == ratio
