"""Incidents as pages and API show them: what each takes, what still works remotely, and whom to call."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec
from aiohttp import web

from monitor.judge.incidents import Incident
from monitor.judge.picture import ChannelShown, Picture, ServiceShown
from monitor.model import Catalogue, Contact, Entity, Service, System, Verdict
from monitor.store.incidents import Kept
from monitor.store.tokens import Holder, Role
from monitor.web import auth
from monitor.web.language import Speaker
from monitor.web.problems import Refused
from monitor.web.site import HOLDER
from monitor.web.telling import Telling

NOTE_MAX = 2000
MAY_HANDLE = frozenset({Role.OPERATOR})
WORKING = frozenset({Verdict.UP, Verdict.DEGRADED})

Sheet = list[tuple[System | Entity, tuple[Contact, ...]]]

_incident = msgspec.json.Decoder(Incident)


class Shown(NamedTuple):
    """An incident, and who has it in hand."""

    incident: Incident
    acknowledged_ms: int | None
    acknowledged_by: str | None


class Taken(NamedTuple):
    """A service that the incident took, as it is now, and its channels on which it can be completed."""

    service: ServiceShown
    still: list[ChannelShown]


def shown(kept: Kept) -> Shown:
    return Shown(_incident.decode(kept.document), kept.acknowledged_ms, kept.acknowledged_by)


def all_shown(kept: Iterable[Kept]) -> list[Shown]:
    return [shown(one) for one in kept]


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
    path = incident.subject.split("/", 1)[0]
    catalogue = picture.catalogue
    return catalogue.systems_by_subject.get(path) or catalogue.services_by_subject.get(path)


def call_sheet(picture: Picture, incident: Incident) -> Sheet:
    """Whom to call: the people of the system, then those of the entity that runs it."""
    about = behind(picture, incident)
    sheet: Sheet = []
    if isinstance(about, System) and about.contacts:
        sheet.append((about, about.contacts))
    owner = picture.catalogue.entities_by_slug.get(about.entity) if about else None
    if owner is not None and owner.contacts:
        sheet.append((owner, owner.contacts))
    return sheet


class Wanted(NamedTuple):
    """Which incidents somebody asked to see; empty is all."""

    state: str = ""  # open | closed
    entity: str = ""  # slug
    system: str = ""  # slug

    @property
    def narrow(self) -> bool:
        return any(self)

    def lets(self, catalogue: Catalogue, incident: Incident) -> bool:
        """Whether it is about, or takes something of, the entity; and whether it is the system's."""
        return self._of_entity(catalogue, incident) and self._of_system(catalogue, incident)

    def _of_system(self, catalogue: Catalogue, incident: Incident) -> bool:
        system = next((one.subject for one in catalogue.systems if one.slug == self.system), None)
        own = incident.subject.split("/", 1)[0]
        return not self.system or (system is not None and system in (own, *incident.systems))

    def _of_entity(self, catalogue: Catalogue, incident: Incident) -> bool:
        paths = {path.split("/", 1)[0] for path in (incident.subject, *incident.services, *incident.channels)}
        about = [catalogue.systems_by_subject.get(p) or catalogue.services_by_subject.get(p) for p in paths]
        return not self.entity or any(one is not None and one.entity == self.entity for one in about)


def call_text(telling: Telling, shown: Shown, sheet: Sheet) -> str:
    """The call sheet as plain text, to be pasted into a message."""
    speaker, about = telling.speaker, behind(telling.picture, shown.incident)
    name = "" if about is None else speaker.plain_name(about.name, about.slug)
    lines = [f"{shown.incident.number} {name}".strip()]
    for owner, people in sheet:
        lines += ["", speaker.plain_name(owner.name, owner.slug)]
        lines += [_line_of(speaker, each) for each in people]
    return "\n".join(lines)


def _line_of(speaker: Speaker, contact: Contact) -> str:
    role, name = speaker.plain_name(contact.role, ""), speaker.plain_name(contact.name, "")
    return " · ".join(part for part in (role, name, contact.phone, contact.mail, contact.hours) if part)


def operator(request: web.Request) -> Holder:
    """Who acts. Raises Refused: 401 without a token, 403 for one that may not handle incidents."""
    how, what = "sign in with a token of `operator`", "do this; a token of `operator` may"
    return auth.allowed(request, request.get(HOLDER), MAY_HANDLE, how=how, what=what)


def note_of(text: object) -> str:
    """What somebody wrote, trimmed. Raises Refused (400) for nothing, or too much."""
    said = text.strip() if isinstance(text, str) else ""
    if not 0 < len(said) <= NOTE_MAX or "\0" in said:
        raise Refused(400, "Bad note", f"a note has from 1 to {NOTE_MAX} characters")
    return said
