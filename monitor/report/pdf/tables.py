"""The tables that the pages show in part and the annex in full. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.judge.seconds import Says
from monitor.report.document import Advisory, AtRisk, Certificate, Document, Part, Unmeasured, Value, Work
from monitor.report.figures import FIGURES
from monitor.report.pdf.blocks import Cell, Table
from monitor.report.pdf.runs import name
from monitor.report.pdf.writer import LONGEST, Writer, shortened

OF_ENTITIES = ("F01", "F04", "F08", "F10", "F06")
OF_MISSED = ("F01", "F02", "F10")
OF_WEEKS = ("F01", "F03", "F06")
NAMES = 2  # of one piece of work, on the pages


def missed_objective(document: Document) -> list[Part]:
    return [each for each in document.services if each.figures["F03"].text == "no"]


def changed(writer: Writer, rows: int | None = None) -> Table:
    """The first so many figures that a correction changed."""
    assert writer.d.correction is not None
    heads = ("correction.whose", "counted.figure", "correction.old", "correction.new")
    lines = []
    for each in writer.d.correction.changed[:rows]:
        whose = writer.named(each.name, each.subject)
        whose = f"{whose} {writer.label(each.label)}" if each.label else whose
        values = (writer.cell(_value(writer, each.code, value)) for value in (each.old, each.new))
        lines.append([writer.cell(whose), writer.head(f"{each.code}.name"), *values])
    return writer.table(heads, (1.6, 2, 1.4, 1.4), lines)


def _value(writer: Writer, code: str, value: Value | None) -> str:
    return "—" if value is None else writer.voice.written(FIGURES[code].unit, value)


def weeks(writer: Writer, parts: Sequence[Part]) -> Table:
    return writer.figures(parts, OF_WEEKS, who="trend.week", called=lambda part: writer.label(part.label))


def counted_weeks(document: Document) -> list[Part]:
    """Those in which anything was required."""
    return [each for each in document.weeks if each.figures["F01"].says is not Says.NOT_APPLICABLE]


def missed(writer: Writer, parts: Sequence[Part]) -> Table:
    return writer.figures(parts, OF_MISSED, who="services.service", called=writer.called, bars=True)


def entities(writer: Writer, parts: Sequence[Part]) -> Table:
    return writer.figures(parts, OF_ENTITIES, who="entities.entity", called=writer.called, bars=True)


def at_risk(writer: Writer, lines: Sequence[AtRisk]) -> Table:
    keys = ("services.service", "risk.indicator", "method.target", "risk.period", "risk.left", "risk.used_up")
    rows = [
        [
            writer.cell(writer.named(each.name, each.subject)),
            writer.text_cell(f"risk.indicator.{each.indicator}"),
            writer.cell(writer.voice.percent(each.target)),
            writer.text_cell(f"risk.period.{each.period}"),
            writer.cell("—" if each.left is None else writer.voice.percent(each.left)),
            writer.cell(_used_up(writer, each)),
        ]
        for each in lines
    ]
    return writer.table(keys, (1.6, 1, 0.8, 0.9, 1, 1.3), rows)


def _used_up(writer: Writer, each: AtRisk) -> str:
    if not each.met:
        return writer.voice.plain("answer.no")
    return writer.voice.plain("risk.used_up_no") if each.used_up is None else writer.voice.at(each.used_up)


def work(writer: Writer, lines: Sequence[Work], *, longest: int | None = LONGEST // 2) -> Table:
    """Announced work: what, when, when it was announced, how it counts, why."""
    heads = ("work.number", "work.what", "work.when", "work.announced", "work.counts", "work.why")
    return writer.table(
        heads, (0.5, 1.3, 1.6, 1.2, 1.3, 1.3), [_work_row(writer, each, longest) for each in lines]
    )


def _work_row(writer: Writer, each: Work, longest: int | None) -> list[Cell]:
    voice = writer.voice
    names = [writer.isolated(whose) for whose in voice.worked_on(each)]
    shown = names if longest is None or len(names) <= NAMES else [*names[:NAMES], "…"]
    return [
        writer.cell(voice.number(each.number)),
        writer.cell(voice.listed(shown)),
        writer.cell(voice.times(each.began, each.ended)),
        writer.cell(voice.at(each.announced)),
        writer.cell(voice.stands(each)),
        writer.cell(name(shortened(each.why, longest))),
    ]


def advisories(writer: Writer, lines: Sequence[Advisory]) -> Table:
    voice = writer.voice
    heads = (
        "advisories.what",
        "outages.reason",
        "advisories.when",
        "advisories.expected",
        "advisories.seen",
    )
    rows = [
        [
            writer.cell(writer.named(each.name, each.subject)),
            writer.cell(voice.plain(f"finding.{each.kind}")),
            writer.cell(voice.times(each.began, each.ended)),
            writer.cell(voice.digits(each.expected)),
            writer.cell(voice.number(each.seen)),
        ]
        for each in lines
    ]
    return writer.table(heads, (1.5, 1.5, 2, 0.7, 0.7), rows)


def certificates(writer: Writer, lines: Sequence[Certificate]) -> Table:
    rows = [
        [writer.cell(writer.named(each.name, each.check)), writer.cell(writer.voice.at(each.expires))]
        for each in lines
    ]
    return writer.table(("certificates.of", "certificates.ends"), (1.5, 1), rows)


def unmeasured(writer: Writer, lines: Sequence[Unmeasured]) -> Table:
    voice = writer.voice
    rows = [
        [
            writer.cell(voice.unmeasured(each.reason)),
            writer.cell(voice.span(each.unknown_ms // 1000)),
            writer.cell(voice.number(each.services)),
        ]
        for each in lines
    ]
    return writer.table(("coverage.reason", "coverage.time", "coverage.services"), (2, 1.5, 0.7), rows)
