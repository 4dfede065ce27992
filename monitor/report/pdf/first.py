"""The first page, which is enough alone: the sentence, what changed, three outages, decisions asked. Pure."""

from __future__ import annotations

from typing import NamedTuple

from monitor.report.document import Outage
from monitor.report.pdf.blocks import Card, First, Paper, Paragraph
from monitor.report.pdf.runs import Runs
from monitor.report.pdf.writer import Writer

TOP = 3  # outages on it
TILES = ("F05", "F06", "F08", "F10", "F14", "F17")  # beside the sentence


class Room(NamedTuple):
    """How many decisions the page of a paper holds, and what of each outage: the annex has the rest."""

    asked: int
    lines: int  # of what was done
    longest: int  # characters of such a line


ROOM: dict[Paper, Room] = {"a4": Room(4, 2, 160), "projector": Room(2, 1, 70)}


def first(writer: Writer, paper: Paper) -> First:
    d, voice = writer.d, writer.voice
    more, room = len(d.outages) - TOP, ROOM[paper]
    return First(
        title=writer.said(f"{voice.title} · {writer.named(d.about.name, d.about.slug)}"),
        about=_about(writer),
        sentence=Paragraph(writer.said(voice.sentence), "F01 F02 F03"),
        change=Paragraph(writer.said(voice.change), "F04"),
        notes=_not_in(writer),
        tiles=writer.tiles(d.total, TILES),
        outages=writer.text("outages.title"),
        cards=[_card(writer, outage, room) for outage in d.outages[:TOP]],
        outages_note=writer.text("outages.more", n=more) if more > 0 else _none(writer),
        decisions=writer.text("decisions.title"),
        asked=_asked(writer, room.asked),
    )


def _none(writer: Writer) -> Runs:
    return "" if writer.d.outages else writer.text("outages.none")


def _about(writer: Writer) -> Runs:
    about, voice = writer.d.about, writer.voice
    parts = (
        voice.plain("about.label", label=voice.digits(about.label)),
        voice.plain("about.version", version=about.version),
        voice.plain("about.as_of", at=voice.at(about.as_of), zone=about.zone),
    )
    return writer.said(" · ".join(parts))


def _not_in(writer: Writer) -> list[Runs]:
    """What had not come in at the deadline, said before any figure is used."""
    voice = writer.voice
    if not writer.d.not_in:
        return []
    lines = [
        f"{voice.plain(f'not_in.{each.what}')}: "
        + (voice.plain("not_in.never") if each.until is None else voice.at(each.until))
        for each in writer.d.not_in
    ]
    return [writer.said(f"{voice.plain('not_in.lead')} {'. '.join(lines)}.")]


def _card(writer: Writer, outage: Outage, room: Room) -> Card:
    done = writer.done(outage, lines=room.lines, longest=room.longest)
    lines = [
        writer.cell(writer.voice.why(outage.reason)),
        writer.cell(writer.span(outage)),
        writer.cell(writer.still(outage)),
        writer.missed(outage),
        writer.cell(done),
    ]
    keys = ("outages.reason", "outages.span", "outages.still", "outages.missed", "outages.done")
    return Card(writer.said(writer.cause(outage)), lines, [writer.text(key) for key in keys])


def _asked(writer: Writer, most: int) -> list[Runs]:
    every = decisions(writer)
    if not every:
        return [writer.text("decisions.none")]
    more = len(every) - most
    return [*every[:most], *([writer.text("pdf.more", n=more)] if more > 0 else [])]


def decisions(writer: Writer) -> list[Runs]:
    """Every decision that is asked, as a sentence."""
    voice = writer.voice
    return [
        writer.text(
            "decisions.exclusion",
            number=voice.number(each.number),
            spent=voice.span(each.down_ms // 1000),
            services=voice.plain("outages.services", n=each.services),
        )
        for each in writer.d.decisions
    ]
