"""The intervals that the figures of time were counted from, as they are frozen. Pure; Unix ms inside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from monitor.judge.exclusions import APPLIED, Exclusion, standing
from monitor.judge.figures import Excluded, Span, spans
from monitor.judge.ranges import clip, holds
from monitor.judge.seconds import State
from monitor.report.document import Belonged, Interval
from monitor.report.facts import Facts
from monitor.report.times import utc

EXCLUDED = frozenset({State.MAINTENANCE, State.OUT_OF_HOURS})


class _What(NamedTuple):
    """What one stretch of a service counts as, and why."""

    state: State
    was: State | None
    reason: str
    cause: str
    work: tuple[int, ...]


class _Row(NamedTuple):
    """A stretch in which that held, and whether it did before the period and after counting stopped."""

    from_ms: int
    to_ms: int
    before: bool
    after: bool
    what: _What


def intervals(facts: Facts) -> tuple[Interval, ...]:
    """Of every service of the report all time in which it did not count as up, the oldest first."""
    rows: dict[_Row, list[str]] = {}
    for service in facts.services:
        for row in _rows(facts, service):
            rows.setdefault(row, []).append(service)
    made = [_interval(facts, row, sorted(services)) for row, services in rows.items()]
    return tuple(sorted(made, key=lambda each: (each.began, each.ended, each.state, each.services)))


def _interval(facts: Facts, row: _Row, services: Sequence[str]) -> Interval:
    what = row.what
    return Interval(
        state=what.state,
        was=what.was,
        began=utc(row.from_ms),
        ended=utc(row.to_ms),
        before=row.before,
        after=row.after,
        reason=what.reason,
        cause=what.cause,
        name=facts.name(what.cause)[1] if what.cause else None,
        work=what.work,
        services=tuple(services),
    )


def _rows(facts: Facts, service: str) -> Iterator[_Row]:
    """The stretches of one service. One millisecond before the period tells what had begun before it."""
    start_ms, stop_ms = facts.when.start_ms, facts.when.stop_ms
    exists, excluded = facts.exists(service), facts.accounts.excluded(service)
    steps, work = facts.accounts.timelines.get(service, ()), _applied(facts, service)
    goes_on = holds(exists, stop_ms)
    found = spans(steps, clip(exists, start_ms - 1, stop_ms), excluded)
    for from_ms, to_ms, what in _joined(found, excluded, work):
        if to_ms > start_ms:
            after = goes_on and to_ms == stop_ms
            yield _Row(max(from_ms, start_ms), to_ms, from_ms < start_ms, after, what)


def _applied(facts: Facts, service: str) -> list[Exclusion]:
    notice_ms = facts.accounts.notice_ms
    return [
        each
        for each in facts.accounts.exclusions
        if each.covers(service) and standing(each, notice_ms=notice_ms) in APPLIED
    ]


def _joined(
    found: Iterable[Span], excluded: Excluded, work: Sequence[Exclusion]
) -> Iterator[tuple[int, int, _What]]:
    """Spans that touch and of which the same is said are one."""
    last: tuple[int, int, _What] | None = None
    for span in found:
        what = _what(span, excluded, work)
        if last is not None and last[1] == span.from_ms and last[2] == what:
            last = (last[0], span.to_ms, last[2])
            continue
        if last is not None:
            yield last
        last = None if what is None else (span.from_ms, span.to_ms, what)
    if last is not None:
        yield last


def _what(span: Span, excluded: Excluded, work: Sequence[Exclusion]) -> _What | None:
    """None of time in which it was up, and of its own closing hours."""
    if span.state is State.UP or holds(excluded.closed, span.from_ms):
        return None
    step, left_out = span.step, span.state in EXCLUDED
    was = State(step.verdict.value)
    numbers = tuple(each.id for each in work if clip([each.range], span.from_ms, span.to_ms))
    return _What(
        span.state,
        was if left_out else None,
        "" if was is State.UP else step.reason,
        step.cause if was is not State.UP and step.cause.startswith("system:") else "",
        numbers if left_out else (),
    )


def belonged(facts: Facts) -> tuple[Belonged, ...]:
    """Whose every service was that was not one entity's as long as it was there."""
    start_ms, end_ms = facts.when.start_ms, facts.when.end_ms
    found = []
    for entity in facts.entities:
        for service, ranges in sorted(facts.accounts.belonging.services.get(entity, {}).items()):
            own = clip(ranges, start_ms, end_ms)
            if own and own != clip(facts.exists(service), start_ms, end_ms):
                found += [
                    Belonged(service=service, entity=entity, began=utc(from_ms), ended=utc(to_ms))
                    for from_ms, to_ms in own
                ]
    return tuple(sorted(found, key=lambda each: (each.service, each.began)))
