"""Level 3: what the vantage points together say of a check. Pure; times are Unix ms.

A vantage point is *live* while it is not silent. Fewer live ones than `minimum` are unknown. A verdict needs
`quorum` of the live ones, or their majority (quorum 0), never more than there are:

- down where that many are down, so it begins when the last of them began; degraded where that many are down
  or degraded; else up.
- A live one that is not judged yet (an unconfirmed failure, nothing better known) abstains: whatever it may
  turn out to say, the verdict must be the same, else it is unknown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from monitor.judge.timeline import (
    BEFORE,
    NOT_MEASURED,
    OK,
    SILENCE,
    UNCONFIRMED,
    Evidence,
    Step,
    combine,
    value_at,
)
from monitor.model import Verdict

_FAILING = {Verdict.DOWN: (Verdict.DOWN,), Verdict.DEGRADED: (Verdict.DOWN, Verdict.DEGRADED)}


def check_timeline(
    by_vantage: Mapping[str, Sequence[Step]],
    *,
    quorum: int,
    minimum: int,
    from_ms: int,
    to_ms: int | None = None,
) -> list[Step]:
    """The check's timeline on [from_ms, to_ms), beginning with a step at `from_ms`."""
    names = sorted(by_vantage)
    rule = _rule(quorum, minimum)
    return combine([by_vantage[name] for name in names], rule, from_ms, to_ms=to_ms)


def advisory(
    by_vantage: Mapping[str, Sequence[Step]], *, quorum: int, minimum: int, at_ms: int
) -> tuple[str, ...]:
    """The vantage points that see a failure at `at_ms` which too few others share to make it the verdict."""
    said = {name: value_at(by_vantage[name], at_ms) for name in sorted(by_vantage)}
    verdict = _rule(quorum, minimum)(list(said.values())).verdict
    worse = {Verdict.DOWN: (), Verdict.DEGRADED: (Verdict.DOWN,)}.get(verdict, _FAILING[Verdict.DEGRADED])
    return tuple(name for name, step in said.items() if step.verdict in worse)


def live(step: Step) -> bool:
    """Whether a vantage point that says this measured something lately."""
    return step.reason not in (SILENCE, NOT_MEASURED)


def _rule(quorum: int, minimum: int) -> Callable[[Sequence[Step]], Step]:
    def rule(said: Sequence[Step]) -> Step:
        if len(said) == 1 and minimum == 1:
            return said[0]  # the usual catalogue: one vantage point, which decides alone
        if all(step.reason == NOT_MEASURED for step in said):
            return BEFORE
        votes = [step for step in said if live(step)]
        if len(votes) < max(minimum, 1):
            return Step(0, Verdict.UNKNOWN, SILENCE)
        needed = min(quorum or len(votes) // 2 + 1, len(votes))
        best, worst = (_count(votes, needed, abstaining) for abstaining in (Verdict.UP, Verdict.DOWN))
        if best is not worst:
            return Step(0, Verdict.UNKNOWN, UNCONFIRMED, "", _evidence(votes, (Verdict.UNKNOWN,)))
        return _because(best, votes)

    return rule


def _count(votes: Sequence[Step], needed: int, abstaining: Verdict) -> Verdict:
    """The verdict if those who abstain said `abstaining`."""
    said = [abstaining if vote.verdict is Verdict.UNKNOWN else vote.verdict for vote in votes]
    for verdict, failing in _FAILING.items():
        if sum(vote in failing for vote in said) >= needed:
            return verdict
    return Verdict.UP


def _because(verdict: Verdict, votes: Sequence[Step]) -> Step:
    """The verdict with the reason most of those who carry it give; in a tie the first in order of name."""
    if verdict is Verdict.UP:
        return Step(0, Verdict.UP, OK, "", _evidence(votes, (Verdict.UP,)))
    carriers = [vote for vote in votes if vote.verdict in _FAILING[verdict]]
    reason = Counter(vote.reason for vote in carriers).most_common(1)[0][0]
    return Step(0, verdict, reason, "", _evidence(carriers, _FAILING[verdict]))


def _evidence(votes: Sequence[Step], verdicts: Sequence[Verdict]) -> tuple[Evidence, ...]:
    return tuple(item for vote in votes if vote.verdict in verdicts for item in vote.evidence)
