"""What an incident takes, what still works remotely, and whom to call: for pages and for messages. Pure."""

from __future__ import annotations

from typing import NamedTuple

from monitor.judge.incidents import Incident
from monitor.judge.picture import ChannelShown, Picture, ServiceShown
from monitor.model import Catalogue, Contact, Entity, Service, System, Verdict

WORKING = frozenset({Verdict.UP, Verdict.DEGRADED})


class Taken(NamedTuple):
    """A service that the incident took, as it is now, and its channels on which it can be completed."""

    service: ServiceShown
    still: list[ChannelShown]


def taken(picture: Picture, incident: Incident) -> list[Taken]:
    """Services it took or one of whose channels it touched, those still in the catalogue, in its order."""
    return [
        Taken(service, [one for one in service.channels if _still(one)])
        for service in picture.services.values()
        if service.service.subject in incident.services
        or any(one.channel.subject in incident.channels for one in service.channels)
    ]


def _still(shown: ChannelShown) -> bool:
    channel = shown.channel
    return channel.remote and channel.completes and shown.effective.verdict in WORKING


def behind(picture: Picture, incident: Incident) -> System | Service | None:
    """The system or service that it is about, also where its subject is one of their checks."""
    return about(picture.catalogue, incident)


def about(catalogue: Catalogue, incident: Incident) -> System | Service | None:
    """The same, out of a catalogue alone."""
    path = incident.subject.split("/", 1)[0]
    return catalogue.systems_by_subject.get(path) or catalogue.services_by_subject.get(path)


def call_sheet(picture: Picture, incident: Incident) -> list[tuple[System | Entity, tuple[Contact, ...]]]:
    """Whom to call: the people of the system, then those of the entity that runs it."""
    it = behind(picture, incident)
    sheet: list[tuple[System | Entity, tuple[Contact, ...]]] = []
    if isinstance(it, System) and it.contacts:
        sheet.append((it, it.contacts))
    owner = picture.catalogue.entities_by_slug.get(it.entity) if it else None
    if owner is not None and owner.contacts:
        sheet.append((owner, owner.contacts))
    return sheet
