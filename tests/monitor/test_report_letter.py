"""What is said when a report is sent: the sentence and three outages, in the reader's language."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace

from monitor.model import Text
from monitor.report.delivery.letter import Letter, letter
from monitor.report.delivery.ways import mail_of, put
from monitor.report.files import File
from monitor.report.voice import DRAFT_MARK, SAMPLE_MARK, Voice
from tests.golden_week import about, golden

LINK = "https://monitor.example/reports/2026-W47"


def told(language: str = "ar", **more: int) -> Letter:
    return letter(golden(), language, link=LINK, **more)


@pytest.mark.parametrize("language", ["ar", "en"])
def test_a_letter_says_the_sentence_of_the_first_page_and_at_most_three_outages(language: str) -> None:
    document = golden()
    document = replace(document, outages=(*document.outages[:3], document.outages[0]))
    found = letter(document, language, link=LINK)
    voice = Voice(language, document)
    assert found.lines == (voice.sentence, voice.change)
    assert len(found.outages) == 3
    for line, outage in zip(found.outages, document.outages[:3], strict=True):
        assert voice.estimate(outage.missed) in line
    assert [line for line in (*found.lines, *found.outages, LINK) if line not in found.text] == []


def test_the_subject_has_no_invisible_marks() -> None:
    assert told().title == "التقرير الأسبوعي لاستمرارية الخدمات · الحكومة · 2026-W47"


def test_a_name_of_several_lines_makes_a_subject_of_one() -> None:
    named = golden(about=replace(about(), name=Text(en="Ministry\nof Health\n")))
    found = letter(named, "en", link=LINK)
    assert "· Ministry of Health · 2026-W47" in found.title
    assert mail_of(found, [], sender="a@b.example", to="c@d.example", message_id="<k@h>")["Subject"]


def test_an_arabic_letter_runs_from_the_right() -> None:
    assert '<html lang="ar" dir="rtl">' in told("ar").html
    assert '<html lang="en" dir="ltr">' in told("en").html


def test_a_draft_and_sample_data_say_so_in_the_subject_and_first_in_the_body() -> None:
    document = golden(about=about(sample=True))
    found = letter(document, "ar", link=LINK, review_until_ms=1_795_600_000_000)
    assert found.title.startswith(f"{DRAFT_MARK} · {SAMPLE_MARK} · ")
    assert found.lines[:2] == (DRAFT_MARK, SAMPLE_MARK)
    assert len(found.asked) == 2
    assert [mark for mark in (DRAFT_MARK, SAMPLE_MARK) if mark in told().text] == []


class _Texts(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_data(self, data: str) -> None:
        self.found.append(data)


@pytest.mark.parametrize("language", ["ar", "en"])
def test_a_mail_is_the_same_text_twice_and_the_files_whole(language: str) -> None:
    """As bytes and read again, as a mail program does."""
    file = File("report.html", "text/html; charset=utf-8", "<p>تقرير</p>".encode())
    sent = mail_of(told(language), [file], sender="a@b.example", to="c@d.example", message_id="<k@h>")
    mail = email.message_from_bytes(bytes(sent), policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    texts = _Texts(html.get_content()).found
    assert text.get_content().splitlines() == told(language).text.splitlines()
    assert [line for line in (*told(language).lines, *told(language).outages) if line not in texts] == []
    [attached] = mail.iter_attachments()
    assert (attached.get_filename(), attached.get_payload(decode=True)) == ("report.html", file.body)
    assert (mail["Message-ID"], mail["Content-Language"]) == ("<k@h>", language)


def test_what_people_wrote_is_text_and_not_markup() -> None:
    text = golden(about=about())
    [first, *_] = text.outages
    named = replace(first, name=replace(first.name, en="<script>"), derived=False)
    found = letter(replace(text, outages=(named,)), "en", link=LINK)
    assert "<script>" not in found.html
    assert "&lt;script&gt;" in found.html


def test_a_file_appears_in_a_folder_whole_and_replaces_the_one_before(tmp_path: Path) -> None:
    put(tmp_path, File("a.json", "application/json", b"1"))
    put(tmp_path, File("a.json", "application/json", b"22"))
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"a.json": b"22"}


def test_what_cannot_be_put_in_its_place_leaves_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "a.json" / "full").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        put(tmp_path, File("a.json", "application/json", b"1"))
    assert [each.name for each in tmp_path.iterdir()] == ["a.json"]
