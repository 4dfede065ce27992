"""What entities replied, under how the figures were counted and under the outages. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from monitor.report.document import Reply
from monitor.report.pdf.blocks import Block, Cell, Heading
from monitor.report.pdf.runs import name
from monitor.report.pdf.writer import Writer
from monitor.report.replies import Spoken, by_entity, spoken

WIDTHS = (1.3, 2.7, 1.2)


def replies(writer: Writer, title: str, those: Iterable[Reply]) -> Iterator[Block]:
    """A table for each entity; nothing where nobody replied."""
    found = by_entity(spoken(those, writer.voice))
    if found:
        yield writer.heading(title, 2)
    for entity, lines in found.items():
        yield Heading(writer.said(name(entity)), 3)
        rows = [[writer.cell(line.about), _text(writer, line), writer.cell(line.by)] for line in lines]
        yield writer.table(("replies.about", "replies.text", "replies.said"), WIDTHS, rows)


def _text(writer: Writer, line: Spoken) -> Cell:
    """A run within a run of the other direction would not stay whole."""
    own = line.language == writer.voice.language
    return writer.cell(name(line.isolated if own else line.text))
