"""What the API says of each thing: dicts made of the picture. Times are RFC 3339, names in both languages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from monitor.facts import Attempt, Changed, Ended, Finding, Missed
from monitor.judge import uptake
from monitor.judge.picture import ChannelShown, EntityShown, Picture, ServiceShown, Shown, SystemShown
from monitor.judge.seconds import format_percent
from monitor.judge.uptake import Compared, Share
from monitor.judge.weighted import Weighted
from monitor.model import Contact, Dependency, Text
from monitor.store.incidents import Line
from monitor.web import handled
from monitor.web.cursors import encode_place
from monitor.web.curve import Curve, Moment
from monitor.web.times import rfc3339

Json = dict[str, Any]


def name(text: Text) -> Json:
    return {"en": text.en, "ar": text.ar}


def shown(one: Shown) -> Json:
    return {
        "verdict": one.verdict.value,
        "reason": one.reason,
        "cause": one.cause or None,
        "since": rfc3339(one.since_ms),
        "behind": one.behind,
    }


def as_of(picture: Picture) -> Json:
    """What every answer carries: how far the world was judged, under which catalogue."""
    return {"as_of": rfc3339(picture.as_of_ms), "catalogue_serial": picture.serial}


def continuity(picture: Picture, by_transactions: Weighted | None) -> Json:
    """The headline, computed by the one function that the pages and the metrics use too."""
    line = picture.headline
    known = line.available + line.unavailable
    return {
        **as_of(picture),
        "sample": picture.catalogue.sample,
        "behind": picture.behind,
        "required": line.required,
        "available": line.available,
        "not_available": line.unavailable,
        "unknown": line.unknown,
        "ratio": None if line.ratio is None else float(line.ratio),
        "ratio_percent": None if line.ratio is None else format_percent(*line.counted, 1),
        "missing": line.missing,
        "coverage": None if line.coverage is None else float(line.coverage),
        "coverage_percent": format_percent(known, line.required, 1),
        "sufficient": line.sufficient,
        "target": line.target,
        "target_met": line.met,
        "most_unavailable": line.most_unavailable,
        "by_transactions": by_transactions and _weighted(by_transactions, picture),
    }


def _weighted(found: Weighted, picture: Picture) -> Json:
    part, whole = found.counted(picture.catalogue.policy.missing)
    return {
        "available": round(found.available, 3),
        "not_available": round(found.unavailable, 3),
        "unknown": round(found.unknown, 3),
        "ratio": part / whole if whole else None,
        "ratio_percent": format_percent(part, whole, 1),
    }


def service_line(one: ServiceShown) -> Json:
    """A service in a list."""
    return {
        "slug": one.service.slug,
        "subject": one.service.subject,
        "name": name(one.service.name),
        "entity": one.service.entity or None,
        "remotely_available": one.available,
        "excluded": one.excluded and one.excluded.value,
        **shown(one.effective),
    }


def service(picture: Picture, one: ServiceShown) -> Json:
    owner = picture.catalogue.entities_by_slug.get(one.service.entity)
    return {
        **as_of(picture),
        **service_line(one),
        "runbook": one.service.runbook or None,
        "contacts": [contact(each) for each in owner.contacts] if owner else [],
        "channels": [channel(each) for each in one.channels],
    }


def channel(one: ChannelShown) -> Json:
    return {
        "slug": one.channel.slug,
        "subject": one.channel.subject,
        "kind": one.channel.kind.value,
        "remote": one.channel.remote,
        "completes": one.channel.completes,
        "url": one.channel.url or None,
        "own_check": one.measured is not None,
        "derived": one.derived,
        "measured": None if one.measured is None else shown(one.measured),
        "excluded": one.excluded and one.excluded.value,
        **shown(one.effective),
        "checks": [check.key for check in one.channel.checks],
        "depends": [dependency(need) for need in one.channel.depends],
    }


def dependency(need: Dependency) -> Json:
    return {"system": need.system, "effect": need.effect.value}


def contact(one: Contact) -> Json:
    return {**msgspec.to_builtins(one), "role": name(one.role), "name": name(one.name)}


def system_line(one: SystemShown) -> Json:
    """A system in a list."""
    return {
        "slug": one.system.slug,
        "subject": one.system.subject,
        "name": name(one.system.name),
        "kind": one.system.kind.value,
        "entity": one.system.entity or None,
        "dependants": len({way.service.slug for way in one.dependants}),
        "excluded": one.excluded and one.excluded.value,
        **shown(one.effective),
    }


def system(picture: Picture, one: SystemShown) -> Json:
    return {
        **as_of(picture),
        **system_line(one),
        "runbook": one.system.runbook or None,
        "contacts": [contact(each) for each in one.system.contacts],
        "measured": None if one.measured is None else shown(one.measured),
        "checks": [check.key for check in one.system.checks],
        "depends": [dependency(need) for need in one.system.depends],
        "needed_by": [
            {
                "service": way.service.slug,
                "channel": way.channel.slug,
                "effect": way.effect.value,
                "via": list(way.via),
            }
            for way in one.dependants
        ],
    }


def entity(one: EntityShown) -> Json:
    return {
        "slug": one.entity.slug,
        "name": name(one.entity.name),
        "required": len(one.required),
        "available": one.available,
        "not_available": one.not_available,
        "unknown": one.unknown,
    }


def observation(one: Attempt) -> Json:
    return {
        "check": one.check,
        "vantage": one.vantage,
        "due": rfc3339(one.due_ms),
        "attempt": one.attempt,
        "outcome": one.outcome,
        "reason": one.reason,
        "sentence": one.sentence,
        "every_ms": one.every_ms,
        "late_ms": one.late_ms,
        "took_ms": one.took_ms,
        "phases_ms": one.phases_ms,
        "status": one.status,
        "size_bytes": one.size_bytes,
        "certificate_expires": rfc3339(one.certificate_expires_ms),
        "failed": one.failed,
        "catalogue_serial": one.serial,
        "skewed": one.skewed,
        "beyond_horizon": one.beyond,
    }


def change(one: Changed) -> Json:
    return {
        "cursor": encode_place(one.place),
        "layer": one.layer,
        "subject": one.subject,
        "at": rfc3339(one.at_ms),
        "verdict": one.verdict,
        "reason": one.reason,
        "cause": one.cause or None,
        "known_at": rfc3339(one.known_at_ms),
        "withdrawn_at": rfc3339(one.withdrawn_at_ms),
    }


def ended(one: Ended) -> Json:
    return {**one._asdict(), "all": sum(one)}


def share(one: Share) -> Json:
    ratio = one.ratio
    return {
        "part": one.part,
        "whole": one.whole,
        "ratio": None if ratio is None else float(ratio),
        "percent": one.percent,
    }


def compared(one: Compared) -> Json:
    """A share, the one of the period before, and the difference in percentage points."""
    points = one.points
    return {
        **share(one.now),
        "before": share(one.before),
        "points": None if points is None else float(points),
    }


def moment(one: Moment) -> Json:
    return {
        "at": rfc3339(one.at_ms),
        "completed": one.ended and one.ended.completed,
        "failed": one.ended and one.ended.failed,
        "abandoned": one.ended and one.ended.abandoned,
        "expected": one.usual and round(one.usual.mean, 3),
        "low": one.usual and round(one.usual.low, 3),
        "high": one.usual and round(one.usual.high, 3),
        "complete": one.complete,
    }


def curve(one: Curve) -> Json:
    """Counts of a stretch of time: points, sums, and the shares the pages print."""
    now, before = one.tally.ended, one.before.ended
    return {
        "as_of": rfc3339(one.until_ms),
        "from": rfc3339(one.from_ms),
        "to": rfc3339(one.to_ms),
        "complete": one.complete,
        "total": ended(now),
        "before": ended(before),
        "uptake": compared(one.uptake),
        **{
            name: compared(uptake.compared(ratio, one.tally, one.before))
            for name, ratio in (
                ("completion", uptake.completion),
                ("failure", uptake.failure),
                ("abandonment", uptake.abandonment),
            )
        },
        "services": one.tally.services,
        "services_counted_whole": one.tally.whole,
        "channels_without_data": list(one.tally.without),
        "points": [moment(each) for each in one.moments],
    }


def finding(one: Finding) -> Json:
    return {
        "subject": one.subject,
        "kind": one.kind,
        "level": one.level,
        "began": rfc3339(one.began_ms),
        "ended": rfc3339(one.ended_ms),
        "probability": one.probability,
        "expected": one.expected,
        "seen": one.seen,
    }


def missed(one: Missed) -> Json:
    """An estimate, never without its interval."""
    return {
        "subject": one.subject,
        "began": rfc3339(one.began_ms),
        "ended": rfc3339(one.ended_ms),
        "as_of": rfc3339(one.as_of_ms),
        "expected": one.expected,
        "seen": one.seen,
        "missed": one.missed,
        "low": one.low,
        "high": one.high,
        "made_up": one.made_up,
        "made_up_low": one.made_up_low,
        "made_up_high": one.made_up_high,
        "made_up_done": one.made_up_done,
    }


def incident_line(one: handled.Shown) -> Json:
    """An incident in a list. `services` and `channels`: everything it ever took or touched."""
    about = one.incident
    return {
        "number": about.number,
        "subject": about.subject,
        "sign": about.sign.value,
        "state": about.state.value,
        "severity": about.severity.value,
        "verdict": about.verdict.value,
        "suspected": about.suspected,
        "since": rfc3339(about.since_ms),
        "opened_at": rfc3339(about.opened_ms),
        "well_since": rfc3339(about.well_ms or None),
        "closed_at": rfc3339(about.closed_ms or None),
        "absorbed_by": about.absorbed_by or None,
        "opened_by": about.by or None,
        "title": about.title or None,
        "ruling": None if about.ruling is None else about.ruling.value,
        "ruled_by": about.ruled_by or None,
        "failures": about.failures,
        "reopened": about.reopened,
        "acknowledged_at": rfc3339(one.acknowledged_ms),
        "acknowledged_by": one.acknowledged_by,
        "services": list(about.services),
        "channels": list(about.channels),
    }


def incident(picture: Picture, one: handled.Shown, lines: Sequence[Line]) -> Json:
    return {
        **as_of(picture),
        **incident_line(one),
        "taken": [
            {
                **service_line(each.service),
                "still_works": [still.channel.subject for still in each.still],
            }
            for each in handled.taken(picture, one.incident)
        ],
        "call": [
            {"name": name(who.name), "contacts": [contact(each) for each in contacts]}
            for who, contacts in handled.call_sheet(picture, one.incident)
        ],
        "timeline": [timeline_line(line) for line in lines],
    }


def timeline_line(line: Line) -> Json:
    return {
        "kind": line.kind,
        "at": rfc3339(line.at_ms),
        "known_at": rfc3339(line.known_ms),
        "author": line.author or None,
        "text": line.text,
    }
