"""What is wrong at one look, as nouns: a cause and what it takes, and what an open incident keeps. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from monitor.facts import LastAnswer
from monitor.judge.picture import Shown
from monitor.model import Verdict


class Sign(StrEnum):
    """How a trouble shows itself; what it is worth is the severity table's business."""

    UNAVAILABLE = "unavailable"  # services cannot be got remotely because of it
    HEADLINE = "headline"  # under the target, by more than one cause
    DOWN = "down"  # something is down, and everything it takes can be got otherwise
    DEGRADED = "degraded"
    CERTIFICATE = "certificate"  # ends within days
    REPORTED = "reported"  # a person says so; no check has seen it


@dataclass(frozen=True, slots=True)
class Trouble:
    """One cause and what it takes, as it holds now. Everything named is a path, in the catalogue's order."""

    subject: str  # a system, a service, `government`, or the check whose certificate ends
    sign: Sign
    verdict: Verdict
    since_ms: int
    suspected: bool = False  # its own check answers
    lingering: bool = False  # the cause is over or no longer shows, what it took is not well yet
    services: tuple[str, ...] = ()  # not remotely available because of it
    channels: tuple[str, ...] = ()  # down or degraded because of it
    systems: tuple[str, ...] = ()  # other systems whose own checks fail because of it
    may_follow: bool = False  # it needs systems, one of which may yet show to be the cause


@dataclass(frozen=True, slots=True)
class Held:
    """An open incident of a system: what it took stays with it until well, whatever its own check says."""

    channels: frozenset[str]
    since_ms: int
    down_ms: int  # when the cause was last seen down; 0 is never
    failing_ms: int  # when it was last seen failing at all

    def keeps(self, path: str, shown: Shown) -> bool:
        """Whether a channel's failing goes back to when the cause itself failed."""
        last_ms = self.down_ms if shown.verdict is Verdict.DOWN else self.failing_ms
        return path in self.channels and (shown.since_ms or 0) <= last_ms


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that is wrong at one look; which paths are well, since when; which nobody can tell of."""

    troubles: tuple[Trouble, ...]
    well: Mapping[str, int] = field(default_factory=dict)
    unsure: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()  # subjects of troubles that are nobody's now: not required, or work


def expiring(answers: Iterable[LastAnswer], *, now_ms: int, within_ms: int) -> list[Trouble]:
    """One trouble per check whose certificate ends within `within_ms`; of several ends the first."""
    ends: dict[str, int] = {}
    for answer in answers:
        at_ms = answer.certificate_expires_ms
        if at_ms is not None and at_ms - now_ms < within_ms:
            ends[answer.check] = min(at_ms, ends.get(answer.check, at_ms))
    return [
        Trouble(check, Sign.CERTIFICATE, Verdict.DEGRADED, at_ms - within_ms)
        for check, at_ms in sorted(ends.items())
    ]
