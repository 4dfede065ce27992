"""The at most six pages that follow the first. Pure.

What a list has more than its pages can hold stands in the annex, in full.
"""

from __future__ import annotations

from typing import NamedTuple

from monitor.report.charts import trend_svg
from monitor.report.pdf import tables
from monitor.report.pdf.blocks import Block, Chart, Heading, Page, Paper, Paragraph
from monitor.report.pdf.runs import name, plain
from monitor.report.pdf.writer import LONGEST, Writer, shortened

UPTAKE = ("F31", "F19", "F20", "F21", "F22", "F23")
WORK = ("F24", "F25", "F26", "F27")


class Rows(NamedTuple):
    """How many rows of each list a paper holds before the annex has the rest."""

    changed: int
    weeks: int
    missed: int
    at_risk: int
    entities: int
    work: int
    advisories: int
    certificates: int
    reasons: int


MOST: dict[Paper, Rows] = {
    "a4": Rows(12, 13, 9, 5, 30, 5, 4, 4, 4),
    "projector": Rows(4, 0, 3, 2, 5, 3, 2, 2, 2),
}
BESIDE_A_CORRECTION: dict[Paper, Rows] = {
    "a4": MOST["a4"]._replace(entities=20),
    "projector": MOST["projector"]._replace(entities=3, work=2),
}
"""What a correction changed has one of the pages to itself."""


def main(writer: Writer, paper: Paper) -> list[Block]:
    most = MOST[paper] if writer.d.correction is None else BESIDE_A_CORRECTION[paper]
    return [
        *_correction(writer, most.changed),
        *_trend(writer, most.weeks),
        *_objectives(writer, most.missed),
        *_at_risk(writer, most.at_risk),
        *_entities(writer, most.entities),
        *_work(writer, most.work),
        *_uptake(writer),
        *_advisories(writer, most.advisories),
        *_certificates(writer, most.certificates),
        *_coverage(writer, most.reasons),
    ]


def _correction(writer: Writer, most: int) -> list[Block]:
    """A page of its own."""
    found, voice = writer.d.correction, writer.voice
    if found is None:
        return []
    lead = (
        voice.plain("correction.lead", version=found.corrects),
        voice.plain("correction.why", why=name(shortened(found.why, 2 * LONGEST))),
        voice.plain("correction.by", by=name(found.by)),
    )
    changed = writer.some(lambda rows: tables.changed(writer, rows), len(found.changed), most)
    return [
        writer.heading("correction.title"),
        Paragraph(writer.said(" ".join(lead))),
        *(changed or [writer.paragraph("correction.none")]),
        Page(),
    ]


def _trend(writer: Writer, weeks: int) -> list[Block]:
    shown = tables.counted_weeks(writer.d)[-weeks:] if weeks else []
    table = [tables.weeks(writer, shown)] if shown else []
    return [writer.heading("trend.title"), *_chart(writer), *table]


def _chart(writer: Writer) -> list[Block]:
    """The trend, drawn once for every view; nothing where there are no weeks."""
    svg, voice, d = str(trend_svg(writer.d, writer.voice)), writer.voice, writer.d
    alt = voice.plain("trend.label", weeks=len(d.weeks), target=voice.percent(d.terms.target))
    return [Chart(svg, plain(alt))] if svg else []


def _objectives(writer: Writer, most: int) -> list[Block]:
    missed = tables.missed_objective(writer.d)
    found: list[Block] = [writer.heading("objectives.title"), *_judged(writer)]
    if missed:
        found.append(writer.heading("objectives.missed", 2))
    elif writer.d.total.judged:
        found.append(writer.paragraph("objectives.all_met"))
    return [*found, *writer.some(lambda rows: tables.missed(writer, missed[:rows]), len(missed), most)]


def _judged(writer: Writer) -> list[Block]:
    total = writer.d.total
    found: list[Block] = []
    if total.judged:
        found.append(writer.paragraph("objectives.lead", code="F08", met=total.met, judged=total.judged))
    if unjudged := total.services - total.judged:
        found.append(writer.paragraph("objectives.unjudged", code="F09", n=unjudged))
    return found


def _at_risk(writer: Writer, most: int) -> list[Block]:
    every = writer.d.at_risk
    shown = writer.some(lambda rows: tables.at_risk(writer, every[:rows]), len(every), most)
    head = Heading(writer.text("risk.title"), code="F32")
    return [head, *(shown or [writer.paragraph("risk.none")])]


def _entities(writer: Writer, most: int) -> list[Block]:
    every = writer.d.entities
    shown = writer.some(lambda rows: tables.entities(writer, every[:rows]), len(every), most)
    return [writer.heading("entities.title"), *(shown or [writer.paragraph("entities.none")])]


def _work(writer: Writer, most: int) -> list[Block]:
    every = writer.d.work
    shown = writer.some(lambda rows: tables.work(writer, every[:rows]), len(every), most)
    tiles = writer.tiled(writer.d.total, WORK)
    return [writer.heading("work.title"), tiles, *(shown or [writer.paragraph("work.none")])]


def _uptake(writer: Writer) -> list[Block]:
    counts, voice = writer.d.total.counts, writer.voice
    head = writer.heading("uptake.title")
    if counts is None:
        return [head, writer.paragraph("uptake.none")]
    said = (
        voice.plain("uptake.services", n=counts.services),
        voice.plain("uptake.whole", n=counts.whole),
    )
    return [head, writer.tiled(writer.d.total, UPTAKE), Paragraph(writer.said(" ".join(said)))]


def _advisories(writer: Writer, most: int) -> list[Block]:
    every = writer.d.advisories
    shown = writer.some(lambda rows: tables.advisories(writer, every[:rows]), len(every), most)
    return [writer.heading("advisories.title"), *(shown or [writer.paragraph("advisories.none")])]


def _certificates(writer: Writer, most: int) -> list[Block]:
    every = writer.d.certificates
    shown = writer.some(lambda rows: tables.certificates(writer, every[:rows]), len(every), most)
    none = writer.paragraph("certificates.none", n=writer.d.terms.certificates_days)
    return [writer.heading("certificates.title"), *(shown or [none])]


def _coverage(writer: Writer, most: int) -> list[Block]:
    every = writer.d.unmeasured
    shown = writer.some(lambda rows: tables.unmeasured(writer, every[:rows]), len(every), most)
    return [writer.heading("coverage.title"), *(shown or [writer.paragraph("coverage.none")])]
