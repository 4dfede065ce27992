"""Timelines: the moments at which a verdict changed, and arithmetic on them. Pure; times are Unix ms."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from operator import attrgetter

import msgspec

from monitor.model import Verdict

# Reasons that are not a probe's (probes/contract.py has those).
OK = "ok"
NOT_MEASURED = "not_measured"  # never yet, or no longer in the catalogue
SILENCE = "silence"  # nothing was measured for two intervals
UNCONFIRMED = "unconfirmed"  # it failed, not yet often enough, and nothing better is known
DEPENDENCY = "dependency"  # a system it needs says so; `cause` names it


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """One attempt that confirmed a step. `due_ms` is its beat, Unix milliseconds."""

    check: str
    vantage: str
    due_ms: int
    attempt: int
    reason: str
    sentence: str = ""


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """From `at_ms` (Unix milliseconds) on the verdict is this. `cause` is the path of the system behind it.

    A timeline is a list of steps, `at_ms` strictly increasing, no two neighbours saying the same (verdict,
    reason and cause; evidence says nothing). Before its first step everything is BEFORE.
    """

    at_ms: int
    verdict: Verdict
    reason: str = OK
    cause: str = ""
    evidence: tuple[Evidence, ...] = ()

    def says_the_same(self, other: Step) -> bool:
        """When either begins and what confirmed it does not matter."""
        return self.verdict is other.verdict and self.reason == other.reason and self.cause == other.cause


BEFORE = Step(0, Verdict.UNKNOWN, NOT_MEASURED)
"""What stands before the first step of any timeline, and again after its subject left the catalogue."""

Rule = Callable[[Sequence[Step]], Step]
"""What follows at one instant from what each timeline says there; the `at_ms` it returns is not used."""


class Diff(msgspec.Struct, frozen=True):
    """Standing steps to withdraw and steps to add instead; both in order of `at_ms`."""

    withdrawn: list[Step]
    added: list[Step]

    def __bool__(self) -> bool:
        return bool(self.withdrawn or self.added)

    @property
    def from_ms(self) -> int:
        """The first instant it touches. Raises ValueError when it is empty."""
        return min(step.at_ms for step in (*self.withdrawn[:1], *self.added[:1]))


_at_ms = attrgetter("at_ms")


def value_at(steps: Sequence[Step], at_ms: int) -> Step:
    """The step in force at `at_ms`; BEFORE when there is none yet."""
    index = bisect_right(steps, at_ms, key=_at_ms)
    return steps[index - 1] if index else BEFORE


def moved(step: Step, at_ms: int) -> Step:
    """The same step, beginning at `at_ms`."""
    if step.at_ms == at_ms:
        return step
    return Step(at_ms, step.verdict, step.reason, step.cause, step.evidence)


def squeeze(steps: Iterable[Step]) -> list[Step]:
    """Drop each step that says what its predecessor says; of several at one instant the last counts.

    The first stays, also where it says BEFORE: it tells from when the stretch holds.
    """
    result: list[Step] = []
    for step in steps:
        if result and result[-1].at_ms == step.at_ms:
            result.pop()
        if not result or not result[-1].says_the_same(step):
            result.append(step)
    return result


def combine(
    timelines: Sequence[Sequence[Step]], rule: Rule, from_ms: int, *, to_ms: int | None = None
) -> list[Step]:
    """Apply `rule` at every instant of [from_ms, to_ms), which is at every change of any of the timelines.

    The result begins with a step at `from_ms` and holds for that stretch alone.
    """
    moments = {from_ms}
    for steps in timelines:
        for step in steps[bisect_right(steps, from_ms, key=_at_ms) :]:
            if to_ms is None or step.at_ms < to_ms:
                moments.add(step.at_ms)
    return squeeze(
        moved(rule([value_at(steps, moment) for steps in timelines]), moment) for moment in sorted(moments)
    )


def diff(standing: Sequence[Step], wanted: Sequence[Step], from_ms: int) -> Diff:
    """What turns `standing` into `wanted` on [from_ms, ∞); a step that stays keeps the evidence it has.

    Where `wanted` has no step yet at `from_ms`, what stood before goes on.
    """
    cut = bisect_left(standing, from_ms, key=_at_ms)
    before = standing[cut - 1] if cut else BEFORE
    later = bisect_right(wanted, from_ms, key=_at_ms)
    steps = [moved(step, from_ms) for step in wanted[:later][-1:]] + list(wanted[later:])
    if steps and before.says_the_same(steps[0]):
        del steps[0]
    old = {_said(step) for step in standing[cut:]}
    new = {_said(step) for step in steps}
    return Diff(
        withdrawn=[step for step in standing[cut:] if _said(step) not in new],
        added=[step for step in steps if _said(step) not in old],
    )


def apply(standing: Sequence[Step], change: Diff) -> list[Step]:
    """`standing` with the diff carried out. Raises AssertionError when it does not fit."""
    gone = {_said(step) for step in change.withdrawn}
    kept = [step for step in standing if _said(step) not in gone]
    assert len(standing) - len(kept) == len(gone), "only what stands can be withdrawn"
    result = sorted([*kept, *change.added], key=_at_ms)
    assert all(one.at_ms < two.at_ms for one, two in pairwise(result))
    return result


def _said(step: Step) -> tuple[int, Verdict, str, str]:
    return step.at_ms, step.verdict, step.reason, step.cause
