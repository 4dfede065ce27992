"""How each figure of the first page was counted, as every view of the frozen JSON tells it."""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from msgspec.structs import replace

from monitor.report.counting import Counted, counted_rows, interval_lists
from monitor.report.document import Document, digest, encode
from monitor.report.figures import FIGURES, Unit
from monitor.report.html import html
from monitor.report.pdf.making import pdf
from monitor.report.sheets import csv_of, tables, workbook
from monitor.report.voice import Voice
from tests.golden_week import EXPECTED, INTERVALS, at, exclusions, golden, terms
from tests.monitor.test_report_intervals import changed, earlier_version
from tests.monitor.test_report_pdf import pages

LANGUAGES = ("ar", "en")


def bare(text: str) -> str:
    """Without isolates."""
    return re.sub("[\u2066-\u2069]", "", text)


def counted(
    code: str, document: Document | None = None, *, subject: str = "", language: str = "en"
) -> Counted:
    document = document or golden()
    part = document.part(subject) if subject else document.total
    [row] = counted_rows(document, Voice(language, document), [code], part=part)
    return row


def said(row: Counted, key: str) -> str | None:
    """One of the facts, without isolates; None where it is left off."""
    return next((bare(fact.text) for fact in row.facts if fact.key == key), None)


# -- numerator and denominator, in hours and words


@pytest.mark.parametrize(
    ("code", "english", "arabic"),
    [
        (
            "F01",
            "790 hours in which services were available, of 798 hours that were required and measured",
            "790 ساعة كانت فيها الخدمات متاحة، من 798 ساعة مطلوبة قيست",
        ),
        (
            "F04",
            "98.99% in this period, 97.50% in the one before (819 hours of 840 hours)",
            "98.99% في هذه الفترة، و97.50% في الفترة السابقة (819 ساعة من 840 ساعة)",
        ),
        (
            "F06",
            "798 hours that were measured, of 810 hours that were required",
            "798 ساعة قيست، من 810 ساعات مطلوبة",
        ),
        (
            "F08",
            "4 that met their objective, of 5 that have a figure",
            "4 حققت مستهدفها، من 5 تتوفر لها نسبة",
        ),
        (
            "F17",
            "40 usual in the time of the outages, less 3 that were completed",
            "40 معتادة في وقت الانقطاعات، مطروحًا منها 3 أُنجزت فعلًا",
        ),
    ],
)
def test_numerator_and_denominator_are_said_in_words(code: str, english: str, arabic: str) -> None:
    assert said(counted(code), "share") == english
    assert said(counted(code, language="ar"), "share") == arabic


def test_whether_the_target_was_met_stands_on_the_time_of_the_availability() -> None:
    assert said(counted("F03"), "share") == said(counted("F01"), "share")


def test_the_words_are_those_of_the_settings_where_unknown_time_counts() -> None:
    """810 required hours, of which 8 + 12 count as lost."""
    row = counted("F01", golden(terms=terms(missing="bad")))
    assert said(row, "share") == "790 hours that count as available, of 810 hours that were required"


# -- with and without exclusions, and coverage


@pytest.mark.parametrize(
    ("code", "other", "coverage"),
    [
        ("F01", "98.25%", "98.51%"),
        ("F03", "target met", "98.51%"),
        ("F05", "98.99%", "98.52%"),
        ("F06", "98.52%", None),
        ("F10", "14 hours", "98.51%"),
        ("F14", "4", "98.51%"),
        ("F17", None, "98.51%"),
        ("F02", None, None),
    ],
)
def test_beside_a_figure_stand_the_other_way_with_exclusions_and_its_coverage(
    code: str, other: str | None, coverage: str | None
) -> None:
    row = counted(code)
    assert (said(row, "exclusions"), said(row, "coverage")) == (other, coverage)


def test_where_nothing_was_left_out_that_is_said() -> None:
    assert said(counted("F01", subject="service:visa"), "exclusions") == "the same, as nothing was left out"


def test_what_does_not_apply_is_left_off() -> None:
    assert [fact.key for fact in counted("F02").facts] == ["over"]
    assert counted("F02").intervals is None


# -- the intervals


