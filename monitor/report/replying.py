"""An entity answers for its outages and figures of a period; and where its answer goes.

Into whatever is frozen from then on, and at once into the drafts that are with their reviewers: a draft is
made anew with the same figures and all replies that stand, under another SHA-256. What is published stays.
"""

from __future__ import annotations

import asyncio
import re
from datetime import datetime
from typing import Any, NamedTuple

from monitor.errors import UsageError
from monitor.facts import ReplyRow
from monitor.judge.terms import terms_of
from monitor.model import GOVERNMENT, Catalogue, Entity
from monitor.report import document as documents
from monitor.report.document import Document
from monitor.report.figures import FIGURES
from monitor.report.replies import with_replies
from monitor.report.times import BadLabel, Stretch, named_stretch
from monitor.store import catalogue as catalogues
from monitor.store import replies as table
from monitor.store import report_deliveries, report_drafts, reports
from monitor.store.pool import Store
from monitor.store.replies import Said
from monitor.store.reports import NotedIncident
from monitor.store.times import millis

TEXT_MAX = 1000
REPLIES_MAX = 50  # of an entity about a period, withdrawn ones too
OUTAGE = "write service:passport@2026-11-18T10:00:00Z"
_TURNING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
RESEND_S = 120.0  # so that several replies make one mail to a reviewer


class Unfit(UsageError):
    """A reply that cannot be kept: which of its parts, and what would be right."""

    def __init__(self, part: str, text: str) -> None:
        self.part = part
        super().__init__(text)


class Wish(NamedTuple):
    """What somebody wants to answer. `about`: a figure's code, an incident's number, `service:x@` or
    `system:x@` and an instant of the outage, or nothing: the period as a whole.
    """

    label: str
    entity: str  # slug
    about: str
    ar: str
    en: str
    by: str
    on_behalf: bool


class Matter(NamedTuple):
    """What a reply is about; nothing: the period as a whole."""

    code: str = ""
    subject: str = ""
    began_ms: int | None = None
    incident: str = ""


async def reply(store: Store, catalogue: Catalogue, wish: Wish) -> int:
    """Keep it, and make drafts of that period anew with it; its number. Raises Unfit, StoreUnavailable."""
    stretch = begun(catalogue, wish.label, now_ms=await reports.now(store))
    entity = entity_of(catalogue, wish.entity)
    matter = await _matter(store, catalogue, wish.about.strip(), entity, stretch)
    ar, en = _text("ar", wish.ar), _text("en", wish.en)
    if not (ar or en):
        raise Unfit("text", "a reply needs a text, in Arabic, in English or in both")
    said = Said(entity.subject, stretch.label, *matter, ar, en, wish.by, wish.on_behalf)
    async with store.transaction() as connection:
        if await table.count(connection, label=said.label, entity=said.entity) >= REPLIES_MAX:
            raise Unfit("text", f"there are {REPLIES_MAX} replies of {entity.slug} to {said.label} already")
        number = await table.add(connection, said)
        await _drafts_anew(connection, said.label, said.entity, by=said.by)
    return number


async def withdraw(store: Store, number: int, *, by: str) -> ReplyRow | None:
    """It no longer stands, and drafts are made anew without it; None when it did not stand."""
    async with store.transaction() as connection:
        found = await table.withdraw(connection, number, by=by)
        if found is not None:
            await _drafts_anew(connection, found.label, found.entity, by=by)
    return found


async def replied(connection: Any, document: Document) -> Document:
    """The same with every reply that stands; none comes in before the transaction ends."""
    await table.hold(connection)
    return await _with_standing(connection, document)


async def _with_standing(connection: Any, document: Document) -> Document:
    scope = document.about.scope
    entity = None if scope == GOVERNMENT else scope
    return with_replies(document, await table.standing(connection, label=document.about.label, entity=entity))


