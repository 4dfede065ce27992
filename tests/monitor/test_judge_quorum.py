"""Level 3: a declared quorum over live vantage points only; a failing minority is an advisory."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.judge.eras import Era
from monitor.judge.quorum import advisory, check_timeline
from monitor.judge.timeline import Evidence, Step, squeeze, value_at
from monitor.model import Verdict
from tests.monitor.judge_reference import check_at, plain, told

UP = Step(0, Verdict.UP)
END_MS = 30


def down(at_ms: int, reason: str = "timeout") -> Step:
    return Step(at_ms, Verdict.DOWN, reason)


def silent(at_ms: int) -> Step:
    return Step(at_ms, Verdict.UNKNOWN, "silence")


def test_an_outage_begins_when_the_last_of_the_quorum_began() -> None:
    seen = {"abu_dhabi": [UP, down(10)], "dubai": [UP, down(14)], "sharjah": [UP]}
    steps = check_timeline(seen, quorum=2, minimum=1, from_ms=0)
    assert plain(steps) == [(0, Verdict.UP, "ok"), (14, Verdict.DOWN, "timeout")]


def test_t15_a_failing_minority_is_an_advisory_and_not_the_verdict() -> None:
    seen = {"abu_dhabi": [UP, down(10)], "dubai": [UP], "sharjah": [UP]}
    steps = check_timeline(seen, quorum=0, minimum=1, from_ms=0)
    told_to = advisory(seen, quorum=0, minimum=1, at_ms=20)
    assert (plain(steps), told_to) == ([(0, Verdict.UP, "ok")], ("abu_dhabi",))


def test_t15_the_declared_rule_decides_any_majority_or_all() -> None:
    seen = {"abu_dhabi": [UP, down(10)], "dubai": [UP, down(14)], "sharjah": [UP, down(18)]}
    began = {
        quorum: check_timeline(seen, quorum=quorum, minimum=1, from_ms=0)[-1].at_ms for quorum in (1, 0, 3)
    }
    assert began == {1: 10, 0: 14, 3: 18}


def test_t16_a_quorum_is_counted_over_live_vantage_points_only() -> None:
    seen = {"abu_dhabi": [UP, down(10)], "dubai": [UP, silent(12)], "sharjah": [UP, silent(16)]}
    steps = check_timeline(seen, quorum=3, minimum=1, from_ms=0)
    assert plain(steps) == [(0, Verdict.UP, "ok"), (16, Verdict.DOWN, "timeout")]


def test_t16_fewer_live_ones_than_the_minimum_are_unknown_whatever_they_say() -> None:
    seen = {"abu_dhabi": [UP, down(10)], "dubai": [UP, silent(12)]}
    steps = check_timeline(seen, quorum=1, minimum=2, from_ms=0)
    assert plain(steps) == [
        (0, Verdict.UP, "ok"),
        (10, Verdict.DOWN, "timeout"),
        (12, Verdict.UNKNOWN, "silence"),
    ]


def test_down_and_degraded_together_are_degraded() -> None:
    seen = {"abu_dhabi": [UP, down(10)], "dubai": [UP, Step(12, Verdict.DEGRADED, "slow")], "sharjah": [UP]}
    steps = check_timeline(seen, quorum=2, minimum=1, from_ms=0)
    assert plain(steps) == [(0, Verdict.UP, "ok"), (12, Verdict.DEGRADED, "timeout")]


def test_one_that_is_not_judged_yet_makes_unknown_only_where_it_could_tip_the_verdict() -> None:
    unjudged = Step(0, Verdict.UNKNOWN, "unconfirmed")
    one, two = [UP, down(10)], [UP]
    seen = {"abu_dhabi": one, "dubai": two, "sharjah": [unjudged]}
    steps = check_timeline(seen, quorum=0, minimum=1, from_ms=0)
    assert plain(steps) == [(0, Verdict.UP, "ok"), (10, Verdict.UNKNOWN, "unconfirmed")]


def test_the_evidence_is_that_of_all_who_carry_the_verdict() -> None:
    proof = {name: (Evidence("c", name, 10, 0, "timeout"),) for name in ("abu_dhabi", "dubai")}
    seen = {name: [UP, Step(10, Verdict.DOWN, "timeout", "", mine)] for name, mine in proof.items()}
    steps = check_timeline(seen, quorum=0, minimum=1, from_ms=0)
    assert steps[-1].evidence == (*proof["abu_dhabi"], *proof["dubai"])


votes = st.sampled_from(
    [
        (Verdict.UP, "ok"),
        (Verdict.DOWN, "timeout"),
        (Verdict.DOWN, "status"),
        (Verdict.DEGRADED, "slow"),
        (Verdict.UNKNOWN, "silence"),
        (Verdict.UNKNOWN, "unconfirmed"),
    ]
)


@st.composite
def seen_by(draw: st.DrawFn) -> list[Step]:
    moments = sorted(draw(st.sets(st.integers(0, END_MS - 1), max_size=6)))
    return squeeze([Step(at, *draw(votes)) for at in moments])


@settings(max_examples=80, deadline=None)
@given(st.lists(seen_by(), min_size=1, max_size=4), st.integers(0, 4), st.integers(1, 3))
def test_a_check_is_the_definition_at_every_instant(
    parts: list[list[Step]], quorum: int, minimum: int
) -> None:
    seen = {f"v{number}": steps for number, steps in enumerate(parts)}
    era = Era(0, 10, 1, 1, quorum, minimum, True, tuple(seen))

    def at(t: int) -> tuple[Verdict, str]:
        now = {name: value_at(steps, t) for name, steps in seen.items()}
        return check_at({name: (step.verdict, step.reason) for name, step in now.items()}, era)

    steps = check_timeline(seen, quorum=quorum, minimum=minimum, from_ms=0)
    begun = [step for step in steps if step.reason != "not_measured"]
    assert plain(begun) == told(at, from_ms=0, to_ms=END_MS)
