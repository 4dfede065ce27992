"""What a figure stands on: its intervals with their reasons and causes, and the attempts that made them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from monitor.facts import FigureRow
from monitor.judge.exclusions import Exclusion, Standing, standing
from monitor.judge.figures import Span, When, spans
from monitor.judge.ranges import clip
from monitor.judge.reading import figure_row, open_accounts, step_of
from monitor.judge.seconds import State
from monitor.judge.terms import Terms
from monitor.judge.timeline import Evidence, Step, value_at
from monitor.model import GOVERNMENT, Verdict
from monitor.store import figures
from monitor.store.pool import Store

INTERVALS_MAX = 2000
PARTS_MAX_MS = 100 * 86_400_000  # of a sum over more its services are not listed
PART = "part"  # the kind of a figure that is one of a sum


class Interval(NamedTuple):
    """[from, to) of one state. `verdict` is what was true, whatever it counts as; `attempts` confirmed it."""

    from_ms: int
    to_ms: int
    state: State
    verdict: str
    reason: str
    cause: str
    attempts: tuple[Evidence, ...]


class Announced(NamedTuple):
    """An exclusion that touches the stretch, and whether it is applied."""

    exclusion: Exclusion
    standing: Standing


class Proof(NamedTuple):
    """Intervals of a subject with a timeline, or the figures of the services that a sum is made of."""

    intervals: list[Interval]
    parts: list[FigureRow]
    announced: list[Announced]
    more: bool  # only the first intervals are here, or the stretch is too long to list the services of a sum


async def prove(store: Store, terms: Terms, subject: str, when: When) -> Proof:
    """The evidence of a figure, as far as it goes. Raises StoreUnavailable."""
    stop_ms = max(when.start_ms + 1, when.stop_ms)
    if _is_sum(subject) and stop_ms - when.start_ms > PARTS_MAX_MS:
        return Proof([], [], [], more=True)
    accounts = await open_accounts(
        store, from_ms=when.start_ms, to_ms=stop_ms, policy=terms.policy, subjects=[subject]
    )
    services = accounts.belonging.services.get(subject)
    if services is not None:
        names = [name for name, ranges in services.items() if clip(ranges, when.start_ms, stop_ms)]
        parts = [
            figure_row(
                name, terms.zone.key, "part", accounts.leaf(name, when, within=services[name]), terms.policy
            )
            for name in names
        ]
        worst_first = sorted(parts, key=lambda part: (-part.counted.down_ms, part.subject))
        return Proof([], worst_first, _announced(accounts.exclusions, names, accounts.notice_ms), False)
    where = clip(accounts.belonging.exists.get(subject, ()), when.start_ms, when.stop_ms)
    found = spans(accounts.timelines.get(subject, ()), where, accounts.excluded(subject))
    shown = found[:INTERVALS_MAX]
    below = await _below(store, subject, shown, when.start_ms, stop_ms)
    return Proof(
        [_interval(span, subject, below) for span in shown],
        [],
        _announced(accounts.exclusions, [subject], accounts.notice_ms),
        len(found) > len(shown),
    )


def _is_sum(subject: str) -> bool:
    return subject == GOVERNMENT or subject.startswith("entity:")


def _announced(exclusions: Iterable[Exclusion], subjects: Sequence[str], notice_ms: int) -> list[Announced]:
    return [
        Announced(each, standing(each, notice_ms=notice_ms))
        for each in exclusions
        if any(each.covers(subject) for subject in subjects)
    ]


Timelines = dict[str, list[Step]]


async def _below(
    store: Store, subject: str, found: Sequence[Span], from_ms: int, to_ms: int
) -> tuple[Timelines, Timelines]:
    """Effective timelines of the channels of a service, and measured ones of all that may be the reason."""
    members = await figures.memberships(store, from_ms=from_ms, to_ms=to_ms)
    channels = [one.subject for one in members if one.parent == subject]
    felt = await figures.timelines(store, subjects=channels, from_ms=from_ms, to_ms=to_ms)
    steps = {name: [step_of(row) for row in rows] for name, rows in felt.items()}
    causes = {span.step.cause for span in found} | {step.cause for each in steps.values() for step in each}
    own = await figures.timelines(
        store,
        subjects={subject, *channels, *causes} - {""},
        from_ms=from_ms,
        to_ms=to_ms,
        layer="measured",
    )
    return steps, {name: [step_of(row) for row in rows] for name, rows in own.items()}


def _interval(span: Span, subject: str, below: tuple[Timelines, Timelines]) -> Interval:
    step = span.step
    attempts = _attempts(span, subject, below) if step.verdict is not Verdict.UP else ()
    return Interval(
        span.from_ms, span.to_ms, span.state, step.verdict.value, step.reason, step.cause, attempts
    )


def _attempts(span: Span, subject: str, below: tuple[Timelines, Timelines]) -> tuple[Evidence, ...]:
    """Attempts that confirmed the step, else its cause, else its channels or what caused theirs."""
    felt, measured = below
    if span.step.evidence:
        return span.step.evidence
    if span.step.cause:
        return value_at(measured.get(span.step.cause, ()), span.from_ms).evidence
    found: list[Evidence] = list(value_at(measured.get(subject, ()), span.from_ms).evidence)
    for channel, steps in felt.items():
        step = value_at(steps, span.from_ms)
        if step.verdict is span.step.verdict:
            found += value_at(measured.get(step.cause or channel, ()), span.from_ms).evidence
    return tuple(dict.fromkeys(found))