async def _drafts_anew(connection: Any, label: str, entity: str, *, by: str) -> None:
    """The government's draft and the entity's own, while they are with their reviewers; and sent again."""
    for draft, before in await report_drafts.held(connection, label=label, scopes=[GOVERNMENT, entity]):
        made = await _with_standing(connection, await asyncio.to_thread(documents.decode, before))
        text = await asyncio.to_thread(documents.encode, made)
        if text == before:
            continue
        await report_drafts.remake(connection, draft, text, sha256=documents.digest(text), by=by)
        await report_deliveries.plan_draft_again(connection, draft.which, in_s=RESEND_S)


# -- what may be answered


def begun(catalogue: Catalogue, label: str, *, now_ms: int) -> Stretch:
    """The period that a label names, over or not. Raises Unfit when it is none, or is still to come."""
    terms = terms_of(catalogue)
    try:
        stretch = named_stretch(label, terms.zone, week_start=terms.week_start)
    except BadLabel as error:
        raise Unfit("label", str(error)) from None
    if stretch.start_ms > now_ms:
        raise Unfit("label", f"{stretch.label} has not begun")
    return stretch


def entity_of(catalogue: Catalogue, slug: str) -> Entity:
    """Raises Unfit when nothing is called so."""
    found = catalogue.entities_by_slug.get(slug)
    if found is None:
        raise Unfit("entity", f"no entity is called {slug!r}")
    return found


async def _matter(store: Store, catalogue: Catalogue, about: str, entity: Entity, stretch: Stretch) -> Matter:
    if not about:
        return Matter()
    if about in FIGURES:
        return Matter(code=about)
    subject, at, instant = about.partition("@")
    if at:
        matter = Matter("", subject, _instant(instant))
    elif (incident := await reports.incident(store, about)) is not None:
        matter = _of_incident(incident, stretch)
    else:
        raise Unfit("about", f"{about!r} is no figure, no incident, and no outage: {OUTAGE}")
    _hold_own(await _known(store, catalogue, matter.subject, stretch), matter, entity)
    if matter.began_ms is None or matter.began_ms >= stretch.end_ms:
        raise Unfit("about", f"the outage began after {stretch.label}")
    return matter


def _of_incident(incident: NotedIncident, stretch: Stretch) -> Matter:
    if incident.ended_ms is not None and incident.ended_ms < stretch.start_ms:
        raise Unfit("about", f"{incident.number} was over before {stretch.label}")
    return Matter("", incident.subject.partition("/")[0], incident.since_ms, incident.number)


def _instant(text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            raise ValueError
        return millis(at)
    except (ValueError, OverflowError):
        raise Unfit("about", f"{text!r} is no instant with its zone, such as 2026-11-18T10:00:00Z") from None


async def _known(store: Store, catalogue: Catalogue, subject: str, stretch: Stretch) -> Catalogue:
    """The catalogue, or the last one of the period that knew the subject."""
    if subject in catalogue.services_by_subject or subject in catalogue.systems_by_subject:
        return catalogue
    found = await catalogues.versions(store, after_serial=0, since_ms=stretch.start_ms)
    during = (version.catalogue for version in reversed(found))
    return next((each for each in during if subject in each.services_by_subject), catalogue)


def _hold_own(catalogue: Catalogue, matter: Matter, entity: Entity) -> None:
    """A service is its owner's to answer for; of a shared system anybody may say what it did to them."""
    service = catalogue.services_by_subject.get(matter.subject)
    if service is None and matter.subject not in catalogue.systems_by_subject:
        raise Unfit("about", f"{matter.subject!r} is no service and no system")
    if service is not None and service.entity != entity.slug:
        raise Unfit("about", f"{matter.subject} is not of {entity.slug}")


def _text(language: str, text: str) -> str:
    """In one line, trimmed, without what would turn the direction of its surroundings. Raises Unfit."""
    found = " ".join(_TURNING.sub("", text).split())
    if "\0" in found or len(found) > TEXT_MAX:
        raise Unfit("text", f"a reply has at most {TEXT_MAX} characters in each language ({language})")
    return found
