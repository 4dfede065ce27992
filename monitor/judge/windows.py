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


NOTHING = Seen(0, 0, 0)


def seen_in(minutes: Minutes, from_ms: int, to_ms: int) -> Seen:
    """Sums over the minutes that begin in [from, to), both whole minutes."""
    every = completed = failed = 0
    for at_ms in range(from_ms, to_ms, MINUTE_MS):
        found = minutes.get(at_ms)
        if found is not None:
            every += found[0]
            completed += found[1]
            failed += found[2]
    return Seen(every, completed, failed)


def back(minutes: Minutes, until_ms: int) -> dict[int, Seen]:
    """What each width saw up to `until_ms`, a whole minute: one pass over all of them."""
    sums, before, at_ms = {}, NOTHING, until_ms
    for width in WIDTHS_MIN:
        from_ms = until_ms - width * MINUTE_MS
        part = seen_in(minutes, from_ms, at_ms)
        before = Seen(
            before.every + part.every, before.completed + part.completed, before.failed + part.failed
        )
        sums[width], at_ms = before, from_ms
    return sums


class View(NamedTuple):
    """What the windows of one channel are judged by."""

    pattern: Pattern
    hours: Hours
    expecting: Expecting
    channels: int  # of the service, which share its target for false alarms
    seen: Mapping[int, Seen]
    until_ms: int


def rare(expecting: Expecting, *, channels: int, width_min: int, widths: int) -> float:
    """The probability of incident grade in one look through one of several windows."""
    target = expecting.false_alarms_per_week / KINDS / channels
    return target / (widths * LOOKS * WEEK_MIN / width_min)


def volume(view: View, *, since_ms: int) -> list[Departure]:
    """Drop and surge since `since_ms`: the rarest window of each kind, if any is rare."""
    expecting, usual = view.expecting, view.pattern.every
    found: dict[str, Departure] = {}
    for width in WIDTHS_MIN:
        from_ms = view.until_ms - width * MINUTE_MS
        if from_ms < since_ms:
            break
        mean, seen = usual.mean(view.hours, from_ms, view.until_ms), view.seen[width].every
        if mean < expecting.least or (
            mean * expecting.material_share < seen < mean / expecting.material_share
        ):
            continue
        variance = usual.expected(view.hours, from_ms, view.until_ms).variance
        limit = rare(expecting, channels=view.channels, width_min=width, widths=len(WIDTHS_MIN))
        kind, tail = ("drop", tails.at_most) if seen < mean else ("surge", tails.at_least)
        probability = tail(seen, mean, variance)
        if probability <= limit * ADVISORY_TIMES:
            _keep(found, Departure(kind, from_ms, probability, probability <= limit, mean, seen))
    return list(found.values())


def failure_rate(view: View, *, since_ms: int) -> list[Departure]:
    """A failure rate over the usual one since `since_ms`, where it is rare."""
    usual, expecting = view.pattern.failing, view.expecting
    spread = usual.spread + 1.0 / (usual.trials + 2.0)
    found: dict[str, Departure] = {}
    for width in RATE_WIDTHS_MIN:
        from_ms, seen = view.until_ms - width * MINUTE_MS, view.seen[width]
        if from_ms < since_ms:
            break
        trials = seen.completed + seen.failed
        if trials < TRIALS_MIN or seen.failed < trials * (usual.share + expecting.material_rise):
            continue
        limit = rare(expecting, channels=view.channels, width_min=width, widths=len(RATE_WIDTHS_MIN))
        probability = tails.share_at_least(seen.failed, trials, share=usual.share, spread=spread)
        if probability <= limit * ADVISORY_TIMES:
            expected, incident = trials * usual.share, probability <= limit
            _keep(found, Departure("failure_rate", from_ms, probability, incident, expected, seen.failed))
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
