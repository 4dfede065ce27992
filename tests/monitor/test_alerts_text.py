"""Messages: a title of at most 60 characters, one line each in a fixed order, whole in both languages."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from monitor.alerts.story import Evidence, Story
from monitor.alerts.text import LOCALE, Links, Message, teller
from monitor.judge.incidents import Incident, Topic
from monitor.judge.missed import Estimate
from monitor.judge.troubles import Sign
from monitor.model import ChannelKind, Contact, Severity, Text, Verdict

ZONE = "Asia/Dubai"
NIGHT_MS = 1_764_025_640_000  # 2025-11-24 23:07:20 UTC, 03:07:20 in Dubai
LINKS = Links("https://monitor.example/incidents/INC-2026-0412", "https://monitor.example/acknowledge/x.y")
OPENING = (Topic.FIRST, Topic.RAISED, Topic.AGAIN)
ORDER = {
    "en": ["Evidence: ", "Affected: ", "Still works: ", "Call: ", "Open: ", "INC-2026-0412, "],
    "ar": ["الدليل: ", "المتأثر: ", "المتاح حاليًا: ", "للاتصال: ", "للاطلاع: ", "\u2066INC-2026-0412\u2069"],
}
CLOSING = {
    "en": ["Lasted: ", "Missed transactions (estimate): ", "Open: ", "INC-2026-0412, "],
    "ar": ["المدة: ", "معاملات لم تُنجز (تقدير): ", "للاطلاع: ", "\u2066INC-2026-0412\u2069"],
}
LATIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9:.,/_?=+@%-]*")
ISOLATED = re.compile(r"[\u2066\u2068][^\u2066-\u2069]*\u2069")


def incident(**more: object) -> Incident:
    given: dict[str, object] = {
        "number": "INC-2026-0412",
        "subject": "system:identity",
        "sign": Sign.UNAVAILABLE,
        "verdict": Verdict.DOWN,
        "severity": Severity.CRITICAL,
        "since_ms": NIGHT_MS,
        "opened_ms": NIGHT_MS + 10_000,
        "raised_ms": NIGHT_MS + 10_000,
        "services": tuple(f"service:s{number:04d}" for number in range(62)),
    }
    return Incident(**(given | more))  # type: ignore[arg-type]


def story(**more: object) -> Story:
    names = [("Passport renewal", "تجديد جواز السفر"), ("Visa", "تأشيرة"), ("Birth", "شهادة ميلاد")]
    told = Story(
        incident=incident(),
        kind="system",
        name=Text(en="Identity system", ar="نظام الهوية"),
        slug="identity",
        services=tuple(Text(en=names[i % 3][0], ar=names[i % 3][1]) for i in range(62)),
        entities=8,
        still=((ChannelKind.CALL_CENTRE, 15), (ChannelKind.APP, 5)),
        still_services=20,
        people=(
            Contact(
                role=Text(en="Duty desk", ar="غرفة المناوبة"),
                name=Text(en="Layla Haddad", ar="ليلى حداد"),
                phone="+971 4 555 0101",
            ),
        ),
        runbook="https://wiki.example/identity",
        evidence=Evidence(3, 3, "timeout", 3000.0, NIGHT_MS - 40_000),
    )
    return replace(told, **more)  # type: ignore[arg-type]


SUBJECTS = {
    "a system is down": story(),
    "a system whose name is long": story(
        name=Text(
            en="Federal digital identity and signature platform for residents",
            ar="المنصة الاتحادية للهوية الرقمية والتوقيع الإلكتروني للمقيمين والزوار",
        )
    ),
    "a service is down": story(
        kind="service", incident=incident(subject="service:passport", services=("service:passport",))
    ),
    "something is degraded": story(
        incident=incident(
            sign=Sign.DEGRADED, verdict=Verdict.DEGRADED, severity=Severity.WARNING, services=()
        ),
        evidence=Evidence(2, 3, "slow", 900.0, NIGHT_MS),
    ),
    "down, but another channel completes it": story(
        incident=incident(sign=Sign.DOWN, severity=Severity.WARNING, services=())
    ),
    "a suspected cause": story(incident=incident(suspected=True), evidence=Evidence(0, 3)),
    "the headline": story(
        kind="government",
        name=Text(en="Government", ar="الحكومة"),
        incident=incident(subject="government", sign=Sign.HEADLINE),
        available=168,
        required=180,
        target=0.95,
    ),
    "a certificate": story(
        kind="service",
        incident=incident(sign=Sign.CERTIFICATE, verdict=Verdict.DEGRADED, services=()),
        evidence=Evidence(0, 1, certificate_ms=NIGHT_MS + 5 * 86_400_000),
        services=(),
    ),
    "what a person reports": story(
        kind="government",
        name=Text(en="Government", ar="الحكومة"),
        incident=incident(subject="government", sign=Sign.REPORTED, by="ليلى", title="تعطل\nالدفع"),
    ),
    "nothing is known": Story(incident=incident(services=()), kind="system", name=Text(), slug="identity"),
}
KINDS = [(topic, why) for topic in OPENING for why in ("notice", "second", "reminder")]


def told(language: str, one: Story, topic: Topic, why: str = "notice") -> Message:
    return teller(language, ZONE).message(one, topic, why=why, at_ms=NIGHT_MS + 20_000, links=LINKS)


def closed(**more: object) -> Story:
    over = incident(failures=6, reopened=1, well_ms=NIGHT_MS + 3_900_000, closed_ms=NIGHT_MS + 4_500_000)
    return story(incident=over, **more)


def fine(message: Message) -> None:
    """What holds of every message in every language."""
    assert 0 < len(message.title) <= 60, message.title
    for line in (message.title, *message.lines):
        assert line.strip(), message
        assert "\n" not in line
        assert "{" not in line


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize(("topic", "why"), KINDS)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_opening_message_has_a_short_title_and_its_lines_in_order(
    language: str, topic: Topic, why: str, subject: str
) -> None:
    message = told(language, SUBJECTS[subject], topic, why)
    fine(message)
    assert [line.startswith(start) for line, start in zip(message.lines, ORDER[language], strict=True)] == [
        True
    ] * 6


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_promise_to_the_public_that_was_missed_says_what_to_do_and_where(
    language: str, subject: str
) -> None:
    message = told(language, SUBJECTS[subject], Topic.UPDATE_MISSED)
    fine(message)
    title = {"en": "PUBLIC UPDATE DUE", "ar": "حان تحديث الجمهور"}[language]
    line = {"en": "The public was promised", "ar": "حان موعد التحديث"}[language]
    assert (message.title.startswith(title), message.lines[0].startswith(line)) == (True, True)
    assert LINKS.incident in message.body
    assert LINKS.acknowledge not in message.body


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("missed", [Estimate(3200.4, 2900.2, 3500.7), None])
def test_the_closing_message_gives_duration_reopenings_and_missed_transactions(
    language: str, missed: Estimate | None
) -> None:
    message = told(language, closed(missed=missed), Topic.RESOLVED)
    fine(message)
    assert [line.startswith(start) for line, start in zip(message.lines, CLOSING[language], strict=True)] == [
        True
    ] * 4


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_test_message_and_one_of_an_unknown_kind_are_whole(language: str) -> None:
    teller_of = teller(language, ZONE)
    fine(teller_of.test("on-call", at_ms=NIGHT_MS, link="https://monitor.example"))
    fine(teller_of.news("work", "Renewal", at_ms=NIGHT_MS, link="https://monitor.example"))


def test_the_first_message_reads_as_an_engineer_needs_it_at_night() -> None:
    assert told("en", story(), Topic.FIRST) == (
        "DOWN 03:07 Identity system: 62 services",
        (
            "Evidence: 3 of 3 locations: time-out after 3 s; last good 03:06:40",
            "Affected: 62 services of 8 entities: Passport renewal, Visa, Birth and 59 more",
            "Still works: 20 services on call centre (15), mobile app (5)",
            "Call: Layla Haddad +971 4 555 0101",
            (
                "Open: https://monitor.example/incidents/INC-2026-0412 · runbook https://wiki.example/identity"
                " · acknowledge https://monitor.example/acknowledge/x.y"
            ),
            "INC-2026-0412, first message, Asia/Dubai",
        ),
    )


def test_the_closing_message_reads_as_the_committee_will_ask() -> None:
    message = told("en", closed(missed=Estimate(3200.4, 2900.2, 3500.7)), Topic.RESOLVED)
    assert message == (
        "WELL 04:12 Identity system: after 65 min",
        (
            "Lasted: 65 min, 03:07 to 04:12 · failed 6 times · reopened once",
            "Missed transactions (estimate): 3,200 (between 2,900 and 3,501)",
            "Open: https://monitor.example/incidents/INC-2026-0412 · runbook https://wiki.example/identity",
            "INC-2026-0412, closing message, Asia/Dubai",
        ),
    )


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_number_time_and_address_in_an_arabic_message_is_isolated_t22(subject: str) -> None:
    messages = [told("ar", SUBJECTS[subject], topic, why) for topic, why in KINDS]
    messages.append(told("ar", closed(missed=Estimate(3200, 2900, 3500)), Topic.RESOLVED))
    for message in messages:
        for line in (message.title, *message.lines):
            assert LATIN.findall(ISOLATED.sub("", line)) == [], line


def test_an_english_message_carries_no_invisible_marks_where_nothing_could_be_reordered() -> None:
    message = told("en", story(), Topic.FIRST)
    assert (message.title + message.body).translate({0xB7: ""}).isascii()


def test_an_arabic_name_in_an_english_message_is_isolated_t22() -> None:
    message = told("en", story(name=Text(ar="نظام الهوية")), Topic.FIRST)
    assert message.title == "DOWN 03:07 \u2068نظام الهوية\u2069: 62 services"


def test_an_address_ends_before_the_isolate_does_so_that_programs_find_it() -> None:
    lines = told("ar", story(), Topic.FIRST).lines
    assert f"\u2066{LINKS.incident} \u2069" in lines[4]


def keys(language: str) -> set[str]:
    return set(yaml.safe_load((LOCALE / f"{language}.yaml").read_text(encoding="utf-8")))


def test_both_languages_have_the_same_messages() -> None:
    assert keys("en") == keys("ar")


def test_every_message_is_used() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in Path(LOCALE.parent).glob("*.py"))
    unused = [
        key
        for key in sorted(keys("en") - {"format.moment"})
        if f'"{key}"' not in code
        and f'"{key.partition(".")[2]}"' not in code
        and not re.match(r"(word|kind|channel|reason|line|work\.counts)\.", key)
    ]
    assert unused == []
