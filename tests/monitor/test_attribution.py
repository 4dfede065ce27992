"""What others were down for while a system they need was worked on, or failed, is its owner's."""

from __future__ import annotations

from msgspec.structs import replace

from monitor.facts import Membership
from monitor.judge.accounts import Accounts, belonging
from monitor.judge.attribution import Attributed, attributed, of_others
from monitor.judge.exclusions import Exclusion
from monitor.judge.surroundings import Surroundings
from monitor.judge.timeline import Step
from monitor.model import Effect, ExclusionKind, Version
from tests.monitor.scene import DOWN, UP, catalogue, service, system

WINDOW = (1000, 2000)


def around() -> Surroundings:
    """Identity, of x, blocks services of x, y and z, and slows one of y."""
    identity = replace(system("identity"), entity="x")
    parts = [
        service("own", "identity", entity="x"),
        service("one", "identity", entity="y"),
        service("two", "identity", entity="z"),
        service("slow", ("identity", Effect.SLOWS), entity="y"),
    ]
    made = catalogue(identity, replace(system("nobodys"), entity=""), *parts, service("n", "nobodys"))
    return Surroundings(Version(serial=1, sha256="", valid_from_ms=0, catalogue=made))


def accounts(**down: tuple[int, int]) -> Accounts:
    timelines = {
        f"service:{slug}": [Step(0, UP), Step(from_ms, DOWN), Step(to_ms, UP)]
        for slug, (from_ms, to_ms) in down.items()
    }
    members = [Membership(path, "government", 0, None) for path in timelines]
    work = Exclusion(
        id=1, kind=ExclusionKind.MAINTENANCE, subjects=("system:identity", "service:one"), from_ms=WINDOW[0],
        to_ms=WINDOW[1], why="w", announced_at_ms=-9000, announced_by="desk",
    )  # fmt: skip
    return Accounts(timelines, belonging(members), [work], notice_ms=1000)


def test_only_what_the_system_blocks_of_others_is_attributed_to_its_owner() -> None:
    assert of_others(around(), ["system:identity"]) == {"service:one": "x", "service:two": "x"}


def test_of_a_system_that_nobody_owns_nothing_is_attributed() -> None:
    assert of_others(around(), ["system:nobodys", "service:own"]) == {}


def test_downtime_within_the_window_is_counted_though_the_work_leaves_it_out_of_figures() -> None:
    known = accounts(one=(500, 1400), two=(1500, 3000))
    others = of_others(around(), ["system:identity"])
    found = attributed(known, around(), others, WINDOW, as_of_ms=9000)
    assert found == [
        Attributed("service:two", "z", 500, "x"),
        Attributed("service:one", "y", 400, "x"),
    ]


def test_nothing_is_attributed_beyond_what_is_judged_or_outside_the_window() -> None:
    known = accounts(one=(500, 900), two=(1500, 3000))
    others = of_others(around(), ["system:identity"])
    found = attributed(known, around(), others, WINDOW, as_of_ms=1600)
    assert found == [Attributed("service:two", "z", 100, "x")]
