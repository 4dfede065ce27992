"""The headline weighted by transactions: of those to be expected, how many could be made. Pure; Unix ms.

It stands beside the headline by time, which weighs every service alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from monitor.judge.hours import Hours
from monitor.judge.pattern import Usual
from monitor.judge.timeline import Step, value_at
from monitor.model import Missing, Verdict


class Offer(NamedTuple):
    """A service: its effective timeline, and what is usual on its remote channels."""

    steps: Sequence[Step]
    usuals: Sequence[Usual]


class Weighted(msgspec.Struct, frozen=True):
    """Transactions to be expected while their service was available, was not, or was unknown."""

    available: float = 0.0
    unavailable: float = 0.0
    unknown: float = 0.0

    def counted(self, missing: Missing = Missing.EXCLUDE) -> tuple[int, int]:
        """Numerator and denominator of the ratio in whole transactions, by the policy for unknown (T4)."""
        good = self.unknown if missing is Missing.GOOD else 0.0
        bad = self.unknown if missing is Missing.BAD else 0.0
        could, not_ = round(self.available + good), round(self.unavailable + bad)
        return could, could + not_

    @property
    def coverage(self) -> float | None:
        """Share of what is expected that fell into known time; None where nothing is expected (T2)."""
        known = self.available + self.unavailable
        return known / (known + self.unknown) if known + self.unknown else None

    def __add__(self, other: Weighted) -> Weighted:
        return Weighted(
            self.available + other.available,
            self.unavailable + other.unavailable,
            self.unknown + other.unknown,
        )


def weighted(offers: Iterable[Offer], hours: Hours, *, from_ms: int, to_ms: int) -> Weighted:
    """Expected transactions of [from, to) by what their service was at the time."""
    return sum((_of(offer, hours, from_ms, to_ms) for offer in offers), Weighted())


def _of(offer: Offer, hours: Hours, from_ms: int, to_ms: int) -> Weighted:
    spent = dict.fromkeys(Verdict, 0.0)
    for start_ms, end_ms, verdict in _stretches(offer.steps, from_ms, to_ms):
        for usual in offer.usuals:
            spent[verdict] += usual.expected(hours, start_ms, end_ms).mean
    return Weighted(spent[Verdict.UP] + spent[Verdict.DEGRADED], spent[Verdict.DOWN], spent[Verdict.UNKNOWN])


def _stretches(steps: Sequence[Step], from_ms: int, to_ms: int) -> Iterator[tuple[int, int, Verdict]]:
    since_ms, verdict = from_ms, value_at(steps, from_ms).verdict
    for step in steps:
        if from_ms < step.at_ms < to_ms:
            yield since_ms, step.at_ms, verdict
            since_ms, verdict = step.at_ms, step.verdict
    if since_ms < to_ms:
        yield since_ms, to_ms, verdict
