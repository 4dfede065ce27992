"""Senders that are late: a habit is learned, a backlog sent once is not."""

from __future__ import annotations

from monitor.judge.lateness import Lateness
from monitor.judge.windows import MINUTE_MS

LOOK_MS = 15_000
NOTHING: dict[int, tuple[int, int, int]] = {}


def minutes(*at: int) -> dict[int, tuple[int, int, int]]:
    return {each * MINUTE_MS: (3, 3, 0) for each in at}


def test_a_sender_that_is_at_once_is_not_late() -> None:
    lateness = Lateness()
    for look in range(100):
        looked_ms = 10 * MINUTE_MS + look * LOOK_MS
        lateness.learn(NOTHING, {looked_ms // MINUTE_MS * MINUTE_MS: (1, 1, 0)}, looked_ms=looked_ms)
    assert lateness.late_s == 0


def test_a_sender_of_batches_every_five_minutes_is_waited_for() -> None:
    lateness = Lateness()
    for batch in range(1, 10):
        end = batch * 5
        looked_ms = end * MINUTE_MS - LOOK_MS
        lateness.learn(NOTHING, minutes(*range(end - 5, end)), looked_ms=looked_ms)
    assert lateness.late_s == 300


def test_a_backlog_sent_once_is_no_habit() -> None:
    lateness = Lateness()
    lateness.learn(NOTHING, minutes(*range(100)), looked_ms=100 * MINUTE_MS)
    assert lateness.late_s == 0


def test_a_correction_of_long_ago_says_nothing() -> None:
    lateness = Lateness()
    for _ in range(100):
        lateness.learn(NOTHING, minutes(1), looked_ms=100 * MINUTE_MS)
    assert lateness.late_s == 0


def test_what_was_learned_is_believed_after_a_restart() -> None:
    assert Lateness(120.0).late_s == 120
