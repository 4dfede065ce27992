"""Timelines: a diff turns one into the other, and a combination holds at every instant."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.judge.timeline import (
    BEFORE,
    Evidence,
    Step,
    apply,
    combine,
    diff,
    moved,
    squeeze,
    value_at,
)
from monitor.model import Verdict

END_MS = 40


@st.composite
def timelines(draw: st.DrawFn) -> list[Step]:
    moments = sorted(draw(st.sets(st.integers(0, END_MS - 1), max_size=8)))
    steps = [
        Step(at, draw(st.sampled_from(Verdict)), draw(st.sampled_from(["ok", "timeout"]))) for at in moments
    ]
    return squeeze(steps)


def said(steps: list[Step]) -> list[tuple[Verdict, str, str]]:
    """What a timeline says at every instant."""
    found = [value_at(steps, t) for t in range(END_MS)]
    return [(step.verdict, step.reason, step.cause) for step in found]


def test_before_the_first_step_nothing_is_known() -> None:
    steps = [Step(5, Verdict.UP)]
    assert [value_at(steps, at) for at in (4, 5, 99)] == [BEFORE, steps[0], steps[0]]


def test_a_step_that_says_what_the_one_before_says_is_dropped() -> None:
    up, again = Step(1, Verdict.UP), Step(3, Verdict.UP)
    down, other = Step(5, Verdict.DOWN, "timeout"), Step(7, Verdict.DOWN, "status")
    assert squeeze([up, again, down, other]) == [up, down, other]


def test_a_step_that_stays_keeps_the_evidence_it_has() -> None:
    proof = (Evidence("c", "v", 3, 0, "timeout"), Evidence("c", "v", 3, 1, "timeout"))
    standing = [Step(0, Verdict.UP), Step(3, Verdict.DOWN, "timeout", "", proof)]
    wanted = [Step(0, Verdict.UP), Step(3, Verdict.DOWN, "timeout"), Step(9, Verdict.UP)]
    found = diff(standing, wanted, 0)
    assert (found.withdrawn, found.added, apply(standing, found)) == (
        [],
        [Step(9, Verdict.UP)],
        [*standing, Step(9, Verdict.UP)],
    )


def test_what_stood_goes_on_where_nothing_else_is_wanted_yet() -> None:
    standing = [Step(0, Verdict.UP), Step(20, Verdict.DOWN, "timeout")]
    found = diff(standing, [Step(15, Verdict.DEGRADED, "slow")], 10)
    assert apply(standing, found) == [Step(0, Verdict.UP), Step(15, Verdict.DEGRADED, "slow")]


@settings(max_examples=50, deadline=None)
@given(timelines(), timelines(), st.integers(0, END_MS))
def test_a_diff_leaves_the_past_and_makes_the_rest_as_wanted(
    standing: list[Step], wanted: list[Step], from_ms: int
) -> None:
    explicit = [moved(value_at(wanted, from_ms), from_ms)] + [s for s in wanted if s.at_ms > from_ms]
    result = apply(standing, diff(standing, explicit, from_ms))
    assert said(result) == said(standing)[:from_ms] + said(wanted)[from_ms:]
    assert not any(one.says_the_same(two) for one, two in pairwise(result))
    assert not diff(result, explicit, from_ms)


@settings(max_examples=50, deadline=None)
@given(st.lists(timelines(), min_size=1, max_size=4), st.integers(0, END_MS), st.integers(0, END_MS))
def test_a_combination_is_the_rule_at_every_instant(
    parts: list[list[Step]], from_ms: int, to_ms: int
) -> None:
    order = list(Verdict)
    result = combine(parts, lambda now: max(now, key=lambda s: order.index(s.verdict)), from_ms, to_ms=to_ms)
    expected = [
        max((value_at(steps, t) for steps in parts), key=lambda s: order.index(s.verdict)).verdict
        for t in range(from_ms, to_ms)
    ]
    assert [value_at(result, t).verdict for t in range(from_ms, to_ms)] == expected
    assert result[0].at_ms == from_ms
