"""Outside its hours a service is neither down nor available: it says when it opens again."""

from __future__ import annotations

import re

import msgspec
import pytest
from msgspec.structs import replace

from monitor.model import Calendar, Catalogue, DayName, Holiday, Ramadan, Verdict
from monitor.public import bars
from monitor.public.notes import Saying
from monitor.public.overview import counted, failing
from monitor.public.pages import Files, Pages
from monitor.public.told import Given, tell
from tests.monitor.public_scene import (
    APP,
    CALL,
    DAY_MS,
    WEB,
    day,
    given,
    government,
    incident,
    ms,
    passport,
)
from tests.monitor.test_public_pages import text_of
from tests.monitor.test_public_told import both, says, told

DOWN = Verdict.DOWN
HOUR_S, DAY_S = 3600.0, 86_400.0  # the scene begins on a Monday at 18:13:20 in Dubai
EIGHT_S = 13 * HOUR_S + 46 * 60 + 40  # 08:00 of Tuesday
ALL_DOWN = [(path, DOWN, 600.0) for path in (WEB, APP, CALL)]
OWN = Calendar(
    week_start=DayName.SUNDAY,
    weekend=(DayName.FRIDAY, DayName.SATURDAY),
    half_days=(DayName.THURSDAY,),
    hours="08:00-15:00",
    holidays=(Holiday(first="2026-09-22", last="2026-10-03"),),
    ramadan=(Ramadan(first="2026-12-01", last="2026-12-29", hours="09:00-14:00"),),
)


WEEK_EN = (
    "Service hours Sunday to Wednesday 08:00 to 15:00 Thursday 08:00 to 12:00 Friday and Saturday closed "
    "It is closed on public holidays."
)
WEEK_AR = (
    "أوقات تقديم الخدمة من الأحد إلى الأربعاء من 08:00 إلى 15:00 الخميس من 08:00 إلى 12:00 الجمعة و السبت "
    "لا تُقدَّم فيها الخدمة لا تُقدَّم الخدمة في العطل الرسمية."
)


def offered(hours: str, calendar: Calendar | None = None) -> Catalogue:
    made = replace(government(), services=(replace(passport(), hours=hours),))
    return replace(made, calendar=calendar or Calendar())


def made(known: Given) -> Files:
    return Pages().files(known)


@pytest.mark.parametrize("fails", [[], ALL_DOWN], ids=["its channels answer", "its channels are down"])
def test_closed_it_says_when_it_opens_again_whatever_its_channels_do(
    fails: list[tuple[str, Verdict, float]],
) -> None:
    known = given(*fails, catalogue=offered("08:00-15:00"))
    assert (told(known).state, both(known)) == (
        Saying.CLOSED,
        (
            ["خارج أوقات تقديم الخدمة؛ تُستأنف يوم الثلاثاء الساعة 08:00."],
            ["Outside service hours; opens again on Tuesday at 08:00."],
        ),
    )


@pytest.mark.parametrize(
    ("hours", "at_s", "calendar", "says_when"),
    [
        ("daily 20:00-24:00", 0.0, None, "opens again today at 20:00."),
        ("08:00-15:00", 4 * DAY_S, None, "opens again on Monday at 08:00."),
        ("office", 0.0, OWN, "opens again on 4 October 2026 at 08:00."),
    ],
    ids=["later today", "after the weekend", "after a long holiday"],
)
def test_the_hour_has_a_day_where_it_is_not_today(
    hours: str, at_s: float, calendar: Calendar | None, says_when: str
) -> None:
    known = given(at_s=at_s, catalogue=offered(hours, calendar))
    assert says(known, "en")[0].endswith(says_when)


def test_where_it_does_not_open_within_two_months_no_hour_is_promised() -> None:
    never = replace(OWN, holidays=(Holiday(first="2026-09-01", last="2027-09-01"),))
    assert says(given(catalogue=offered("office", never)), "en") == ["Outside service hours."]


def test_while_it_is_closed_no_way_is_offered_and_it_counts_neither_as_down_nor_as_available() -> None:
    known = given(catalogue=offered("08:00-15:00"))
    found = tell(known)
    assert (found[0].ways, failing(found), tuple(counted(found))) == ((), [], (1, 0, 0, 0, 0, 1))


def test_within_its_hours_it_is_told_of_as_any_other() -> None:
    known = given(*ALL_DOWN, catalogue=offered("daily 06:00-24:00"))
    assert told(known).state is Saying.UNAVAILABLE


