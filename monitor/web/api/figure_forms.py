"""What the API and the command line say of availability: dicts made of stored figures and their evidence."""

from __future__ import annotations

from typing import Any

from monitor.facts import FigureRow, TallyRow
from monitor.judge.evidence import Announced, Interval, Proof
from monitor.judge.exclusions import APPLIED
from monitor.judge.periods import WEEKDAYS
from monitor.judge.seconds import ratio_of
from monitor.judge.terms import Terms
from monitor.judge.timeline import Evidence
from monitor.web.times import rfc3339

Json = dict[str, Any]


def figure(row: FigureRow, terms: Terms) -> Json:
    """A figure with and without exclusions, and the terms it was counted under."""
    return {
        "subject": row.subject,
        "period": row.kind,
        "zone": row.zone,
        "from": rfc3339(row.start_ms),
        "to": rfc3339(row.end_ms),
        "as_of": rfc3339(row.as_of_ms),
        **tally(row.counted),
        "without_exclusions": tally(row.whole),
        "terms": _terms(terms),
    }


def _terms(terms: Terms) -> Json:
    policy = terms.policy
    return {
        "missing": policy.missing.value,
        "degraded_counts": policy.degraded_counts,
        "coverage_gate": policy.coverage_gate,
        "notice_s": policy.notice_s,
        "decimals": policy.decimals,
        "week_start": WEEKDAYS[terms.week_start],
    }


def tally(row: TallyRow) -> Json:
    """Percentages are cut; `availability` is null unless `says` is `figure`."""
    return {
        "says": row.says,
        "availability_percent": row.availability,
        "availability": None if row.availability is None else float(ratio_of(row.availability)),
        "coverage_percent": row.coverage,
        "coverage": None if row.coverage is None else float(ratio_of(row.coverage)),
        "seconds": {
            "up": row.up_ms / 1000,
            "degraded": row.degraded_ms / 1000,
            "unknown": row.unknown_ms / 1000,
            "down": row.down_ms / 1000,
            "maintenance": row.maintenance_ms / 1000,
            "out_of_hours": row.out_of_hours_ms / 1000,
        },
        "outages": row.outages,
        "longest_s": row.longest_ms / 1000,
        "restored": row.restored,
        "mean_restore_s": row.restored_ms // row.restored / 1000 if row.restored else None,
    }


def evidence(row: FigureRow, terms: Terms, proof: Proof) -> Json:
    """A figure with all that it stands on."""
    return {
        **figure(row, terms),
        "intervals": [interval(each) for each in proof.intervals],
        "more": proof.more,
        "services": [{"subject": part.subject, **tally(part.counted)} for part in proof.parts],
        "exclusions": [announced(each) for each in proof.announced],
    }


def interval(one: Interval) -> Json:
    return {
        "from": rfc3339(one.from_ms),
        "to": rfc3339(one.to_ms),
        "state": one.state.value,
        "verdict": one.verdict,
        "reason": one.reason,
        "cause": one.cause or None,
        "attempts": [attempt(each) for each in one.attempts],
    }


def attempt(one: Evidence) -> Json:
    return {
        "check": one.check,
        "vantage": one.vantage,
        "due": rfc3339(one.due_ms),
        "attempt": one.attempt,
        "reason": one.reason,
        "sentence": one.sentence,
    }


def announced(one: Announced) -> Json:
    given = one.exclusion
    start_ms, end_ms = given.range
    return {
        "id": given.id,
        "kind": given.kind.value,
        "subjects": list(given.subjects),
        "from": rfc3339(start_ms),
        "to": rfc3339(end_ms),
        "why": given.why,
        "announced_at": rfc3339(given.announced_at_ms),
        "announced_by": given.announced_by,
        "extends": given.extends,
        "approved_at": rfc3339(given.approved_at_ms),
        "approved_by": given.approved_by,
        "finished_at": rfc3339(given.finished_at_ms),
        "standing": one.standing.value,
        "applied": one.standing in APPLIED,
    }
