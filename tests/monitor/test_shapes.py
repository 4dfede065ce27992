"""Sample transactions: three million in three weeks, the same whoever asks, fewer while a fault is on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor.config.load import load
from monitor.demo import dips
from monitor.demo.course import Course
from monitor.demo.dips import BACK_MOST_MS, COME_BACK, Dip, Felt
from monitor.demo.faults import FLAP_S, On
from monitor.demo.shapes import DAY_MS, HOUR_MS, MINUTE_MS, Event, usages
from monitor.model import Catalogue, TransactionOutcome

CONFIG = Path(__file__).parents[2] / "config"
ZONE = ZoneInfo("Asia/Riyadh")
SUNDAY = int(datetime(2026, 3, 1, tzinfo=ZONE).timestamp() * 1000)  # a working day there
TEN = SUNDAY + 10 * HOUR_MS
FAILED, COMPLETED = TransactionOutcome.FAILED, TransactionOutcome.COMPLETED


@pytest.fixture(scope="module")
def sample() -> Catalogue:
    return load(CONFIG, replace={}).catalogue


@pytest.fixture(scope="module")
def course(sample: Catalogue) -> Course:
    return Course(sample)


@pytest.fixture(scope="module")
def by_hour(course: Course, sample: Catalogue) -> Counter[datetime]:
    """How many take place in each local hour of three weeks, the holes of a history included."""
    holes, found = dips.holes(sample.zone, SUNDAY), Counter[datetime]()
    for begin_ms in range(SUNDAY, SUNDAY + 21 * DAY_MS, HOUR_MS):
        hour = datetime.fromtimestamp(begin_ms / 1000, UTC).astimezone(ZONE)
        found[hour] = len(course.between(begin_ms, begin_ms + HOUR_MS, holes))
    return found


WORKING_DAYS, WEEKEND = (6, 0, 1, 2, 3), (4, 5)  # Monday is 0


def of(by_hour: Counter[datetime], *, days: Sequence[int] = WORKING_DAYS, hour: int | None = None) -> float:
    """The mean hour of these weekdays."""
    found = [n for at, n in by_hour.items() if at.weekday() in days and hour in (None, at.hour)]
    return sum(found) / len(found)


def felt_by(name: str, sample: Catalogue, what: Felt) -> set[tuple[str, str]]:
    return {place for place, felt in dips.felt_by_name(sample)[name].items() if felt is what}


def at(places: set[tuple[str, str]], events: Sequence[Event]) -> list[Event]:
    return [event for event in events if (event.service, event.channel) in places]


def test_three_weeks_add_up_to_three_million(by_hour: Counter[datetime]) -> None:
    assert by_hour.total() == pytest.approx(3_000_000, rel=0.01)


def test_nights_weekends_and_lunch_are_quieter(by_hour: Counter[datetime]) -> None:
    morning, lunch, afternoon, night = (of(by_hour, hour=hour) for hour in (10, 12, 14, 3))
    assert night < 0.05 * morning
    assert lunch < 0.85 * morning
    assert lunch < afternoon
    assert of(by_hour, days=WEEKEND) == pytest.approx(0.45 * of(by_hour), rel=0.1)


def test_services_are_of_very_different_sizes(sample: Catalogue) -> None:
    a_day = [sum(offer.per_week for offer in usage.offers) / 7 for usage in usages(sample)]
    assert a_day == sorted(a_day, reverse=True)
    assert 15 < a_day[0] / 1440 < 30
    assert sum(size < 25 for size in a_day) > len(a_day) / 4


def test_offices_are_shut_at_night_and_on_the_weekend(course: Course) -> None:
    friday = SUNDAY + 5 * DAY_MS
    found = course.between(friday, friday + DAY_MS) + course.between(SUNDAY, SUNDAY + 6 * HOUR_MS)
    assert [event for event in found if event.channel == "service-centre"] == []


def test_most_are_completed_and_these_say_how_long_they_took(course: Course) -> None:
    found = course.between(TEN, TEN + HOUR_MS)
    ended = Counter(event.outcome for event in found)
    assert ended[COMPLETED] / len(found) == pytest.approx(0.93, abs=0.02)
    assert 0.005 < ended[FAILED] / len(found) < 0.03
    assert all((event.duration_ms is not None) == (event.outcome is COMPLETED) for event in found)


@pytest.mark.parametrize("step_ms", [997, 61_003, 600_000, 7_000_003])
def test_whoever_asks_and_in_whatever_pieces_the_same_takes_place(
    course: Course, sample: Catalogue, step_ms: int
) -> None:
    """A dip and those who come back after it are in the stretch."""
    wrong = [Dip("shared-system-down", TEN + 5 * MINUTE_MS, TEN + 15 * MINUTE_MS)]
    end_ms = TEN + 40 * MINUTE_MS
    edges = [*range(TEN, end_ms, step_ms), end_ms]
    pieces = [event for begin, end in pairwise(edges) for event in course.between(begin, end, wrong)]
    assert pieces == Course(sample).between(TEN, end_ms, wrong)
    assert any(event.again for event in pieces)


def test_every_transaction_has_an_id_of_its_own(course: Course) -> None:
    wrong = [Dip("shared-system-down", TEN, TEN + 30 * MINUTE_MS)]
    found = Counter(event.id for event in course.between(TEN, TEN + 3 * HOUR_MS, wrong))
    assert set(found.values()) == {1}


def test_a_channel_that_is_down_sends_nothing(course: Course, sample: Catalogue) -> None:
    places, name = felt_by("hole-1", sample, Felt.GONE), "hole-1"
    wrong = [Dip(name, TEN, TEN + HOUR_MS)]
    assert at(places, course.between(TEN, TEN + HOUR_MS))
    assert at(places, course.between(TEN, TEN + HOUR_MS, wrong)) == []


def test_behind_a_system_that_is_down_a_few_fail_and_the_others_do_not_come(
    course: Course, sample: Catalogue
) -> None:
    places = felt_by("shared-system-down", sample, Felt.BLOCKED)
    wrong = [Dip("shared-system-down", TEN, TEN + HOUR_MS)]
    usual = at(places, course.between(TEN, TEN + HOUR_MS))
    left = at(places, course.between(TEN, TEN + HOUR_MS, wrong))
    assert {event.outcome for event in left} == {FAILED}
    assert 0.15 < len(left) / len(usual) < 0.45


def test_who_waits_for_a_slow_system_takes_longer_or_gives_up(course: Course, sample: Catalogue) -> None:
    places = felt_by("slow-system", sample, Felt.SLOW)
    usual = at(places, course.between(TEN, TEN + HOUR_MS))
    slowed = at(places, course.between(TEN, TEN + HOUR_MS, [Dip("slow-system", TEN, TEN + HOUR_MS)]))
    took = [sorted(e.duration_ms for e in those if e.duration_ms is not None) for those in (usual, slowed)]
    assert took[1][len(took[1]) // 2] > 2 * took[0][len(took[0]) // 2]
    assert len(took[1]) < 0.85 * len(took[0])


def test_a_fault_spares_everybody_else(course: Course, sample: Catalogue) -> None:
    hit = set(dips.felt_by_name(sample)["shared-system-down"])
    wrong = [Dip("shared-system-down", TEN, TEN + HOUR_MS)]
    usual, left = course.between(TEN, TEN + HOUR_MS), course.between(TEN, TEN + HOUR_MS, wrong)
    assert [e for e in usual if (e.service, e.channel) not in hit] == [
        e for e in left if (e.service, e.channel) not in hit
    ]


def test_part_of_what_was_prevented_is_made_up_within_hours(course: Course) -> None:
    over_ms = TEN + HOUR_MS
    wrong = [Dip("shared-system-down", TEN, over_ms)]
    usual = {event.id for event in course.between(TEN, over_ms) if event.outcome is COMPLETED}
    left = {event.id for event in course.between(TEN, over_ms, wrong) if event.outcome is COMPLETED}
    back = [e for e in course.between(TEN, over_ms + DAY_MS, wrong) if e.again]
    assert {event.id for event in back} <= {f"{name}-again" for name in usual - left}
    assert len(back) / len(usual - left) == pytest.approx(COME_BACK, abs=0.12)
    assert all(over_ms < event.at_ms < over_ms + BACK_MOST_MS for event in back)
    assert {event.outcome for event in back} == {COMPLETED}


def test_a_flapping_system_lets_them_through_half_of_the_time() -> None:
    flap_ms = int(FLAP_S * 1000)
    dip = Dip("flapping-system", TEN, TEN + 4 * flap_ms)
    found = [dip.covers(TEN + moment) for moment in (0, flap_ms - 1, flap_ms, 2 * flap_ms, 4 * flap_ms)]
    assert found == [True, True, False, True, False]


def test_holes_of_the_history_lie_inside_it_and_hit_somebody(sample: Catalogue) -> None:
    felt = dips.felt_by_name(sample)
    found = dips.holes(sample.zone, SUNDAY + 15 * HOUR_MS)
    assert all(felt[hole.name] for hole in found)
    assert all(SUNDAY + 15 * HOUR_MS < hole.since_ms < hole.until_ms < SUNDAY + 20 * DAY_MS for hole in found)


ON = On(since=1_000.0, until=1_120.0, by="hand")
DIP = Dip("error-page", 1_000_000, 1_120_000)


def test_a_fault_that_is_on_is_a_dip_until_it_ends() -> None:
    begun = dips.followed([], {"error-page": ON}, now_ms=1_001_000, looked_ms=1_000_000)
    ended = dips.followed(begun, {}, now_ms=1_120_000, looked_ms=1_119_000)
    assert (begun, ended) == ([DIP], [DIP])


def test_a_fault_that_is_ended_by_hand_or_begun_anew_ends_its_dip() -> None:
    anew = On(since=1_060.0, until=1_180.0, by="hand")
    cleared = dips.followed([DIP], {}, now_ms=1_061_000, looked_ms=1_060_000)
    again = dips.followed([DIP], {"error-page": anew}, now_ms=1_061_000, looked_ms=1_060_000)
    short = Dip("error-page", 1_000_000, 1_060_000)
    assert (cleared, again) == ([short], [short, Dip("error-page", 1_060_000, 1_180_000)])


def test_a_dip_from_which_nobody_comes_back_any_more_is_forgotten() -> None:
    after = timedelta(hours=31) // timedelta(milliseconds=1)
    found = [dips.followed([DIP], {}, now_ms=DIP.until_ms + ms, looked_ms=0) for ms in (after // 2, after)]
    assert found == [[DIP], []]


# -- sums, as a sender tells them that counts by itself


def holes_of_three_weeks(sample: Catalogue) -> list[Dip]:
    return dips.holes(sample.zone, SUNDAY)


def test_sums_hold_every_transaction_once_in_its_hour(course: Course, sample: Catalogue) -> None:
    holes = holes_of_three_weeks(sample)
    begin_ms, end_ms = SUNDAY + DAY_MS, SUNDAY + 2 * DAY_MS  # the first hole is in it
    single, summed = Counter[tuple[str, str, str, int]](), Counter[tuple[str, str, str, int]]()
    for event in course.between(begin_ms, end_ms, holes):
        single[event.service, event.channel, event.outcome, event.at_ms // HOUR_MS] += 1
    for one in course.summed(begin_ms, end_ms, holes):
        summed[one.service, one.channel, one.outcome, one.at_ms // HOUR_MS] += one.count
    assert summed == single


def test_a_sum_tells_how_long_its_transactions_took_together(course: Course) -> None:
    took = sum(event.duration_ms or 0 for event in course.between(TEN, TEN + HOUR_MS))
    told = sum((one.duration_ms or 0) * one.count for one in course.summed(TEN, TEN + HOUR_MS))
    assert told == pytest.approx(took)


def test_no_sum_reaches_over_the_beginning_or_end_of_a_dip(course: Course, sample: Catalogue) -> None:
    """What is counted within an outage, by the minute, is what took place in it."""
    for hole in holes_of_three_weeks(sample)[:3]:
        hours = course.summed(
            hole.since_ms // HOUR_MS * HOUR_MS, hole.until_ms // HOUR_MS * HOUR_MS + HOUR_MS, [hole]
        )
        within = sum(one.count for one in hours if hole.since_ms <= one.at_ms < hole.until_ms)
        assert within == len(course.between(hole.since_ms, hole.until_ms, [hole]))


def test_sums_of_the_same_stretch_have_the_same_ids_and_no_two_the_same(course: Course) -> None:
    once, again = ([one.id for one in course.summed(TEN, TEN + DAY_MS)] for _ in range(2))
    assert (once, len(set(once))) == (again, len(once))
