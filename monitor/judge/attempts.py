"""Levels 1 and 2: what the attempts from one vantage point say of a check. Pure; times are Unix ms.

Only measured attempts speak (up, degraded, down); our own faults and missed beats are as if never asked. In
order of (due, attempt) they fall into runs of failures and runs of answers (up or degraded):

- A failure in a run of at least `count` failures says down; an answer in a run of at least `recover` answers
  says up. All of the run: so an outage begins, and ends, with the first attempt of its run (backdated).
- Any other attempt is undecided and keeps what was said before it. Where nothing was said, at the start or
  after silence, one answer is enough for up, and a lone failure stays unknown ("unconfirmed").
- Up is degraded from the first degraded attempt of any five in a row that hold three of them, until an
  attempt that has fewer than three among itself and the four before it.
- An attempt speaks for [due, next measured due), at most two of its intervals; the rest is silence (unknown).
  Silence neither continues nor breaks a run: failures on both of its sides count together.

The reason of down and degraded is that of the first attempt of the stretch, however the later ones fail.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from monitor.judge.timeline import BEFORE, OK, SILENCE, UNCONFIRMED, Evidence, Step
from monitor.model import Verdict
from probes.contract import Outcome

DEGRADED_OF = 5  # attempts looked at together
DEGRADED_NEEDS = 3  # of them degraded, to say so
INTERVALS = 2  # an attempt speaks for at most so many of its own intervals


class Attempt(msgspec.Struct, frozen=True, array_like=True):
    """What one attempt found, as far as judging needs it. `every_ms` is the interval it was asked under."""

    due_ms: int
    attempt: int
    outcome: Outcome
    reason: str
    sentence: str
    every_ms: int

    @property
    def measured(self) -> bool:
        return self.outcome is not Outcome.UNKNOWN

    @property
    def silent_ms(self) -> int:
        """From here on it no longer speaks."""
        return self.due_ms + INTERVALS * self.every_ms


class Rules(msgspec.Struct, frozen=True):
    """How often in a row decides, for attempts due at `from_ms` or later."""

    count: int
    recover: int
    from_ms: int = 0


def reach(rules: Sequence[Rules]) -> int:
    """So many attempts in a row decide on each other, itself included."""
    return max(DEGRADED_OF, *(max(rule.count, rule.recover) for rule in rules))


def fold(
    seed: Step | None,
    attempts: Sequence[Attempt],
    rules: Sequence[Rules],
    *,
    until_ms: int,
    first: int = 0,
    check: str = "",
    vantage: str = "",
) -> list[Step]:
    """The timeline of `attempts[first:]`, all measured, in order of (due, attempt).

    Those before `first` are context; `reach(rules)` - 1 of them make the result exact. `seed` is what was
    said at the attempt before `first` (None: nothing ever). `rules` are in order of `from_ms`. Silence after
    the last attempt is included once it has begun by `until_ms`. The first step is always there, at the due
    of `attempts[first]`, even where it repeats the seed.
    """
    runs, slow = _runs(attempts), _degraded(attempts)
    said = seed or BEFORE
    steps: list[Step] = []
    for index in range(first, len(attempts)):
        attempt = attempts[index]
        rule = _rule_at(rules, attempt.due_ms)
        fresh = index > 0 and attempt.due_ms > attempts[index - 1].silent_ms
        unsure = fresh or said.verdict is Verdict.UNKNOWN
        verdict = _verdict(said, attempt, rule, run=runs[index], unsure=unsure)
        if verdict is Verdict.UP and slow[index]:
            verdict = Verdict.DEGRADED
        going_on = said.verdict is verdict is not Verdict.UNKNOWN and not fresh
        reason = said.reason if going_on else _reason(verdict, attempts, index)
        step = Step(attempt.due_ms, verdict, reason)
        if steps and steps[-1].at_ms == step.at_ms:
            steps.pop()  # a retry of the same beat: no time lies between
        if not steps or not steps[-1].says_the_same(step):
            evidence = _evidence(step, attempts, index, rule=rule, run=runs[index], unsure=unsure)
            named = tuple(
                Evidence(check, vantage, e.due_ms, e.attempt, e.reason, e.sentence) for e in evidence
            )
            steps.append(Step(step.at_ms, step.verdict, step.reason, "", named))
        said = step
        silent_ms = attempt.silent_ms
        last = index + 1 == len(attempts)
        if silent_ms <= until_ms if last else silent_ms < attempts[index + 1].due_ms:
            steps.append(Step(silent_ms, Verdict.UNKNOWN, SILENCE))
    return steps


def _verdict(said: Step, attempt: Attempt, rule: Rules, *, run: tuple[int, int], unsure: bool) -> Verdict:
    """Up, down or unknown; degraded is told apart later."""
    failed = attempt.outcome is Outcome.DOWN
    length = run[1] - run[0]
    if length >= (rule.count if failed else rule.recover):
        return Verdict.DOWN if failed else Verdict.UP
    if unsure:
        return Verdict.UNKNOWN if failed else Verdict.UP
    return Verdict.DOWN if said.verdict is Verdict.DOWN else Verdict.UP


def _reason(verdict: Verdict, attempts: Sequence[Attempt], index: int) -> str:
    """Why a stretch that begins with `attempts[index]` says so."""
    if verdict is Verdict.UP:
        return OK
    if verdict is Verdict.UNKNOWN:
        return UNCONFIRMED
    wanted = Outcome.DOWN if verdict is Verdict.DOWN else Outcome.DEGRADED
    while attempts[index].outcome is not wanted:
        index -= 1
    return attempts[index].reason


def _runs(attempts: Sequence[Attempt]) -> list[tuple[int, int]]:
    """For each attempt where its run of failures, or of answers, begins and ends (exclusive)."""
    runs: list[tuple[int, int]] = []
    begin = 0
    for index in range(1, len(attempts) + 1):
        if index < len(attempts) and _failed(attempts[index]) == _failed(attempts[begin]):
            continue
        runs += [(begin, index)] * (index - begin)
        begin = index
    return runs


def _failed(attempt: Attempt) -> bool:
    return attempt.outcome is Outcome.DOWN


def _degraded(attempts: Sequence[Attempt]) -> list[bool]:
    """For each attempt whether three of five around it were degraded, as the module's sentence says."""
    marks = [False] * len(attempts)
    slow = [index for index, attempt in enumerate(attempts) if attempt.outcome is Outcome.DEGRADED]
    for first, third in zip(slow, slow[DEGRADED_NEEDS - 1 :], strict=False):
        # every window of five that holds both ends with an attempt of [third, first + 5)
        if third < first + DEGRADED_OF:
            end = min(first + DEGRADED_OF, len(attempts))
            marks[first:end] = [True] * (end - first)
    return marks