def test_the_intervals_are_told_worst_first_with_who_why_when_and_how_long() -> None:
    found = counted("F05").intervals
    assert found is not None
    assert [tuple(bare(text) for text in line) for line in found.lines] == [
        (
            "Driving licence",
            "left out by announcement 1; in fact: no connection could be made",
            "from 20 November 2026, 00:00 to 06:00",
            "6 hours",
        ),
        (
            "Passport renewal",
            "it did not answer in time",
            "from 19 November 2026, 22:00 to 20 November 2026, 02:00",
            "4 hours",
        ),
        (
            "National identity (shared system) · Identity card, Passport renewal",
            "a system it cannot do without was down",
            "from 18 November 2026, 10:00 to 11:30",
            "3 hours",
        ),
        ("Driving licence", "no connection could be made", "from 20 November 2026, 06:00 to 07:00", "1 hour"),
    ]
    assert [bare(note) for note in found.notes] == ["Together 14 hours."]


def test_a_long_list_is_cut_and_says_how_many_more_there_are_and_where() -> None:
    document = golden()
    [row] = counted_rows(document, Voice("en", document), ["F05"], most=1)
    assert row.intervals is not None
    assert [bare(note) for note in row.intervals.notes] == [
        "Together 14 hours.",
        "3 more lines (8 hours) are in the workbook.",
    ]


def test_of_one_service_only_its_own_intervals_are_told() -> None:
    found = counted("F10", subject="service:id-card").intervals
    assert found is not None
    assert [bare(note) for note in found.notes] == ["Together 1 hour and 30 minutes."]
    assert counted("F07", subject="entity:interior").written == "3"


def test_figures_of_the_same_time_share_one_list() -> None:
    document = golden()
    lists = interval_lists(counted_rows(document, Voice("en", document)))
    assert [each.codes for each in lists] == [
        ("F01", "F03", "F04", "F10", "F14", "F17"),
        ("F05",),
        ("F06",),
        ("F08",),
    ]


def test_a_report_frozen_before_intervals_were_kept_says_so_and_nothing_that_it_does_not_know() -> None:
    row = counted("F01", earlier_version())
    assert row.intervals is not None
    assert row.intervals.lines == ()
    assert row.intervals.notes == ("This report was frozen before its intervals were kept.",)
    assert said(row, "exclusions") is None
    assert said(row, "share") == said(counted("F01"), "share")


def test_where_the_sums_of_time_were_not_all_in_the_difference_is_said() -> None:
    document = golden()
    short = replace(document.total, counted=replace(document.total.counted, down_ms=1))
    found = counted("F10", replace(document, total=short)).intervals
    assert found is not None
    assert "differ" in found.notes[-1]


def test_a_services_own_closing_hours_are_said_in_one_sentence_beside_what_was_left_out() -> None:
    """Licence is closed on Sunday."""
    shut = {"service:licence": [(at("22T00:00"), at("23T00:00"))]}
    document = golden(**changed(closed=shut, exclusions=exclusions()))
    found = counted("F13", document).intervals
    assert found is not None
    assert counted("F13", document).written == "30 hours"
    assert [bare(note) for note in found.notes] == [
        "Together 6 hours.",
        "To this come the hours in which services are closed as they say themselves: 24 hours.",
    ]


# -- HTML and PDF


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("make", [golden, earlier_version])
def test_the_edition_tells_of_every_figure_of_the_first_page(language: str, make: Any) -> None:
    document = make()
    text = html(document, language, digest=digest(encode(document)))
    voice = Voice(language, document)
    for row in counted_rows(document, voice):
        card = text.partition(f'<div class="counted" id="{row.code}">')[2].partition("</div>")[0]
        assert f'data-figure="{row.code}" value="{row.value.text}"' in card
        for fact in row.facts:
            assert str(voice.isolated(fact.text)) in card
    for each in interval_lists(counted_rows(document, voice)):
        below = text.partition(f'id="intervals-{each.codes[0]}"')[2].partition("<h")[0]
        assert all(str(voice.isolated(said)) in below for line in each.intervals.lines for said in line)
        assert all(note in below for note in each.intervals.notes)


