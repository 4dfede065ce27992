"""Findings on simulated traffic of known rates: how often they are wrong, and how soon they are there."""

from __future__ import annotations

from collections import Counter
from statistics import median

import pytest

from monitor.judge import silence
from monitor.judge.findings import Judged, Vote, Watched, look, most
from monitor.judge.hours import HOUR_MS, Hours
from monitor.judge.windows import MINUTE_MS
from monitor.model import Calendar, Expecting, FindingLevel
from tests.monitor.watched_weeks import Eye, watch

HOURS = Hours("Asia/Dubai", Calendar())
MONDAY = 1_793_563_200_000  # 2026-11-02 00:00 in Dubai less 4 hours: Sunday 20:00 UTC
BUSY = MONDAY + 10 * HOUR_MS
LOOK_MS = 15_000

KINDS_OF_TRAFFIC = [
    (700, {}),
    (6_000, {"hourly": 0.03, "daily": 0.02}),
    (30_000, {}),
    (30_000, {"hourly": 0.05, "daily": 0.03, "batch": 3}),
]


def eye(a_week: float, *, seed: int = 1, expecting: Expecting | None = None, **given: object) -> Eye:
    return watch(HOURS, a_week, MONDAY, seed=seed, expecting=expecting or Expecting(), **given)


def per_week(met: Counter[tuple[str, str]], weeks: int) -> dict[str, float]:
    return {f"{kind} {level}": round(count / weeks, 2) for (kind, level), count in sorted(met.items())}


@pytest.mark.parametrize(("a_week", "given"), KINDS_OF_TRAFFIC)
def test_usual_traffic_raises_hardly_an_incident_and_few_advisories(
    a_week: int, given: dict[str, float]
) -> None:
    weeks, met = 2, Counter[tuple[str, str]]()
    for seed in range(weeks):
        watched = eye(a_week, seed=seed, **given)
        watched.pass_time(7 * 24 * 60)
        met += watched.met
    print(f"{a_week} a week, {given}: per service-week {per_week(met, weeks)}")
    incidents = sum(count for (_, level), count in met.items() if level == "incident")
    drops = sum(count for (kind, level), count in met.items() if kind != "silence" and level == "advisory")
    assert incidents == 0
    assert met["silence", "advisory"] / weeks <= 25
    assert drops / weeks <= 4


def test_false_alarms_stay_under_their_target_where_it_is_high_enough_to_be_seen() -> None:
    """6 a week: 2 of each kind."""
    weeks, met = 3, Counter[tuple[str, str]]()
    for seed in range(weeks):
        watched = eye(20_000, seed=seed, expecting=Expecting(false_alarms_per_week=6), hourly=0.02)
        watched.pass_time(7 * 24 * 60)
        met += watched.met
    print(f"target 6: per service-week {per_week(met, weeks)}")
    silences = met["silence", "incident"] / weeks
    others = sum(met[kind, "incident"] for kind in ("drop", "failure_rate")) / weeks
    assert silences <= 2.5
    assert others <= 4.5


def stopped(rate_a_minute: float, level: str, *, seed: int) -> float:
    """Seconds from the beginning of the first empty minute to the level, at about this rate."""
    a_week = (
        rate_a_minute * 60 * 168 / 2.35
    )  # the hour from 10 to 11 of a working day has 2.35 times the mean
    watched = eye(a_week, seed=seed)
    watched.pass_time(10 * 60)
    watched.look_ms = LOOK_MS
    watched.met.clear()
    watched.at.clear()
    began_ms = watched.now_ms
    watched.pass_time(120, volume=0.0, until=lambda each: ("silence", level) in each.at)
    return (watched.at["silence", level] - began_ms) / 1000


def test_at_three_a_minute_a_stop_is_an_advisory_within_two_minutes_and_an_incident_within_seven() -> None:
    found = {
        level: [stopped(3.0, level, seed=seed) for seed in range(8)] for level in ("advisory", "incident")
    }
    print({level: (median(delays), max(delays)) for level, delays in found.items()})
    assert median(found["advisory"]) <= 135
    assert median(found["incident"]) <= 420


def test_at_sixty_a_minute_a_stop_is_an_incident_within_half_a_minute() -> None:
    delays = [stopped(60.0, "incident", seed=seed) for seed in range(4)]
    print(delays)
    assert median(delays) <= 30


def test_three_a_day_are_never_silent() -> None:
    watched = eye(21)
    watched.pass_time(7 * 24 * 60, volume=0.0)
    assert watched.met == {}


