"""The PDF editions read back: the digits of the frozen JSON in their order, tagged, within their pages."""

from __future__ import annotations

import re
import shutil
import subprocess
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import pytest

from monitor.errors import FileNotMade
from monitor.report.document import Document, digest, encode
from monitor.report.figures import FIGURES
from monitor.report.files import file_of
from monitor.report.pdf.annex import MEANINGS
from monitor.report.pdf.blocks import Paper
from monitor.report.pdf.first import ROOM, TOP
from monitor.report.pdf.making import pdf
from monitor.report.pdf.runs import name, plain, runs
from monitor.report.voice import DRAFT_MARK, SAMPLE_MARK, Voice
from tests.golden_week import EXPECTED, EXPECTED_OF, NAMES, about, golden, terms
from tests.worst_week import corrected, worst

pytestmark = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed")
LANGUAGES = ("ar", "en")
EDITIONS: list[tuple[str, Paper]] = [
    (language, paper) for language in LANGUAGES for paper in ("a4", "projector")
]
MARGIN_PT, A4_PT = 16 / 25.4 * 72, 595.28
FOLLOW = 6  # pages after the first, before the annex


class Word(NamedTuple):
    """A word where it stands: page from 0, points from the top and from the left."""

    page: int
    y: float
    x: float
    text: str


def made(document: Document, language: str, paper: Paper = "a4", *, draft: bool = False) -> bytes:
    return pdf(document, language, digest=digest(encode(document)), paper=paper, draft=draft)


@lru_cache
def golden_pdf(language: str, paper: Paper = "a4") -> bytes:
    return made(golden(about=about(sample=True)), language, paper)


def read(body: bytes, command: str, *options: str) -> str:
    """What a program of poppler-utils says of the file."""
    target = ["-"] if command == "pdftotext" else []
    done = subprocess.run(
        [command, *options, "-", *target], input=body, capture_output=True, timeout=60, check=True
    )
    return re.sub("[\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", done.stdout.decode(errors="replace"))


def pages(body: bytes) -> list[str]:
    return read(body, "pdftotext").split("\f")[:-1]


def normal(text: str) -> str:
    """Letters as they are typed: a PDF may hold the shapes they have in a word."""
    return unicodedata.normalize("NFKC", text)


def words(body: bytes) -> list[Word]:
    found, page = [], -1
    for line in read(body, "pdftotext", "-bbox").splitlines():
        page += line.lstrip().startswith("<page")
        if match := re.search(r'<word xMin="([\d.]+)" yMin="([\d.]+)".*?>(.*?)</word>', line):
            found.append(Word(page, float(match[2]), float(match[1]), match[3]))
    return found


def bookmarks(body: bytes, tmp_path: Path) -> list[tuple[int, str]]:
    """Page from 1 and text of each."""
    (tmp_path / "report.pdf").write_bytes(body)
    command = ["pdftohtml", "-xml", "-i", "-stdout", str(tmp_path / "report.pdf")]
    done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    found = re.findall(r'<item page="(\d+)">(.*?)</item>', done.stdout.decode(), re.DOTALL)
    return [(int(page), text.strip()) for page, text in found]


def parts_of(text: str) -> tuple[list[str], str]:
    """Its numbers, and its letters in order of the alphabet: a line of Arabic may be read from either end."""
    letters = re.findall(r"[^\W\d_]", unicodedata.normalize("NFKC", plain(text)))
    return sorted(re.findall(r"[\d.,]*\d", text)), "".join(sorted(letters))


# -- figures


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_figure_of_all_services_stands_beside_its_code(language: str) -> None:
    document = golden()
    voice, found = Voice(language, document), words(golden_pdf(language))
    left, right = (
        sum(MEANINGS[:count]) / sum(MEANINGS) * (A4_PT - 2 * MARGIN_PT) + MARGIN_PT for count in (2, 3)
    )
    low, high = (left, right) if language == "en" else (A4_PT - right, A4_PT - left)
    column = [word for word in found if low - 1 <= word.x < high - 1]
    edge = A4_PT / 8
    codes = sorted(
        word
        for word in found
        if word.text in FIGURES and (word.x < edge if language == "en" else word.x > A4_PT - edge)
    )
    shown = {}
    for number, word in enumerate(codes):
        after = codes[number + 1] if number + 1 < len(codes) else Word(word.page + 1, 0, 0, "")
        end = after.y if after.page == word.page else 780
        inside = [w.text for w in column if w.page == word.page and word.y - 3 <= w.y < end - 3]
        shown[word.text] = parts_of(" ".join(inside))
    written = {
        code: parts_of(voice.written(FIGURES[code].unit, value))
        for code, value in document.total.figures.items()
    }
    assert {code: value.text for code, value in document.total.figures.items()} == EXPECTED
    assert shown == written


