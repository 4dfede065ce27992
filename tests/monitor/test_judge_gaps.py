"""Every beat of every check is observed, or lies in exactly one gap, whatever came late, twice or never."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.judge.beats import AHEAD_MAX, Gap
from monitor.judge.eras import era_of, stretches
from monitor.model import Check
from monitor.scheduler.beat import next_due_ms
from tests.monitor.judge_harness import SUBJECT, Row, World, attempt, check

KEY = f"{SUBJECT}/main"
EVERY_MS = 1000


def due(number: int, *, every_ms: int = EVERY_MS) -> int:
    """The beat of this number, counted from 0."""
    return next_due_ms(KEY, every_ms, -1) + number * every_ms


def rows(*numbers: int, outcome: str = "up", vantage: str = "main") -> list[Row]:
    return [(KEY, vantage, attempt(due(number), outcome)) for number in numbers]


def world(**rules: object) -> World:
    made = World()
    made.adopt([check(**rules)])
    return made


def told(judged: World) -> list[tuple[int, int, int]]:
    """Gaps as numbers of their first and last beat, and how many beats they hold."""
    first_ms = due(0)
    return sorted(
        ((g.first_due_ms - first_ms) // EVERY_MS, (g.last_due_ms - first_ms) // EVERY_MS, g.beats)
        for g in judged.gaps.values()
    )


def test_beats_nobody_answered_for_become_one_gap_that_grows() -> None:
    judged = world()
    judged.add(rows(0, 1))
    for number in range(3, 9):
        judged.advance(due(number))
    assert told(judged) == [(2, 7, 6)]


def test_a_beat_is_missing_only_when_its_interval_has_passed() -> None:
    judged = world()
    judged.add(rows(0))
    judged.advance(due(2) - 1)
    before = told(judged)
    judged.advance(due(2))
    assert (before, told(judged)) == ([], [(1, 1, 1)])


def test_a_missed_beat_that_was_reported_is_observed_and_no_gap() -> None:
    judged = world()
    judged.add([*rows(0), *rows(1, 2, outcome="unknown"), *rows(3)])
    judged.advance(due(4))
    assert told(judged) == []


def test_a_retry_does_not_stand_for_the_beat() -> None:
    judged = world()
    judged.add([*rows(0), (KEY, "main", attempt(due(1), retry=1)), *rows(2)])
    judged.advance(due(3))
    assert told(judged) == [(1, 1, 1)]


def test_two_holes_are_two_gaps() -> None:
    judged = world()
    judged.add(rows(0, 3, 4, 6))
    judged.advance(due(7))
    assert told(judged) == [(1, 2, 2), (5, 5, 1)]


def test_a_late_beat_splits_the_gap_it_lies_in_and_what_goes_on_is_another() -> None:
    judged = world()
    judged.add(rows(0))
    judged.advance(due(6))
    judged.add(rows(3))
    judged.split(EVERY_MS)
    judged.advance(due(8))
    assert told(judged) == [(1, 2, 2), (4, 5, 2), (6, 7, 2)]


def test_a_new_check_is_accounted_for_from_its_version_on() -> None:
    judged = World()
    judged.adopt([check()], valid_from_ms=due(5))
    judged.advance(due(8))
    assert told(judged) == [(5, 7, 3)]


def test_a_removed_check_has_no_beats_any_more() -> None:
    judged = world()
    judged.add(rows(0))
    judged.adopt([], serial=2, valid_from_ms=due(2) + 1)
    judged.advance(due(20))
    assert told(judged) == [(1, 2, 2)]


def test_a_new_interval_has_its_own_beats_from_its_version_on() -> None:
    slow = check(every_ms=4000)
    judged = world()
    judged.adopt([slow], serial=2, valid_from_ms=due(3))
    judged.advance(due(23))
    later = next_due_ms(KEY, 4000, due(3) - 1)
    (gap,) = judged.gaps.values()
    assert gap == Gap(KEY, "main", due(0), later + 4000 * (gap.beats - 4), gap.beats)
    assert due(23) - 8000 < gap.last_due_ms <= due(23) - 4000


def test_a_beat_of_the_old_interval_after_the_new_version_is_observed_and_no_beat_of_the_new() -> None:
    judged = world()
    judged.add(rows(0, 2))
    judged.adopt([check(every_ms=60_000)], serial=2, valid_from_ms=due(1) + 1)
    judged.advance(due(0) + 150_000)
    (first, *_), later_ms = judged.gaps.values(), next_due_ms(KEY, 60_000, due(1))
    assert (first.first_due_ms, first.beats, later_ms > due(2)) == (due(1), 1, True)
    assert accounted_until(judged) > due(2)


def test_while_the_clock_stands_still_what_is_kept_stays_bounded() -> None:
    judged = world()
    judged.add(rows(0))
    for number in range(2, 1000):
        judged.add(rows(number))
        judged.account(0)
    (window,) = (w for state in judged.subject.checks.values() for w in state.windows.values())
    assert (len(window.beats.ahead) <= AHEAD_MAX, told(judged)) == (True, [(1, 1, 1)])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 60), st.integers(0, 2**32))
def test_every_beat_is_observed_or_lies_in_exactly_one_gap(beats: int, seed: int) -> None:
    chance, judged = Random(seed), world(vantages=("abu_dhabi", "dubai"))
    arrivals = [
        (number * EVERY_MS + chance.choice([0, 0, 0, 2500, 20_000]), row)
        for number in range(beats)
        for vantage in ("abu_dhabi", "dubai")
        for row in rows(number, outcome=chance.choice(["up", "down", "unknown"]), vantage=vantage)
        for _ in range(chance.choice([0, 1, 1, 1, 2]))
    ]
    clock_ms = 0
    for at_ms, row in sorted(arrivals, key=lambda arrival: arrival[0]):
        judged.add([row])
        judged.split(EVERY_MS)
        clock_ms = max(clock_ms, due(0) + at_ms - chance.choice([0, 3000]))
        judged.advance(clock_ms)
        if chance.random() < 0.3:
            judged.restart()
    assert accounted(judged, until_ms=clock_ms) == {
        (vantage, due_ms): 1 for vantage in ("abu_dhabi", "dubai") for due_ms in ended(clock_ms)
    }


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([300, 700, 1000, 2500]), st.integers(0, 20_000), st.integers(0, 2**32))
def test_a_change_of_interval_leaves_no_beat_unaccounted_for(
    every_ms: int, valid_from_ms: int, seed: int
) -> None:
    chance, judged = Random(seed), world()
    first, second = check(), check(every_ms=every_ms)
    beats = by_walking(first, until_ms=valid_from_ms)
    beats += by_walking(second, after_ms=valid_from_ms - 1, until_ms=30_000)
    late_to_learn_ms = chance.choice([0, 4000])  # the prober goes on with the old interval meanwhile
    old = by_walking(first, after_ms=valid_from_ms - 1, until_ms=valid_from_ms + late_to_learn_ms)
    seen = sorted({due_ms for due_ms in beats + old if chance.random() < 0.6})
    for due_ms in seen:
        if due_ms >= valid_from_ms:
            judged.adopt([second], serial=2, valid_from_ms=valid_from_ms)
        judged.add([(KEY, "main", attempt(due_ms))])
        judged.advance(due_ms - chance.choice([0, 5000]))
    judged.adopt([second], serial=2, valid_from_ms=valid_from_ms)
    judged.advance(40_000)
    missing = [due_ms for due_ms in beats if due_ms not in seen]
    held = [
        [due_ms for due_ms in missing if gap.first_due_ms <= due_ms <= gap.last_due_ms]
        for gap in judged.gaps.values()
    ]
    found = sorted(due_ms for dues in held for due_ms in dues)
    assert [due_ms for due_ms in found if due_ms < 30_000] == missing
    assert all(gap.beats >= len(dues) for gap, dues in zip(judged.gaps.values(), held, strict=True))


def ended(until_ms: int) -> list[int]:
    """Beats whose interval has passed."""
    return [due(number) for number in range(200) if due(number) + EVERY_MS <= until_ms]


def accounted_until(judged: World) -> int:
    return judged.subject.checks[KEY].windows["main"].beats.accounted_ms


def accounted(judged: World, *, until_ms: int) -> Counter[tuple[str, int]]:
    """How often each ended beat is observed or in a gap."""
    seen = [
        (vantage, due_ms)
        for (_, vantage), kept in judged.rows.items()
        for due_ms, retry in kept
        if retry == 0
    ]
    missing = [
        (gap.vantage, due_ms)
        for gap in judged.gaps.values()
        for due_ms in range(gap.first_due_ms, gap.last_due_ms + 1, EVERY_MS)
    ]
    return Counter((where, due_ms) for where, due_ms in seen + missing if due_ms + EVERY_MS <= until_ms)


def test_stretches_meet_the_beats_of_each_version_in_turn() -> None:
    first, second = check(every_ms=1000), check(every_ms=3000)
    eras = [era_of(first, 0), era_of(second, 10_000)]
    found = [
        due_ms
        for stretch in stretches(KEY, eras, "main", after_ms=-1, ended_ms=40_000)
        for due_ms in range(stretch.first_ms, stretch.last_ms + 1, stretch.every_ms)
    ]
    assert found == by_walking(first, until_ms=10_000) + by_walking(second, after_ms=9999, until_ms=37_001)


def by_walking(each: Check, *, after_ms: int = -1, until_ms: int) -> list[int]:
    """Beats in (after, until), one after another."""
    found, due_ms = [], next_due_ms(each.key, each.every_ms, after_ms)
    while due_ms < until_ms:
        found.append(due_ms)
        due_ms = next_due_ms(each.key, each.every_ms, due_ms)
    return found
