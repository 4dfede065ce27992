"""What the committee writes down, from a form or as JSON: actions and inquiries, and who may."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from aiohttp import web

from monitor.judge.periods import day_of
from monitor.judge.terms import terms_of
from monitor.report.figures import FIGURES
from monitor.store import reports
from monitor.store.committee import Question
from monitor.store.tokens import Holder, Role
from monitor.web import auth
from monitor.web.api.handlers import picture_of
from monitor.web.problems import Refused
from monitor.web.reports import scope_called
from monitor.web.site import HOLDER, SITE

MAY_WRITE = frozenset({Role.COMMITTEE, Role.OPERATOR})
TEXT_MAX = 500
NAME_MAX = 100
AHEAD_MAX = timedelta(days=366)
NUMBER_DIGITS_MAX = 15

Sent = Mapping[str, object]


def writer(request: web.Request) -> Holder:
    """Who writes. Raises Refused: 401 without a token, 403 for one that may not."""
    how = "sign in with a token of `committee` or `operator`"
    what = "write for the committee; a token of `committee` or `operator` may"
    return auth.allowed(request, request.get(HOLDER), MAY_WRITE, how=how, what=what)


def may_write(request: web.Request) -> bool:
    holder = request.get(HOLDER)
    return holder is not None and holder.role in MAY_WRITE


def today(request: web.Request) -> date:
    """The day it is where the catalogue is."""
    return day_of(request.app[SITE].live.now_ms, terms_of(picture_of(request).catalogue).zone)


def text_of(sent: Sent, key: str, *, least: int = 1, most: int = TEXT_MAX) -> str:
    """A text in one line, trimmed. Raises Refused (400) when it is too long, or missing where it must be."""
    value = sent.get(key, "")
    if not isinstance(value, str) or "\0" in value:
        raise _bad(f"`{key}` must be a text")
    text = " ".join(value.split())
    if not least <= len(text) <= most:
        raise _bad(f"`{key}` has from {least} to {most} characters")
    return text


def due_of(request: web.Request, sent: Sent) -> date:
    """The last day, from today to a year from now. Raises Refused (400)."""
    first = today(request)
    try:
        due = date.fromisoformat(text_of(sent, "due", least=0))
    except ValueError:
        raise _bad("`due` must be a day such as 2026-12-04") from None
    if not first <= due <= first + AHEAD_MAX:
        raise _bad(f"`due` must lie from {first} to {first + AHEAD_MAX}")
    return due


async def question_of(request: web.Request, sent: Sent) -> Question:
    """An inquiry; the report it names must be published. Raises Refused (400) and StoreUnavailable."""
    label, code = text_of(sent, "label", least=0), text_of(sent, "code", least=0)
    scope = _scope(request, sent)
    if code and code not in FIGURES:
        raise _bad(f"`code` must be a figure from {min(FIGURES)} to {max(FIGURES)}")
    return Question(
        question=text_of(sent, "question"),
        owner=text_of(sent, "owner", most=NAME_MAX),
        due=due_of(request, sent),
        label=label,
        version=await _version(request, sent, scope, label) if label else None,
        code=code,
        scope=scope,
    )


def _scope(request: web.Request, sent: Sent) -> str:
    """Whose report it is: the subject of the entity that is named, or the government."""
    slug = text_of(sent, "scope", least=0)
    try:
        return scope_called(slug, picture_of(request).catalogue)
    except Refused:
        raise _bad(f"`scope` names no entity: {slug!r}") from None


async def _version(request: web.Request, sent: Sent, scope: str, label: str) -> int:
    """The version that is named, or the last one."""
    found = await reports.versions(request.app[SITE].store, scope=scope, label=label)
    known = [line.version for line in found]
    if not known:
        raise _bad(f"`label` names no published report: {label!r}")
    text = text_of(sent, "version", least=0) or str(known[0])
    if text not in map(str, known):
        raise _bad(f"`version` of {label} must be one of {', '.join(map(str, reversed(known)))}")
    return int(text)


def number_of(request: web.Request) -> int:
    """The number in the address. Raises Refused (404)."""
    text = request.match_info["number"]
    if not (text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS_MAX):
        raise Refused(404, "Not found", f"nothing has the number {text!r}")
    return int(text)


def settled(done: bool, found: object | None) -> None:
    """Raises Refused: 404 when there is none of that number, 409 when it was settled before."""
    if found is None:
        raise Refused(404, "Not found", "nothing has this number")
    if not done:
        raise Refused(409, "Not now", "it is settled already")


def _bad(detail: str) -> Refused:
    return Refused(400, "Bad request", detail)
