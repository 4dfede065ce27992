"""Drop, surge and failure rate: what sliding windows saw, against what is usual. Pure; Unix ms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from monitor.judge import tails
from monitor.judge.hours import Hours
from monitor.judge.pattern import Pattern
from monitor.judge.silence import KINDS
from monitor.model import Expecting

MINUTE_MS = 60_000
WIDTHS_MIN = (5, 15, 60, 180)
RATE_WIDTHS_MIN = (5, 15, 60)
WEEK_MIN = 7 * 24 * 60
LOOKS = 3.0  # a window that slides is as good as so many that do not
ADVISORY_TIMES = 50.0  # an advisory may come so much more often than an incident
STILL = 0.05  # what began goes on until a quarter of an hour is no rarer than this
STILL_MIN = 15
TRIALS_MIN = 10

Minutes = Mapping[int, tuple[int, int, int]]
"""By the minute's beginning: transactions of any outcome, completed, failed. Empty minutes are left out."""


class Departure(NamedTuple):
    """A window in which counts were not as usual."""

    kind: str
    began_ms: int
    probability: float
    incident: bool  # rare enough for an incident
    expected: float
    seen: int


class Seen(NamedTuple):
    """Counts of a window."""

    every: int
    completed: int
    failed: int


def seen_in(minutes: Minutes, from_ms: int, to_ms: int) -> Seen:
    """Sums over the minutes that begin in [from, to), both whole minutes."""
    every = completed = failed = 0
    if (to_ms - from_ms) // MINUTE_MS > len(minutes):
        found = [each for at_ms, each in minutes.items() if from_ms <= at_ms < to_ms]
    else:
        found = [minutes[at] for at in range(from_ms, to_ms, MINUTE_MS) if at in minutes]
    for each in found:
        every += each[0]
        completed += each[1]
        failed += each[2]
    return Seen(every, completed, failed)


def rare(expecting: Expecting, *, channels: int, width_min: int, widths: int) -> float:
    """The probability of incident grade in one look through one of several windows."""
    target = expecting.false_alarms_per_week / KINDS / channels
    return target / (widths * LOOKS * WEEK_MIN / width_min)


def volume(
    pattern: Pattern,
    minutes: Minutes,
    hours: Hours,
    expecting: Expecting,
    *,
    since_ms: int,
    until_ms: int,
    channels: int,
) -> list[Departure]:
    """Drop and surge of [since, until), whole minutes: the rarest window of each kind, if any is rare."""
    found: dict[str, Departure] = {}
    for width in WIDTHS_MIN:
        from_ms = until_ms - width * MINUTE_MS
        if from_ms < since_ms:
            break
        expected = pattern.every.expected(hours, from_ms, until_ms)
        mean = expected.mean
        if mean < expecting.least:
            continue
        seen = seen_in(minutes, from_ms, until_ms).every
        limit = rare(expecting, channels=channels, width_min=width, widths=len(WIDTHS_MIN))
        if seen <= mean * expecting.material_share:
            kind, probability = "drop", tails.at_most(seen, mean, expected.variance)
        elif seen >= mean / expecting.material_share:
            kind, probability = "surge", tails.at_least(seen, mean, expected.variance)
        else:
            continue
        if probability <= limit * ADVISORY_TIMES:
            _keep(found, Departure(kind, from_ms, probability, probability <= limit, mean, seen))
    return list(found.values())


def failure_rate(
    pattern: Pattern, minutes: Minutes, expecting: Expecting, *, since_ms: int, until_ms: int, channels: int
) -> list[Departure]:
    """A failure rate over the usual one in [since, until), whole minutes, where it is rare."""
    usual = pattern.failing
    spread = usual.spread + 1.0 / (usual.trials + 2.0)
    found: dict[str, Departure] = {}
    for width in RATE_WIDTHS_MIN:
        from_ms = until_ms - width * MINUTE_MS
        if from_ms < since_ms:
            break
        seen = seen_in(minutes, from_ms, until_ms)
        trials = seen.completed + seen.failed
        if trials < TRIALS_MIN or seen.failed < trials * (usual.share + expecting.material_rise):
            continue
        limit = rare(expecting, channels=channels, width_min=width, widths=len(RATE_WIDTHS_MIN))
        probability = tails.share_at_least(seen.failed, trials, share=usual.share, spread=spread)
        if probability <= limit * ADVISORY_TIMES:
            expected = trials * usual.share
            _keep(
                found,
                Departure("failure_rate", from_ms, probability, probability <= limit, expected, seen.failed),
            )
    return list(found.values())


def _keep(found: dict[str, Departure], new: Departure) -> None:
    """The rarest of each kind; one of incident grade before any other."""
    old = found.get(new.kind)
    if old is None or (not new.incident, new.probability) < (not old.incident, old.probability):
        found[new.kind] = new


def lasts(kind: str, pattern: Pattern, minutes: Minutes, hours: Hours, *, until_ms: int) -> bool:
    """Whether what began still shows in the last quarter of an hour."""
    from_ms = until_ms - STILL_MIN * MINUTE_MS
    seen = seen_in(minutes, from_ms, until_ms)
    if kind == "failure_rate":
        usual, trials = pattern.failing, seen.completed + seen.failed
        if trials == 0:
            return False
        return tails.share_at_least(seen.failed, trials, share=usual.share, spread=usual.spread) <= STILL
    expected = pattern.every.expected(hours, from_ms, until_ms)
    tail = tails.at_most if kind == "drop" else tails.at_least
    return tail(seen.every, expected.mean, expected.variance) <= STILL
