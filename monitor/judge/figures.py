"""The one function of every figure: what a subject spent in each state over a stretch of time. Pure; Unix ms.

Larger figures are made by adding: `joined` puts stretches of the same subjects in a row, `summed` puts
subjects of the same stretch side by side. Both give what looking at all of it at once would give; an outage
over midnight is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import pairwise
from typing import NamedTuple

import msgspec

from monitor.judge.ranges import ALWAYS, Ranges, clip, holds, length_ms
from monitor.judge.seconds import Spent, State, total
from monitor.judge.timeline import Step, value_at


class Span(NamedTuple):
    """[from, to) of one state, and the step that was in force."""

    from_ms: int
    to_ms: int
    state: State
    step: Step


class When(NamedTuple):
    """[start, end), judged up to `as_of_ms`: after that nothing is counted, neither as unknown."""

    start_ms: int
    end_ms: int
    as_of_ms: int

    @property
    def stop_ms(self) -> int:
        """Where counting stops."""
        return max(self.start_ms, min(self.end_ms, self.as_of_ms))


class Excluded(NamedTuple):
    """When a subject is not counted. `closed` holds with and without exclusions: its own service hours."""

    closed: Ranges = ()
    out_of_hours: Ranges = ()
    maintenance: Ranges = ()


NOTHING = Excluded()


class Edge(msgspec.Struct, frozen=True, array_like=True):
    """A subject down at an edge of a stretch: for how long after its start and before its end, in ms.

    `through`: it was down from one to the other, so that both are the same outage.
    """

    subject: str
    head_ms: int
    tail_ms: int
    through: bool = False


class Tally(msgspec.Struct, frozen=True):
    """Time by state, and the outages in it: intervals of down as they count, cut by the stretch.

    `restored` of them ended within it, after `restored_ms` together. An exclusion in the middle of an outage
    divides what counts of it in two.
    """

    spent: Spent = Spent()
    outages: int = 0
    longest_ms: int = 0
    restored: int = 0
    restored_ms: int = 0
    edges: tuple[Edge, ...] = ()

    @property
    def mean_restore_ms(self) -> int | None:
        """Mean time to restore, cut to a millisecond; None when no outage ended."""
        return self.restored_ms // self.restored if self.restored else None


class Figure(msgspec.Struct, frozen=True):
    """One subject over a stretch. `counted` leaves out what is excluded; `whole` is without exclusions."""

    when: When
    counted: Tally
    whole: Tally


def account(
    subject: str,
    steps: Sequence[Step],
    when: When,
    *,
    exists: Ranges = ALWAYS,
    excluded: Excluded = NOTHING,
) -> Figure:
    """The figure of one subject from its effective timeline. Outside `exists` there is no time at all."""
    where = clip(exists, when.start_ms, when.stop_ms)
    whole = _tally(subject, spans(steps, where, Excluded(excluded.closed)), when)
    counted = whole
    if excluded.out_of_hours or excluded.maintenance:
        counted = _tally(subject, spans(steps, where, excluded), when)
    assert counted.spent.total_ms == whole.spent.total_ms == length_ms(where), "time is conserved"
    return Figure(when, counted, whole)


def spans(steps: Sequence[Step], where: Ranges, excluded: Excluded = NOTHING) -> list[Span]:
    """Every stretch of `where` with its state, oldest first: each instant exactly once (T1)."""
    barriers = [edge for ranges in excluded for each in ranges for edge in each]
    found = []
    for start, end in where:
        inside = {step.at_ms for step in steps if start < step.at_ms < end}
        cuts = sorted({start, end, *inside, *(edge for edge in barriers if start < edge < end)})
        for from_ms, to_ms in pairwise(cuts):
            step = value_at(steps, from_ms)
            found.append(Span(from_ms, to_ms, _state(step, from_ms, excluded), step))
    return found


def _state(step: Step, at_ms: int, excluded: Excluded) -> State:
    if holds(excluded.closed, at_ms) or holds(excluded.out_of_hours, at_ms):
        return State.OUT_OF_HOURS
    return State.MAINTENANCE if holds(excluded.maintenance, at_ms) else State(step.verdict.value)


def runs(found: Iterable[Span]) -> list[tuple[int, int]]:
    """The intervals of down among them, whatever reasons they had one after another."""
    intervals: list[tuple[int, int]] = []
    for span in found:
        if span.state is not State.DOWN:
            continue
        if intervals and intervals[-1][1] == span.from_ms:
            intervals[-1] = (intervals[-1][0], span.to_ms)
        else:
            intervals.append((span.from_ms, span.to_ms))
    return intervals


def _tally(subject: str, found: Sequence[Span], when: When) -> Tally:
    start_ms, stop_ms = when.start_ms, when.stop_ms
    per = dict.fromkeys(State, 0)
    for span in found:
        per[span.state] += span.to_ms - span.from_ms
    spent = Spent(*(per[state] for state in State))
    if not spent.down_ms:
        return Tally(spent)
    outages = runs(found)
    ended = [end - start for start, end in outages if end < stop_ms]
    head_ms = next((end - start for start, end in outages[:1] if start == start_ms), 0)
    tail_ms = next((end - start for start, end in outages[-1:] if end == stop_ms), 0)
    through = outages == [(start_ms, stop_ms)]
    return Tally(
        spent,
        outages=len(outages),
        longest_ms=max(end - start for start, end in outages),
        restored=len(ended),
        restored_ms=sum(ended),
        edges=(Edge(subject, head_ms, tail_ms, through),) if head_ms or tail_ms else (),
    )


def joined(figures: Sequence[Figure]) -> Figure:
    """Stretches in a row, each beginning where the one before it ends, as one. Raises AssertionError."""
    whens = [figure.when for figure in figures]
    assert all(one.end_ms == two.start_ms for one, two in pairwise(whens)), "stretches must follow"
    began = [figure for figure in figures if figure.when.start_ms < figure.when.as_of_ms] or figures[:1]
    assert all(one.when.end_ms <= one.when.as_of_ms for one in began[:-1]), "all but the last must be over"
    when = When(whens[0].start_ms, whens[-1].end_ms, began[-1].when.as_of_ms)
    counted = reduce(_after, [figure.counted for figure in began])
    if all(figure.counted is figure.whole for figure in began):
        return Figure(when, counted, counted)
    return Figure(when, counted, reduce(_after, [figure.whole for figure in began]))


_NONE = Edge("", 0, 0)


def _after(one: Tally, two: Tally) -> Tally:
    """Two stretches in a row. What was down up to the border and on after it is one outage."""
    spent = one.spent + two.spent
    if not one.edges and not two.edges:
        return Tally(
            spent,
            one.outages + two.outages,
            max(one.longest_ms, two.longest_ms),
            one.restored + two.restored,
            one.restored_ms + two.restored_ms,
        )
    return _over_the_border(one, two, spent)


def _over_the_border(one: Tally, two: Tally, spent: Spent) -> Tally:
    before = {edge.subject: edge for edge in one.edges}
    after = {edge.subject: edge for edge in two.edges}
    outages, longest_ms = one.outages + two.outages, max(one.longest_ms, two.longest_ms)
    restored, restored_ms = one.restored + two.restored, one.restored_ms + two.restored_ms
    edges = []
    for subject in before | after:
        left, right = before.get(subject, _NONE), after.get(subject, _NONE)
        goes_on = bool(left.tail_ms and right.head_ms)
        if goes_on:
            outages -= 1
            longest_ms = max(longest_ms, left.tail_ms + right.head_ms)
            restored_ms += 0 if right.through else left.tail_ms
        elif left.tail_ms:  # it ended with the border itself
            restored += 1
            restored_ms += left.tail_ms
        head_ms = left.head_ms + (right.head_ms if left.through else 0)
        tail_ms = right.tail_ms + (left.tail_ms if right.through else 0)
        if head_ms or tail_ms:
            edges.append(Edge(subject, head_ms, tail_ms, left.through and right.through))
    return Tally(spent, outages, longest_ms, restored, restored_ms, tuple(edges))


def summed(figures: Sequence[Figure], when: When) -> Figure:
    """Several subjects over the same stretch as one: service-seconds, and all their outages."""
    counted = _beside([figure.counted for figure in figures])
    if all(figure.counted is figure.whole for figure in figures):
        return Figure(when, counted, counted)
    return Figure(when, counted, _beside([figure.whole for figure in figures]))


def _beside(tallies: Sequence[Tally]) -> Tally:
    return Tally(
        total(tally.spent for tally in tallies),
        outages=sum(tally.outages for tally in tallies),
        longest_ms=max((tally.longest_ms for tally in tallies), default=0),
        restored=sum(tally.restored for tally in tallies),
        restored_ms=sum(tally.restored_ms for tally in tallies),
        edges=tuple(edge for tally in tallies for edge in tally.edges),
    )
