"""Planned work silences what it is about and nothing else, never closes, and ends with a look anew (T28)."""

from __future__ import annotations

from msgspec.structs import replace

from monitor.judge.incidents import Topic
from monitor.model import IncidentRules, Severity
from tests.monitor.scene import DEGRADED, DOWN, UP, Scene, catalogue, service
from tests.monitor.test_incidents import CRITICAL, IDENTITY, A, Watch, alone, says, sharing


def under_work(
    watch: Watch, *subjects: str, from_s: float, to_s: float, announced_s: float = -86_400
) -> Watch:
    watch.scene.under_work(*subjects, from_s=from_s, to_s=to_s, announced_s=announced_s)
    return watch


def test_what_fails_under_announced_work_opens_nothing() -> None:
    watch = under_work(alone(), A, from_s=100, to_s=3000)
    says(watch, (200, DOWN), (2900, UP)).until(4000)
    assert (watch.incidents, watch.told) == ({}, [])


def test_t28_what_is_still_down_when_the_work_ends_is_told_then() -> None:
    watch = under_work(alone(), A, from_s=100, to_s=3000)
    says(watch, (200, DOWN)).until(2990)
    assert watch.told == []
    assert watch.until(3010).told == [(A, Topic.FIRST, CRITICAL)]


def test_t28_what_was_down_before_the_work_and_did_not_change_is_not_told_again() -> None:
    watch = under_work(alone(), A, from_s=1000, to_s=3000)
    says(watch, (200, DOWN)).until(4000)
    assert watch.told == [(A, Topic.FIRST, CRITICAL)]
    assert watch.open == [A]


def test_t28_what_recovered_under_the_work_and_failed_again_is_told_when_it_ends() -> None:
    watch = under_work(alone(), A, from_s=1000, to_s=3000)
    says(watch, (200, DOWN), (1200, UP), (2500, DOWN)).until(2990)
    assert [topic for _, topic, _ in watch.told] == [Topic.FIRST, Topic.RESOLVED]
    assert watch.until(3010).told[2:] == [(A, Topic.AGAIN, CRITICAL)]


def test_t28_what_grew_worse_under_the_work_is_told_when_it_ends() -> None:
    watch = under_work(alone(rules=IncidentRules(degraded_s=0)), A, from_s=1000, to_s=3000)
    says(watch, (200, DEGRADED), (1500, DOWN)).until(2990)
    assert watch.told == [(A, Topic.FIRST, Severity.WARNING)]
    assert watch.until(3010).told[1:] == [(A, Topic.RAISED, CRITICAL)]


def test_work_does_not_keep_open_what_is_well() -> None:
    watch = under_work(alone(), A, from_s=300, to_s=5000)
    says(watch, (200, DOWN), (600, UP)).until(1300)
    assert [topic for _, topic, _ in watch.told] == [Topic.FIRST, Topic.RESOLVED]


def test_work_announced_too_late_silences_nobody() -> None:
    watch = under_work(alone(), A, from_s=100, to_s=3000, announced_s=0)
    assert says(watch, (200, DOWN)).until(300).told == [(A, Topic.FIRST, CRITICAL)]


def test_work_on_a_system_silences_what_fails_for_want_of_it_and_not_what_fails_beside_it() -> None:
    watch = under_work(sharing(), IDENTITY, from_s=100, to_s=3000)
    says(watch, (200, DOWN), subject=IDENTITY)
    for slug in ("a0", "a1", "b0", "b1"):
        says(watch, (210, DOWN), subject=f"service:{slug}/web")
    assert watch.until(1000).told == []


def test_work_on_one_service_leaves_its_neighbour_to_be_told() -> None:
    watch = under_work(sharing(), "service:a0", from_s=100, to_s=3000)
    says(watch, (200, DOWN), subject="service:a0/web")
    says(watch, (200, DOWN), subject="service:b3/web")
    assert [subject for subject, _, _ in watch.until(1000).told] == ["service:b3"]


def test_outside_its_hours_a_service_opens_nothing_and_what_is_down_when_they_begin_is_told_then() -> None:
    by_day = replace(service("a"), hours="daily 15:00-23:00")  # 2,800 s after the scene begins
    watch = says(Watch(Scene(catalogue(by_day))), (200, DOWN)).until(2790)
    assert (watch.incidents, watch.told) == ({}, [])
    assert watch.until(2820).told == [(A, Topic.FIRST, CRITICAL)]
