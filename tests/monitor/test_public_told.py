"""What the public is told: the fixed sentences in both languages, and when they appear."""

from __future__ import annotations

import re

import pytest

from monitor.model import PublicRules, Verdict
from monitor.public.notes import Saying
from monitor.public.told import Given, Told, tell
from monitor.public.words import Words
from tests.monitor.public_scene import (
    APP,
    CALL,
    MINUTE_S,
    PHONE,
    WEB,
    given,
    government,
    incident,
    ms,
    said,
    work,
)

DOWN, DEGRADED, UP = Verdict.DOWN, Verdict.DEGRADED, Verdict.UP
HOUR_S = 3600.0  # the scene begins at 18:13:20 in Dubai
DOWN_AR = "خدمة (تجديد جواز السفر) متوقفة حاليًا على الموقع الإلكتروني منذ الساعة 18:23."
DOWN_EN = "The service (Passport renewal) has been unavailable on the website since 18:23."
ALL_DOWN = [(WEB, DOWN, 600.0), (APP, DOWN, 600.0), (CALL, DOWN, 600.0)]


def told(known: Given) -> Told:
    return next(one for one in tell(known) if one.service.slug == "passport")


def says(known: Given, language: str) -> list[str]:
    """The sentences as plain text, without the marks that isolate."""
    words = Words(language, zone="Asia/Dubai", now_ms=known.now_ms, rich=False)
    return [re.sub("[\u2066-\u2069]", "", each) for each in words.sentences(told(known))]


def both(known: Given) -> tuple[list[str], list[str]]:
    return says(known, "ar"), says(known, "en")


def test_all_is_well() -> None:
    known = given()
    assert (told(known).state, both(known)) == (
        Saying.AVAILABLE,
        (["الخدمة متاحة."], ["The service is available."]),
    )


def test_down_on_one_channel_it_says_since_when_and_where_else() -> None:
    known = given((WEB, DOWN, 600.0))
    assert told(known).state is Saying.PARTLY
    assert both(known) == (
        [
            f"{DOWN_AR} يمكنك إنجازها عبر التطبيق أو بالاتصال على {PHONE}",
        ],
        [
            f"{DOWN_EN} You can complete it in the app or by calling {PHONE}",
        ],
    )


def test_down_on_two_channels_the_third_is_offered_once() -> None:
    known = given((WEB, DOWN, 600.0), (APP, DOWN, 660.0))
    app = "The service (Passport renewal) has been unavailable in the app since 18:24."
    assert says(known, "en") == [DOWN_EN, f"{app} You can complete it by calling {PHONE}"]


def test_only_channels_that_are_up_and_complete_it_are_offered() -> None:
    known = given((WEB, DOWN, 600.0), (APP, DEGRADED, 600.0))
    assert [each.subject for each in told(known).ways] == [CALL]


def test_nothing_is_offered_where_nothing_is_up() -> None:
    known = given((WEB, DOWN, 600.0), (APP, DEGRADED, 600.0), (CALL, DEGRADED, 600.0))
    assert says(known, "ar") == [
        DOWN_AR,
        "تعمل ببطء",
    ]


def test_down_on_all_remote_channels_it_says_when_more_is_known() -> None:
    taken = incident(WEB, APP, CALL, services=("service:passport",), since_s=600.0)
    known = given(*ALL_DOWN, at_s=1200.0, incidents=[taken])
    assert both(known) == (
        ["الخدمة متوقفة حاليًا على جميع القنوات عن بُعد. التحديث القادم الساعة 18:58"],
        ["The service is unavailable on all remote channels. Next update at 18:58"],
    )


def test_an_operator_promises_another_time() -> None:
    taken = incident(WEB, APP, CALL, services=("service:passport",), since_s=600.0)
    known = given(*ALL_DOWN, at_s=1200.0, incidents=[taken], said=[said(900.0, next_s=1900.0)])
    assert says(known, "en")[0].endswith("Next update at 18:45")


def test_a_promise_that_was_not_kept_is_not_repeated() -> None:
    taken = incident(WEB, APP, CALL, services=("service:passport",), since_s=600.0)
    known = given(*ALL_DOWN, at_s=3 * HOUR_S, incidents=[taken])
    assert says(known, "ar") == ["الخدمة متوقفة حاليًا على جميع القنوات عن بُعد."]


def test_slow() -> None:
    known = given(*[(path, DEGRADED, 600.0) for path in (WEB, APP, CALL)])
    assert both(known) == (["تعمل ببطء"], ["It is slow"])


def test_no_fresh_information() -> None:
    known = given(behind=True)
    assert both(known) == (
        ["لا تتوفر لدينا معلومات حديثة؛ قد تكون الخدمة متاحة"],
        ["We have no fresh information; the service may be available"],
    )


def test_planned_maintenance_says_when_it_ends() -> None:
    known = given(*ALL_DOWN, at_s=1200.0, exclusions=[work(from_s=600.0, to_s=4000.0)])
    assert (told(known).state, says(known, "en")) == (
        Saying.MAINTENANCE,
        ["The service is unavailable for planned maintenance, announced to end at 19:20."],
    )