@pytest.mark.parametrize(("after_s", "state"), [(299.0, Saying.CHECKING), (300.0, Saying.UNAVAILABLE)])
def test_what_failed_while_it_was_closed_is_published_five_minutes_after_it_opens(
    after_s: float, state: Saying
) -> None:
    known = given(*ALL_DOWN, at_s=EIGHT_S + after_s, catalogue=offered("08:00-15:00"))
    assert told(known).state is state


@pytest.mark.parametrize(("until_s", "told_of"), [(EIGHT_S, 0), (EIGHT_S + 60.0, 1)])
def test_an_incident_that_lay_wholly_outside_its_hours_is_none_of_its_past(
    until_s: float, told_of: int
) -> None:
    over = {"state": "closed", "well_ms": ms(until_s), "closed_ms": ms(until_s)}
    night = incident(WEB, services=("service:passport",), since_s=600.0, **over)
    known = given(at_s=2 * DAY_S, catalogue=offered("08:00-15:00"), incidents=[night])
    assert len(told(known).past) == told_of


def test_not_knowing_what_its_channels_do_changes_nothing_while_it_is_closed() -> None:
    assert told(given(behind=True, catalogue=offered("08:00-15:00"))).state is Saying.CLOSED


# -- on pages and as data ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", WEEK_EN),
        ("ar", WEEK_AR),
    ],
)
def test_its_page_says_its_usual_hours(language: str, expected: str) -> None:
    page = made(given(catalogue=offered("office", OWN)))[f"{language}/services/passport.html"]
    assert expected in text_of(page)


def test_in_ramadan_the_hours_are_those_of_ramadan_and_called_so() -> None:
    page = made(given(at_s=72 * DAY_S, catalogue=offered("office", OWN)))["en/services/passport.html"]
    assert "Sunday to Wednesday 09:00 to 14:00" in text_of(page)
    assert "These are the hours of Ramadan." in text_of(page)


def test_every_day_is_one_line_and_day_and_night_is_none() -> None:
    daily = made(given(catalogue=offered("daily 06:00-24:00")))["en/services/passport.html"]
    always = made(given())["en/services/passport.html"]
    assert "Every day 06:00 to 24:00" in text_of(daily)
    assert "public holidays" not in text_of(daily)
    assert ("Service hours" in text_of(always), "outside service hours" in text_of(always)) == (False, False)


def test_the_first_page_counts_what_is_closed_and_lists_it_not_as_failing() -> None:
    text = text_of(made(given(*ALL_DOWN, catalogue=offered("08:00-15:00")))["en/index.html"])
    assert "1 service is outside its service hours." in re.sub(" +", " ", text)
    assert "We know of no service that is unavailable." in text


def test_the_data_says_closed_and_when_it_opens() -> None:
    document = msgspec.json.decode(made(given(catalogue=offered("08:00-15:00")))["status.json"])
    [service] = document["services"]
    assert (service["state"], service["remotely_available"], service["alternatives"]) == ("closed", False, [])
    assert service["notes"][0]["until"] == "2026-09-22T04:00:00Z"


def test_a_day_wholly_closed_is_a_line_along_the_ground_and_no_outline_of_missing_data() -> None:
    shut = day(0, up_ms=0, out_of_hours_ms=DAY_MS, says="not_applicable")
    assert bars.bar(shut) == (bars.Look.CLOSED, bars.FLAT)


def test_a_day_that_was_open_for_some_hours_is_measured_by_those() -> None:
    assert bars.bar(day(0, up_ms=DAY_MS // 3, out_of_hours_ms=DAY_MS // 3 * 2)).look is bars.Look.UP
    half = day(0, down_ms=DAY_MS // 6, up_ms=DAY_MS // 6, out_of_hours_ms=DAY_MS // 3 * 2)
    assert bars.bar(half) == (bars.Look.DOWN, bars.HEIGHT // 2)


def test_the_bars_of_a_service_with_hours_explain_the_line() -> None:
    known = given(
        catalogue=offered("08:00-15:00"),
        days={"service:passport": [day(1, up_ms=0, out_of_hours_ms=DAY_MS, says="not_applicable")]},
    )
    page = made(known)["en/services/passport.html"].decode()
    assert ('<path class="closed"' in page, '<li class="shut">' in page) == (True, True)
