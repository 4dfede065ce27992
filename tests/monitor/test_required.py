"""Only what is required now counts in the headline; work that counts excludes nobody from it."""

from __future__ import annotations

from msgspec.structs import replace

from monitor.judge.seconds import State
from tests.monitor.scene import DOWN, Scene, catalogue, service


def test_the_headline_counts_only_services_required_now() -> None:
    scene = Scene(catalogue(service("a"), service("b"), service("c")))
    scene.says("service:a/web", DOWN, at_s=100)
    scene.under_work("service:a", from_s=50, to_s=500)
    line = scene.picture(at_s=200).headline
    assert (line.required, line.available, line.unavailable) == (2, 2, 0)
    later = scene.picture(at_s=500).headline
    assert (later.required, later.available, later.unavailable) == (3, 2, 1)


def test_what_is_under_work_keeps_its_verdict_and_is_shown_as_maintenance() -> None:
    scene = Scene(catalogue(service("a")))
    scene.says("service:a/web", DOWN, at_s=100)
    scene.under_work("service:a/web", from_s=50, to_s=500)
    shown = scene.picture(at_s=200).services["a"]
    assert (shown.channels[0].state, shown.channels[0].effective.verdict) == (State.MAINTENANCE, DOWN)
    assert (shown.state, shown.excluded) == (State.DOWN, None), "a channel is not the service"


def test_t46_work_announced_too_late_excludes_nobody_from_the_headline() -> None:
    scene = Scene(catalogue(service("a"), service("b")))
    scene.says("service:a/web", DOWN, at_s=100)
    scene.under_work("service:a", from_s=150, to_s=500, announced_s=120)
    assert scene.picture(at_s=200).headline.unavailable == 1


def test_outside_its_hours_a_service_is_not_required_and_is_shown_as_that_before_its_work() -> None:
    night = replace(service("a"), hours="daily 15:00-23:00")  # the scene begins at 14:13:20
    scene = Scene(catalogue(night, service("b")))
    scene.says("service:a/web", DOWN, at_s=100)
    scene.under_work("service:a", from_s=50, to_s=500)
    before = scene.picture(at_s=200)
    shown = before.services["a"]
    assert (before.headline.required, before.headline.unavailable) == (1, 0)
    assert (shown.state, shown.channels[0].state) == (State.OUT_OF_HOURS, State.OUT_OF_HOURS)
    later = scene.picture(at_s=2900)
    assert (later.headline.required, later.headline.unavailable) == (2, 1)
