"""What entities answered, in the frozen report: put into it, found by figure or outage, spoken. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from markupsafe import Markup
from msgspec.structs import replace

from monitor.facts import ReplyRow
from monitor.language import Ltr
from monitor.model import Text
from monitor.report.document import Document, Outage, Part, Reply
from monitor.report.times import utc


def with_replies(document: Document, rows: Iterable[ReplyRow]) -> Document:
    """The same with these replies and no others: no figure of it is another."""
    found, called = sorted(rows, key=lambda row: (row.entity, row.number)), names_in(document)
    return replace(document, replies=tuple(as_said(row, called) for row in found))


def as_said(row: ReplyRow, called: Callable[[str], Text]) -> Reply:
    """A reply with the names of whom it is of and what it is about; `called` gives that of a subject."""
    return Reply(
        number=row.number,
        entity=row.entity,
        name=called(row.entity),
        text=Text(en=row.en, ar=row.ar),
        at=utc(row.said_ms),
        by=row.by,
        on_behalf=row.on_behalf,
        code=row.code,
        subject=row.subject,
        subject_name=called(row.subject) if row.subject else Text(),
        began=None if row.began_ms is None else utc(row.began_ms),
        incident=row.incident,
    )


def names_in(document: Document) -> Callable[[str], Text]:
    """How the report calls a subject; nothing where it does not know it."""
    names = {each.subject: each.name for each in document.outages}
    names |= {each.subject: each.name for each in (*document.services, *document.entities, document.total)}
    return lambda subject: names.get(subject, Text())


def of_figure(document: Document, code: str, part: Part | None = None) -> list[Reply]:
    """About a figure of everybody; of an entity or a service, what that entity or its owner replied."""
    found = [each for each in document.replies if each.code == code]
    if part is None or part.kind not in ("entity", "service"):
        return found
    return [each for each in found if each.entity == (part.entity or part.subject)]


def of_outage(document: Document, outage: Outage) -> list[Reply]:
    return [each for each in document.replies if is_about(each, outage)]


def of_outages(document: Document) -> list[Reply]:
    """Of any outage, also of one that the report no longer has."""
    return [each for each in document.replies if each.subject]


def of_figures(document: Document) -> list[Reply]:
    """Of any figure, and of the period as a whole."""
    return [each for each in document.replies if not each.subject]


def is_about(reply: Reply, outage: Outage) -> bool:
    """The same incident, or an instant within the outage: its beginning may have moved since."""
    if reply.incident and reply.incident == outage.incident:
        return True
    if reply.subject != outage.subject or reply.began is None:
        return False
    return outage.began <= reply.began and (outage.ended is None or reply.began < outage.ended)


_PIECE = "[A-Za-z0-9](?:[!-~]*[A-Za-z0-9%])?%?"  # a Latin name, a number, a date, an id
_LATIN = re.compile(f"({_PIECE}(?: +{_PIECE})*)")
_LRI, _PDI = "\u2066", "\u2069"


class Speaks(Protocol):
    """What a reply is told with: a report's voice, or a page's with the words of a report."""

    language: str

    def plain(self, key: str, **values: object) -> str: ...

    def at(self, instant: datetime) -> str: ...


class Spoken(NamedTuple):
    """A reply as an edition has it. `text` is as it was written, in `language`."""

    number: int
    entity: str
    whose: str
    about: str
    text: str
    language: str
    by: str

    @property
    def parts(self) -> list[str]:
        """The text in pieces: in Arabic, what reads left to right is one of its own and stays whole."""
        pieces = _LATIN.split(self.text) if self.language == "ar" else [self.text]
        return [Ltr(piece) if number % 2 else piece for number, piece in enumerate(pieces)]

    @property
    def html(self) -> Markup:
        apart = Markup('<bdi dir="ltr">{}</bdi>')
        return Markup("").join(apart.format(one) if isinstance(one, Ltr) else one for one in self.parts)

    @property
    def isolated(self) -> str:
        """With Unicode's isolates."""
        return "".join(f"{_LRI}{one}{_PDI}" if isinstance(one, Ltr) else one for one in self.parts)


def spoken(replies: Iterable[Reply], voice: Speaks) -> list[Spoken]:
    return [_spoken(each, voice) for each in replies]


def by_entity(lines: Sequence[Spoken]) -> dict[str, list[Spoken]]:
    """In the order in which they are frozen."""
    found: dict[str, list[Spoken]] = {}
    for line in lines:
        found.setdefault(line.entity, []).append(line)
    return found


def _spoken(reply: Reply, voice: Speaks) -> Spoken:
    own = getattr(reply.text, voice.language)
    entity = reply.name.get(voice.language) or reply.entity.partition(":")[2]
    said = "replies.on_behalf" if reply.on_behalf else "replies.by"
    return Spoken(
        number=reply.number,
        entity=entity,
        whose=voice.plain("replies.of", name=entity),
        about=_about(reply, voice),
        text=reply.text.get(voice.language),
        language=voice.language if own else "en" if reply.text.en else "ar",
        by=voice.plain(said, by=reply.by, at=voice.at(reply.at)),
    )


def _about(reply: Reply, voice: Speaks) -> str:
    if reply.code:
        return voice.plain("replies.figure", name=voice.plain(f"{reply.code}.name"), code=Ltr(reply.code))
    if reply.began is None:
        return voice.plain("replies.period")
    name = reply.subject_name.get(voice.language) or reply.subject.partition(":")[2]
    return voice.plain("replies.outage", name=name, at=voice.at(reply.began))


def language_of(text: str) -> str:
    """The language that somebody wrote in: of its first letter that has a direction."""
    found = (unicodedata.bidirectional(letter) for letter in text)
    return "ar" if next((way for way in found if way in ("L", "R", "AL")), "L") != "L" else "en"
