"""What entities answer about a period, as pages and API share it: who may write and read, and about what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from aiohttp import web

from monitor.facts import ReplyRow
from monitor.judge.periods import Kind, day_of
from monitor.judge.terms import terms_of
from monitor.language import Speaker
from monitor.model import GOVERNMENT, Catalogue, Entity, Text
from monitor.report import replying
from monitor.report.document import Document, Outage, decode
from monitor.report.replies import Spoken, as_said, spoken
from monitor.report.replying import Unfit, Wish
from monitor.report.times import Stretch, before, stretch_of
from monitor.report.voice import words
from monitor.store import replies as table
from monitor.store import reports
from monitor.store.times import millis
from monitor.store.tokens import Holder, Role
from monitor.web import auth
from monitor.web.api.handlers import picture_of
from monitor.web.problems import Refused
from monitor.web.site import HOLDER, SITE
from monitor.web.times import rfc3339

MAY_REPLY = frozenset({Role.COORDINATOR, Role.OPERATOR, Role.COMMITTEE})
LISTED_MAX = 5000  # a hundred entities with all they may have
OUTAGES_MAX = 100  # to choose from
NUMBER_DIGITS_MAX = 15


# -- who


def may_reply(holder: Holder | None, entity: str) -> bool:
    """Whether this person answers for the entity with that slug: a coordinator for their own alone."""
    if holder is None or holder.role not in MAY_REPLY:
        return False
    return entity in holder.entities or (holder.role is not Role.COORDINATOR and not holder.entities)


def replier(request: web.Request, entity: str) -> Holder:
    """Who answers for that entity. Raises Refused (401, 403)."""
    how = "sign in with a token of `coordinator`, `operator` or `committee`"
    what = "reply for an entity; a token of `coordinator`, `operator` or `committee` may"
    holder = auth.allowed(request, request.get(HOLDER), MAY_REPLY, how=how, what=what)
    if not may_reply(holder, entity):
        raise Refused(403, "Not allowed", f"{holder.name} does not speak for {entity!r}")
    return holder


def repliers_entities(request: web.Request) -> list[Entity]:
    """Those that whoever is signed in may answer for."""
    holder = request.get(HOLDER)
    return [each for each in picture_of(request).catalogue.entities if may_reply(holder, each.slug)]


# -- what there is


class Asked(NamedTuple):
    """A period and whose replies; `entity` None: of everybody."""

    stretch: Stretch
    entity: Entity | None

    @property
    def scope(self) -> str:
        return self.entity.subject if self.entity else GOVERNMENT


def asked(request: web.Request) -> Asked:
    """What the address names. Raises Refused (404)."""
    catalogue, label = picture_of(request).catalogue, request.match_info["label"]
    slug = request.query.get("entity", "")
    try:
        stretch = replying.begun(catalogue, label, now_ms=request.app[SITE].live.now_ms)
        return Asked(stretch, replying.entity_of(catalogue, slug) if slug else None)
    except Unfit as error:
        raise Refused(404, "Not found", str(error)) from None


async def readable(request: web.Request, label: str, scope: str) -> list[ReplyRow]:
    """All of a period that this person may read: of a published one everything, else what they answer for."""
    store, entity = request.app[SITE].store, None if scope == GOVERNMENT else scope
    found = await table.listed(store, label=label, entity=entity, limit=LISTED_MAX)
    if await is_published(request, label, scope):
        return found
    own = {each.subject for each in repliers_entities(request)}
    return [each for each in found if each.entity in own]


async def is_published(request: web.Request, label: str, scope: str) -> bool:
    """Whether the report of the scope is, or the government's, which has the replies of all."""
    store = request.app[SITE].store
    return any([await reports.versions(store, scope=each, label=label) for each in {scope, GOVERNMENT}])


def later(document: Document, rows: Sequence[ReplyRow]) -> tuple[list[ReplyRow], list[ReplyRow]]:
    """Since a version was frozen: what came in and stands, and what of it was withdrawn."""
    frozen = {each.number for each in document.replies}
    came = [row for row in rows if row.number not in frozen and row.withdrawn_ms is None]
    return came, [row for row in rows if row.number in frozen and row.withdrawn_ms is not None]


# -- as it is told


class PageVoice(Speaker):
    """The words of a report in the language of a page, where there is no report yet."""

    def __init__(self, page: Speaker) -> None:
        super().__init__(page.language, zone=page.zone.key, messages=words(page.language))
        self._page = page

    def at(self, instant: datetime) -> str:
        return self._page.moment(millis(instant), now_ms=0)


class Line(NamedTuple):
    """A reply and how it reads."""

    row: ReplyRow
    said: Spoken


def lines_of(rows: Sequence[ReplyRow], catalogue: Catalogue, page: Speaker) -> list[Line]:
    """With the names of the catalogue."""
    names = _names(catalogue)
    told = spoken([as_said(row, lambda one: names.get(one, Text())) for row in rows], PageVoice(page))
    return [Line(row, said) for row, said in zip(rows, told, strict=True)]


