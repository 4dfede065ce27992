"""What the public is told of an incident, as operators see and add to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from aiohttp import web

from monitor.errors import UsageError
from monitor.facts import Said
from monitor.judge.incidents import Incident
from monitor.judge.picture import Picture
from monitor.judge.promises import TEXT_MOST, Word, next_at, overdue, promised_ms, published_ms, word
from monitor.store import public as table
from monitor.web.problems import Refused
from monitor.web.site import SITE

LABELS = {"ar": "العربية", "en": "English"}


class Publicly(NamedTuple):
    """When the public hears of an incident, what was added, and whether a promise was missed."""

    published_ms: int | None  # when it was or will be; None: never by itself
    published: bool
    promised_ms: int | None
    missed: bool
    said: tuple[Said, ...]  # the newest first
    languages: tuple[tuple[str, str], ...]  # in which a text is needed, and their names
    most: int = TEXT_MOST


def publicly(incident: Incident, said: Sequence[Said], picture: Picture, *, now_ms: int) -> Publicly:
    """What holds now. `said`: of this incident, the oldest first."""
    rules = picture.catalogue.policy.public
    at_ms = published_ms(incident, said, rules)
    return Publicly(
        at_ms,
        at_ms is not None and (bool(said) or at_ms <= now_ms),  # a word may be younger than the page's hour
        promised_ms(incident, said, rules) if incident.open else None,
        overdue(incident, said, rules, now_ms=now_ms),
        tuple(reversed(said)),
        tuple((each, LABELS[each]) for each in picture.catalogue.languages if each in LABELS),
    )


def word_of(sent: Mapping[str, object], picture: Picture, *, next_ms: int | None, now_ms: int) -> Word:
    """What somebody wants to say. Raises Refused (400)."""
    texts = {key: value for key, value in sent.items() if isinstance(value, str)}
    try:
        return word(texts, picture.catalogue.languages, next_update_ms=next_ms, now_ms=now_ms)
    except UsageError as error:
        raise Refused(400, "Bad message", str(error)) from error


def hour_of(clock: object, picture: Picture, *, now_ms: int) -> int | None:
    """The next update from a form's HH:MM; None when it was left empty. Raises Refused (400)."""
    if not isinstance(clock, str) or not clock.strip():
        return None
    try:
        return next_at(clock.strip(), zone=ZoneInfo(picture.catalogue.zone), now_ms=now_ms)
    except UsageError as error:
        raise Refused(400, "Bad message", str(error)) from error


async def say(request: web.Request, number: str, said: Word, *, actor: str) -> None:
    """Publish it."""
    await table.say(request.app[SITE].store, number, **said._asdict(), actor=actor)


async def missed_numbers(request: web.Request, opened: Sequence[Incident], picture: Picture) -> set[str]:
    """Open incidents whose promised update did not come."""
    site = request.app[SITE]
    of: dict[str, list[Said]] = {}
    for one in await table.said_since(site.store, site.live.now_ms):
        of.setdefault(one.incident, []).append(one)
    rules, now_ms = picture.catalogue.policy.public, site.live.now_ms
    return {one.number for one in opened if overdue(one, of.get(one.number, []), rules, now_ms=now_ms)}
