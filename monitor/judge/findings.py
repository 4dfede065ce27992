"""One look at a channel's last minutes: silence, drop, failure rate, surge; or most at once. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from monitor.judge import silence, windows
from monitor.judge.hours import HOUR_MS, Hours
from monitor.judge.pattern import Pattern
from monitor.judge.windows import MINUTE_MS, seen_in
from monitor.model import Expecting, FindingLevel

SILENCE, DROP, FAILURE_RATE, SURGE = "silence", "drop", "failure_rate", "surge"
LATELY_MS = 3 * HOUR_MS  # before a silence, what tells how high these hours are
MOST_MIN = 3  # services that must be silent, or drop, before it is about the government
MOST_SHARE = 0.5  # of those that can be told
TOLD_MIN = 20.0  # transactions expected in an hour without which nobody could see a drop
_LEVELS = list(FindingLevel)

Range = tuple[int, int]
NONE_OPEN: Mapping[str, int] = {}


@dataclass
class Watched:
    """A channel that is looked at: its pattern, and its minutes from `since_ms` on."""

    channel: str  # path: service:passport/web
    service: str
    channels: int  # that the service has
    pattern: Pattern
    since_ms: int
    minutes: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    settled_ms: dict[str, int] = field(default_factory=dict)  # by kind: the end of the last finding

    def forget_before(self, at_ms: int) -> None:
        """Minutes before `at_ms` are no longer needed."""
        if self.since_ms < at_ms:
            self.minutes = {minute: seen for minute, seen in self.minutes.items() if minute >= at_ms}
            self.since_ms = at_ms


class Judged(NamedTuple):
    """Something that is not as usual, at this look."""

    kind: str
    level: FindingLevel
    began_ms: int
    probability: float
    expected: float
    seen: int


class Looked(NamedTuple):
    """One look at one channel. `over` are kinds that were open and are no longer, with their end."""

    judged: list[Judged]
    over: list[tuple[str, int]]


def look(
    watched: Watched,
    hours: Hours,
    expecting: Expecting,
    *,
    until_ms: int,
    bad: Sequence[Range] = (),
    began: Mapping[str, int] = NONE_OPEN,
) -> Looked:
    """What is not as usual up to `until_ms`, the clock of the channel's counts, and never after it.

    `bad` are stretches in which nothing is judged, in order: known to be down, in maintenance, out of hours.
    `began` says since when which kinds are open. Where one ends is noted in `watched.settled_ms`: windows no
    longer reach behind it, for what they would see there is told already.
    """
    if any(from_ms <= until_ms < to_ms for from_ms, to_ms in bad):
        return Looked([], [(kind, until_ms) for kind in began])
    clear_ms = max([watched.since_ms, *(to_ms for _, to_ms in bad if to_ms <= until_ms)])
    found = _silence(watched, hours, expecting, until_ms=until_ms, clear_ms=clear_ms)
    over: list[tuple[str, int]] = []
    silent = bool(found)
    if SILENCE in began and not found:
        ended_ms = _next_minute(watched, since_ms=began[SILENCE], until_ms=until_ms)
        over += [] if ended_ms is None else [(SILENCE, ended_ms)]
        silent = ended_ms is None
    watched.settled_ms |= dict(over)
    found += _departures(watched, hours, expecting, until_ms=until_ms, clear_ms=clear_ms, silent=silent)
    judged = {each.kind for each in found}
    minute_ms = until_ms // MINUTE_MS * MINUTE_MS
    for kind in began.keys() - judged - {SILENCE}:
        if not windows.lasts(kind, watched.pattern, watched.minutes, hours, until_ms=minute_ms):
            over.append((kind, minute_ms))
    watched.settled_ms |= dict(over)
    return Looked(found, over)


def _silence(
    watched: Watched, hours: Hours, expecting: Expecting, *, until_ms: int, clear_ms: int
) -> list[Judged]:
    usual = watched.pattern.every
    last_ms = max((minute for minute in watched.minutes if minute < until_ms), default=0)
    longest_ms = round(expecting.longest_silence_s * 1000)
    since_ms = max(last_ms + MINUTE_MS, clear_ms, until_ms - longest_ms)
    if since_ms >= until_ms or usual.mean(hours, since_ms, until_ms) < expecting.least:
        return []
    lately = _lately(watched, hours, since_ms=since_ms, clear_ms=clear_ms)
    run = silence.run(usual, hours, since_ms=since_ms, until_ms=until_ms, lately=lately)
    if run.expected < expecting.least:
        return []
    if run.probability <= silence.rare(usual, expecting, channels=watched.channels):
        level = FindingLevel.INCIDENT
    elif run.probability <= expecting.advisory_probability:
        level = FindingLevel.ADVISORY
    else:
        return []
    level = at_most(level, expecting.silence)
    return [Judged(SILENCE, level, since_ms, run.probability, run.expected, 0)]


def _lately(watched: Watched, hours: Hours, *, since_ms: int, clear_ms: int) -> silence.Lately:
    to_ms = since_ms // MINUTE_MS * MINUTE_MS
    from_ms = -(-max(since_ms - LATELY_MS, clear_ms) // MINUTE_MS) * MINUTE_MS
    if to_ms <= from_ms:
        return silence.Lately()
    expected = watched.pattern.every.expected(hours, from_ms, to_ms)
    return silence.Lately(expected, seen_in(watched.minutes, from_ms, to_ms).every)


def _departures(
    watched: Watched, hours: Hours, expecting: Expecting, *, until_ms: int, clear_ms: int, silent: bool
) -> list[Judged]:
    until_ms = until_ms // MINUTE_MS * MINUTE_MS
    settled = watched.settled_ms
    volume_ms = max([clear_ms, *(settled.get(kind, 0) for kind in (SILENCE, DROP, SURGE))])
    view = windows.View(
        watched.pattern, hours, expecting, watched.channels, windows.back(watched.minutes, until_ms), until_ms
    )
    found = [] if silent else windows.volume(view, since_ms=volume_ms)
    found += windows.failure_rate(view, since_ms=max(clear_ms, settled.get(FAILURE_RATE, 0)))
    highest = {DROP: expecting.drop, FAILURE_RATE: expecting.failure_rate, SURGE: FindingLevel.SHOWN}
    return [
        Judged(
            each.kind,
            at_most(FindingLevel.INCIDENT if each.incident else FindingLevel.ADVISORY, highest[each.kind]),
            each.began_ms,
            each.probability,
            each.expected,
            each.seen,
        )
        for each in found
    ]


def _next_minute(watched: Watched, *, since_ms: int, until_ms: int) -> int | None:
    """The first minute with a transaction, which ends a silence; None while there is none."""
    return min((minute for minute in watched.minutes if since_ms <= minute < until_ms), default=None)


def at_most(level: FindingLevel, highest: FindingLevel) -> FindingLevel:
    """The milder of the two."""
    return min(level, highest, key=_LEVELS.index)


class Vote(NamedTuple):
    """What a channel says of a stretch: not as usual, or as usual."""

    service: str
    found: Judged | None
    usual_ms: int  # the last minute that shows it to be as usual; 0 where nothing can be told


def vote(watched: Watched, judged: Sequence[Judged], hours: Hours, kind: str, *, until_ms: int) -> Vote:
    """A channel's vote on silence or drop. For a drop, one too small to show it has none."""
    found = next((each for each in judged if each.kind == kind), None)
    heard_ms = max((minute for minute in watched.minutes if minute < until_ms), default=0)
    if kind == DROP and heard_ms:
        usual = watched.pattern.every
        told = usual.mean(hours, until_ms - HOUR_MS, until_ms) >= TOLD_MIN
        heard_ms = heard_ms if told else 0
    return Vote(watched.service, found, heard_ms)


def most(votes: Iterable[Vote]) -> Judged | None:
    """One finding in place of many, when most of the services that can be told are not as usual at once.

    It began when half of them had; a service with another channel that was as usual since is no part of it.
    """
    votes = list(votes)
    found = sorted((vote.found.began_ms, vote.service) for vote in votes if vote.found is not None)
    if len({service for _, service in found}) < MOST_MIN:
        return None
    began_ms = found[len(found) // 2][0]
    usual = {vote.service for vote in votes if vote.found is None and vote.usual_ms >= began_ms}
    gone = {service for _, service in found} - usual
    if len(gone) < max(MOST_MIN, MOST_SHARE * (len(gone) + len(usual))):
        return None
    told = [vote.found for vote in votes if vote.found is not None and vote.service in gone]
    return Judged(
        told[0].kind,
        max((each.level for each in told), key=_LEVELS.index),
        began_ms,
        min(each.probability for each in told),
        sum(each.expected for each in told),
        sum(each.seen for each in told),
    )