def _evidence(
    step: Step,
    attempts: Sequence[Attempt],
    index: int,
    *,
    rule: Rules,
    run: tuple[int, int],
    unsure: bool,
) -> Sequence[Attempt]:
    """The attempts that confirmed a step which begins with `attempts[index]`."""
    if step.verdict is Verdict.DEGRADED:
        return _slow_ones(attempts, index)
    if step.verdict is Verdict.UNKNOWN or (step.verdict is Verdict.UP and unsure):
        return attempts[index : index + 1]
    needed = rule.count if step.verdict is Verdict.DOWN else rule.recover
    begin = max(run[0], index - needed + 1)
    return attempts[begin : min(run[1], begin + needed)]


def _slow_ones(attempts: Sequence[Attempt], index: int) -> Sequence[Attempt]:
    """The degraded ones of the first five in a row that make `attempts[index]` degraded."""
    for end in range(index + 1, index + DEGRADED_OF + 1):
        five = attempts[max(0, end - DEGRADED_OF) : end]
        slow = [attempt for attempt in five if attempt.outcome is Outcome.DEGRADED]
        if len(slow) >= DEGRADED_NEEDS:
            return slow
    raise AssertionError("it is degraded by some five in a row")


def _rule_at(rules: Sequence[Rules], at_ms: int) -> Rules:
    for rule in reversed(rules):
        if rule.from_ms <= at_ms:
            return rule
    return rules[0]
