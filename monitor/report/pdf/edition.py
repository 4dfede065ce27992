"""An edition of a report, written out for report.typ: the frozen JSON and the words of a language. Pure."""

from __future__ import annotations

from datetime import UTC

from monitor.language import Ltr
from monitor.report.document import Document
from monitor.report.pdf.annex import annex
from monitor.report.pdf.blocks import Edition, Paper
from monitor.report.pdf.first import first
from monitor.report.pdf.pages import main
from monitor.report.pdf.runs import plain
from monitor.report.pdf.writer import NAME, Writer
from monitor.report.voice import marks_of

PAGE, PAGES = Ltr("\ue000"), Ltr("\ue001")  # report.typ puts the numbers there


def edition(document: Document, language: str, *, digest: str, paper: Paper, draft: bool = False) -> Edition:
    """`digest` is the SHA-256 of the frozen JSON, in hex; a `draft` says so on every page."""
    writer, about = Writer(document, language), document.about
    brief = Writer(document, language, longest=NAME)
    voice, as_of = writer.voice, about.as_of.astimezone(UTC)
    marks = marks_of(about, draft=draft)
    names = (voice.title, about.name.get(language) or about.slug, about.label, *marks)
    return Edition(
        language=language,
        direction=voice.direction,
        paper=paper,
        title=plain(" · ".join(names)),
        at=[*as_of.timetuple()[:6]],
        marks=marks,
        running=_running(writer),
        foot=writer.text("about.digest", digest=Ltr(digest[:16])),
        page=writer.text("pdf.page", page=PAGE, pages=PAGES),
        eastern=voice.digits("1") != "1",
        first=first(brief, paper),
        main=main(brief, paper),
        annex=[*annex(writer, paper), writer.paragraph("about.digest", digest=Ltr(digest))],
    )


def _running(writer: Writer) -> str | list[tuple[str, str]]:
    about, voice = writer.d.about, writer.voice
    version = voice.plain("about.version", version=about.version)
    return writer.said(f"{writer.named(about.name, about.slug)} · {writer.label(about.label)} · {version}")