def test_figures_of_services_and_entities_stand_in_their_rows() -> None:
    lines = read(golden_pdf("en"), "pdftotext", "-layout").splitlines()
    names = {f"service:{slug}": text.en for slug, text in NAMES.items()}
    names |= {"entity:interior": "Ministry of Interior", "entity:transport": "Ministry of Transport"}
    for subject, expected in EXPECTED_OF.items():
        rows = [line for line in lines if line.strip().startswith(names[subject])]
        assert any(f"{expected['F01']}%" in row for row in rows), subject


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_codes_stand_beside_the_figures_of_the_first_page(language: str) -> None:
    first = pages(golden_pdf(language))[0]
    assert set(re.findall(r"F\d\d", first)) == {
        "F01",
        "F02",
        "F03",
        "F04",
        "F05",
        "F06",
        "F08",
        "F10",
        "F14",
        "F17",
    }


# -- order and digits


@pytest.mark.parametrize(("language", "paper"), EDITIONS)
def test_t22_the_digits_of_the_sentence_stand_in_its_order(language: str, paper: Paper) -> None:
    first = pages(golden_pdf(language, paper))[0]
    at = [first.index(digits) for digits in ("98.99%", "16", "22", "95%")]
    assert at == sorted(at)
    assert "%98" not in first
    assert "%95" not in first


def test_in_arabic_the_sentence_runs_from_the_right_and_its_numbers_from_the_left() -> None:
    first = [word for word in words(golden_pdf("ar")) if word.page == 0]
    where = {word.text: word for word in reversed(first)}
    assert where["98.99%"].y == where["16"].y == where["22"].y
    assert where["98.99%"].x > where["16"].x > where["22"].x


def test_in_arabic_a_date_and_a_label_are_not_turned_round() -> None:
    first = [word for word in words(golden_pdf("ar")) if word.page == 0]
    label = next(word for word in first if word.text == "2026-W47")
    day, year = (
        next(w for w in first if w.text.strip("،") == text and w.y == label.y) for text in ("23", "2026")
    )
    assert day.x > year.x


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sign_stands_before_its_number(language: str) -> None:
    """In a picture of the page, too: words are told apart by where their letters stand."""
    found = {word.text for word in words(golden_pdf(language))}
    assert {"+1.86", "−0.41", "−1.3", "+6.2", "-58.85%"} <= found


@pytest.mark.parametrize(("language", "later"), [("ar", -1), ("en", 1)])
def test_tables_run_as_the_language_does(language: str, later: int) -> None:
    found = [word for word in words(golden_pdf(language)) if word.page == 1]
    week = next(word for word in found if word.text == "2026-W46")
    figure = next(word for word in found if word.text == "97.50%")
    assert (figure.x - week.x) * later > 0


@pytest.mark.parametrize(("language", "paper"), EDITIONS)
def test_time_runs_from_left_to_right_in_the_chart(language: str, paper: Paper) -> None:
    found = {word.text: word for word in words(golden_pdf(language, paper)) if word.page == 1}
    assert found["W45"].x < found["W46"].x < found["W47"].x


def test_arabic_digits_by_setting_also_number_the_pages() -> None:
    first = pages(made(golden(terms=terms(digits="arabic")), "ar"))[0]
    assert "٩٨٫٩٩٪" in first
    assert not re.search(r"[0-9]+ من [0-9]+", first)


def test_isolates_become_runs_and_leave_no_control_character() -> None:
    assert runs("من \u206616\u2069 إلى \u206622\u2069", "rtl") == [
        ("", "من "),
        ("ltr", "16"),
        ("", " إلى "),
        ("ltr", "22"),
    ]
    assert runs(name("وزارة"), "rtl") == "وزارة"
    assert runs(name("وزارة") + " (1)", "ltr") == [("rtl", "وزارة"), ("", " (1)")]
    assert runs("\u202eevil", "ltr") == "evil"


def test_what_is_within_an_isolate_stays_whole() -> None:
    assert runs("\u2068Pass\u200eport \u206616\u2069 of\u2069 \u206622\u2069", "rtl") == [
        ("ltr", "Passport 16 of"),
        ("", " "),
        ("ltr", "22"),
    ]
    assert runs("\u206616\u2069\u206622\u2069", "rtl") == [("ltr", "16"), ("ltr", "22")]


# -- the file


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_typeface_is_in_the_file_and_no_other(language: str) -> None:
    rows = [line.split() for line in read(golden_pdf(language), "pdffonts").splitlines()[2:]]
    assert {row[0].partition("+")[2].partition("-")[0] for row in rows} == {"IBMPlexSansArabic"}
    assert {row[-5] for row in rows} == {"yes"}


@pytest.mark.parametrize(("language", "paper"), EDITIONS)
def test_the_file_is_tagged_for_who_has_it_read_aloud(language: str, paper: Paper) -> None:
    body = golden_pdf(language, paper)
    said, structure = read(body, "pdfinfo"), read(body, "pdfinfo", "-struct")
    assert re.search(r"Tagged: +yes", said)
    assert re.search(r"Title: +\S", said)
    assert "<pdfuaid:part>1<" in read(body, "pdfinfo", "-meta")
    assert {"H1", "H2", "Table", "TH", "Figure"} <= set(re.findall(r"^ *(\w+)", structure, re.MULTILINE))


