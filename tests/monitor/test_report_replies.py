"""What entities answered, in every view of the frozen report: as it was written, and nothing but text."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess

import openpyxl
import pytest
from msgspec.structs import replace

from monitor.language import Ltr
from monitor.report.comparing import differences
from monitor.report.delivery.letter import letter
from monitor.report.document import Document, decode, digest, encode
from monitor.report.html import html
from monitor.report.pdf.making import pdf
from monitor.report.replies import of_figure, of_outage, spoken
from monitor.report.sheets import csv_of, tables, workbook
from monitor.report.voice import Voice
from tests.golden_week import golden
from tests.replied import ARABIC, ENGLISH, FORMULA, MARKUP, replied

LANGUAGES = ("ar", "en")
poppler = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed")


def bare(text: str) -> str:
    return re.sub("[\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", text)


def edition(document: Document, language: str) -> str:
    return html(document, language, digest=digest(encode(document)))


def pages(document: Document, language: str) -> str:
    body = pdf(document, language, digest=digest(encode(document)), paper="a4")
    done = subprocess.run(
        ["pdftotext", "-layout", "-", "-"], input=body, capture_output=True, timeout=60, check=True
    )
    return bare(done.stdout.decode())


def test_replies_are_frozen_and_read_back_and_no_figure_is_another() -> None:
    document = replied()
    assert decode(encode(document)) == document
    assert differences(golden(), document) == ()
    assert replace(document, replies=()) == golden()


def test_a_reply_belongs_to_its_figure_or_to_the_outage_of_its_incident_or_of_its_instant() -> None:
    document = replied()
    identity = next(each for each in document.outages if each.subject == "system:identity")
    passport = next(each for each in document.outages if each.subject == "service:passport")
    found = {
        "identity": of_outage(document, identity),
        "passport": of_outage(document, passport),
        "F10": of_figure(document, "F10"),
        "F02": of_figure(document, "F02"),
    }
    assert {name: [each.number for each in those] for name, those in found.items()} == {
        "identity": [1], "passport": [3], "F10": [2], "F02": [],
    }  # fmt: skip


def test_a_reply_is_told_in_the_language_of_the_edition_or_as_it_was_written() -> None:
    document = replied()
    told = {language: spoken(document.replies, Voice(language, document)) for language in LANGUAGES}
    assert [(each.language, each.entity) for each in told["ar"]][:3] == [
        ("en", "وزارة الداخلية"),
        ("ar", "وزارة الداخلية"),
        ("ar", "وزارة الداخلية"),
    ]
    assert [bare(each.about) for each in told["en"]] == [
        "Outage: National identity, from 18 November 2026, 09:58",
        "Time not available (F10)",
        "Outage: Passport renewal, from 19 November 2026, 22:10",
        "The period as a whole",
        "Remote availability (F01)",
    ]
    assert bare(told["en"][4].by) == "Entered by Night desk on behalf of the entity, 22 November 2026, 20:00"
    assert bare(told["ar"][1].by) == "Amal، 22 نوفمبر 2026، الساعة 20:00"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_edition_has_every_reply_as_text_under_its_entity(language: str) -> None:
    text = edition(replied(), language)
    found = re.findall(r'<p lang="(\w+)" dir="auto">(.*?)</p>', text)
    assert len(found) == 5
    assert ("en", ENGLISH) in found
    assert {re.sub("<[^>]+>", "", said) for way, said in found if way == "ar"} == {ARABIC}
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert text.index("وزارة الداخلية" if language == "ar" else "Ministry of Interior") < text.index(ENGLISH)
    assert "reply-" not in edition(golden(), language)


def test_t22_latin_names_numbers_and_dates_in_arabic_are_pieces_that_nothing_reorders() -> None:
    line = spoken(of_figure(replied(), "F10"), Voice("ar", replied()))[0]
    assert [str(piece) for piece in line.parts if isinstance(piece, Ltr)] == [
        "Cisco ASR 9000",
        "DXB-2",
        "100%",
        "20-11-2026",
    ]
    assert "".join(line.parts) == ARABIC
    assert '<bdi dir="ltr">20-11-2026</bdi>.' in line.html


@poppler
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pdf_has_every_reply_in_its_annex_and_reads_none_as_its_own_language(language: str) -> None:
    text = re.sub(r"\s+", " ", pages(replied(), language))
    assert "#strong[typst]" in text
    assert "HYPERLINK" in text
    assert "Cisco ASR 9000" in text
    assert "INC-2026-0007" in text
    for word in re.findall(r"[A-Za-z@#$*\[\]]+", bare(MARKUP)):
        assert word in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sheet_has_every_reply_in_both_languages_and_none_becomes_a_formula(language: str) -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook(replied(), language)))
    sheet = book.worksheets[-2]
    rows = list(sheet.iter_rows(min_row=2))
    assert [row[0].value for row in rows] == [1, 2, 3, 4, 5]
    assert (rows[1][4].value, rows[1][5].value) == (ARABIC, "A router failed at the data centre.")
    assert (rows[3][5].data_type, rows[3][5].value) == ("s", FORMULA)
    [table] = [each for each in tables(replied(), language) if each.name == "replies"]
    _, *lines = csv.reader(io.StringIO(csv_of(table)))
    assert lines[3][5] == f"'{FORMULA}"


def test_a_draft_that_was_made_anew_says_so_to_whoever_had_the_one_before() -> None:
    link = "https://monitor.example/reports/2026-W47/draft"
    first = letter(replied(), "en", link=link, review_until_ms=0)
    again = letter(replied(), "en", link=link, review_until_ms=0, remade=True)
    assert again.asked[0].startswith("This draft replaces the one you were sent before")
    assert first.asked == again.asked[1:]
