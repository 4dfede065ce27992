"""Beats are whole milliseconds fixed by the check's name: kept over restarts, spread over the interval."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from monitor.scheduler.beat import GRID_MS, beats_between, latest_due_ms, next_due_ms, phase_ms

KEYS = st.text(min_size=1, max_size=40)
EVERY_MS = st.integers(min_value=1, max_value=86_400_000)
AT_MS = st.integers(min_value=0, max_value=4_102_444_800_000)


@given(KEYS, EVERY_MS, AT_MS)
def test_the_next_beat_is_strictly_after_and_within_one_interval(key: str, every_ms: int, at_ms: int) -> None:
    assert at_ms < next_due_ms(key, every_ms, at_ms) <= at_ms + every_ms


@given(KEYS, EVERY_MS, AT_MS)
def test_following_beat_by_beat_never_leaves_the_rhythm(key: str, every_ms: int, at_ms: int) -> None:
    due = next_due_ms(key, every_ms, at_ms)
    assert next_due_ms(key, every_ms, due) == due + every_ms


@given(KEYS, EVERY_MS, AT_MS)
def test_the_latest_beat_of_a_beat_is_itself(key: str, every_ms: int, at_ms: int) -> None:
    due = latest_due_ms(key, every_ms, at_ms)
    assert due <= at_ms < due + every_ms
    assert latest_due_ms(key, every_ms, due) == due


@given(KEYS, st.integers(min_value=1, max_value=5_000), AT_MS, st.integers(min_value=0, max_value=60_000))
def test_beats_between_are_those_a_walk_finds(key: str, every_ms: int, after_ms: int, span_ms: int) -> None:
    walked, due = [], next_due_ms(key, every_ms, after_ms)
    while due <= after_ms + span_ms:
        walked.append(due)
        due = next_due_ms(key, every_ms, due)
    assert list(beats_between(key, every_ms, after_ms=after_ms, until_ms=after_ms + span_ms)) == walked


def test_a_beat_is_for_ever_the_same() -> None:
    """Literal: a change of the hash would move every stored beat of every check."""
    assert next_due_ms("service:passport/web/main", 30_000, 1_750_000_000_000) == 1_750_000_021_350


def test_thirteen_hundred_checks_do_not_start_together() -> None:
    at_once = Counter(phase_ms(f"service:s{i}/web/main", 5_000) for i in range(1_300))
    assert len(at_once) > 440  # of 500 places on the grid
    assert max(at_once.values()) <= 10
    assert all(phase % GRID_MS == 0 for phase in at_once)