@pytest.mark.parametrize(
    ("paper", "size"), [("a4", "595.2[0-9]* x 841.8[0-9]*"), ("projector", "959.9[0-9]* x 540")]
)
def test_there_is_a_paper_to_print_and_one_to_show(paper: Paper, size: str) -> None:
    assert re.search(f"Page size: +{size}", read(golden_pdf("en", paper), "pdfinfo"))


@pytest.mark.parametrize(("language", "paper"), EDITIONS)
def test_sample_data_says_so_on_every_page_and_in_the_name(language: str, paper: Paper) -> None:
    body = golden_pdf(language, paper)
    assert all("SAMPLE DATA" in page for page in pages(body))
    assert SAMPLE_MARK in read(body, "pdfinfo")
    text = encode(golden(about=about(sample=True)))
    assert file_of(text, "pdf", language, paper=paper).name.endswith("-SAMPLE-DATA.pdf")
    assert "SAMPLE" not in pages(made(golden(), language, paper))[0]


@pytest.mark.parametrize(("language", "paper"), EDITIONS)
def test_a_draft_says_so_on_every_page_and_in_the_name(language: str, paper: Paper) -> None:
    body = made(golden(), language, paper, draft=True)
    assert [page for page in pages(body) if "DRAFT" not in page or "مسودة" not in normal(page)] == []
    assert DRAFT_MARK in read(body, "pdfinfo")
    named = file_of(encode(golden()), "pdf", language, paper=paper, draft=True).name
    assert named.endswith("-DRAFT.pdf")


@pytest.mark.parametrize(("language", "paper"), EDITIONS)
def test_a_draft_of_sample_data_says_both_on_every_page(language: str, paper: Paper) -> None:
    body = made(golden(about=about(sample=True)), language, paper, draft=True)
    assert [page for page in pages(body) if "DRAFT" not in page or "SAMPLE DATA" not in page] == []
    assert f"{DRAFT_MARK} · {SAMPLE_MARK}" in read(body, "pdfinfo")


@pytest.mark.parametrize(("language", "paper"), EDITIONS)
def test_who_has_a_draft_read_aloud_hears_that_it_is_one_first(language: str, paper: Paper) -> None:
    said = read(made(golden(), language, paper, draft=True), "pdfinfo", "-struct-text")
    first, second = re.findall(r'^  P .*\n((?:    ".*"\n)+)', said, re.MULTILINE)[:2]
    assert ("DRAFT" in first, "2026-W47" in first + second) == (True, False)


def test_a_published_report_does_not_say_that_it_is_a_draft() -> None:
    assert not any("DRAFT" in page for page in pages(golden_pdf("en")))


def test_every_page_has_its_number() -> None:
    found = pages(golden_pdf("en"))
    assert [f"Page {number} of {len(found)}" in page for number, page in enumerate(found, 1)] == [True] * len(
        found
    )


def test_the_same_json_gives_the_same_file() -> None:
    assert made(golden(), "ar") == made(golden(), "ar")


def test_a_file_that_is_not_made_in_time_is_an_error_that_says_so() -> None:
    with pytest.raises(FileNotMade, match=r"within 0\.001 s"):
        pdf(golden(), "en", digest="", deadline_s=0.001)


# -- how many pages


@lru_cache
def worst_pdf(language: str, paper: Paper) -> bytes:
    return made(worst(), language, paper)


@pytest.mark.parametrize("of", [worst, lambda: corrected(worst())], ids=["published", "corrected"])
@pytest.mark.parametrize(("language", "paper"), EDITIONS)
def test_the_first_page_of_the_worst_week_is_one_and_at_most_six_follow_before_the_annex(
    language: str, paper: Paper, of: Callable[[], Document], tmp_path: Path
) -> None:
    document = of()
    voice = Voice(language, document)
    body = made(document, language, paper) if document.correction else worst_pdf(language, paper)
    where = {text: page for page, text in reversed(bookmarks(body, tmp_path))}
    assert where[voice.plain("decisions.title")] == 1
    assert where[voice.plain("correction.title" if document.correction else "trend.title")] == 2
    assert where[voice.plain("annex.title")] <= 2 + FOLLOW


@pytest.mark.parametrize(("language", "paper"), EDITIONS)
def test_the_first_page_of_the_worst_week_is_enough_alone(language: str, paper: Paper) -> None:
    """Its figures, the three outages and the decisions asked are on it, down to how many more there are."""
    document = worst()
    voice = Voice(language, document)
    first = pages(worst_pdf(language, paper))[0]
    assert {"F01", "F04", "F05", "F06", "F08", "F10", "F14", "F17"} <= set(re.findall(r"F\d\d", first))
    assert first.count("INC-2026-0007") == TOP
    asked = [str(each.number) for each in document.decisions[: ROOM[paper].asked]]
    assert [number for number in asked if f"{number[:2]},{number[2:]}" not in first] == []
    more = parts_of(voice.plain("pdf.more", n=len(document.decisions) - ROOM[paper].asked))
    assert more in [parts_of(line) for line in first.splitlines()]
