"""Messages of work: whom they concern, when they go out, and what they say in either language."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from monitor.alerts.policy import WorkingHours
from monitor.alerts.text import TITLE_MAX, Message
from monitor.alerts.work import (
    WorkStory,
    WorkTopic,
    concerned,
    due_of_work_ms,
    needless_of_work,
    work_story,
)
from monitor.alerts.work_text import work_teller
from monitor.config.alerts import Receiver
from monitor.judge.exclusions import Exclusion, Filing
from monitor.judge.surroundings import Surroundings
from monitor.judge.work import Details
from monitor.model import ExclusionKind, Severity, Text, Version
from tests.world import government

HOUR_MS = 3_600_000
NOW_MS = 1_764_025_640_000  # 2025-11-25 03:07:20 in Dubai, a Tuesday
ZONE = "Asia/Dubai"
AROUND = Surroundings(
    Version(serial=1, sha256="", valid_from_ms=0, catalogue=government(entities=4, services=20))
)
LINES = {
    "en": ["When: ", "What: ", "Affected: ", "Still works: ", "Figures: ", "Call: ", "Open: ", "WORK-7, "],
    "ar": [
        "الموعد: ", "الموضوع: ", "المتأثر: ", "المتاح حاليًا: ", "الاحتساب: ", "للاتصال: ", "للاطلاع: ",
        "\u2066WORK-7\u2069",
    ],
}  # fmt: skip


def filed(from_h: float = 24, to_h: float = 26, *, details: Details | None = None, **more: Any) -> WorkStory:
    """Of the digital identity, which blocks every fifth service, unless said otherwise."""
    given: dict[str, Any] = {
        "id": 7,
        "kind": ExclusionKind.MAINTENANCE,
        "subjects": ("system:identity",),
        "from_ms": NOW_MS + round(from_h * HOUR_MS),
        "to_ms": NOW_MS + round(to_h * HOUR_MS),
        "why": "New certificates",
        "announced_at_ms": NOW_MS - 48 * HOUR_MS,
        "announced_by": "Amal",
    }
    document = msgspec.json.encode(details or Details(phone="+971 4 555 0101")).decode()
    extended = more.pop("extended", ())
    one = Exclusion(**given | {"document": document} | more)
    return work_story(AROUND, one, extended=extended, now_ms=NOW_MS)


def written(language: str, topic: WorkTopic, story: WorkStory) -> Message:
    link = "https://monitor.example/planned-work/7"
    return work_teller(language, ZONE).work(story, topic, thread="WORK-7", at_ms=NOW_MS, link=link)


@pytest.mark.parametrize("filing", list(Filing))
@pytest.mark.parametrize("topic", list(WorkTopic))
@pytest.mark.parametrize("language", ["en", "ar"])
def test_every_message_of_work_has_its_lines_in_order_and_a_short_title(
    language: str, topic: WorkTopic, filing: Filing
) -> None:
    message = written(language, topic, filed(filing=filing))
    lines = list(message.lines)
    asks = lines.pop(0) if topic is WorkTopic.ENDING else "?"
    begins = [line.startswith(start) for line, start in zip(lines, LINES[language], strict=True)]
    assert 0 < len(message.title) <= TITLE_MAX
    assert asks
    assert all(begins), lines
    assert all(line.strip() == line and "\n" not in line for line in lines)


def test_a_title_says_what_when_and_how_much() -> None:
    story = filed()
    titles = {topic: written("en", topic, story).title for topic in WorkTopic}
    taken = len(story.services)
    assert titles[WorkTopic.ANNOUNCED] == f"PLANNED WORK 26 Nov 03:07 Digital identity: {taken} services"
    assert titles[WorkTopic.FINISHED] == f"WORK FINISHED 03:07 Digital identity: {taken} services"
    arabic = written("ar", WorkTopic.ANNOUNCED, story).title
    assert arabic.startswith("أعمال مجدولة")


def test_what_was_said_in_that_language_and_whether_it_counts_are_told() -> None:
    details = Details(still=Text(en="Passports", ar="الجوازات"))
    told = written("ar", WorkTopic.EXTENDED, filed(1, 3, details=details, extends=3, announced_at_ms=NOW_MS))
    assert "المتاح حاليًا: \u2068الجوازات\u2069" in told.lines
    assert "الاحتساب: تُحتسب إلى أن تعتمدها اللجنة، تجاوزت الأعمال الموعد المعلن" in told.lines


def test_all_who_are_affected_are_told_and_the_question_is_for_whoever_does_it() -> None:
    own = filed(subjects=("service:s0001",))
    shared = filed(subjects=("service:s0001", "service:s0002"), details=Details(entities=("e03",)))
    assert concerned(own, WorkTopic.ANNOUNCED) == {"e01"}
    assert concerned(shared, WorkTopic.ANNOUNCED) == {"e01", "e02", "e03"}
    assert concerned(shared, WorkTopic.ENDING) == {"e01", "e02"}
    assert concerned(filed(), WorkTopic.ANNOUNCED) == {"e00", "e01", "e02", "e03"}


@pytest.mark.parametrize(
    ("topic", "from_h", "to_h", "at_once"),
    [
        (WorkTopic.ANNOUNCED, 24, 26, False),
        (WorkTopic.ANNOUNCED, 1, 3, True),  # nobody would hear of it in working hours
        (WorkTopic.ENDING, -2, 0.2, True),
        (WorkTopic.EXTENDED, 0.2, 2, True),
        (WorkTopic.FINISHED, -2, 0, False),
    ],
)
def test_at_night_it_waits_for_working_hours_unless_that_is_too_late(
    topic: WorkTopic, from_h: float, to_h: float, at_once: bool
) -> None:
    hours = WorkingHours.of(AROUND.catalogue)
    due_ms = due_of_work_ms(
        Receiver(name="desk", to="env:DESK"),
        Severity.WARNING,
        hours,
        topic,
        filed(from_h, to_h),
        now_ms=NOW_MS,
    )
    assert due_ms == (NOW_MS if at_once else hours.open_from(NOW_MS))
    assert hours.open_from(NOW_MS) > NOW_MS


@pytest.mark.parametrize(
    ("topic", "story", "heard", "needless"),
    [
        (WorkTopic.ANNOUNCED, filed(), False, False),
        (WorkTopic.ANNOUNCED, filed(-3, -1), False, True),
        (WorkTopic.ANNOUNCED, filed(-3, -1, filing=Filing.OUTAGE), False, False),
        (WorkTopic.ANNOUNCED, filed(1, 3, finished_at_ms=NOW_MS), False, True),
        (WorkTopic.ENDING, filed(-3, 0.2), True, False),
        (WorkTopic.ENDING, filed(-3, 0.2, extended=(7,)), True, True),
        (WorkTopic.CANCELLED, filed(1, 3, finished_at_ms=NOW_MS), True, False),
        (WorkTopic.CANCELLED, filed(1, 3, finished_at_ms=NOW_MS), False, True),
    ],
)
def test_what_no_longer_matters_is_told_to_nobody(
    topic: WorkTopic, story: WorkStory, heard: bool, needless: bool
) -> None:
    assert bool(needless_of_work(topic, story, heard=heard)) is needless