def test_two_empty_minutes_at_three_a_minute_have_the_probability_they_have() -> None:
    watched = eye(200_000)
    usual = watched.pattern.every
    rate = usual.rate(HOURS.at(BUSY).slot)
    two = BUSY + round(6 / rate * HOUR_MS)
    run = silence.run(usual, HOURS, since_ms=BUSY, until_ms=two)
    assert run.expected == pytest.approx(6, rel=0.01)
    assert 2e-3 < run.probability < 5e-3  # e^-6, and a little for what is not known of the rate


def test_what_was_seen_lately_makes_a_quiet_day_less_surprising() -> None:
    usual = eye(30_000, daily=0.1).pattern.every
    hour = usual.expected(HOURS, BUSY - HOUR_MS, BUSY)
    plain, quiet = (
        silence.run(
            usual,
            HOURS,
            since_ms=BUSY,
            until_ms=BUSY + 5 * MINUTE_MS,
            lately=silence.Lately(hour, round(hour.mean * factor)),
        ).probability
        for factor in (1.0, 0.2)
    )
    assert quiet > 100 * plain


def test_a_drop_to_a_third_is_found_and_ends() -> None:
    watched = eye(30_000)
    watched.pass_time(10 * 60)
    watched.pass_time(45, volume=0.33)
    assert ("drop", "incident") in watched.met
    watched.pass_time(60)
    assert watched.open == set()


def test_a_fault_that_fails_every_third_transaction_is_found() -> None:
    watched = eye(30_000)
    watched.pass_time(10 * 60)
    watched.pass_time(30, failing=0.35)
    assert ("failure_rate", "incident") in watched.met
    watched.pass_time(60)
    assert watched.open == set()


def test_a_surge_is_shown_and_no_more() -> None:
    watched = eye(30_000)
    watched.pass_time(10 * 60)
    watched.pass_time(30, volume=4.0)
    assert {level for kind, level in watched.met if kind == "surge"} == {"shown"}


def test_known_to_be_down_it_is_neither_silent_nor_dropped_and_windows_do_not_reach_back() -> None:
    watched = eye(30_000)
    watched.pass_time(10 * 60)
    watched.met.clear()
    watched.bad.append((watched.now_ms, watched.now_ms + 40 * MINUTE_MS))
    watched.pass_time(40, volume=0.0)
    watched.pass_time(30)
    assert {kind for kind, level in watched.met if level == "incident"} == set()
    assert "drop" not in {kind for kind, _ in watched.met}


def test_the_highest_level_of_a_kind_is_a_setting() -> None:
    watched = eye(30_000, expecting=Expecting(silence=FindingLevel.ADVISORY))
    watched.pass_time(10 * 60)
    watched.pass_time(30, volume=0.0)
    assert {level for kind, level in watched.met if kind == "silence"} == {"advisory"}


def test_nothing_is_judged_before_minutes_are_known() -> None:
    watched = eye(30_000)
    fresh = Watched("service:s/web", "service:s", 1, watched.pattern, BUSY)
    assert look(fresh, HOURS, Expecting(), until_ms=BUSY).judged == []


def vote(service: str, began_ms: int | None, heard_ms: int = 0) -> Vote:
    found = None
    if began_ms is not None:
        found = Judged("silence", FindingLevel.INCIDENT, began_ms, 1e-9, 20.0, 0)
    return Vote(service, found, heard_ms)


def test_most_services_silent_at_once_are_one_finding() -> None:
    votes = [vote(f"s{n}", 1000 + n) for n in range(6)] + [vote("alive", None, 2000)]
    found = most(votes)
    assert found is not None
    assert (found.began_ms, found.level, found.expected) == (1003, FindingLevel.INCIDENT, 120.0)


def test_a_few_silent_among_many_that_are_heard_stay_their_own() -> None:
    votes = [vote(f"s{n}", 1000) for n in range(4)] + [vote(f"a{n}", None, 2000) for n in range(5)]
    assert most(votes) is None


def test_two_silent_services_are_never_most() -> None:
    assert most([vote("a", 1000), vote("b", 1000)]) is None


def test_a_service_heard_on_another_channel_is_not_silent() -> None:
    votes = [vote(f"s{n}", 1000) for n in range(3)] + [vote(f"s{n}", None, 2000) for n in range(3)]
    assert most(votes) is None


def test_services_too_small_to_be_heard_have_no_say() -> None:
    votes = [vote(f"s{n}", 1000) for n in range(3)] + [vote(f"q{n}", None, 500) for n in range(50)]
    assert most(votes) is not None
