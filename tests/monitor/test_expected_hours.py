"""Hours of the local week: any zone, clocks put back and forward, holidays, Ramadan."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from monitor.judge.hours import HOUR_MS, RAMADAN_REST, RAMADAN_WORK, Hours
from monitor.model import Calendar, DayName, Holiday, Ramadan

GULF = Calendar(
    weekend=(DayName.FRIDAY, DayName.SATURDAY),
    holidays=(Holiday(first="2026-01-14", last="2026-01-15"),),
    ramadan=(Ramadan(first="2026-02-18", last="2026-03-19", hours="09:00-14:00"),),
)


def at(text: str, zone: str = "Asia/Riyadh") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def test_an_hour_is_an_hour_of_the_local_week() -> None:
    hours = Hours("Asia/Riyadh", GULF)
    assert hours.at(at("2026-01-05T09:30")).slot == 9  # a Monday
    assert hours.at(at("2026-01-11T23:59")).slot == 167


def test_a_holiday_is_like_the_main_day_of_the_weekend() -> None:
    hours = Hours("Asia/Riyadh", GULF)
    wednesday, friday = hours.at(at("2026-01-14T10:00")), hours.at(at("2026-01-16T10:00"))
    assert (wednesday.slot, wednesday.holiday, friday.holiday) == (friday.slot, True, False)


def test_ramadan_has_hours_of_its_own_for_working_days_and_for_the_weekend() -> None:
    hours = Hours("Asia/Riyadh", GULF)
    assert hours.at(at("2026-02-18T10:00")).slot == RAMADAN_WORK + 10
    assert hours.at(at("2026-02-20T10:00")).slot == RAMADAN_REST + 10
    assert hours.at(at("2026-03-20T10:00")).slot < RAMADAN_WORK


def test_usual_hours_are_pressed_into_those_of_ramadan_and_none_is_lost() -> None:
    like = Hours("Asia/Riyadh", GULF).as_usual
    work = like[:24]
    spread = dict.fromkeys(range(24), 0.0)
    for shares in work:
        for slot, share in shares:
            spread[slot % 24] += share
    assert all(share == pytest.approx(1.0) for share in spread.values())
    first = {slot % 24: share for slot, share in work[9]}
    assert first.keys() == {8, 9}  # 09:00 of Ramadan is what 08:00 and some of 09:00 are otherwise
    assert [slot for slot, _ in like[24 + 10]] == [4 * 24 + 10, 5 * 24 + 10]


def test_clocks_put_forward_leave_an_hour_out_and_put_back_have_one_twice() -> None:
    hours = Hours("Europe/Berlin", Calendar())
    spring = at("2026-03-29T00:00", "Europe/Berlin")
    assert [hours.at(spring + n * HOUR_MS).slot - 144 for n in range(5)] == [0, 1, 3, 4, 5]
    autumn = at("2026-10-25T00:00", "Europe/Berlin")
    assert [hours.at(autumn + n * HOUR_MS).slot - 144 for n in range(5)] == [0, 1, 2, 2, 3]


def test_a_zone_of_half_hours_is_a_zone() -> None:
    hours = Hours("Asia/Kolkata", Calendar())
    begin = at("2026-01-05T00:00", "Asia/Kolkata")
    slots = [hours.at(begin + n * HOUR_MS).slot for n in range(24)]
    assert slots == [167, *range(23)]


def test_pieces_cover_a_stretch_without_gap_or_overlap() -> None:
    hours = Hours("Asia/Riyadh", GULF)
    begin = at("2026-01-05T09:20")
    pieces = list(hours.pieces(begin, begin + 2 * HOUR_MS))
    assert [(hour.slot, round(share, 3)) for hour, share in pieces] == [(9, 0.667), (10, 1.0), (11, 0.333)]
