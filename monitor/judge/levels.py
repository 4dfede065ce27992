"""Levels 4 to 6 and the headline: channels, systems, services, and how many can be got. Pure; Unix ms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import floor

import msgspec

from monitor.judge.timeline import (
    BEFORE,
    DEPENDENCY,
    NOT_MEASURED,
    OK,
    Step,
    combine,
)
from monitor.model import Channel, Effect, Missing, Policy, Verdict

BADNESS = {Verdict.UP: 0, Verdict.DEGRADED: 1, Verdict.UNKNOWN: 2, Verdict.DOWN: 3}
"""Not knowing outweighs being slow, and never being down."""

Need = tuple[str, Effect, Sequence[Step]]
"""A system's path, what it does to who needs it, and its effective timeline."""


def measured(checks: Sequence[Sequence[Step]], from_ms: int) -> list[Step]:
    """Level 4: the worst of the required checks, on [from_ms, ∞); the first in order where two are as bad.

    A check that was not measured yet (or no longer is) does not count; with none left: not measured.
    """
    return combine(checks, _worst_check, from_ms)


def _worst_check(said: Sequence[Step]) -> Step:
    counted = [step for step in said if step.reason != NOT_MEASURED]
    return max(counted, key=_badness, default=BEFORE)


def _badness(step: Step) -> int:
    return BADNESS[step.verdict]


def effective(own: Sequence[Step] | None, needs: Sequence[Need], from_ms: int) -> list[Step]:
    """Level 5: what people meet on [from_ms, ∞), `own` measured verdict and the systems needed together.

    A system that blocks passes on down and degraded; one that slows makes it at most degraded. A system's
    unknown counts only where there is no check of its own (`own` None): then the blocking systems are the
    evidence, and the verdict, up too, has reason "dependency" and the system as cause. Where two are as bad,
    the own evidence wins, then the first need in order. `cause` is the deepest system known.
    """
    timelines = [needed for _, _, needed in needs]

    def rule(said: Sequence[Step]) -> Step:
        mine = None if own is None else said[0]
        systems = said if own is None else said[1:]
        felt = [
            step
            for (path, effect, _), system in zip(needs, systems, strict=True)
            if (step := _felt(path, effect, system, alone=mine is None)) is not None
        ]
        if mine is not None:
            return max([mine, *felt], key=_badness)
        if not any(effect is Effect.BLOCKS for _, effect, _ in needs):
            return BEFORE  # nothing here shows that it can be completed
        return max(felt, key=_badness)

    return combine(timelines if own is None else [own, *timelines], rule, from_ms)


def _felt(path: str, effect: Effect, system: Step, *, alone: bool) -> Step | None:
    """What a subject feels of a system it needs; `alone`: it has no check of its own."""
    verdict = system.verdict
    if effect is Effect.SLOWS and verdict in (Verdict.DOWN, Verdict.DEGRADED):
        return Step(0, Verdict.DEGRADED, DEPENDENCY, system.cause or path)
    if effect is Effect.BLOCKS and (alone or verdict in (Verdict.DOWN, Verdict.DEGRADED)):
        return Step(0, verdict, DEPENDENCY, system.cause or path)
    return None


def service(channels: Sequence[tuple[Channel, Sequence[Step]]], from_ms: int) -> list[Step]:
    """Level 6: whether the service can be completed remotely, on [from_ms, ∞), from effective timelines.

    Only remote channels that complete it count: up if any is, else degraded, else unknown, else down. Down
    has the reason and cause of the channel that went down last; degraded and unknown those of the first such
    channel; without any such channel it is not measured.
    """
    counted = [steps for channel, steps in channels if channel.remote and channel.completes]
    return combine(counted, _best_channel, from_ms)


def _best_channel(said: Sequence[Step]) -> Step:
    if not said:
        return BEFORE
    for verdict in (Verdict.UP, Verdict.DEGRADED, Verdict.UNKNOWN):
        for step in said:
            if step.verdict is verdict:
                return Step(0, Verdict.UP, OK) if verdict is Verdict.UP else step
    return max(said, key=lambda step: step.at_ms)


class Headline(msgspec.Struct, frozen=True, kw_only=True):
    """Of the services required now: available, not available, unknown; always shown as three numbers."""

    available: int
    unavailable: int
    unknown: int
    target: float  # share of services to be available, 0 to 1
    coverage_gate: float  # under this share of known services the data do not suffice
    missing: Missing = Missing.EXCLUDE

    @property
    def required(self) -> int:
        return self.available + self.unavailable + self.unknown

    @property
    def counted(self) -> tuple[int, int]:
        """Numerator and denominator of the ratio, as the policy for unknown services says (T4)."""
        good = self.unknown if self.missing is Missing.GOOD else 0
        bad = self.unknown if self.missing is Missing.BAD else 0
        return self.available + good, self.available + self.unavailable + good + bad

    @property
    def ratio(self) -> Fraction | None:
        """Available of those counted; None when none is known: no data is not a number (T2)."""
        return Fraction(*self.counted) if self.available + self.unavailable else None

    @property
    def coverage(self) -> Fraction | None:
        """Known of those required; None when none is required."""
        known = self.available + self.unavailable
        return Fraction(known, self.required) if self.required else None

    @property
    def sufficient(self) -> bool:
        """Whether enough is known to say anything of the target."""
        return self.coverage is not None and self.coverage >= exact(self.coverage_gate)

    @property
    def met(self) -> bool | None:
        """Whether the target is met, on exact numbers; None while the data do not suffice."""
        ratio = self.ratio
        return None if ratio is None or not self.sufficient else ratio >= exact(self.target)

    @property
    def most_unavailable(self) -> int:
        """So many of the required services may be unavailable at once with the target still met."""
        return floor(self.required * (1 - exact(self.target)))


def headline(verdicts: Iterable[Verdict], policy: Policy | None = None) -> Headline:
    """Count the effective verdicts of the services required now; up and degraded are available."""
    policy = policy or Policy()
    said = list(verdicts)
    unknown, down = said.count(Verdict.UNKNOWN), said.count(Verdict.DOWN)
    return Headline(
        available=len(said) - unknown - down,
        unavailable=down,
        unknown=unknown,
        target=policy.target,
        coverage_gate=policy.coverage_gate,
        missing=policy.missing,
    )


def exact(share: float) -> Fraction:
    """A setting such as 0.95 as it was written, 95/100, not the nearest binary fraction."""
    return Fraction(str(share))