def _names(catalogue: Catalogue) -> dict[str, Text]:
    names = {each.subject: each.name for each in catalogue.entities}
    names |= {each.subject: each.name for each in catalogue.services}
    return names | {each.subject: each.name for each in catalogue.systems}


def _called(names: Mapping[str, Text], subject: str, page: Speaker) -> str:
    key = subject.partition("/")[0]
    return page.plain_name(names.get(key, Text()), key.partition(":")[2])


# -- what may be answered


class Choice(NamedTuple):
    """An outage to answer for: what is sent for it, whose it is, and since when."""

    value: str
    subject: str
    began_ms: int


async def outages(request: web.Request, about: Asked) -> list[Choice]:
    """Of the published report that tells of the entity, else the incidents of what it has or needs."""
    assert about.entity is not None, "somebody answers"
    store, label = request.app[SITE].store, about.stretch.label
    for scope in (about.entity.subject, GOVERNMENT):
        text = await reports.document(store, scope=scope, label=label)
        if text is not None:
            return _frozen_outages(decode(text), about.entity)[:OUTAGES_MAX]
    subjects = _touching(picture_of(request).catalogue, about.entity)
    found = await reports.incidents(
        store, subjects=subjects, from_ms=about.stretch.start_ms, to_ms=about.stretch.end_ms
    )
    return [Choice(each.number, each.subject, each.since_ms) for each in found[-OUTAGES_MAX:]]


def _frozen_outages(document: Document, entity: Entity) -> list[Choice]:
    owners = {each.subject: each.entity for each in document.services}
    own = [
        each
        for each in document.outages
        if document.about.scope == entity.subject
        or any(owners.get(service) == entity.subject for service in each.services)
    ]
    return [_choice(each) for each in own]


def _choice(outage: Outage) -> Choice:
    began_ms = millis(outage.began)
    return Choice(outage.incident or f"{outage.subject}@{rfc3339(began_ms)}", outage.subject, began_ms)


def _touching(catalogue: Catalogue, entity: Entity) -> list[str]:
    services = [each for each in catalogue.services if each.entity == entity.slug]
    needed = {need.system for one in services for channel in one.channels for need in channel.depends}
    return sorted({each.subject for each in services} | needed)


def named(choices: Sequence[Choice], catalogue: Catalogue, page: Speaker) -> list[tuple[str, str]]:
    """What is sent for each, and how it reads."""
    names = _names(catalogue)
    return [
        (each.value, f"{_called(names, each.subject, page)} · {page.moment(each.began_ms, now_ms=0)}")
        for each in choices
    ]


async def keep(request: web.Request, about: Asked, sent: Mapping[str, object]) -> int:
    """Keep what was sent; its number. Raises Refused (401, 403) and Unfit."""
    assert about.entity is not None, "somebody answers"
    holder, slug = replier(request, about.entity.slug), about.entity.slug
    about_what, ar, en = (_sent(sent, key) for key in ("about", "ar", "en"))
    behalf = holder.role is not Role.COORDINATOR
    wish = Wish(about.stretch.label, slug, about_what, ar, en, by=holder.name, on_behalf=behalf)
    return await replying.reply(request.app[SITE].store, picture_of(request).catalogue, wish)


def _sent(sent: Mapping[str, object], key: str) -> str:
    value = sent.get(key, "")
    if not isinstance(value, str):
        raise Unfit(key, f"`{key}` must be a text")
    return value


def may_withdraw(holder: Holder | None, line: Line, catalogue: Catalogue) -> bool:
    return line.row.withdrawn_ms is None and may_reply(holder, _slug(catalogue, line.row.entity))


def _slug(catalogue: Catalogue, entity: str) -> str:
    """As the catalogue has it; of an entity that is gone, as it had it."""
    known = catalogue.entities_by_subject.get(entity)
    return known.slug if known else entity.partition(":")[2]


async def withdrawn(request: web.Request) -> ReplyRow:
    """The reply that the address names, withdrawn. Raises Refused (401, 403, 404, 409)."""
    store, text = request.app[SITE].store, request.match_info["number"]
    known = text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS_MAX
    found = await table.one(store, int(text)) if known else None
    if found is None or found.label != request.match_info["label"]:
        raise Refused(404, "Not found", f"no reply has the number {text!r} here")
    holder = replier(request, _slug(picture_of(request).catalogue, found.entity))
    if await replying.withdraw(store, found.number, by=holder.name) is None:
        raise Refused(409, "Not now", "it is withdrawn already")
    found = await table.one(store, found.number)
    assert found is not None, "it is never deleted"
    return found


def weeks(catalogue: Catalogue, *, now_ms: int) -> tuple[Stretch, Stretch]:
    """The week that goes on, and the one before it."""
    terms = terms_of(catalogue)
    this = stretch_of(Kind.WEEK, day_of(now_ms, terms.zone), terms.zone, week_start=terms.week_start)
    return this, before(this, terms.zone, week_start=terms.week_start)
