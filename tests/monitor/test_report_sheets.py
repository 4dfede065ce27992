"""Workbooks and CSV read back: the digits of the frozen JSON, typed, and no text that becomes a formula."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pytest

from monitor.model import Catalogue, Entity, Text
from monitor.report.document import Document, encode
from monitor.report.figures import FIGURES, Unit
from monitor.report.files import file_of
from monitor.report.sheets import csv_of, tables, workbook
from monitor.report.voice import DRAFT_MARK, SAMPLE_MARK
from tests.golden_week import EXPECTED, EXPECTED_OF, about, golden

LANGUAGES = ("ar", "en")


def read(document: Document, language: str, *, draft: bool = False) -> Any:
    return openpyxl.load_workbook(io.BytesIO(workbook(document, language, draft=draft)))


def digits(cell: Any, code: str) -> str:
    """What a cell shows: its value to the decimals of its format."""
    if FIGURES[code].unit is Unit.ANSWER:
        return str(cell.value)
    decimals = cell.number_format.partition(";")[0].partition(".")[2].count("0")
    sign = "+" if FIGURES[code].unit is Unit.POINTS else ""
    return f"{Decimal(str(cell.value)):{sign}.{decimals}f}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_summary_has_every_figure_of_all_services(language: str) -> None:
    sheet = read(golden(), language).worksheets[0]
    found = {row[0].value: digits(row[2], row[0].value) for row in sheet.iter_rows(min_row=2)}
    assert found == EXPECTED


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_row_of_a_service_has_its_figures_under_their_codes(language: str) -> None:
    book = read(golden(), language)
    for sheet, kind in ((book.worksheets[1], "entity"), (book.worksheets[2], "service")):
        codes = {str(cell.value)[:3]: number for number, cell in enumerate(sheet[1])}
        rows = {f"{kind}:{row[0].value}": row for row in sheet.iter_rows(min_row=2)}
        for subject in EXPECTED_OF.keys() & rows.keys():
            for code, text in EXPECTED_OF[subject].items():
                assert digits(rows[subject][codes[code]], code) == text, (subject, code)


def test_figures_are_numbers_and_instants_are_dates_on_the_reports_clock() -> None:
    book = read(golden(), "en")
    assert isinstance(book.worksheets[0]["C2"].value, float)
    outages = book.worksheets[4]
    assert outages["B2"].value == datetime(2026, 11, 18, 10, 0)
    assert outages["E2"].value == 10_800


@pytest.mark.parametrize(("language", "right_to_left"), [("ar", True), ("en", None)])
def test_sheets_run_as_the_language_does_and_headings_stay(language: str, right_to_left: bool | None) -> None:
    for sheet in read(golden(), language).worksheets:
        assert bool(sheet.sheet_view.rightToLeft) is bool(right_to_left)
        assert sheet.freeze_panes == "B2"


def test_a_name_that_looks_like_a_formula_stays_a_text() -> None:
    entity = Entity(slug="interior", name=Text(en='=HYPERLINK("http://x")', ar="+1"))
    document = golden(catalogues=[Catalogue(entities=(entity,))])
    sheet = read(document, "en").worksheets[1]
    [cell] = [row[1] for row in sheet.iter_rows(min_row=2) if row[0].value == "interior"]
    assert (cell.data_type, cell.value) == ("s", '=HYPERLINK("http://x")')
    text = csv_of(next(table for table in tables(document, "en") if table.name == "entities"))
    assert "'=HYPERLINK" in text


def test_csv_begins_with_a_byte_order_mark_and_reads_back() -> None:
    [table] = [table for table in tables(golden(), "ar") if table.name == "services"]
    text = csv_of(table)
    assert text.startswith("\ufeff")
    heads, *rows = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    column = next(number for number, head in enumerate(heads) if head.startswith("F01"))
    assert {row[0]: row[column] for row in rows}["passport"] == "96.72"


def test_the_data_dictionary_explains_every_code() -> None:
    [table] = [table for table in tables(golden(), "ar") if table.name == "dictionary"]
    assert [row[0] for row in table.rows] == list(FIGURES)
    assert all(all(cell for cell in row) for row in table.rows)


def test_sample_data_says_so_on_every_sheet() -> None:
    book = read(golden(about=about(sample=True)), "ar")
    assert [sheet["A1"].value for sheet in book.worksheets] == [SAMPLE_MARK] * len(book.worksheets)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("sample", "mark"), [(False, DRAFT_MARK), (True, f"{DRAFT_MARK} · {SAMPLE_MARK}")])
def test_a_draft_says_so_on_every_sheet_and_on_what_is_printed_of_it(
    language: str, sample: bool, mark: str
) -> None:
    book = read(golden(about=about(sample=sample)), language, draft=True)
    assert {sheet["A1"].value for sheet in book.worksheets} == {mark}
    assert {sheet.oddHeader.center.text for sheet in book.worksheets} == {mark}
    assert {sheet.freeze_panes for sheet in book.worksheets} == {"B3"}
    assert book.properties.title.endswith(mark)


def test_csv_and_json_of_a_draft_say_so_in_their_names_and_nowhere_else() -> None:
    """A program reads them: CSV begins with its headings, and the JSON is what will be published."""
    text = encode(golden(about=about(sample=True)))
    for form, language in (("csv", "ar"), ("csv", "en"), ("json", "en")):
        kept, published = (file_of(text, form, language, draft=draft) for draft in (True, False))
        assert kept.body == published.body
        assert kept.name == published.name.replace("-SAMPLE-DATA", "-DRAFT-SAMPLE-DATA")


def test_the_same_json_gives_the_same_workbook() -> None:
    assert workbook(golden(), "ar") == workbook(golden(), "ar")
