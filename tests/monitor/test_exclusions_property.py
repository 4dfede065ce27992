"""Seconds under any pile of exclusions are what asking at each instant gives (T1, T7, T9)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.judge.exclusions import Exclusion, excluded
from monitor.judge.figures import When, account
from monitor.judge.ranges import Ranges, holds, union
from monitor.judge.seconds import State
from monitor.judge.timeline import Step, squeeze, value_at
from monitor.model import ExclusionKind, Verdict
from tests.monitor import figure_reference as reference

END, NOTICE = 60, 10
PATH = "service:a/web"
moments = st.integers(0, END)
maybe = st.one_of(st.none(), moments)
timelines = st.lists(st.tuples(moments, st.sampled_from(list(Verdict))), max_size=6).map(
    lambda rows: squeeze(Step(at, verdict) for at, verdict in sorted(rows))
)
filed = st.builds(
    lambda kind, subject, edges, announced, approved, rejected, finished, down: Exclusion(
        id=1, kind=kind, subjects=(subject,), from_ms=min(edges), to_ms=max(edges) + 1, why="w",
        announced_at_ms=announced, announced_by="desk", approved_at_ms=approved,
        rejected_at_ms=rejected if approved is None else None, finished_at_ms=finished, down=down,
    ),
    st.sampled_from(list(ExclusionKind)), st.sampled_from(["service:a", PATH, "service:ab"]),
    st.tuples(moments, moments), st.integers(-30, END), maybe, maybe, maybe,
    st.sampled_from([(), ("service:a",)]),
)  # fmt: skip


def leaves_out(one: Exclusion, t: int) -> bool:
    """By definition: it names the channel or its service, t is in it, and it is approved or rightly filed."""
    named = one.subjects[0] in ("service:a", PATH)
    open_still = one.finished_at_ms is None or t < one.finished_at_ms
    rightly = one.from_ms - one.announced_at_ms >= NOTICE and not one.down and one.rejected_at_ms is None
    applied = one.approved_at_ms is not None or rightly
    return named and one.from_ms <= t < one.to_ms and open_still and applied


def state(steps: list[Step], exclusions: list[Exclusion], closed: Ranges, t: int, *, whole: bool) -> State:
    kinds = set() if whole else {one.kind for one in exclusions if leaves_out(one, t)}
    if holds(closed, t) or ExclusionKind.OUT_OF_HOURS in kinds:
        return State.OUT_OF_HOURS
    if ExclusionKind.MAINTENANCE in kinds:
        return State.MAINTENANCE
    return State(value_at(steps, t).verdict.value)


@given(timelines, st.lists(filed, max_size=5), st.lists(st.tuples(moments, moments), max_size=3).map(union))
def test_t7_t9_each_instant_is_left_out_once_and_by_definition(
    steps: list[Step], exclusions: list[Exclusion], closed: Ranges
) -> None:
    found = excluded(PATH, exclusions, notice_ms=NOTICE, closed=closed)
    figure = account(PATH, steps, When(0, END, END), excluded=found)
    for whole, tally in ((False, figure.counted), (True, figure.whole)):
        by_definition = reference.tally(
            [lambda t, whole=whole: state(steps, exclusions, closed, t, whole=whole)], 0, END
        )
        assert (tally.spent, tally.outages) == (by_definition.spent, by_definition.outages)
