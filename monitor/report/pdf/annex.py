"""The annex: every list in full, how the first page was counted, every service, the method. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.report.counting import settings_rows
from monitor.report.document import Part
from monitor.report.figures import FIGURES
from monitor.report.pdf import tables
from monitor.report.pdf.blocks import Block, Cell, Heading, Paper, Paragraph
from monitor.report.pdf.counted import counted
from monitor.report.pdf.first import ROOM, decisions
from monitor.report.pdf.pages import MOST
from monitor.report.pdf.replies import replies
from monitor.report.pdf.runs import name
from monitor.report.pdf.writer import Writer
from monitor.report.replies import of_figures, of_outages

LISTED = 300  # outages: the JSON and the sheets have all
MEANINGS = (0.45, 1.3, 1.2, 2, 2)  # widths of code, name, value, meaning, over
OF_SERVICES = ("F01", "F03", "F05", "F06", "F10", "F14", "F17")


def annex(writer: Writer, paper: Paper) -> list[Block]:
    return [
        writer.heading("annex.title"),
        writer.heading("counted.title", 2),
        *counted(writer),
        *replies(writer, "replies.of_figures", of_figures(writer.d)),
        *_outages(writer),
        *replies(writer, "replies.of_outages", of_outages(writer.d)),
        *_decisions(writer, paper),
        *_in_full(writer, paper),
        *_services(writer),
        *_method(writer),
    ]


def _outages(writer: Writer) -> Iterator[Block]:
    """With all that was written down."""
    if not writer.d.outages:
        return
    yield writer.heading("outages.all", 2)
    keys = ("cause", "reason", "span", "still", "missed", "done")
    rows = [
        [
            writer.cell(writer.cause(outage)),
            writer.cell(writer.voice.why(outage.reason)),
            writer.cell(writer.span(outage)),
            writer.cell(writer.still(outage)),
            writer.missed(outage),
            writer.cell(writer.done(outage)),
        ]
        for outage in writer.d.outages[:LISTED]
    ]
    yield writer.table([f"outages.{key}" for key in keys], (1.3, 1, 1.3, 1.4, 0.9, 1.6), rows)
    if (more := len(writer.d.outages) - LISTED) > 0:
        yield writer.paragraph("outages.in_data", n=more)


def _decisions(writer: Writer, paper: Paper) -> Iterator[Block]:
    """Only where the first page could not hold them."""
    if len(writer.d.decisions) > ROOM[paper].asked:
        yield writer.heading("decisions.title", 2)
        yield from (Paragraph(each) for each in decisions(writer))


def _in_full(writer: Writer, paper: Paper) -> Iterator[Block]:
    """Every list of which the pages showed a part."""
    d, most = writer.d, MOST[paper]
    missed = tables.missed_objective(d)
    if d.correction is not None and len(d.correction.changed) > most.changed:
        yield from (writer.heading("correction.title", 2), tables.changed(writer))
    if len(weeks := tables.counted_weeks(d)) > most.weeks:
        yield from (writer.heading("trend.title", 2), tables.weeks(writer, weeks))
    if len(missed) > most.missed:
        yield from (writer.heading("objectives.missed", 2), tables.missed(writer, missed))
    if len(d.at_risk) > most.at_risk:
        yield from (writer.heading("risk.title", 2), tables.at_risk(writer, d.at_risk))
    if len(d.entities) > most.entities:
        yield from (writer.heading("entities.title", 2), tables.entities(writer, d.entities))
    if d.work:
        yield from (writer.heading("work.title", 2), tables.work(writer, d.work, longest=None))
    if len(d.advisories) > most.advisories:
        yield from (writer.heading("advisories.title", 2), tables.advisories(writer, d.advisories))
    if len(d.certificates) > most.certificates:
        yield from (writer.heading("certificates.title", 2), tables.certificates(writer, d.certificates))
    if len(d.unmeasured) > most.reasons:
        yield from (writer.heading("coverage.title", 2), tables.unmeasured(writer, d.unmeasured))


def _services(writer: Writer) -> Iterator[Block]:
    """Every service, under the entity that owned it at the end of the period."""
    yield writer.heading("services.title", 2)
    owned: dict[str, list[Part]] = {}
    for part in writer.d.services:
        owned.setdefault(part.entity, []).append(part)
    for entity in sorted(owned, key=lambda each: (not each, writer.voice.subject(each))):
        if entity:
            yield Heading(writer.said(name(writer.voice.subject(entity))), 3)
        yield writer.figures(owned[entity], OF_SERVICES, who="services.service", called=writer.existed)


def _method(writer: Writer) -> Iterator[Block]:
    yield writer.heading("method.title", 2)
    yield writer.paragraph("method.lead")
    yield writer.paragraph("method.cut")
    settings = [
        [writer.cell(setting), writer.cell(name(value))]
        for setting, value in settings_rows(writer.d, writer.voice)
    ]
    yield writer.table(("method.setting", "method.value"), (1, 1), settings)
    yield writer.heading("method.figures", 2)
    heads = ("data.code", "data.name", "sheet.value", "data.meaning", "data.over")
    yield writer.table(heads, MEANINGS, [_meaning(writer, code) for code in FIGURES])


def _meaning(writer: Writer, code: str) -> list[Cell]:
    """A code, what it says of everybody, and what it means."""
    return [
        writer.cell(name(code)),
        writer.text_cell(f"{code}.name"),
        Cell(writer.figure(writer.d.total, code) if code in writer.d.total.figures else "—"),
        writer.cell(writer.voice.plain(f"{code}.says")),
        writer.cell(writer.voice.plain(f"{code}.over")),
    ]
