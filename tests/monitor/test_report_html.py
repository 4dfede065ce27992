"""The HTML editions are views of the frozen JSON: every figure in them has its digits, and no other."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from monitor.model import Catalogue, Entity, Text
from monitor.report.charts import trend, trend_svg
from monitor.report.document import Document, digest, encode
from monitor.report.html import html, policy
from monitor.report.voice import SAMPLE_MARK, Voice
from tests.golden_week import EXPECTED, EXPECTED_OF, about, golden

LANGUAGES = ("ar", "en")


class Read(HTMLParser):
    """The figures of an edition: (subject of its row, or "", code) to the digits in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: dict[tuple[str, str], str] = {}
        self._subject = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "tr":
            self._subject = given.get("data-subject") or ""
        if code := given.get("data-figure"):
            self.found.setdefault((self._subject, code), given["value"] or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "tr":
            self._subject = ""


def edition(document: Document, language: str) -> str:
    return html(document, language, digest=digest(encode(document)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_figure_of_all_services_that_is_shown_has_the_digits_of_the_json(language: str) -> None:
    found = Read(edition(golden(), language)).found
    shown = {code: text for (subject, code), text in found.items() if not subject}
    assert shown.items() <= EXPECTED.items()
    assert {"F01", "F04", "F05", "F06", "F08", "F10", "F14", "F17", "F20", "F22", "F24", "F27"} <= set(shown)


@pytest.mark.parametrize("language", LANGUAGES)
def test_figures_of_services_and_entities_have_the_digits_of_the_json(language: str) -> None:
    found = Read(edition(golden(), language)).found
    for subject, expected in EXPECTED_OF.items():
        shown = {code: text for code, text in expected.items() if (subject, code) in found}
        assert {code: found[subject, code] for code in shown} == shown
        assert "F01" in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_code_stands_beside_every_figure(language: str) -> None:
    text = edition(golden(), language)
    for match in re.finditer(
        r'<data class="figure" data-figure="(F\d\d)".*?</data>(.{0,40})', text, re.DOTALL
    ):
        assert match[2].startswith(f' <small class="code">{match[1]}</small>')


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_json_gives_the_same_edition(language: str) -> None:
    assert edition(golden(), language) == edition(golden(), language)


def test_sample_data_says_so_on_the_page_and_real_data_does_not() -> None:
    assert SAMPLE_MARK in edition(golden(about=about(sample=True)), "ar")
    assert SAMPLE_MARK not in edition(golden(), "ar")


def test_an_edition_needs_nothing_from_elsewhere() -> None:
    text = edition(golden(), "ar")
    links = re.findall(r"""(?:href|src)=["']?([^"'> ]+)|url\(([^)]+)\)""", text)
    assert all("data:" in (one or two) or one.startswith("#") for one, two in links)
    assert "default-src 'none'" in policy()
    assert "unsafe" not in policy()


def test_a_name_that_holds_markup_is_text() -> None:
    entity = Entity(slug="interior", name=Text(en="<b>Ministry</b>", ar="<b>وزارة</b>"))
    text = edition(golden(catalogues=[Catalogue(entities=(entity,))]), "en")
    assert "&lt;b&gt;Ministry" in text
    assert "<b>Ministry" not in text


def test_the_trend_runs_from_left_to_right_in_both_languages() -> None:
    document = golden()
    for language in LANGUAGES:
        svg = str(trend_svg(document, Voice(language, document)))
        assert svg.index("W45") < svg.index("W46") < svg.index("W47")
        assert 'direction="ltr"' in svg


def test_a_week_without_a_figure_is_no_point_of_the_line() -> None:
    document = golden()
    drawn = trend(document.weeks, document.terms.target)
    assert [point.text for point in drawn.points] == [None, "97.50", "98.99"]
    assert drawn.line.count("M") == 1
    assert drawn.line.count("L") == 1


def test_higher_on_the_chart_is_more_and_the_target_lies_on_it() -> None:
    document = golden()
    drawn = trend(document.weeks, document.terms.target)
    _, before, now = drawn.points
    assert now.y < before.y < drawn.target_y
    assert 0 < drawn.target_y < 330
