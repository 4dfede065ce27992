"""What is said when a report is sent: the first page in a few lines, from the frozen JSON alone. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from markupsafe import Markup

from monitor.report.document import Document, Outage
from monitor.report.voice import Voice, marks_of

TOP = 3  # outages, as on the first page
_ISOLATES = dict.fromkeys(map(ord, "\u2066\u2067\u2068\u2069"))


class Letter(NamedTuple):
    """A title for a subject line, and lines for a body: the sentence, outages, and what to do about it."""

    language: str
    direction: str
    title: str
    lines: tuple[str, ...]
    outages: tuple[str, ...]
    asked: tuple[str, ...]
    link: str

    @property
    def text(self) -> str:
        """As plain text."""
        listed = [f"- {line}" for line in self.outages]
        return "\n".join([*self.lines, "", *listed, "", *self.asked, self.link]) + "\n"

    @property
    def html(self) -> str:
        """As HTML that runs in the direction of its language."""
        lines = Markup("").join(Markup("<p>{}</p>").format(line) for line in self.lines)
        listed = Markup("").join(Markup("<li>{}</li>").format(line) for line in self.outages)
        asked = Markup("").join(Markup("<p>{}</p>").format(line) for line in self.asked)
        return Markup(
            '<!doctype html><html lang="{0}" dir="{1}"><head><meta charset="utf-8"><title>{2}</title></head>'
            '<body dir="{1}" style="font-family:sans-serif;line-height:1.7;text-align:start">'
            '{3}<ul>{4}</ul>{5}<p><a href="{6}" dir="ltr">{6}</a></p></body></html>'
        ).format(self.language, self.direction, self.title, lines, listed, asked, self.link)


def letter(
    document: Document,
    language: str,
    *,
    link: str,
    review_until_ms: int | None = None,
    remade: bool = False,
) -> Letter:
    """What a recipient reads; of a draft, until when it may be signed off, and whether it was sent before."""
    voice = Voice(language, document)
    marks = marks_of(document.about, draft=review_until_ms is not None)
    outages = [_outage(each, voice) for each in document.outages[:TOP]] or [voice.plain("outages.none")]
    asked: list[str] = [voice.plain("letter.remade")] * remade
    if review_until_ms is not None:
        until = datetime.fromtimestamp(review_until_ms / 1000, UTC)
        asked += [voice.plain("letter.draft", at=voice.at(until)), voice.plain("letter.sign_off")]
    if document.correction is not None:
        asked.append(voice.plain("correction.why", why=document.correction.why))
    return Letter(
        language=language,
        direction=voice.direction,
        title=_title(voice, marks),
        lines=(*marks, str(voice.sentence), str(voice.change)),
        outages=tuple(outages),
        asked=tuple(asked),
        link=link,
    )


def _title(voice: Voice, marks: list[str]) -> str:
    """Without isolates: a subject line is shown by programs that print them."""
    about = voice.document.about
    name = about.name.get(voice.language) or about.slug
    told = [voice.title, name, about.label]
    if about.version > 1:
        told.append(voice.plain("about.version", version=about.version))
    title = " · ".join([*marks, *told]).translate(_ISOLATES)
    return " ".join(title.split())  # a name may have lines, a subject has one


def _outage(outage: Outage, voice: Voice) -> str:
    """Cause, span, services, and missed transactions, on one line."""
    name = outage.name.get(voice.language) or outage.subject
    cause = voice.plain("outages.of_system", name=name) if outage.derived else name
    return voice.plain(
        "letter.outage",
        cause=cause,
        span=voice.times(outage.began, outage.ended),
        services=voice.plain("outages.services", n=len(outage.services)),
        missed=voice.estimate(outage.missed),
    )
