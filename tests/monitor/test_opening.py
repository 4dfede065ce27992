"""When a service is offered: working days, holidays, half days, Ramadan, zones that change their clocks."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.judge.exclusions import Exclusion, excluded
from monitor.judge.figures import When, account
from monitor.judge.opening import Era, closed, closed_at, minutes, opened_ms, opens_ms
from monitor.judge.periods import midnight_ms
from monitor.judge.seconds import State
from monitor.judge.timeline import Step, squeeze, value_at
from monitor.model import Calendar, Catalogue, DayName, ExclusionKind, Holiday, Ramadan, Verdict
from tests.monitor import figure_reference as reference
from tests.monitor.scene import catalogue, service

DUBAI, CAIRO, BERLIN = "Asia/Dubai", "Africa/Cairo", "Europe/Berlin"
CALENDAR = Calendar(
    weekend=(DayName.SATURDAY, DayName.SUNDAY),
    half_days=(DayName.FRIDAY,),
    hours="07:30-15:30",
    holidays=(Holiday(first="2026-12-02", last="2026-12-03"),),
    ramadan=(Ramadan(first="2026-02-18", last="2026-03-19", hours="09:00-14:00"),),
)


def offered(hours: str, *, zone: str = DUBAI) -> Catalogue:
    one = msgspec.structs.replace(service("a"), hours=hours)
    return msgspec.structs.replace(catalogue(one, service("b")), zone=zone, calendar=CALENDAR)


def era(hours: str, first: str, last: str, *, zone: str = DUBAI) -> Era:
    """The local days from the first to the last, both included."""
    days = date.fromisoformat(first), date.fromisoformat(last) + timedelta(days=1)
    return Era(*(midnight_ms(day, ZoneInfo(zone)) for day in days), offered(hours, zone=zone))


def opens(hours: str, first: str, last: str | None = None, *, zone: str = DUBAI) -> list[str]:
    """The stretches of these days in which it is offered, by the clock on the wall."""
    of = era(hours, first, last or first, zone=zone)
    edges = [of.from_ms, *(edge for each in closed([of]).get("service:a", []) for edge in each), of.to_ms]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [f"{wall(begin, zone)} {wall(end, zone)}" for begin, end in pairs if begin < end]


def wall(at_ms: int, zone: str) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone)):%d %H:%M}"


@pytest.mark.parametrize(
    ("hours", "day", "expected"),
    [
        ("office", "2026-11-25", ["25 07:30 25 15:30"]),
        ("07:30-19:00", "2026-11-25", ["25 07:30 25 19:00"]),
        ("office", "2026-11-28", []),  # a Saturday
        ("daily 06:00-24:00", "2026-11-28", ["28 06:00 29 00:00"]),
        ("daily 00:00-24:00", "2026-11-28", ["28 00:00 29 00:00"]),
        ("office", "2026-11-27", ["27 07:30 27 12:00"]),  # a Friday
        ("13:00-19:00", "2026-11-27", []),
        ("office", "2026-12-02", []),  # a holiday
        ("daily 06:00-10:00", "2026-12-02", ["02 06:00 02 10:00"]),
        ("office", "2026-02-18", ["18 09:00 18 14:00"]),  # Ramadan
        ("07:30-19:00", "2026-02-18", ["18 07:30 18 19:00"]),  # its own hours stay
    ],
)
def test_a_day_is_open_as_the_calendar_and_the_hours_say(hours: str, day: str, expected: list[str]) -> None:
    assert opens(hours, day) == expected


def test_days_in_a_row_are_closed_from_the_end_of_one_to_the_beginning_of_the_next() -> None:
    found = opens("07:30-15:30", "2026-11-26", "2026-11-30")
    assert found == ["26 07:30 26 15:30", "27 07:30 27 12:00", "30 07:30 30 15:30"]


@pytest.mark.parametrize(
    ("hours", "day", "expected", "length_h"),
    [
        ("daily 01:00-08:00", "2026-03-29", "29 01:00 29 08:00", 6.0),
        ("daily 02:30-08:00", "2026-03-29", "29 03:00 29 08:00", 5.0),  # 02:30 is skipped
        ("daily 00:00-02:30", "2026-03-29", "29 00:00 29 03:00", 2.0),
        ("daily 01:00-08:00", "2026-10-25", "25 01:00 25 08:00", 8.0),
        ("daily 02:30-08:00", "2026-10-25", "25 02:30 25 08:00", 6.5),  # from the first 02:30
        ("daily 00:00-02:30", "2026-10-25", "25 00:00 25 02:30", 3.5),  # to the second one
    ],
)
def test_hours_are_those_of_the_wall_when_the_clocks_change(
    hours: str, day: str, expected: str, length_h: float
) -> None:
    of = era(hours, day, day, zone=BERLIN)
    shut_ms = sum(to_ms - from_ms for from_ms, to_ms in closed([of])["service:a"])
    assert opens(hours, day, zone=BERLIN) == [expected]
    assert (of.to_ms - of.from_ms - shut_ms) / 3_600_000 == length_h


def test_each_day_goes_by_the_catalogue_in_force() -> None:
    day = era("daily 06:00-18:00", "2026-11-25", "2026-11-25")
    noon_ms = day.from_ms + 12 * 3_600_000
    later = Era(noon_ms, day.to_ms, offered("daily 06:00-16:00"))
    shut = closed([Era(day.from_ms, noon_ms, day.catalogue), later])
    assert shut["service:a"] == [
        (day.from_ms, day.from_ms + 6 * 3_600_000),
        (day.from_ms + 16 * 3_600_000, day.to_ms),
    ]
    assert shut["service:a/web"] == shut["service:a"], "a channel keeps its service's hours"
    assert "service:b" not in shut, "without hours it is offered day and night"


def test_now_is_answered_as_the_stretches_say() -> None:
    of = era("office", "2026-11-27", "2026-11-27")
    for at_ms in range(of.from_ms, of.to_ms, 1_800_000):
        shut = any(from_ms <= at_ms < to_ms for from_ms, to_ms in closed([of])["service:a"])
        assert closed_at(of.catalogue, at_ms) == ({"service:a", "service:a/web"} if shut else set())


@pytest.mark.parametrize("text", ["08:00-08:00", "19:00-07:30", "08:00-24:01", "08:60-09:00"])
def test_what_is_no_stretch_of_a_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"ends before it begins|no time of a day"):
        minutes(text)


# -- second by second, on the days on which the clocks change ---------------------------------------------

STEP_S = 900  # everything below is on quarters of an hour, so that each stands for 900 seconds
quarters = st.integers(0, 24 * 4)
days = st.sampled_from(["2026-03-29", "2026-10-25", "2026-07-01"])
spans = st.tuples(quarters, quarters).map(sorted).filter(lambda edges: edges[0] < edges[1])
verdicts = st.lists(st.tuples(st.integers(0, 100), st.sampled_from(list(Verdict))), max_size=6)


def shown(quarter: int) -> str:
    return f"{quarter // 4:02d}:{quarter % 4 * 15:02d}"


@given(days, spans, verdicts, st.tuples(st.integers(0, 100), st.integers(0, 100)).map(sorted))
def test_t7_t9_seconds_out_of_hours_are_what_asking_at_each_instant_gives(
    day: str, span: list[int], rows: list[tuple[int, Verdict]], work: list[int]
) -> None:
    of = era(f"daily {shown(span[0])}-{shown(span[1])}", day, day, zone=BERLIN)
    count = (of.to_ms - of.from_ms) // 1000 // STEP_S
    steps = squeeze(Step(at, verdict) for at, verdict in sorted(rows))
    walls = [datetime.fromtimestamp(of.from_ms / 1000 + t * STEP_S, ZoneInfo(BERLIN)) for t in range(count)]
    minute = [at.hour * 60 + at.minute for at in walls]
    first = min(t for t in range(count) if minute[t] >= span[0] * 15) if minute[-1] >= span[0] * 15 else count
    last = max(t for t in range(count) if minute[t] < span[1] * 15)

    def state(t: int) -> State:
        if not first <= t <= last:
            return State.OUT_OF_HOURS
        return State.MAINTENANCE if work[0] <= t < work[1] else State(value_at(steps, t).verdict.value)

    shut = [
        ((from_ms - of.from_ms) // 1000 // STEP_S, (to_ms - of.from_ms) // 1000 // STEP_S)
        for from_ms, to_ms in closed([of]).get("service:a", [])
    ]
    announced = Exclusion(
        id=1, kind=ExclusionKind.MAINTENANCE, subjects=("service:a",), from_ms=work[0], to_ms=work[1],
        why="w", announced_at_ms=-1000, announced_by="desk",
    )  # fmt: skip
    figure = account(
        "service:a",
        steps,
        When(0, count, count),
        excluded=excluded("service:a", [announced], notice_ms=10, closed=shut),
    )
    by_definition = reference.tally([state], 0, count)
    assert (figure.counted.spent, figure.counted.outages) == (by_definition.spent, by_definition.outages)


# -- when it opens -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", [DUBAI, CAIRO, BERLIN])
@pytest.mark.parametrize("hours", ["office", "07:30-19:00", "daily 06:00-24:00"])
@given(minute=st.integers(0, 400 * 24 * 60))
def test_it_opens_where_the_stretch_in_which_it_is_closed_ends(hours: str, zone: str, minute: int) -> None:
    at_ms = midnight_ms(date(2026, 1, 1), ZoneInfo(zone)) + minute * 60_000
    made = offered(hours, zone=zone)
    shut = closed([Era(at_ms - 30 * 86_400_000, at_ms + 30 * 86_400_000, made)])["service:a"]
    now = next((each for each in shut if each[0] <= at_ms < each[1]), None)
    before = [end for _, end in shut if end <= at_ms]
    if now is not None:
        assert opens_ms(made, hours, at_ms) == now[1]
    else:
        assert opened_ms(made, hours, at_ms) == before[-1]


def test_what_is_open_day_and_night_in_parts_was_opened_a_week_ago_at_most() -> None:
    at_ms = midnight_ms(date(2026, 1, 20), ZoneInfo(DUBAI))
    always = "daily 00:00-24:00"
    assert at_ms - opened_ms(offered(always), always, at_ms) in range(7 * 86_400_000, 8 * 86_400_000 + 1)
