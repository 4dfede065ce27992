"""Facts into the frozen report, every figure of it. Pure: the same facts give the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from monitor.judge import uptake
from monitor.judge.figures import Figure, Tally
from monitor.judge.periods import day_of
from monitor.judge.ranges import clip
from monitor.judge.seconds import Says
from monitor.judge.weighted import Weighted
from monitor.model import GOVERNMENT, Text
from monitor.report import lists
from monitor.report.document import (
    Counts,
    Document,
    Part,
    Time,
    Value,
)
from monitor.report.facts import Facts, Week
from monitor.report.figures import by_key, earlier_of, figures_of, otherwise_of
from monitor.report.intervals import belonged, intervals
from monitor.report.outages import lost_in, outages
from monitor.report.times import utc

USUAL_LEAST = 0.5  # of the transactions that came; under it the patterns are not made yet


def build(facts: Facts) -> Document:
    """The report of these facts."""
    document = Document(
        about=facts.about,
        terms=facts.terms,
        total=Part(kind="total", subject="", slug="", name=Text()),
        outages=outages(facts),
        work=lists.work(facts),
        advisories=lists.advisories(facts),
        certificates=lists.certificates(facts),
        unmeasured=lists.unmeasured(facts),
        decisions=lists.decisions(facts),
        at_risk=tuple(facts.at_risk),
        not_in=tuple(facts.not_in),
        intervals=intervals(facts),
        belonged=belonged(facts),
    )
    services = [_with_figures(_service(facts, subject), document) for subject in facts.services]
    sums = [_sum(facts, subject, "entity", services, document) for subject in facts.entities]
    total = _sum(facts, facts.about.scope, "total", services, document)
    return replace(
        document,
        total=_with_figures(total, document),
        entities=tuple(sorted((_with_figures(each, document) for each in sums), key=_worst)),
        services=tuple(sorted(services, key=_worst)),
        weeks=tuple(_with_figures(_week(facts, week), document) for week in facts.weeks),
    )


def _with_figures(part: Part, document: Document) -> Part:
    said = replace(part, figures=figures_of(part, document), earlier=earlier_of(part, document))
    return replace(said, otherwise=otherwise_of(said, document))


def _worst(part: Part) -> tuple[int, str]:
    """Whoever was not available longest comes first."""
    return -part.counted.down_ms, part.subject


# -- who


def _service(facts: Facts, subject: str) -> Part:
    slug, name = facts.name(subject)
    when = facts.when
    exists = clip(facts.exists(subject), when.start_ms, when.end_ms)
    began, ended = (exists[0][0], exists[-1][1]) if exists else (when.start_ms, when.end_ms)
    return Part(
        kind="service",
        subject=subject,
        slug=slug,
        name=name,
        entity=facts.owners.get(subject, ""),
        existed_from=utc(began) if began > when.start_ms else None,
        existed_to=utc(ended) if ended < when.end_ms else None,
        objective=facts.objectives.get(subject, facts.terms.target),
        lost=lost_in(facts, [subject]),
        by_transactions=_by_transactions(facts, [subject]),
        **_times(facts, subject),
        **_counted(facts, [subject]),
    )


def _sum(
    facts: Facts,
    subject: str,
    kind: Literal["total", "entity"],
    services: Sequence[Part],
    document: Document,
) -> Part:
    """An entity or everybody. A service that moved counts among those of its owner at the end.

    It is held against its objective by what of it was the owner's; so a report of the entity says the same.
    """
    own = [each for each in services if subject == GOVERNMENT or each.entity == subject]
    slug, name = (facts.about.slug, facts.about.name) if kind == "total" else facts.name(subject)
    shares = {} if kind == "total" else facts.accounts.shares(subject, facts.when)
    answers = [_answer(each, shares.get(each.subject), document) for each in own]
    subjects = [each.subject for each in own]
    return Part(
        kind=kind,
        subject=subject,
        slug=slug,
        name=name,
        services=len(own),
        judged=sum(each.says is Says.FIGURE for each in answers),
        met=sum(each.text == "yes" for each in answers),
        objective=facts.terms.target,
        lost=lost_in(facts, subjects),
        by_transactions=_by_transactions(facts, subjects, facts.weighted_of.get(subject)),
        **_times(facts, subject),
        **_counted(facts, subjects),
    )


def _answer(service: Part, share: Figure | None, document: Document) -> Value:
    """Whether the service, or that share of its time, met its objective."""
    counted = service.counted if share is None else _time(share.counted)
    return by_key("target_met").formula(replace(service, counted=counted), document)


def _week(facts: Facts, week: Week) -> Part:
    counted = _time(week.figure.counted) if week.figure else Time()
    return Part(
        kind="week",
        subject=facts.about.scope,
        slug=facts.about.slug,
        name=facts.about.name,
        label=week.label,
        first=day_of(week.when.start_ms, ZoneInfo(facts.about.zone)),
        counted=counted,
        objective=facts.terms.target,
    )


def _times(facts: Facts, subject: str) -> dict[str, Any]:
    figure, before = facts.figures.get(subject), facts.before.get(subject)
    return {
        "counted": _time(figure.counted) if figure else Time(),
        "all_counted": _time(figure.whole) if figure else Time(),
        "before": _time(before.counted) if before else None,
    }


def _time(tally: Tally) -> Time:
    return Time(
        up_ms=tally.spent.up_ms,
        degraded_ms=tally.spent.degraded_ms,
        unknown_ms=tally.spent.unknown_ms,
        down_ms=tally.spent.down_ms,
        maintenance_ms=tally.spent.maintenance_ms,
        out_of_hours_ms=tally.spent.out_of_hours_ms,
        outages=tally.outages,
        longest_ms=tally.longest_ms,
        restored=tally.restored,
        restored_ms=tally.restored_ms,
    )


def _by_transactions(
    facts: Facts, services: Iterable[str], shares: Mapping[str, Weighted] | None = None
) -> Weighted | None:
    """Of those whose usual pattern is known; None when that is nobody's, or far less than came.

    `shares`: of those of which only a part counts.
    """
    subjects, known = [*services], {**facts.weighted, **(shares or {})}
    found = sum((known[each] for each in subjects if each in known), Weighted())
    usual = found.available + found.unavailable + found.unknown
    came = sum(facts.counted[each].ended.completed for each in subjects if each in facts.counted)
    return found if usual > 0 and usual >= USUAL_LEAST * came else None


def _counted(facts: Facts, services: Iterable[str]) -> dict[str, Any]:
    """Transactions of these services together; nothing where nobody sends counts of them."""
    none = uptake.Tally()
    pairs = [(facts.counted.get(each, none), facts.counted_before.get(each, none)) for each in services]
    now, before = (uptake.total(side) for side in zip(*pairs, strict=True)) if pairs else (none, none)
    sending = sum(bool(sum(one.ended)) for one, _ in pairs)
    if not sending:
        return {}
    return {
        "counts": Counts(
            completed=now.ended.completed,
            failed=now.ended.failed,
            abandoned=now.ended.abandoned,
            services=sending,
            whole=now.whole,
        ),
        "uptake": uptake.compared_uptake(pairs),
        "completion": uptake.compared(uptake.completion, now, before),
    }
