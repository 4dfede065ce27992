"""What the API says of each thing: dicts made of the picture. Times are RFC 3339, names in both languages."""

from __future__ import annotations

from typing import Any

import msgspec

from monitor.facts import Attempt, Changed
from monitor.judge.picture import ChannelShown, EntityShown, Picture, ServiceShown, Shown, SystemShown
from monitor.judge.seconds import format_percent
from monitor.model import Contact, Dependency, Text
from monitor.web.cursors import encode_place
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


def continuity(picture: Picture) -> Json:
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
    }


def service_line(one: ServiceShown) -> Json:
    """A service in a list."""
    return {
        "slug": one.service.slug,
        "subject": one.service.subject,
        "name": name(one.service.name),
        "entity": one.service.entity or None,
        "remotely_available": one.available,
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
        "required": len(one.services),
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
