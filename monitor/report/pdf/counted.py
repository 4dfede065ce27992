"""How each figure of the first page was counted, and the intervals behind it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.report.counting import Counted, Listed, counted_rows, interval_lists
from monitor.report.pdf.blocks import Block, Cell, Heading, Paragraph, Table
from monitor.report.pdf.writer import Writer

LISTED = 20  # lines of intervals: the workbook has all
HEADS = ("interval.who", "interval.why", "interval.when", "coverage.time")


def counted(writer: Writer) -> Iterator[Block]:
    """A small table a figure, with what applies to it alone; then every list of intervals once."""
    rows = counted_rows(writer.d, writer.voice, most=LISTED)
    lists = interval_lists(rows)
    for row in rows:
        yield _figure(writer, row, [each for each in lists if row.code in each.codes])
    for each in lists:
        yield from _intervals(writer, each)


def _figure(writer: Writer, row: Counted, lists: list[Listed]) -> Table:
    lines = [[writer.text_cell("data.meaning"), writer.cell(row.says)]]
    lines += [[writer.cell(fact.label), writer.cell(fact.text)] for fact in row.facts]
    lines += [[writer.text_cell("interval.title"), writer.cell(each.intervals.title)] for each in lists]
    heads = [Cell(writer.said(row.name), row.code), writer.cell(row.written)]
    return Table(heads, [1, 3], lines)


def _intervals(writer: Writer, each: Listed) -> Iterator[Block]:
    yield Heading(writer.said(each.intervals.title), 3, " ".join(each.codes))
    if each.intervals.lines:
        rows = [[writer.cell(text) for text in line] for line in each.intervals.lines]
        yield writer.table(HEADS, (1.6, 1.8, 2, 1.2), rows)
    yield Paragraph(writer.said(" ".join(each.intervals.notes)))
