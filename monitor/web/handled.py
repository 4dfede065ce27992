"""Incidents as pages and API show them, and who may take them in hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec
from aiohttp import web

from monitor.judge.incidents import Incident
from monitor.judge.reach import Taken, behind, call_sheet, taken
from monitor.store.incidents import Kept
from monitor.store.tokens import Holder, Role
from monitor.web import auth
from monitor.web.problems import Refused
from monitor.web.site import HOLDER

__all__ = [
    "MAY_HANDLE",
    "NOTE_MAX",
    "Shown",
    "Taken",
    "all_shown",
    "behind",
    "call_sheet",
    "note_of",
    "operator",
    "shown",
    "taken",
]

NOTE_MAX = 2000
MAY_HANDLE = frozenset({Role.OPERATOR})

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
