"""Missed transactions of outages, row by row: which stretches are counted, and what follows. Pure; Unix ms.

Counts are kept by whole minutes, so an outage is reckoned over every minute it touches, and expected over the
same ones; a minute that two outages of a subject touch belongs to the first. What was made up is looked for
in the 24 hours after the end, or until the subject's next outage, so that nothing is made up twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from monitor.facts import Missed
from monitor.judge.hours import Hours
from monitor.judge.missed import MADE_UP_MS, Estimate, Range, made_up, missed
from monitor.judge.pattern import Expectation, Usual, total
from monitor.judge.windows import MINUTE_MS


class Reckoned(NamedTuple):
    """An outage with the whole minutes it is reckoned over, and those after it."""

    subject: str
    began_ms: int
    ended_ms: int | None
    during: Range
    after: Range
    as_of_ms: int


def reckoned(
    outages: Iterable[tuple[str, int, int | None]], as_of_ms: Callable[[str], int | None]
) -> Iterator[Reckoned]:
    """`outages` are (subject, began, ended), by subject and beginning.

    `as_of_ms` says how far a subject is counted, None when that is not known: then there is no figure.
    """
    rows = list(outages)
    taken = ("", 0)
    for index, (subject, began_ms, ended_ms) in enumerate(rows):
        as_of = as_of_ms(subject)
        if as_of is None:
            continue
        limit_ms = as_of // MINUTE_MS * MINUTE_MS
        first_ms = began_ms // MINUTE_MS * MINUTE_MS
        if taken[0] == subject:
            first_ms = max(first_ms, taken[1])
        end_ms = limit_ms if ended_ms is None else -(-ended_ms // MINUTE_MS) * MINUTE_MS
        end_ms = max(min(end_ms, limit_ms), first_ms)
        after_ms = min(end_ms + MADE_UP_MS, max(limit_ms, end_ms))
        if index + 1 < len(rows) and rows[index + 1][0] == subject:
            after_ms = max(min(after_ms, rows[index + 1][1] // MINUTE_MS * MINUTE_MS), end_ms)
        if ended_ms is None:
            after_ms = end_ms
        taken = (subject, end_ms)
        yield Reckoned(subject, began_ms, ended_ms, (first_ms, end_ms), (end_ms, after_ms), as_of)


def overdue(
    rows: Iterable[Reckoned], known: Collection[tuple[str, int]], *, before_ms: int
) -> tuple[list[Reckoned], bool]:
    """Those over before `before_ms` that no row is `known` of, (subject, began) each; the newest first.

    Also whether others must wait, because what was made up after them is not counted to the end.
    """
    without = [
        each
        for each in rows
        if each.ended_ms is not None
        and each.ended_ms < before_ms
        and (each.subject, each.began_ms) not in known
    ]
    whole = [each for each in without if each.as_of_ms >= each.during[1] + MADE_UP_MS]
    return sorted(whole, key=lambda each: -each.began_ms), len(whole) < len(without)


def row(each: Reckoned, usuals: Sequence[Usual], hours: Hours, *, seen: int, seen_after: int) -> Missed:
    """The row of one outage, from completed transactions seen in it and after it."""
    expected = total(usual.expected(hours, *each.during) for usual in usuals)
    estimate = missed(expected, seen)
    made: Estimate | None = None
    if each.ended_ms is not None and each.as_of_ms >= each.ended_ms:
        after = total(usual.expected(hours, *each.after) for usual in usuals)
        made = made_up(after, seen_after, of=estimate)
    return Missed(
        subject=each.subject,
        began_ms=each.began_ms,
        ended_ms=each.ended_ms,
        expected=expected.mean,
        seen=seen,
        missed=estimate.value,
        low=estimate.low,
        high=estimate.high,
        own=expected.own,
        shared=expected.shared,
        made_up=None if made is None else made.value,
        made_up_low=None if made is None else made.low,
        made_up_high=None if made is None else made.high,
        made_up_done=made is not None and each.as_of_ms >= each.during[1] + MADE_UP_MS,
        as_of_ms=each.as_of_ms,
    )


def together(rows: Iterable[Missed]) -> Estimate:
    """Of outages of channels, each minute of each counted once; rows of services among them are left out."""
    channels = [each for each in rows if "/" in each.subject]
    expected = total(Expectation(each.expected, each.own, each.shared) for each in channels)
    return missed(expected, sum(each.seen for each in channels))


def channels_of(subject: str, remote: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """The channels whose transactions an outage of this subject is about."""
    return (subject,) if "/" in subject else remote.get(subject, ())
