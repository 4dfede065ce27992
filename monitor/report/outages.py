"""Outages of the period by their cause: what was taken, what still worked, what it cost. Pure; Unix ms.

A service that was down because a system it cannot do without was down belongs to that system's outage,
together with every other service it took at the time. A suspected cause is not a cause: only what the judge
derived from the system's own check counts as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import fsum
from typing import Any, NamedTuple

from monitor.facts import Missed
from monitor.judge.figures import Span, When, spans
from monitor.judge.missed import united
from monitor.judge.pattern import Expectation, total
from monitor.judge.ranges import Range, clip
from monitor.judge.seconds import Says, State
from monitor.judge.timeline import Step, value_at
from monitor.model import Verdict
from monitor.report.document import Lost, Outage
from monitor.report.facts import Facts, Noted
from monitor.report.figures import missed_value
from monitor.report.times import utc


class Down(NamedTuple):
    """One service, down for one cause (a system, or the service itself) in [from, to)."""

    cause: str
    service: str
    from_ms: int
    to_ms: int
    reason: str


def outages(facts: Facts) -> tuple[Outage, ...]:
    """Every outage that counts, by cause; what mattered most comes first."""
    found = [down for service in facts.services for down in _downs(facts, service)]
    made = [_outage(facts, group) for group in _by_cause(found)]
    return tuple(sorted(made, key=_weight))


def _weight(outage: Outage) -> tuple[float, int, str, str]:
    """Most transactions missed first, then most service time, then the first one."""
    missed = outage.missed.text if outage.missed.says is Says.FIGURE else None
    return -float(missed or 0), -outage.down_ms, outage.began.isoformat(), outage.subject


def _downs(facts: Facts, service: str) -> list[Down]:
    when, accounts = facts.when, facts.accounts
    exists = clip(facts.exists(service), when.start_ms, when.stop_ms)
    found = spans(accounts.timelines.get(service, ()), exists, accounts.excluded(service))
    return [
        Down(_cause(span, service), service, span.from_ms, span.to_ms, span.step.reason)
        for span in found
        if span.state is State.DOWN
    ]


def _cause(span: Span, service: str) -> str:
    """The system that every remote channel of the service was down for, or the service itself."""
    return span.step.cause if span.step.cause.startswith("system:") else service


def _by_cause(downs: Iterable[Down]) -> list[list[Down]]:
    """Those of one cause that overlap or touch are one outage."""
    groups: list[list[Down]] = []
    until_ms = 0
    for down in sorted(downs, key=lambda each: (each.cause, each.from_ms, each.to_ms, each.service)):
        if groups and groups[-1][0].cause == down.cause and down.from_ms <= until_ms:
            groups[-1].append(down)
            until_ms = max(until_ms, down.to_ms)
        else:
            groups.append([down])
            until_ms = down.to_ms
    return groups


def _outage(facts: Facts, group: Sequence[Down]) -> Outage:
    first = group[0]
    from_ms, to_ms = first.from_ms, max(down.to_ms for down in group)
    services = tuple(sorted({down.service for down in group}))
    lost = lost_in(facts, services, [(down.from_ms, down.to_ms) for down in group])
    noted = _noted(facts.incidents, first.cause, from_ms, to_ms)
    still, unmeasured = _channels(facts, services, from_ms, to_ms)
    return Outage(
        subject=first.cause,
        name=facts.name(first.cause)[1],
        derived=first.cause != first.service,
        reason=_reason(facts, first),
        began=utc(from_ms),
        ended=None if to_ms >= facts.when.stop_ms else utc(to_ms),
        before=from_ms <= facts.when.start_ms and _down_before(facts, group),
        down_ms=sum(down.to_ms - down.from_ms for down in group),
        services=services,
        still=still,
        unmeasured=unmeasured,
        lost=lost,
        missed=missed_value(lost),
        incident=noted.number if noted else "",
        done=noted.notes if noted else (),
    )


def _reason(facts: Facts, down: Down) -> str:
    """What the cause itself said; what its services say of it is only that they need it."""
    steps = facts.accounts.timelines.get(down.cause, ())
    return value_at(steps, down.from_ms).reason if down.cause != down.service and steps else down.reason


def _down_before(facts: Facts, group: Sequence[Down]) -> bool:
    """Whether one of them was down already when the period began."""
    start_ms = facts.when.start_ms
    return any(
        value_at(facts.accounts.timelines[down.service], start_ms - 1).verdict is Verdict.DOWN
        for down in group
        if down.from_ms == start_ms
    )


def _noted(incidents: Iterable[Noted], cause: str, from_ms: int, to_ms: int) -> Noted | None:
    """The incident of that cause in that time."""
    for each in incidents:
        if each.subject == cause and each.since_ms < to_ms and (each.ended_ms or to_ms) >= from_ms:
            return each
    return None


def _channels(
    facts: Facts, services: Iterable[str], from_ms: int, to_ms: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Kinds of channels that worked all the while for one of the services, and those nobody measured."""
    still, unmeasured = set(), set()
    for service in services:
        for channel in facts.channels(service):
            steps = facts.accounts.timelines.get(channel.subject)
            if not steps:
                unmeasured.add(channel.kind.value)
            elif _worked(steps, from_ms, to_ms):
                still.add(channel.kind.value)
    return tuple(sorted(still)), tuple(sorted(unmeasured - still))


def _worked(steps: Sequence[Step], from_ms: int, to_ms: int) -> bool:
    said = [value_at(steps, from_ms), *(step for step in steps if from_ms < step.at_ms < to_ms)]
    return all(step.verdict in (Verdict.UP, Verdict.DEGRADED) for step in said)


def lost_in(facts: Facts, services: Iterable[str], ranges: Iterable[Range] | None = None) -> Lost | None:
    """What the outages of these services cost, of those that began in the period (and in `ranges`).

    An outage over the edge of a period is counted once, where it began.
    """
    wanted, within = set(services), None if ranges is None else united(ranges)
    rows = [each for each in facts.missed if each.subject in wanted and _began(each, facts.when, within)]
    if not rows:
        return None
    expected = total(Expectation(each.expected, each.own, each.shared) for each in rows)
    return Lost(
        expected=expected.mean,
        own=expected.own,
        shared=expected.shared,
        seen=sum(each.seen for each in rows),
        **_made_up(rows),
    )


def _began(row: Missed, when: When, within: Sequence[Range] | None) -> bool:
    if not when.start_ms <= row.began_ms < when.stop_ms:
        return False
    return within is None or any(from_ms <= row.began_ms < to_ms for from_ms, to_ms in within)


def _made_up(rows: Sequence[Missed]) -> dict[str, Any]:
    """Of outages that are over; nothing when all of them last."""
    over = [each for each in rows if each.made_up is not None]
    if not over:
        return {}
    return {
        "made_up": fsum(each.made_up or 0.0 for each in over),
        "made_up_low": fsum(each.made_up_low or 0.0 for each in over),
        "made_up_high": fsum(each.made_up_high or 0.0 for each in over),
        "made_up_done": all(each.made_up_done for each in rows),
    }