def test_every_link_to_a_list_of_intervals_leads_to_one() -> None:
    text = html(golden(), "en", digest="")
    links = set(re.findall(r'href="#([^"]+)"', text))
    assert links == {"intervals-F01", "intervals-F05", "intervals-F06", "intervals-F08"}
    assert all(text.count(f'id="{link}"') == 1 for link in links)


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed")
def test_the_annex_of_the_pdf_tells_the_same() -> None:
    document = golden()
    text = " ".join(" ".join(pages(pdf(document, "en", digest="", paper="a4"))).split())
    for row in counted_rows(document, Voice("en", document)):
        assert all(bare(fact.text) in text for fact in row.facts), row.code
    assert "left out by announcement 1; in fact:" in text
    assert "Together 14 hours." in text


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed")
def test_a_list_too_long_for_paper_is_cut_in_the_pdf_and_an_earlier_report_is_still_drawn() -> None:
    document = golden()
    assert document.intervals is not None
    one = document.intervals[1]
    many = [replace(one, began=one.began, ended=one.ended, reason=f"reason {number}") for number in range(40)]
    text = " ".join(pages(pdf(replace(document, intervals=tuple(many)), "en", digest="", paper="a4")))
    assert "20 more lines (60 hours) are in the workbook." in " ".join(text.split())
    assert "frozen before its intervals were kept" in " ".join(
        pages(pdf(earlier_version(), "en", digest="", paper="a4"))
    )


# -- the workbook


def sheet(document: Document, language: str) -> list[dict[str, Any]]:
    """The rows of the sheet of intervals by the headings of the English one."""
    book = openpyxl.load_workbook(io.BytesIO(workbook(document, language)))
    heads = [column.heading for column in table(document, "en").columns]
    found = book.worksheets[6]
    assert found.title == table(document, language).title
    return [dict(zip(heads, row, strict=True)) for row in found.iter_rows(min_row=2, values_only=True)]


def table(document: Document, language: str) -> Any:
    return next(each for each in tables(document, language) if each.name == "intervals")


def seconds(rows: Iterable[dict[str, Any]], code: str) -> Decimal:
    return sum((Decimal(str(row["seconds"])) for row in rows if code in row["Counted in"]), Decimal(0))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sheet_of_intervals_sums_to_the_figures_it_is_counted_in(language: str) -> None:
    rows = sheet(golden(), language)
    assert len(rows) == sum(len(each[-1]) for each in INTERVALS)
    for code, each in FIGURES.items():
        if each.kept is not None and each.unit is Unit.DURATION and code not in ("F15", "F16"):
            assert seconds(rows, code) == Decimal(EXPECTED[code]), code


def test_its_cells_are_typed() -> None:
    row = next(row for row in sheet(golden(), "en") if row["Announcement no."] is not None)
    assert row["From"] == datetime(2026, 11, 20, 0, 0)
    assert (row["Announcement no."], row["seconds"]) == (1, 21_600)
    assert (row["State"], row["Without exclusions"]) == ("left out", "not available")
    assert (row["Subject"], row["Entity"]) == ("licence", "Ministry of Transport")


def test_a_stretch_of_a_service_that_moved_is_cut_where_it_did_with_each_its_entity() -> None:
    document = golden()
    assert document.intervals is not None
    unknown = document.intervals[-1]
    began = unknown.began.replace(day=17)
    long = replace(document, intervals=(*document.intervals[:-1], replace(unknown, began=began)))
    found = [row for row in sheet(long, "en") if row["Subject"] == "vehicle"]
    assert [(row["Entity"], row["From"].day, row["Until"].day) for row in found] == [
        ("Ministry of Interior", 18, 19),
        ("Ministry of Transport", 19, 21),
    ]
    assert found[0]["Until"] == found[1]["From"] == datetime(2026, 11, 19)


def test_the_csv_of_intervals_reads_back_and_counts_milliseconds() -> None:
    document = golden()
    assert document.intervals is not None
    first = document.intervals[0]
    longer = replace(first, ended=first.ended.replace(microsecond=123_000))
    text = csv_of(table(replace(document, intervals=(longer,)), "en"))
    _, row = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    assert row[2] == "2026-11-17T04:00:00Z"
    assert row[8] == "7200.123"


def test_the_data_dictionary_says_which_intervals_a_figure_is_counted_from() -> None:
    [found] = [each for each in tables(golden(), "en") if each.name == "dictionary"]
    said = {row[0]: row[-1] for row in found.rows}
    assert said["F06"] == "Times unknown"
    assert said["F07"] == "—"
