"""Levels 1 and 2: retries cost nothing unless they confirm, outages are backdated, silence is not health."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.judge.attempts import Attempt, Rules, fold, reach
from monitor.judge.eras import Era
from monitor.judge.seconds import spent
from monitor.judge.timeline import Evidence, Step, squeeze, value_at
from monitor.model import Verdict
from probes.contract import Outcome
from tests.monitor.judge_harness import attempt
from tests.monitor.judge_reference import VantageReference, plain, told

TWICE = [Rules(count=2, recover=2)]
UP, DOWN, DEGRADED, UNKNOWN = Verdict.UP, Verdict.DOWN, Verdict.DEGRADED, Verdict.UNKNOWN


def beats(outcomes: str, *, every_ms: int = 1000) -> list[Attempt]:
    """One letter a beat from 0 on: u up, s slow (degraded), d down, . nothing measured."""
    words = {"u": "up", "s": "degraded", "d": "down"}
    return [
        attempt(number * every_ms, words[letter], every_ms=every_ms)
        for number, letter in enumerate(outcomes)
        if letter != "."
    ]


def judged(outcomes: str, rules: Sequence[Rules] = TWICE, *, until_ms: int = 0) -> list[tuple[int, Verdict]]:
    """The changes of verdict, by number of the beat."""
    steps = fold(None, beats(outcomes), rules, until_ms=until_ms)
    return [(step.at_ms // 1000, step.verdict) for step in steps]


def test_t5_an_unconfirmed_failure_costs_nothing() -> None:
    steps = fold(None, beats("uuuduuu"), TWICE, until_ms=0)
    assert spent(steps, start_ms=0, end_ms=7000).down_ms == 0


def test_t5_a_confirmed_outage_begins_with_its_first_failed_attempt() -> None:
    assert judged("uuudd") == [(0, UP), (3, DOWN)]


def test_retries_of_one_beat_confirm_at_the_time_of_the_beat() -> None:
    attempts = [attempt(0), attempt(1000, "down"), attempt(1000, "down", retry=1)]
    steps = fold(None, attempts, TWICE, until_ms=0, check="c", vantage="dubai")
    proof = (
        Evidence("c", "dubai", 1000, 0, "timeout"),
        Evidence("c", "dubai", 1000, 1, "timeout"),
    )
    assert steps[1:] == [Step(1000, DOWN, "timeout", "", proof)]


def test_a_retry_that_succeeds_takes_the_failure_back() -> None:
    attempts = [attempt(0), attempt(1000, "down"), attempt(1000, retry=1), attempt(2000)]
    assert plain(fold(None, attempts, TWICE, until_ms=0)) == [(0, UP, "ok")]


def test_an_outage_ends_with_the_first_of_enough_answers() -> None:
    assert judged("uddududuud", [Rules(count=2, recover=2)]) == [(0, UP), (1, DOWN), (7, UP)]


def test_the_reason_of_an_outage_is_that_of_its_first_failure() -> None:
    attempts = [
        attempt(0),
        attempt(1000, "down", reason="connect_refused"),
        attempt(2000, "down", reason="timeout"),
        attempt(3000, "down", reason="status"),
    ]
    assert plain(fold(None, attempts, TWICE, until_ms=0)) == [(0, UP, "ok"), (1000, DOWN, "connect_refused")]


def test_our_own_fault_neither_continues_nor_breaks_a_run() -> None:
    assert judged("ud.d", until_ms=0) == [(0, UP), (1, DOWN)]


def test_at_the_start_one_answer_is_up_and_one_failure_is_unknown() -> None:
    answered = plain(fold(None, beats("u"), TWICE, until_ms=0))
    failed = plain(fold(None, beats("d"), TWICE, until_ms=0))
    assert (answered, failed) == ([(0, UP, "ok")], [(0, UNKNOWN, "unconfirmed")])


def test_three_slow_answers_of_five_are_degraded_from_the_first_of_them() -> None:
    assert judged("uususus") == [(0, UP), (2, DEGRADED)]


def test_two_slow_answers_of_five_are_not_degraded() -> None:
    assert judged("ususuuusuusu") == [(0, UP)]


def test_degraded_ends_with_the_attempt_that_has_fewer_than_three_slow_ones_behind_it() -> None:
    assert judged("usssuuuu") == [(0, UP), (1, DEGRADED), (6, UP)]


def test_silence_begins_two_intervals_after_the_last_attempt() -> None:
    steps = fold(None, beats("uu"), TWICE, until_ms=3000)
    assert plain(steps) == [(0, UP, "ok"), (3000, UNKNOWN, "silence")]


def test_silence_is_not_told_before_the_clock_is_there() -> None:
    assert plain(fold(None, beats("uu"), TWICE, until_ms=2999)) == [(0, UP, "ok")]


def test_t1_a_gap_of_hours_is_unknown_and_not_up() -> None:
    attempts = [attempt(0), attempt(9 * 3_600_000)]
    steps = fold(None, attempts, TWICE, until_ms=0)
    found = spent(steps, start_ms=0, end_ms=9 * 3_600_000 + 1000)
    assert (found.up_ms, found.unknown_ms) == (3000, 9 * 3_600_000 - 2000)


def test_after_silence_a_lone_failure_is_not_shown_as_up() -> None:
    assert judged("uu...d", until_ms=0) == [(0, UP), (3, UNKNOWN), (5, UNKNOWN)]


def test_after_silence_one_answer_is_up_at_once_even_out_of_an_outage() -> None:
    assert judged("udd...u", [Rules(count=2, recover=3)]) == [(0, UP), (1, DOWN), (4, UNKNOWN), (6, UP)]


def test_failures_on_both_sides_of_silence_confirm_each_other() -> None:
    assert judged("ud...d", until_ms=0) == [(0, UP), (1, DOWN), (3, UNKNOWN), (5, DOWN)]


def test_t6_asking_more_often_does_not_change_how_long_an_outage_was() -> None:
    def outage(every_ms: int) -> int:
        attempts = [
            attempt(due, "down" if 60_000 <= due < 180_000 else "up", every_ms=every_ms)
            for due in range(0, 300_000, every_ms)
        ]
        return spent(fold(None, attempts, TWICE, until_ms=0), start_ms=0, end_ms=300_000).down_ms

    assert {outage(every_ms) for every_ms in (1000, 5000, 30_000, 60_000)} == {120_000}


letters = st.sampled_from(["up", "up", "down", "down", "degraded", "unknown"])


@st.composite
def sequences(draw: st.DrawFn) -> list[Attempt]:
    found, due_ms, retry = [], 0, 0
    for outcome in draw(st.lists(letters, min_size=1, max_size=30)):
        reason = draw(st.sampled_from(["timeout", "status"])) if outcome in ("down", "degraded") else "ok"
        found.append(Attempt(due_ms, retry, Outcome(outcome), reason, "", draw(st.sampled_from([5, 7]))))
        step_ms = draw(st.sampled_from([0, 5, 5, 5, 10, 11, 30]))
        due_ms, retry = due_ms + step_ms, retry + 1 if step_ms == 0 else 0
    return found


@settings(max_examples=80, deadline=None)
@given(sequences(), st.integers(1, 4), st.integers(1, 6), st.integers(0, 200))
def test_a_fold_is_the_definition_at_every_instant(
    rows: list[Attempt], count: int, recover: int, until_ms: int
) -> None:
    measured = [row for row in rows if row.measured]
    era = Era(-10_000, 5, count, recover, 0, 1, True, ("main",))
    reference = VantageReference(rows, [era], since_ms=-10_000, until_ms=until_ms)
    begin, end = (measured[0].due_ms, measured[-1].due_ms + 50) if measured else (0, 0)
    steps = fold(None, measured, [Rules(count, recover)], until_ms=until_ms)
    assert plain(squeeze(steps)) == told(reference.at, from_ms=begin, to_ms=end)


@settings(max_examples=80, deadline=None)
@given(sequences(), st.integers(1, 4), st.integers(1, 6), st.integers(0, 30))
def test_a_fold_from_the_middle_with_seed_and_context_says_the_same(
    rows: list[Attempt], count: int, recover: int, middle: int
) -> None:
    measured, rules = [row for row in rows if row.measured], [Rules(count, recover)]
    whole = fold(None, measured, rules, until_ms=0)
    first = next((i for i in range(middle, len(measured)) if _begins_a_due(measured, i)), 0)
    context = max(0, first - reach(rules) + 1)
    seed = value_at(whole, measured[first - 1].due_ms) if first else None
    part = fold(seed, measured[context:], rules, until_ms=0, first=first - context)
    expected = [step for step in whole if measured and step.at_ms >= measured[first].due_ms]
    if part and (not expected or expected[0].at_ms > part[0].at_ms):
        assert part[0].says_the_same(value_at(whole, part[0].at_ms))
        del part[0]
    assert plain(part) == plain(expected)


def _begins_a_due(attempts: Sequence[Attempt], index: int) -> bool:
    return index == 0 or attempts[index - 1].due_ms < attempts[index].due_ms
