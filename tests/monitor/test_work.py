"""Work as people file it: where it is, when it comes again, and what it takes from people."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from monitor.judge.exclusions import waits
from monitor.judge.reach_of_work import covered, quietest, reach
from monitor.judge.work import OCCURRENCES_MAX, Phase, Repeat, asks, occurrences, phase
from tests.monitor.scene import Scene, catalogue, service, system
from tests.monitor.test_exclusions import DAY_MS, HOUR_MS, exclusion

PARIS = "Europe/Paris"


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def utc(range_ms: tuple[int, int]) -> tuple[str, ...]:
    return tuple(f"{datetime.fromtimestamp(at / 1000, UTC):%m-%dT%H:%M}" for at in range_ms)


@pytest.mark.parametrize(
    ("at_h", "finished_h", "extended", "found"),
    [
        (-1, None, False, Phase.ANNOUNCED),
        (-1, -2, False, Phase.CANCELLED),
        (9, -2, False, Phase.CANCELLED),
        (0, None, False, Phase.IN_PROGRESS),
        (1, 1, False, Phase.FINISHED),
        (2, None, False, Phase.FINISHED),
        (1.9, None, True, Phase.EXTENDED),
    ],
)
def test_where_work_is(at_h: float, finished_h: float | None, extended: bool, found: Phase) -> None:
    work = exclusion(0, 2, finished_h=finished_h)
    assert phase(work, now_ms=round(at_h * HOUR_MS), extended=[1] if extended else []) is found


@pytest.mark.parametrize(("at_h", "asked"), [(1.7, False), (1.75, True), (1.99, True), (2, False)])
def test_in_the_last_quarter_of_an_hour_somebody_is_asked(at_h: float, asked: bool) -> None:
    assert asks(exclusion(0, 2), now_ms=round(at_h * HOUR_MS), extended=[]) is asked


def test_nobody_is_asked_about_work_that_was_extended() -> None:
    assert not asks(exclusion(0, 2), now_ms=round(1.9 * HOUR_MS), extended=[1])


def test_t13_weekly_work_keeps_its_local_time_over_the_change_of_clocks() -> None:
    found = occurrences(ms("2026-10-21T00:00"), ms("2026-10-21T02:00"), PARIS, Repeat.WEEKLY, 2)
    assert [utc(each) for each in found] == [("10-21T00:00", "10-21T02:00"), ("10-28T01:00", "10-28T03:00")]


def test_monthly_work_on_the_31st_is_on_the_last_day_of_shorter_months() -> None:
    found = occurrences(ms("2027-01-31T10:00"), ms("2027-01-31T11:00"), "UTC", Repeat.MONTHLY, 3)
    assert [utc(each)[0] for each in found] == ["01-31T10:00", "02-28T10:00", "03-31T10:00"]


def test_occurrences_are_bounded() -> None:
    assert len(occurrences(0, HOUR_MS, "UTC", Repeat.WEEKLY, 10_000)) == OCCURRENCES_MAX


@pytest.mark.parametrize(
    ("given", "waiting"),
    [
        ({"announced_h": -48}, False),
        ({"announced_h": 0}, True),
        ({"announced_h": 0, "approved_h": 3}, False),
        ({"announced_h": 0, "rejected_h": 3}, False),
        ({"announced_h": -1, "finished_h": -0.5}, False),
        ({"announced_h": -48, "down": ("service:a",)}, True),
    ],
)
def test_what_counts_waits_for_the_committee_until_it_ruled(given: dict[str, float], waiting: bool) -> None:
    assert waits(exclusion(**given), notice_ms=DAY_MS) is waiting  # type: ignore[arg-type]


def offered() -> Scene:
    return Scene(
        catalogue(
            system("identity"),
            service("a", "identity", entity="one"),
            service("b", "identity", entity="two", app=()),
            service("c", entity="two"),
        )
    )


def test_work_on_a_system_takes_what_it_blocks_and_names_who_loses_the_last_remote_channel() -> None:
    found = reach(offered().around, ["system:identity"])
    assert found.channels == ("service:a/web", "service:b/web")
    assert (found.services, found.last) == (("service:a", "service:b"), ("service:a",))
    assert found.entities == ("one", "two")


def test_a_service_of_which_another_channel_goes_on_is_not_excluded() -> None:
    found = covered(offered().around, ["system:identity"])
    assert found == ("system:identity", "service:a", "service:a/web", "service:b/web")


def test_the_quietest_hours_are_the_first_of_the_least_and_unknown_where_any_is() -> None:
    assert quietest([5, 1, 1, 4, 1, 1]) == 1
    assert quietest([5, None, 1, 4]) == 2
    assert quietest([None, 3]) is None
