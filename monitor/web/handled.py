"""Incidents as pages and API show them, and who may take them in hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec
from aiohttp import web

from monitor.judge.incidents import Incident
from monitor.judge.reach import Taken, behind, call_sheet, taken
from monitor.model import Catalogue, Contact, Entity, System
from monitor.store.incidents import Kept
from monitor.store.tokens import Holder, Role
from monitor.web import auth
from monitor.web.language import Speaker
from monitor.web.problems import Refused
from monitor.web.site import HOLDER
from monitor.web.telling import Telling

__all__ = [
    "MAY_HANDLE",
    "NOTE_MAX",
    "Shown",
    "Taken",
    "Wanted",
    "all_shown",
    "behind",
    "call_sheet",
    "call_text",
    "note_of",
    "operator",
    "shown",
    "taken",
]

NOTE_MAX = 2000
MAY_HANDLE = frozenset({Role.OPERATOR})

Sheet = list[tuple[System | Entity, tuple[Contact, ...]]]

_incident = msgspec.json.Decoder(Incident)


class Shown(NamedTuple):
    """An incident, and who has it in hand."""

    incident: Incident
    acknowledged_ms: int | None
    acknowledged_by: str | None


def shown(kept: Kept) -> Shown:
    return Shown(_incident.decode(kept.document), kept.acknowledged_ms, kept.acknowledged_by)


def all_shown(kept: Iterable[Kept]) -> list[Shown]:
    return [shown(one) for one in kept]


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
