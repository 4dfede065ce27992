"""Weeks that are not like others, as they are printed: no figure is made up, and nobody disappears.

Removed, renamed and moved services, a single one, a week without data, one wholly in maintenance.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from functools import lru_cache

import pytest

from monitor.report.document import Document, digest, encode
from monitor.report.html import html
from monitor.report.pdf.making import pdf
from monitor.report.voice import Voice
from tests import odd_weeks, readings
from tests.golden_week import golden

pytestmark = pytest.mark.skipif(shutil.which("pdfinfo") is None, reason="poppler-utils is not installed")
LANGUAGES = ("ar", "en")
WEEKS: dict[str, Callable[[], Document]] = {
    "unmeasured": odd_weeks.unmeasured,
    "in maintenance": odd_weeks.in_maintenance,
    "one service": odd_weeks.of_one_service,
    "too little known": odd_weeks.too_little_known,
    "renamed": odd_weeks.renamed,
    "removed and moved": golden,
}


@lru_cache
def drawn(week: str, language: str) -> bytes:
    document = WEEKS[week]()
    return pdf(document, language, digest=digest(encode(document)))


def told(week: str, language: str) -> str:
    """The text of the HTML edition, without marks of direction."""
    document = WEEKS[week]()
    text = html(document, language, digest="0" * 64).partition("</style>")[2]
    return " ".join(re.sub("<[^>]*>|[\u200e\u200f\u2066-\u2069]", "", text).split())


def pages(week: str, language: str) -> str:
    done = subprocess.run(
        ["pdftotext", "-layout", "-", "-"], input=drawn(week, language), capture_output=True, check=True,
        timeout=60,
    )  # fmt: skip
    return " ".join(re.sub("[\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", done.stdout.decode()).split())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("week", WEEKS)
def test_every_figure_that_is_printed_is_the_frozen_one_or_says_that_there_is_none(
    week: str, language: str
) -> None:
    document = WEEKS[week]()
    voice = Voice(language, document)
    values = {
        (part.subject, code): readings.written(value, code, voice)
        for part in readings.parts_of(document)
        for code, value in part.figures.items()
    }
    found = readings.of_pdf(drawn(week, language), document, voice)
    assert found == {key: values[key] for key in found}
    assert {code for subject, code in found if subject == document.total.subject} == {*document.total.figures}
    assert {subject for subject, _ in found} == {part.subject for part in readings.parts_of(document)}


@pytest.mark.parametrize(
    ("week", "en", "ar"),
    [
        ("unmeasured", "Nothing was measured in", "لم يُقَس"),
        ("in maintenance", "No service was required in", "لم تكن أي خدمة مطلوبة"),
        ("too little known", "coverage was", "نسبة اكتمال القياس"),
    ],
)
def test_t2_t8_a_week_without_a_figure_says_so_in_its_sentence_and_prints_no_percentage_of_it(
    week: str, en: str, ar: str
) -> None:
    document = WEEKS[week]()
    assert en in told(week, "en")
    assert en in pages(week, "en")
    assert ar in told(week, "ar")
    figures = document.total.figures
    sentence = pages(week, "en").partition("F01")[0]
    assert figures["F01"].text is None
    assert {*re.findall(r"[\d.]+%", sentence)} <= {f"{figures[code].text}%" for code in ("F02", "F06")}


@pytest.mark.parametrize(
    ("week", "en", "ar"),
    [
        ("renamed", ["Travel document"], ["وثيقة السفر"]),
        ("one service", ["Passport renewal"], ["تجديد جواز السفر"]),
        (
            "removed and moved",
            ["Visit visa", "Vehicle registration"],
            ["تأشيرة زيارة", "تسجيل المركبات"],
        ),
    ],
)
def test_t33_t41_who_came_went_or_is_called_otherwise_is_named_as_it_is_now(
    week: str, en: list[str], ar: list[str]
) -> None:
    assert [name for name in en if name not in told(week, "en")] == []
    assert [name for name in en if name not in pages(week, "en")] == []
    assert [name for name in ar if name not in told(week, "ar")] == []


def test_a_service_that_was_removed_says_until_when_it_was_there() -> None:
    assert "Visit visa until 22 November 2026, 00:00" in told("removed and moved", "en")
    assert "until 22" in pages("removed and moved", "en")  # the rest of it is on the next lines of its cell


def test_a_service_that_was_renamed_is_called_by_its_old_name_nowhere() -> None:
    assert "Passport renewal" not in told("renamed", "en")
    assert "Passport renewal" not in pages("renamed", "en")


def test_a_service_that_moved_is_under_its_last_owner_and_counts_for_both() -> None:
    text = pages("removed and moved", "en")
    assert "Ministry of Interior 98.73%" in text
    assert "Ministry of Transport 99.59%" in text
    assert text.rindex("Ministry of Transport") < text.rindex("Vehicle registration")
