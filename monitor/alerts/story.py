"""What there is to tell of an incident, in no language yet. Pure; Unix milliseconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from monitor.facts import Answered
from monitor.judge.incidents import Incident
from monitor.judge.missed import Estimate
from monitor.judge.picture import Picture
from monitor.judge.reach import behind, call_sheet, taken
from monitor.judge.troubles import Sign
from monitor.model import GOVERNMENT, ChannelKind, Check, Contact, Service, System, Text


class Evidence(NamedTuple):
    """What was measured: so many of so many vantage points fail, why, and when the last good answer was."""

    failing: int
    of: int
    reason: str = ""
    took_ms: float = 0.0
    good_ms: int | None = None
    certificate_ms: int | None = None  # when it ends


@dataclass(frozen=True, slots=True)
class Story:
    """An incident with everything a message says of it."""

    incident: Incident
    kind: str  # system | service | government
    name: Text
    slug: str
    entity: str = ""  # slug of whoever answers for it
    services: tuple[Text, ...] = ()  # it takes, by name; not available those of the incident
    entities: int = 0  # to which these belong
    still: tuple[tuple[ChannelKind, int], ...] = ()  # on how many of them each kind still works remotely
    still_services: int = 0
    people: tuple[Contact, ...] = ()
    runbook: str = ""
    evidence: Evidence | None = None
    available: int = 0
    required: int = 0
    target: float = 0.0
    missed: Estimate | None = None


def story_of(
    picture: Picture,
    incident: Incident,
    *,
    evidence: Evidence | None = None,
    missed: Estimate | None = None,
) -> Story:
    """The story as the picture has it now."""
    about = behind(picture, incident)
    takes = taken(picture, incident)
    kinds = Counter(kind for each in takes for kind in {one.channel.kind for one in each.still})
    headline = picture.headline
    return Story(
        incident=incident,
        kind=_kind(incident, about),
        name=picture.catalogue.government if incident.subject == GOVERNMENT else (about or _Nothing).name,
        slug=about.slug if about else incident.subject.rpartition(":")[2],
        entity=about.entity if about else "",
        services=tuple(each.service.service.name for each in takes),
        entities=len({each.service.service.entity for each in takes}),
        still=tuple(kinds.most_common()),
        still_services=sum(bool(each.still) for each in takes),
        people=tuple(person for _, people in call_sheet(picture, incident) for person in people),
        runbook=about.runbook if about else "",
        evidence=evidence,
        available=headline.available,
        required=headline.required,
        target=picture.catalogue.policy.target,
        missed=missed,
    )


class _Nothing:
    name = Text()


def _kind(incident: Incident, about: System | Service | None) -> str:
    if incident.subject == GOVERNMENT:
        return "government"
    return "service" if isinstance(about, Service) else "system"


def checks_of(picture: Picture, incident: Incident) -> list[Check]:
    """The checks whose answers are the evidence: of a system, or of a service's channels it touched."""
    about = behind(picture, incident)
    if isinstance(about, System):
        return [one for one in about.checks if "/" not in incident.subject or one.key == incident.subject]
    if isinstance(about, Service):
        channels = [one for one in about.channels if one.subject in incident.channels] or about.channels
        return [check for channel in channels for check in channel.checks]
    return []


def evidence_of(seen: Iterable[Answered], good_ms: dict[str, int], *, sign: Sign) -> Evidence | None:
    """Out of the newest attempts: the check that fails at most vantage points. None without any attempt."""
    by_check: dict[str, list[Answered]] = {}
    for one in seen:
        by_check.setdefault(one.check, []).append(one)
    found = [_weigh(rows, good_ms.get(check), sign) for check, rows in by_check.items()]
    return max(found, key=lambda each: each.failing, default=None)


def _weigh(rows: list[Answered], good_ms: int | None, sign: Sign) -> Evidence:
    failing = [one for one in rows if one.outcome == "down"]
    if not failing or sign is Sign.DEGRADED:
        failing = failing or [one for one in rows if one.outcome == "degraded"]
    ends = [one.certificate_ms for one in rows if one.certificate_ms is not None]
    certificate_ms = min(ends) if ends and sign is Sign.CERTIFICATE else None
    if not failing:
        return Evidence(0, len(rows), good_ms=good_ms, certificate_ms=certificate_ms)
    reason = Counter(one.reason for one in failing).most_common(1)[0][0]
    took_ms = max(one.took_ms for one in failing if one.reason == reason)
    return Evidence(len(failing), len(rows), reason, took_ms, good_ms, certificate_ms)
