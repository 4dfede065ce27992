"""What a pass of accounting takes on: the days since the last one and the marked ones, a bounded number."""

from __future__ import annotations

from monitor.facts import Dirty
from monitor.judge.periods import Kind
from monitor.judge.terms import terms_of
from monitor.judge.totals import DAYS, Work, plan
from monitor.model import Catalogue

DAY_MS = 86_400_000
TERMS = terms_of(Catalogue())
NOW_MS = 20_000 * DAY_MS + DAY_MS // 2  # noon


def planned(*marks: Dirty, since_ms: int = NOW_MS - 1000, began_days: int = 400, anew: bool = False) -> Work:
    work = plan(
        TERMS, marks, began_ms=NOW_MS - began_days * DAY_MS, since_ms=since_ms, as_of_ms=NOW_MS, anew=anew
    )
    assert work is not None
    return work


def days_ago(work: Work) -> list[int]:
    return [(NOW_MS - day.start_ms) // DAY_MS for day in work.days]


def test_as_time_goes_by_only_today_is_counted_again() -> None:
    work = planned()
    assert (days_ago(work), work.until_ms, work.again, work.more) == ([0], NOW_MS, False, False)


def test_nothing_new_is_nothing_to_do() -> None:
    assert plan(TERMS, [], began_ms=0, since_ms=NOW_MS, as_of_ms=NOW_MS, anew=False) is None


def test_a_day_that_has_just_ended_is_finished_with_the_first_pass_of_the_next() -> None:
    assert days_ago(planned(since_ms=NOW_MS - 13 * DAY_MS // 24)) == [1, 0]


def test_marked_days_come_with_today_the_oldest_first() -> None:
    work = planned(Dirty(1, NOW_MS - 3 * DAY_MS, NOW_MS - 2 * DAY_MS))
    assert (days_ago(work), work.again, work.marks) == ([3, 2, 0], True, [1])


def test_a_long_time_is_dealt_with_in_passes_of_a_week_and_the_mark_moves_on() -> None:
    work = planned(Dirty(1, NOW_MS - 30 * DAY_MS, None))
    assert (len(work.days), work.more, work.marks_until_ms) == (DAYS, True, work.days[-1].end_ms)
    assert work.until_ms == NOW_MS - 1000, "what was accounted stays accounted"


def test_a_mark_from_before_anybody_existed_costs_nothing() -> None:
    work = planned(Dirty(1, 0, 100 * DAY_MS), began_days=2)
    assert days_ago(work) == [0]


def test_a_mark_of_days_to_come_waits_for_nothing() -> None:
    """Those days are counted with what is known when they come."""
    work = planned(Dirty(1, NOW_MS + DAY_MS, NOW_MS + 2 * DAY_MS))
    assert (days_ago(work), work.marks_until_ms > NOW_MS + 2 * DAY_MS) == ([0], True)


def test_other_terms_begin_with_the_first_day_there_was() -> None:
    work = planned(since_ms=NOW_MS - 400 * DAY_MS, anew=True)
    assert days_ago(work) == [400 - n for n in range(DAYS)]
    assert list(work.replaced()) == [(Kind.WEEK, None)]
