"""The lists of the report: announced work, decisions asked, what was not as usual, what nobody measured.

Pure; Unix ms inside, instants outside.
"""

from __future__ import annotations

from monitor.judge.exclusions import APPLIED, Exclusion, Standing, notice, standing
from monitor.judge.figures import Span, spans
from monitor.judge.ranges import Ranges, clip, shared, union
from monitor.judge.seconds import State
from monitor.report.document import Advisory, Certificate, Decision, Unmeasured, Work
from monitor.report.facts import Facts
from monitor.report.times import utc

DAY_MS = 86_400_000
OPEN = frozenset({"short_notice", "overrun", "already_down", "unannounced"})  # nobody has ruled on them
RULED = frozenset({Standing.APPROVED, Standing.REJECTED})
SAID = frozenset({"advisory", "incident"})  # findings the committee hears of


# -- what was announced


def _announced(facts: Facts) -> list[Exclusion]:
    """Exclusions of the period that are about somebody of this report."""
    start_ms, stop_ms = facts.when.start_ms, facts.when.end_ms
    return [
        each
        for each in facts.accounts.exclusions
        if clip([each.range], start_ms, stop_ms) and _about(facts, each)
    ]


def _about(facts: Facts, exclusion: Exclusion) -> list[str]:
    """The services of this report that it covers, itself or one of their channels."""
    return [
        service
        for service in facts.services
        if exclusion.covers(service) or any(each.startswith(f"{service}/") for each in exclusion.subjects)
    ]


def work(facts: Facts) -> tuple[Work, ...]:
    return tuple(
        Work(
            number=each.id,
            kind=each.kind.value,
            subjects=each.subjects,
            names=tuple(facts.name(subject.partition("/")[0])[1] for subject in each.subjects),
            began=utc(each.range[0]),
            ended=utc(each.range[1]),
            why=each.why,
            announced=utc(each.announced_at_ms),
            by=each.announced_by,
            notice=_notice(facts, each),
            standing=_standing(facts, each),
            applied=_is_applied(facts, each),
            extends=each.extends,
        )
        for each in sorted(_announced(facts), key=lambda each: (each.from_ms, each.id))
    )


def _standing(facts: Facts, exclusion: Exclusion) -> str:
    """What the committee said, or how it was announced."""
    found = standing(exclusion, notice_ms=facts.accounts.notice_ms)
    return found.value if found in RULED else _notice(facts, exclusion)


def _notice(facts: Facts, exclusion: Exclusion) -> str:
    """As the judge says, and `unannounced` where nobody was told before it began."""
    found = notice(exclusion, notice_ms=facts.accounts.notice_ms)
    late = exclusion.announced_at_ms >= exclusion.from_ms
    return "unannounced" if found is Standing.SHORT_NOTICE and late else found.value


def _is_applied(facts: Facts, exclusion: Exclusion) -> bool:
    return standing(exclusion, notice_ms=facts.accounts.notice_ms) in APPLIED


def decisions(facts: Facts) -> tuple[Decision, ...]:
    """Announced work that counts, and in which something was down: shall it be left out after all?"""
    asked = [each for each in _announced(facts) if _standing(facts, each) in OPEN]
    made = [_decision(facts, each) for each in asked]
    return tuple(each for each in made if each.down_ms)


def _decision(facts: Facts, exclusion: Exclusion) -> Decision:
    downs = {service: _down_in(facts, service, exclusion) for service in _about(facts, exclusion)}
    return Decision(
        kind="exclusion",
        number=exclusion.id,
        down_ms=sum(downs.values()),
        services=sum(bool(down_ms) for down_ms in downs.values()),
    )


def _down_in(facts: Facts, service: str, exclusion: Exclusion) -> int:
    if not exclusion.covers(service):
        return 0  # a channel alone: the service's own time does not change
    where = union(clip([exclusion.range], facts.when.start_ms, facts.when.stop_ms))
    found = _spans(facts, service, where)
    return sum(span.to_ms - span.from_ms for span in found if span.state is State.DOWN)


def _spans(facts: Facts, service: str, where: Ranges) -> list[Span]:
    accounts, exists = facts.accounts, shared(facts.exists(service), where)
    return spans(accounts.timelines.get(service, ()), exists, accounts.excluded(service))


# -- what was not as usual, what ends, what nobody measured


def advisories(facts: Facts) -> tuple[Advisory, ...]:
    wanted = {*facts.services, facts.about.scope}
    return tuple(
        Advisory(
            subject=each.subject,
            name=facts.name(each.subject.partition("/")[0])[1],
            kind=each.kind,
            level=each.level,
            began=utc(each.began_ms),
            ended=None if each.ended_ms is None else utc(each.ended_ms),
            expected=f"{each.expected:.0f}",
            seen=each.seen,
        )
        for each in sorted(facts.findings, key=lambda each: (each.began_ms, each.subject, each.kind))
        if each.level in SAID and each.subject.partition("/")[0] in wanted
    )


def certificates(facts: Facts) -> tuple[Certificate, ...]:
    """Those that end within the days of the setting after the period, the soonest first."""
    until_ms = facts.when.end_ms + facts.terms.certificates_days * DAY_MS
    soon = sorted((each.expires_ms, each.check) for each in facts.certificates if each.expires_ms < until_ms)
    return tuple(
        Certificate(
            check=check,
            subject=check.partition("/")[0],
            name=facts.name(check.partition("/")[0])[1],
            expires=utc(expires_ms),
        )
        for expires_ms, check in soon
    )


def unmeasured(facts: Facts) -> tuple[Unmeasured, ...]:
    """Unknown time of the services by its reason, the longest first; it sums to the figure."""
    spent: dict[str, int] = {}
    whose: dict[str, set[str]] = {}
    for service in facts.services:
        for span in _spans(facts, service, [(facts.when.start_ms, facts.when.stop_ms)]):
            if span.state is State.UNKNOWN:
                spent[span.step.reason] = spent.get(span.step.reason, 0) + span.to_ms - span.from_ms
                whose.setdefault(span.step.reason, set()).add(service)
    return tuple(
        Unmeasured(reason=reason, unknown_ms=ms, services=len(whose[reason]))
        for reason, ms in sorted(spent.items(), key=lambda item: (-item[1], item[0]))
    )
