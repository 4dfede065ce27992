"""Who is told what, when, and how often it is tried: decided without a clock, a network or a database."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from monitor import links
from monitor.alerts.alerts import AHEAD_MS, Span, alert, spans
from monitor.alerts.policy import WorkingHours, due_ms, listeners, needless
from monitor.alerts.story import Story
from monitor.alerts.text import Message
from monitor.config.alerts import Receiver, When
from monitor.judge.incidents import Incident, State
from monitor.judge.troubles import Sign
from monitor.model import Calendar, DayName, Holiday, Ramadan, Severity, Text, Verdict
from monitor.outcome import TRIES_MAX, Fate, Outcome, of_status, retry_s, seconds_asked

ZONE = ZoneInfo("Asia/Dubai")
CALENDAR = Calendar(
    half_days=(DayName.FRIDAY,),
    hours="07:30-15:30",
    holidays=(Holiday(first="2026-12-02", last="2026-12-03"),),
    ramadan=(Ramadan(first="2026-02-18", last="2026-03-19", hours="09:00-14:30"),),
)
HOURS = WorkingHours(CALENDAR, "Asia/Dubai")
PASSING = Outcome(Fate.PASSING)


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp() * 1000)


def local(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, ZONE).isoformat(sep=" ", timespec="minutes")[:16]


def receiver(name: str = "desk", **more: object) -> Receiver:
    return Receiver(name=name, to="env:DESK", **more)  # type: ignore[arg-type]


def incident(**more: object) -> Incident:
    made = Incident(
        number="INC-2026-0001",
        subject="system:identity",
        sign=Sign.UNAVAILABLE,
        verdict=Verdict.DOWN,
        severity=Severity.CRITICAL,
        since_ms=1000,
        opened_ms=2000,
        raised_ms=2000,
    )
    return replace(made, **more)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-11-25 10:00", "2026-11-25 10:00"),  # a Wednesday, in hours
        ("2026-11-25 03:07", "2026-11-25 07:30"),
        ("2026-11-25 15:30", "2026-11-26 07:30"),  # the end is not in hours
        ("2026-11-27 12:00", "2026-11-30 07:30"),  # a half day ends at noon, before a weekend
        ("2026-12-01 16:00", "2026-12-04 07:30"),  # over a holiday
        ("2026-02-18 08:00", "2026-02-18 09:00"),  # Ramadan has hours of its own
        ("2026-02-18 15:00", "2026-02-19 09:00"),
    ],
)
def test_what_can_wait_waits_for_the_next_working_hour_of_the_calendar(now: str, opens: str) -> None:
    assert local(HOURS.open_from(at(now))) == opens


def test_critical_wakes_and_a_warning_waits_unless_the_receiver_says_otherwise() -> None:
    night = at("2026-11-25 03:07")
    usual, eager = receiver(), receiver(warning=When.ALWAYS)
    due = [
        local(due_ms(usual, Severity.CRITICAL, HOURS, now_ms=night)),
        local(due_ms(usual, Severity.WARNING, HOURS, now_ms=night)),
        local(due_ms(eager, Severity.WARNING, HOURS, now_ms=night)),
    ]
    assert due == ["2026-11-25 03:07", "2026-11-25 07:30", "2026-11-25 03:07"]


def names(receivers: list[Receiver], severity: Severity, entity: str) -> list[str]:
    return [one.name for one in listeners(receivers, severity, entity)]


def test_a_receiver_hears_of_the_entities_it_names_and_of_the_severities_it_takes() -> None:
    everything = receiver("everything")
    health = receiver("health", entities=("health",))
    pager = receiver("pager", warning=When.NEVER)
    all_three = [everything, health, pager]
    assert names(all_three, Severity.CRITICAL, "health") == ["everything", "health", "pager"]
    assert names(all_three, Severity.WARNING, "transport") == ["everything"]


def test_what_is_only_shown_is_told_to_nobody() -> None:
    assert names([receiver(warning=When.ALWAYS)], Severity.INFO, "") == []


def test_what_no_receiver_listens_for_goes_to_all_that_take_its_severity() -> None:
    health, labour = receiver("health", entities=("health",)), receiver("labour", entities=("labour",))
    assert names([health, labour], Severity.CRITICAL, "transport") == ["health", "labour"]


@pytest.mark.parametrize(
    ("topic", "state", "heard", "needed"),
    [
        ("first", State.FAILING, False, True),
        ("first", State.STEADYING, False, True),
        ("first", State.CLOSED, False, False),
        ("first", State.ABSORBED, False, False),
        ("resolved", State.CLOSED, True, True),
        ("resolved", State.CLOSED, False, False),
        ("work", State.CLOSED, False, True),
    ],
)
def test_nobody_is_told_of_what_is_over_nor_of_the_end_of_what_they_never_heard(
    topic: str, state: State, heard: bool, needed: bool
) -> None:
    closed_ms = 0 if state in (State.FAILING, State.STEADYING) else 9000
    assert (needless(topic, incident(state=state, closed_ms=closed_ms), heard=heard) == "") is needed


@pytest.mark.parametrize(
    ("status", "fate"),
    [
        (200, Fate.ACCEPTED),
        (204, Fate.ACCEPTED),
        (301, Fate.PERMANENT),
        (400, Fate.PERMANENT),
        (401, Fate.PERMANENT),
        (404, Fate.PERMANENT),
        (408, Fate.PASSING),
        (429, Fate.PASSING),
        (500, Fate.PASSING),
        (503, Fate.PASSING),
    ],
)
def test_a_refusal_is_told_from_what_passes(status: int, fate: Fate) -> None:
    assert of_status(status).fate is fate


def test_what_is_refused_is_not_tried_again() -> None:
    assert retry_s(Outcome(Fate.PERMANENT), tries=1, chance=1) is None


def test_waits_double_up_to_two_minutes_half_of_them_left_to_chance() -> None:
    longest = [retry_s(PASSING, tries=tries, chance=1) for tries in (1, 2, 3, 7, 8, TRIES_MAX - 1)]
    shortest = [retry_s(PASSING, tries=tries, chance=0) for tries in (1, 2)]
    assert (longest, shortest) == ([2, 4, 8, 120, 120, 120], [1, 2])


def test_the_last_try_is_the_last() -> None:
    assert retry_s(PASSING, tries=TRIES_MAX, chance=0) is None


def test_a_server_that_asks_for_time_gets_it_within_reason() -> None:
    waits = [retry_s(Outcome(Fate.PASSING, wait_s=asked), tries=1, chance=0) for asked in (30, 99_999)]
    assert (waits, seconds_asked("30"), seconds_asked("Wed, 25 Nov 2026 07:28:00 GMT")) == (
        [30, 600],
        30,
        None,
    )


# -- Alertmanager --------------------------------------------------------------------------------------------


def test_an_incident_is_one_alert_from_when_it_was_true_until_it_was_well() -> None:
    told = [("first", "critical", 5000), ("resolved", "critical", 99_000)]
    over = incident(state=State.CLOSED, well_ms=60_000, closed_ms=99_000)
    assert spans(incident(), told[:1], over_ms=None) == [Span("critical", 1000, None)]
    assert spans(over, told, over_ms=99_000) == [Span("critical", 1000, 60_000)]


def test_a_graver_alert_ends_the_milder_one_at_that_instant() -> None:
    told = [("first", "warning", 5000), ("raised", "critical", 9000)]
    assert spans(incident(), told, over_ms=None) == [
        Span("warning", 1000, 9000),
        Span("critical", 9000, None),
    ]


def test_the_end_of_the_milder_one_is_not_told_once_the_graver_one_recovers() -> None:
    told = [("first", "warning", 5000), ("raised", "critical", 9000)]
    assert spans(incident(state=State.STEADYING, well_ms=20_000), told, over_ms=None) == [
        Span("critical", 9000, None)
    ]


def test_what_fails_again_after_closing_begins_anew() -> None:
    told = [("first", "critical", 5000), ("resolved", "critical", 9000), ("again", "critical", 12_000)]
    assert spans(incident(reopened=1), told, over_ms=None) == [Span("critical", 12_000, None)]


def test_an_absorbed_incident_ends_with_what_it_followed_from() -> None:
    absorbed = incident(state=State.ABSORBED, closed_ms=8000)
    assert [spans(absorbed, [("first", "critical", 5000)], over_ms=over) for over in (None, 70_000)] == [
        [Span("critical", 1000, None)],
        [Span("critical", 1000, 70_000)],
    ]


def test_an_alert_says_what_routes_need_and_lives_half_an_hour_ahead_of_a_dead_notifier() -> None:
    story = Story(
        incident(), "system", Text(en="Identity"), "identity", entity="interior", runbook="https://r"
    )
    made = alert(
        Span("critical", 1000, None),
        story,
        team="operations",
        english=Message("DOWN", ("Evidence",)),
        arabic=Message("متوقف", ("الدليل",)),
        link="https://monitor.example/incidents/INC-2026-0001",
        now_ms=5000,
    )
    assert made["labels"] == {
        "alertname": "ContinuityIncident",
        "severity": "critical",
        "incident": "INC-2026-0001",
        "team": "operations",
        "entity": "interior",
        "system": "identity",
    }
    assert {*made["annotations"]} == {
        "summary",
        "description",
        "runbook_url",
        "summary_ar",
        "description_ar",
    }
    assert (made["startsAt"], made["endsAt"]) == ("1970-01-01T00:00:01.000Z", "1970-01-01T00:30:05.000Z")
    assert AHEAD_MS == 1_800_000


# -- links ---------------------------------------------------------------------------------------------------

KEY = b"k" * 32
LINK = links.Link(links.ACKNOWLEDGE, "INC-2026-0001", "on-call", 0, 2000)


def test_a_link_opens_what_it_was_signed_for() -> None:
    assert links.opened(links.signed(LINK, KEY), KEY, purpose=links.ACKNOWLEDGE, now_s=1999) == LINK


@pytest.mark.parametrize(
    ("purpose", "now_s", "key"),
    [("unsubscribe", 1999, KEY), (links.ACKNOWLEDGE, 2000, KEY), (links.ACKNOWLEDGE, 1999, b"x" * 32)],
)
def test_a_link_opens_nothing_else_later_or_with_another_key(purpose: str, now_s: int, key: bytes) -> None:
    assert links.opened(links.signed(LINK, KEY), key, purpose=purpose, now_s=now_s) is None


@pytest.mark.parametrize("spoilt", ["", ".", "x", "é.é", "a.b.c", "A" * 700, "AAAA.AAAA"])
def test_what_is_no_link_of_ours_opens_nothing(spoilt: str) -> None:
    assert links.opened(spoilt, KEY, purpose=links.ACKNOWLEDGE, now_s=0) is None


def test_a_link_changed_in_one_letter_opens_nothing() -> None:
    body, _, mac = links.signed(LINK, KEY).partition(".")
    other = links.signed(LINK._replace(about="INC-2026-0002"), KEY).partition(".")[0]
    assert body != other
    assert links.opened(f"{other}.{mac}", KEY, purpose=links.ACKNOWLEDGE, now_s=0) is None
