"""Silence: how probable a run without any transaction is, were all as usual. Pure; Unix ms.

At 3 a minute two empty minutes have probability e^-6, and come about by chance some 75 times a week; so there
are two grades. *Advisory* is a fixed probability, soon reached and often wrong, and shown with it. *Incident*
is as rare as keeps false alarms under the target: every transaction begins a run, so a run this rare comes
about (transactions a week) x (probability) times a week.
"""

from __future__ import annotations

import msgspec

from monitor.judge import tails
from monitor.judge.hours import Hours
from monitor.judge.pattern import Expectation, Usual
from monitor.model import Expecting

KINDS = 3  # that share the target for false alarms: silence, drop, failure rate


class Run(msgspec.Struct, frozen=True):
    """A stretch without transactions: what was to be expected, and the probability of none."""

    since_ms: int
    until_ms: int
    expected: float
    probability: float


class Lately(msgspec.Struct, frozen=True):
    """What was expected and seen just before: how high these hours are, whatever is usual."""

    expected: Expectation = Expectation()
    seen: int = 0


NOTHING = Lately()


def run(usual: Usual, hours: Hours, *, since_ms: int, until_ms: int, lately: Lately = NOTHING) -> Run:
    """The zero run [since, until), at a rate that is usual, corrected by what was seen lately."""
    expected = usual.expected(hours, since_ms, until_ms)
    mean = expected.mean
    if mean <= 0:
        return Run(since_ms, until_ms, 0.0, 1.0)
    common = (expected.shared / mean) ** 2
    hourly = max(expected.own - usual.burst * mean, 0.0) / mean**2
    factor, common = _corrected(common, lately)
    arrivals = mean * factor / usual.burst  # those of one batch come or stay away together
    probability = tails.none_at_all(arrivals, arrivals + (common + hourly) * arrivals**2)
    return Run(since_ms, until_ms, mean * factor, probability)


def _corrected(common: float, lately: Lately) -> tuple[float, float]:
    """Factor on the usual rate, and the relative variance that is left of it (a gamma, by Bayes)."""
    mean = lately.expected.mean
    if mean <= 0 or common <= 0:
        return 1.0, common
    noise = max(lately.expected.own / mean, 1.0)
    shape = 1.0 / common + lately.seen / noise
    return shape / (1.0 / common + mean / noise), 1.0 / shape


def rare(usual: Usual, expecting: Expecting, *, channels: int) -> float:
    """The probability of a run of incident grade, for a service of so many channels."""
    target = expecting.false_alarms_per_week / KINDS / channels
    return target / max(usual.a_week / usual.burst, 1.0)
