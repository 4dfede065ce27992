"""How blocks are written from a document: figures, names and tables in one voice. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

from monitor.language import Ltr
from monitor.model import Text
from monitor.report.document import Document, Outage, Part
from monitor.report.figures import FIGURES, Unit
from monitor.report.pdf.blocks import Block, Cell, Heading, Paragraph, Table, Tile, Tiles
from monitor.report.pdf.runs import Runs, name, number, runs
from monitor.report.voice import Voice

NAME = 60  # characters of a name in the first pages
LONGEST = 160  # characters of a free text in the first pages; the annex has all of it
WHO = 2.2  # how wide the column is that names somebody, beside those of figures
WIDTHS = {
    Unit.PERCENT: 0.9,
    Unit.POINTS: 1.1,
    Unit.DURATION: 1.2,
    Unit.COUNT: 0.9,
    Unit.ESTIMATE: 1.4,
    Unit.ANSWER: 1.2,
}


class Writer:
    """One edition being written; names are cut after `longest` characters."""

    def __init__(self, document: Document, language: str, *, longest: int | None = None) -> None:
        self.d, self.voice = document, Voice(language, document)
        self._longest = longest

    def said(self, text: str) -> Runs:
        """The runs of a text; a bare number is one, with its sign."""
        return runs(number(text) if isinstance(text, Ltr) else text, self.voice.direction)

    def text(self, key: str, **values: object) -> Runs:
        return self.said(self.voice.plain(key, **values))

    def cell(self, text: str) -> Cell:
        return Cell(self.said(text))

    def text_cell(self, key: str) -> Cell:
        return Cell(self.text(key))

    def named(self, text: Text, fallback: str) -> str:
        """A name, isolated."""
        return self.isolated(text.get(self.voice.language) or fallback)

    def isolated(self, text: str) -> str:
        """A name in whatever language, isolated."""
        return name(shortened(text, self._longest))

    def called(self, part: Part) -> str:
        return self.named(part.name, part.slug)

    def existed(self, part: Part) -> str:
        """A service, and since or until when there is one if not for all of the period."""
        said = [self.called(part)]
        if part.existed_from is not None:
            said.append(self.voice.plain("services.from", at=self.voice.at(part.existed_from)))
        if part.existed_to is not None:
            said.append(self.voice.plain("services.to", at=self.voice.at(part.existed_to)))
        return " ".join(said)

    def label(self, label: str) -> str:
        """2026-W47, isolated."""
        return name(self.voice.digits(label))

    def figure(self, part: Part, code: str) -> Runs:
        return self.said(self.voice.written(FIGURES[code].unit, part.figures[code]))

    # -- blocks

    def heading(self, key: str, level: int = 1) -> Heading:
        return Heading(self.text(key), level)

    def paragraph(self, key: str, *, code: str = "", **values: object) -> Paragraph:
        return Paragraph(self.text(key, **values), code)

    def tiles(self, part: Part, codes: Iterable[str]) -> list[Tile]:
        return [Tile(self.text(f"{code}.name"), self.figure(part, code), code) for code in codes]

    def tiled(self, part: Part, codes: Iterable[str]) -> Tiles:
        return Tiles(self.tiles(part, codes))

    def head(self, key: str) -> Cell:
        """A heading; of a figure with its code."""
        code = key.partition(".")[0]
        return Cell(self.text(key), code if code in FIGURES else "")

    def table(self, heads: Sequence[str], widths: Sequence[float], rows: list[list[Cell]]) -> Table:
        assert len(heads) == len(widths)
        return Table([self.head(key) for key in heads], [*widths], rows)

    def figures(
        self,
        parts: Sequence[Part],
        codes: Sequence[str],
        *,
        who: str,
        called: Callable[[Part], str],
        bars: bool = False,
    ) -> Table:
        """A row a part, a column a figure; the time not available has a bar beside its digits."""
        longest = max(_down_s(part) for part in parts) if bars else 0
        rows = [
            [
                self.cell(called(part)),
                *(self._figure_cell(part, code, longest) for code in codes),
            ]
            for part in parts
        ]
        heads = [who, *(f"{code}.name" for code in codes)]
        return self.table(heads, [WHO, *(WIDTHS[FIGURES[code].unit] for code in codes)], rows)

    def _figure_cell(self, part: Part, code: str, longest: int) -> Cell:
        bar = float(Fraction(_down_s(part), longest)) if longest and code == "F10" else None
        return Cell(self.figure(part, code), bar=bar)

    def some(self, made: Callable[[int], Table], rows: int, most: int) -> list[Block]:
        """A table of at most so many rows, and how many more the annex has."""
        shown: list[Block] = [made(most)] if min(rows, most) else []
        return [*shown, self.paragraph("pdf.more", n=rows - most)] if rows > most else shown

    # -- what is said of an outage

    def cause(self, outage: Outage) -> str:
        called = self.named(outage.name, outage.subject)
        called = self.voice.plain("outages.of_system", name=called) if outage.derived else called
        return f"{called} · {self.voice.plain('outages.services', n=len(outage.services))}"

    def span(self, outage: Outage) -> str:
        span = self.voice.times(outage.began, outage.ended)
        return f"{span}. {self.voice.plain('outages.before')}" if outage.before else span

    def still(self, outage: Outage) -> str:
        kinds = self.voice.kinds(outage.still)
        still = self.voice.plain("outages.still_on", kinds=kinds) if outage.still else None
        said = [still or self.voice.plain("outages.still_none")]
        if outage.unmeasured:
            kinds = self.voice.kinds(outage.unmeasured)
            said.append(self.voice.plain("outages.still_unmeasured", kinds=kinds))
        return " ".join(said)

    def missed(self, outage: Outage) -> Cell:
        return Cell(self.said(self.voice.estimate(outage.missed)), "F17" if outage.missed.text else "")

    def done(self, outage: Outage, *, lines: int | None = None, longest: int | None = None) -> str:
        """What people wrote down, one after the other, and which incident it was."""
        written = outage.done or (self.voice.plain("outages.nothing_written"),)
        said = " ".join(name(shortened(line, longest)) for line in written[:lines])
        if not outage.incident:
            return said
        return f"{said} {self.voice.plain('outages.incident', number=self.voice.digits(outage.incident))}"


def shortened(text: str, longest: int | None) -> str:
    """At most so many characters, with a mark where something is left out."""
    return text if longest is None or len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def _down_s(part: Part) -> int:
    return int(part.figures["F10"].text or 0)
