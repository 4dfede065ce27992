"""The digits of the figures as each view of a report has them, by subject and code."""

from __future__ import annotations

import csv
import io
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import openpyxl

from monitor.judge.seconds import Says
from monitor.report.document import Document, Part, Value
from monitor.report.figures import FIGURES, Unit
from monitor.report.sheets import csv_of, tables
from monitor.report.voice import Voice

Figures = dict[tuple[str, str], str]


def parts_of(document: Document) -> tuple[Part, ...]:
    return (document.total, *document.entities, *document.services)


def frozen(document: Document) -> Figures:
    """As they stand in the document."""
    return {
        (part.subject, code): value.text or ""
        for part in parts_of(document)
        for code, value in part.figures.items()
    }


# -- HTML


class _Marked(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []
        self._subject = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "tr":
            self._subject = given.get("data-subject") or ""
        if code := given.get("data-figure"):
            self.found.append((self._subject, code, given["value"] or ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "tr":
            self._subject = ""


def of_html(text: str, document: Document) -> Figures:
    """Every place where a figure stands must say the same."""
    marked, found = _Marked(), Figures()
    marked.feed(text)
    for subject, code, digits in marked.found:
        key = (subject or document.total.subject, code)
        assert found.setdefault(key, digits) == digits, key
    return found


# -- PDF


def written(value: Value, code: str, voice: Voice) -> str:
    """What a page must print of a figure: its numbers in their order, and of an answer the words."""
    said = voice.written(FIGURES[code].unit, value)
    return (
        _numbers(said)
        if value.says is Says.FIGURE and FIGURES[code].unit is not Unit.ANSWER
        else _words(said)
    )


def of_pdf(body: bytes, document: Document, voice: Voice) -> Figures:
    """From its structure, in the order in which it is read aloud: the annex for services and all figures.

    Words of Arabic come out by shape and not by letter: of those there is only that they are no number.
    """
    found = Figures()
    queue = {"F04": list(document.entities), "F03": _as_listed(document, voice)}
    codes: list[str] = []
    for is_head, row in _rows(body):
        if row[0].strip() in FIGURES:
            found[document.total.subject, row[0].strip()] = _read(row[2], row[0].strip())
        elif is_head:
            heads = re.findall(r"F\d\d", " ".join(row))
            codes = heads if len(heads) > 4 and heads[0] == "F01" and heads[1] in queue else []
        elif codes:
            part = queue[codes[1]].pop(0)
            assert voice.language == "ar" or voice.called(part) in row[0]
            found |= {
                (part.subject, code): _read(cell, code) for code, cell in zip(codes, row[1:], strict=True)
            }
    return found


def _as_listed(document: Document, voice: Voice) -> list[Part]:
    """Services under their entities, which stand in the order of their names."""
    names = {each.subject: voice.called(each) for each in document.entities}
    return sorted(document.services, key=lambda each: names.get(each.entity, ""))


def _rows(body: bytes) -> Iterator[tuple[bool, list[str]]]:
    """The rows of all tables, a text a cell; of each whether it is one of headings."""
    done = subprocess.run(
        ["pdfinfo", "-struct-text", "-"], input=body, capture_output=True, timeout=60, check=True
    )
    row: list[str] = []
    is_head, depth = False, 0
    for line in [*done.stdout.decode(errors="replace").splitlines(), "Document"]:
        tag, indent = line.strip().partition(" ")[0].strip(":"), len(line) - len(line.lstrip())
        if text := re.search(r'^ *"(.*)"$', line):
            if row:
                row[-1] += text[1]
        elif tag in ("TD", "TH"):
            depth, is_head = indent, tag == "TH" and (is_head or not row)
            row.append("")
        elif row and tag and indent <= depth:
            yield is_head, row
            row = []


def _read(cell: str, code: str) -> str:
    digits = _numbers(re.sub(r"F\d\d", "", cell))
    return digits or _words(cell)


def _numbers(text: str) -> str:
    return " ".join(re.findall(r"[+−-]?\d[\d,]*\.?\d*", text))


def _words(text: str) -> str:
    return " ".join(re.findall(r"[A-Za-z]+", text))


# -- sheets


def of_workbook(body: bytes, document: Document) -> Figures:
    """Its cells as they are shown: the value to the decimals of its format."""
    summary, *parts = openpyxl.load_workbook(io.BytesIO(body)).worksheets[:3]
    found = {
        (document.total.subject, row[0].value): _shown(row[2], row[0].value)
        for row in summary.iter_rows(min_row=2)
    }
    for sheet, kind in zip(parts, ("entity", "service"), strict=True):
        heads = [str(cell.value) for cell in sheet[1]]
        for row in sheet.iter_rows(min_row=2):
            found |= {
                (f"{kind}:{row[0].value}", code): _shown(cell, code)
                for code, cell in _under_codes(heads, row)
            }
    return found


def of_csv(document: Document, language: str) -> Figures:
    found = Figures()
    kinds = {"entities": "entity", "services": "service"}
    for table in tables(document, language):
        heads, *rows = csv.reader(io.StringIO(csv_of(table).removeprefix("\ufeff")))
        for row in rows:
            if table.name == "summary":
                found[document.total.subject, row[0]] = _plain(row[2], row[0])
            elif kind := kinds.get(table.name):
                found |= {
                    (f"{kind}:{row[0]}", code): _plain(cell, code) for code, cell in _under_codes(heads, row)
                }
    return found


def _under_codes(heads: Sequence[str], row: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    return ((head[:3], cell) for head, cell in zip(heads, row, strict=True) if head[:3] in FIGURES)


def _plain(cell: str, code: str) -> str:
    """A number of points has no plus in a cell of text."""
    return _signed(Decimal(cell), len(cell.partition(".")[2])) if cell and _is_points(code) else cell


def _is_points(code: str) -> bool:
    return FIGURES[code].unit is Unit.POINTS


def _signed(number: Decimal, decimals: int) -> str:
    return f"{number:{'+' if number else ''}.{decimals}f}"


def _shown(cell: Any, code: str) -> str:
    if cell.value is None or FIGURES[code].unit is Unit.ANSWER:
        return cell.value or ""
    decimals = cell.number_format.partition(";")[0].partition(".")[2].count("0")
    number = Decimal(str(cell.value))
    return _signed(number, decimals) if _is_points(code) else f"{number:.{decimals}f}"