def test_maintenance_that_was_prolonged_overran() -> None:
    first = work(from_s=600.0, to_s=1000.0, number=7)
    more = work(from_s=1000.0, to_s=4000.0, number=8, extends=7)
    known = given(*ALL_DOWN, at_s=1200.0, exclusions=[first, more])
    assert both(known) == (
        ["استغرقت الصيانة وقتًا أطول من المعلن، والموعد المتوقع للانتهاء 19:20"],
        ["The maintenance is taking longer than announced; it is expected to end at 19:20"],
    )


def test_maintenance_whose_failure_goes_on_overran_without_an_end() -> None:
    known = given(*ALL_DOWN, at_s=1200.0, exclusions=[work(from_s=600.0, to_s=1000.0)])
    assert (told(known).state, says(known, "en")) == (
        Saying.OVERRUN,
        ["The maintenance is taking longer than announced; when it ends is not known yet"],
    )


def test_maintenance_that_was_finished_early_excuses_nothing_after_it() -> None:
    done = work(from_s=600.0, to_s=4000.0, finished_at_ms=ms(900.0))
    known = given(*ALL_DOWN, at_s=1500.0, exclusions=[done])
    assert told(known).state is Saying.UNAVAILABLE


# -- when it is published ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("after_s", "state"), [(299.0, Saying.CHECKING), (300.0, Saying.UNAVAILABLE)])
def test_a_failure_is_published_five_minutes_after_it_was_confirmed(after_s: float, state: Saying) -> None:
    taken = incident(WEB, APP, CALL, services=("service:passport",), since_s=600.0, known_s=660.0)
    known = given(*ALL_DOWN, at_s=660.0 + after_s, incidents=[taken])
    assert told(known).state is state


def test_until_then_it_is_neither_called_available_nor_offered_elsewhere() -> None:
    known = given(*ALL_DOWN, at_s=700.0)
    assert (told(known).ways, says(known, "en")) == ((), ["We are checking the state of this service."])


def test_a_word_of_an_operator_publishes_at_once() -> None:
    taken = incident(WEB, APP, CALL, services=("service:passport",), since_s=600.0)
    known = given(*ALL_DOWN, at_s=700.0, incidents=[taken], said=[said(650.0, en="We are on it")])
    assert (told(known).state, [one.en for one in told(known).said]) == (
        Saying.UNAVAILABLE,
        ["We are on it"],
    )


def test_by_hand_nothing_is_published_by_itself() -> None:
    rules = PublicRules(by_hand=True)
    taken = incident(WEB, APP, CALL, services=("service:passport",), since_s=600.0)
    known = given(*ALL_DOWN, at_s=3 * HOUR_S, incidents=[taken], catalogue=government(rules=rules))
    assert (told(known).state, told(known).past) == (Saying.CHECKING, ())


def test_a_channel_that_fails_for_a_moment_while_others_work_is_not_mentioned_yet_nor_offered() -> None:
    known = given((WEB, DOWN, 600.0), at_s=640.0)
    assert (told(known).state, [each.subject for each in told(known).ways]) == (
        Saying.AVAILABLE,
        [APP, CALL],
    )


def test_what_was_over_before_it_was_published_never_was() -> None:
    short = incident(WEB, since_s=600.0, state="closed", well_ms=ms(700.0), closed_ms=ms(1300.0))
    long = incident(
        WEB, since_s=600.0, state="closed", well_ms=ms(1000.0), closed_ms=ms(1600.0), number="INC-2026-0002"
    )
    known = given(at_s=HOUR_S, incidents=[short, long])
    assert [(one.since_ms, one.until_ms) for one in told(known).past] == [(ms(600.0), ms(1000.0))]


def test_what_an_operator_said_goes_with_the_failure() -> None:
    closed = incident(WEB, since_s=600.0, state="closed", well_ms=ms(1000.0), closed_ms=ms(1600.0))
    known = given(at_s=HOUR_S, incidents=[closed], said=[said(650.0, en="We are on it")])
    assert (told(known).said, [each.en for each in told(known).past[0].said]) == ((), ["We are on it"])


def test_planned_work_is_named_until_it_is_over_and_not_when_called_off() -> None:
    ahead = work(from_s=5 * HOUR_S, to_s=6 * HOUR_S)
    off = work(from_s=7 * HOUR_S, to_s=8 * HOUR_S, number=2, finished_at_ms=ms(60.0))
    known = given(exclusions=[ahead, off])
    assert [(one.from_ms, one.to_ms) for one in told(known).work] == [(ms(5 * HOUR_S), ms(6 * HOUR_S))]


def test_an_hour_of_another_day_carries_its_day() -> None:
    known = given((WEB, DOWN, 600.0), at_s=20 * HOUR_S + MINUTE_S)
    assert "منذ الساعة 18:23 يوم 21 سبتمبر 2026." in says(known, "ar")[0]
