"""The report as a workbook and as tables of text: views of the frozen JSON with their data dictionary.

Cells are typed: a percentage is a number with the decimals it was printed with, a duration a number of
seconds, an instant a date. A text is written as a text whatever it begins with: no name becomes a formula.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import xlsxwriter

from monitor.report.document import Document, Part, Value
from monitor.report.figures import FIGURES, Figure, Unit, said_of
from monitor.report.interval_rows import HEADS, Cell, interval_rows
from monitor.report.replies import spoken
from monitor.report.voice import Voice, marks_of

BOM = "\ufeff"
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
_STEADY = datetime(2000, 1, 1)  # noqa: DTZ001 - the same document gives the same file
WIDTH = 22
ROWS_MAX = 1_048_000  # a sheet holds no more; the CSV has all


class Column(NamedTuple):
    """A column of a table: its heading, and the figure whose digits stand in it, if any."""

    heading: str
    figure: Figure | None = None


class Table(NamedTuple):
    """One sheet, or one file of CSV."""

    name: str
    title: str
    columns: list[Column]
    rows: list[list[Cell]]


# -- what stands in them


def tables(document: Document, language: str) -> list[Table]:
    """Every table of the report in a language."""
    voice = Voice(language, document)
    return [
        _summary(document, voice),
        _parts("entities", document.entities, voice),
        _parts("services", document.services, voice),
        _weeks(document, voice),
        _outages(document, voice),
        _work(document, voice),
        _intervals(document, voice),
        _replies(document, voice),
        dictionary(voice),
    ]


def _summary(document: Document, voice: Voice) -> Table:
    heads = [voice.plain(f"sheet.{key}") for key in ("figure", "value", "low", "high")]
    rows: list[list[Cell]] = [
        [code, voice.plain(f"{code}.name"), _cell(FIGURES[code].unit, value), *_ends(value)]
        for code, value in document.total.figures.items()
    ]
    columns = [Column(voice.plain("data.code")), *(Column(head) for head in heads)]
    return Table("summary", voice.plain("sheet.summary"), columns, rows)


def _ends(value: Value) -> list[Cell]:
    return [None if text is None else Decimal(text) for text in (value.low, value.high)]


def _parts(name: str, parts: Sequence[Part], voice: Voice) -> Table:
    """Entities, or services with their entity, and every figure that is said of them."""
    kind = "entity" if name == "entities" else "service"
    heads = [voice.plain("sheet.subject"), voice.plain(f"{name}.{kind}")]
    if kind == "service":
        heads.append(voice.plain("services.entity"))
    figures = said_of(kind)
    rows: list[list[Cell]] = []
    for part in parts:
        who: list[Cell] = [part.slug, voice.called(part)]
        if kind == "service":
            who.append(voice.subject(part.entity) if part.entity else "")
        rows.append([*who, *(_cell(each.unit, part.figures[each.code]) for each in figures)])
    columns = [*(Column(head) for head in heads), *(_column(each, voice) for each in figures)]
    return Table(name, voice.plain(f"{name}.title"), columns, rows)


def _column(figure: Figure, voice: Voice) -> Column:
    return Column(f"{figure.code} {voice.plain(f'{figure.code}.name')}", figure)


def _weeks(document: Document, voice: Voice) -> Table:
    figures = said_of("week")
    rows: list[list[Cell]] = [
        [part.label, *(_cell(each.unit, part.figures[each.code]) for each in figures)]
        for part in document.weeks
    ]
    columns = [Column(voice.plain("trend.week")), *(_column(each, voice) for each in figures)]
    return Table("weeks", voice.plain("trend.title"), columns, rows)


def _outages(document: Document, voice: Voice) -> Table:
    keys = ("outages.cause", "sheet.from", "sheet.to", "coverage.services")
    rows: list[list[Cell]] = [
        [
            each.name.get(voice.language) or each.subject,
            each.began,
            each.ended,
            len(each.services),
            each.down_ms // 1000,
            _cell(Unit.ESTIMATE, each.missed),
            *_ends(each.missed),
        ]
        for each in document.outages
    ]
    columns = [Column(voice.plain(key)) for key in keys]
    columns += [_column(FIGURES[code], voice) for code in ("F10", "F17")]
    columns += [Column(voice.plain(f"sheet.{end}")) for end in ("low", "high")]
    return Table("outages", voice.plain("outages.all"), columns, rows)


def _work(document: Document, voice: Voice) -> Table:
    keys = ("work.number", "work.what", "sheet.from", "sheet.to", "work.announced", "work.counts", "work.why")
    rows: list[list[Cell]] = [
        [
            each.number,
            voice.listed(voice.worked_on(each)),
            each.began,
            each.ended,
            each.announced,
            voice.stands(each),
            each.why,
        ]
        for each in document.work
    ]
    return Table("work", voice.plain("work.title"), [Column(voice.plain(key)) for key in keys], rows)


def _intervals(document: Document, voice: Voice) -> Table:
    columns = [Column(voice.plain(key)) for key in HEADS]
    return Table("intervals", voice.plain("interval.title"), columns, [*interval_rows(document, voice)])


def _replies(document: Document, voice: Voice) -> Table:
    """What entities replied, as they wrote it, in both languages."""
    first = ("work.number", "entities.entity", "replies.about", "replies.incident")
    heads = (*first, "replies.text_ar", "replies.text_en", "replies.who", "replies.when")
    rows: list[list[Cell]] = [
        [
            each.number,
            line.entity,
            line.about,
            each.incident,
            each.text.ar,
            each.text.en,
            voice.plain("replies.for_entity", by=each.by) if each.on_behalf else each.by,
            each.at,
        ]
        for each, line in zip(document.replies, spoken(document.replies, voice), strict=True)
    ]
    return Table("replies", voice.plain("replies.title"), [Column(voice.plain(key)) for key in heads], rows)


def dictionary(voice: Voice) -> Table:
    """What every code means, in which unit, counted over what."""
    keys = ("code", "key", "name", "unit", "meaning", "over", "intervals")
    rows: list[list[Cell]] = [
        [
            each.code,
            each.key,
            voice.plain(f"{each.code}.name"),
            voice.plain(f"unit.{each.unit.value}.name"),
            voice.plain(f"{each.code}.says"),
            voice.plain(f"{each.code}.over"),
            voice.plain(f"kept.{each.kept.key}") if each.kept else "—",
        ]
        for each in FIGURES.values()
    ]
    columns = [Column(voice.plain(f"data.{key}")) for key in keys]
    return Table("dictionary", voice.plain("data.title"), columns, rows)


def _cell(unit: Unit, value: Value) -> Cell:
    """The digits of a figure as a number; nothing where there is no figure."""
    if value.text is None or unit is Unit.ANSWER:
        return value.text
    return Decimal(value.text)


# -- as a workbook


def workbook(document: Document, language: str, *, draft: bool = False) -> bytes:
    """The report as XLSX: a sheet a table, right to left in Arabic, headings that stay in sight.

    A `draft` says so on every sheet, and on every page that is printed of it.
    """
    out, about = io.BytesIO(), document.about
    options = {
        "in_memory": True,
        "remove_timezone": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(out, options) as book:
        mark = " · ".join(marks_of(about, draft=draft))
        title = f"{Voice(language, document).title} {about.label}"
        book.set_properties({"title": f"{title} · {mark}" if mark else title, "created": _STEADY})
        for table in tables(document, language):
            sheet = book.add_worksheet(table.title[:31])
            if language == "ar":
                sheet.right_to_left()
            _fill(book, sheet, table, zone=ZoneInfo(about.zone), mark=mark)
    return out.getvalue()


def _fill(book: Any, sheet: Any, table: Table, *, zone: ZoneInfo, mark: str) -> None:
    head = book.add_format({"bold": True, "text_wrap": True, "bottom": 2, "valign": "top"})
    top = 1 if mark else 0
    if mark:
        sheet.write_string(0, 0, mark, book.add_format({"bold": True}))
        sheet.set_header(f"&C{mark}")
    sheet.freeze_panes(top + 1, 1)
    sheet.set_column(0, len(table.columns) - 1, WIDTH)
    formats = _Formats(book)
    for number, column in enumerate(table.columns):
        sheet.write_string(top, number, column.heading, head)
    for row, cells in enumerate(table.rows[:ROWS_MAX], start=top + 1):
        for number, cell in enumerate(cells):
            _write(sheet, row, number, cell, formats.of(table, row - top - 1, number), zone)


class _Formats:
    """Number formats, made once a sheet."""

    def __init__(self, book: Any) -> None:
        self._book, self._made = book, dict[str, Any]()

    def of(self, table: Table, row: int, number: int) -> Any:
        """The format of a cell: by the figure of its column, or of its row in the summary."""
        figure = table.columns[number].figure
        if table.name == "summary" and number == 2:
            figure = FIGURES[str(table.rows[row][0])]
        text = self._text(figure, table.rows[row][number])
        if text not in self._made:
            self._made[text] = self._book.add_format({"num_format": text, "valign": "top"})
        return self._made[text]

    def _text(self, figure: Figure | None, cell: Cell) -> str:
        if isinstance(cell, datetime):
            return "yyyy-mm-dd hh:mm"
        if not isinstance(cell, Decimal | int):
            return "General"
        decimals = len(str(cell).partition(".")[2])
        digits = f"0.{'0' * decimals}" if decimals else "0"
        if figure is not None and figure.unit is Unit.POINTS:
            return f"+{digits};-{digits};{digits}"
        return digits if figure is not None and figure.unit is Unit.PERCENT else f"#,##{digits}"


def _write(sheet: Any, row: int, column: int, cell: Cell, style: Any, zone: ZoneInfo) -> None:
    match cell:
        case None:
            sheet.write_blank(row, column, None, style)
        case datetime():
            sheet.write_datetime(row, column, cell.astimezone(zone), style)
        case str():
            sheet.write_string(row, column, cell, style)
        case _:
            sheet.write_number(row, column, cell, style)


# -- as text


def csv_of(table: Table) -> str:
    """A table as CSV with a byte order mark, so that a spreadsheet reads its Arabic; instants in UTC."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([column.heading for column in table.columns])
    writer.writerows(_texts(table.rows))
    return BOM + out.getvalue()


def _texts(rows: Iterable[Sequence[Cell]]) -> Iterator[list[str]]:
    for row in rows:
        yield [_plain(cell) for cell in row]


def _plain(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case datetime():
            return f"{cell.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        case str():
            return f"'{cell}" if cell.startswith(_DANGEROUS) else cell
        case _:
            return str(cell)
