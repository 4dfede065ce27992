"""How late a sender's events usually are, so that a batch not yet sent is not taken for silence. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.judge.windows import MINUTE_MS

STEPS_S = (0, 15, 30, 60, 120, 300, 600)
SHARE = 0.95  # of the events are there by then
KEPT = 0.9998  # of the evidence, from one look to the next: a day or so
BELIEVED = 20.0  # looks that what was known before counts for


class Lateness:
    """Of one channel; learns from each look what came for minutes that were looked at before.

    Every look with news weighs the same, so that a backlog sent once does not pass for a habit, and what is
    later than the last step is a correction and no habit at all.
    """

    def __init__(self, known_s: float = 0.0) -> None:
        self._weights = [0.0] * len(STEPS_S)
        self._weights[_step(known_s)] = BELIEVED

    @property
    def late_s(self) -> float:
        """Seconds after which as good as all of a minute's events are there."""
        wanted, reached = SHARE * sum(self._weights), 0.0
        for step_s, weight in zip(STEPS_S, self._weights, strict=True):
            reached += weight
            if reached >= wanted:
                return float(step_s)
        return float(STEPS_S[-1])

    def learn(
        self,
        before: Mapping[int, tuple[int, int, int]],
        now: Mapping[int, tuple[int, int, int]],
        *,
        looked_ms: int,
    ) -> None:
        """`before` and `now` are the same minutes at the last look, up to `looked_ms`, and at this one."""
        news: dict[int, int] = {}
        for minute, seen in now.items():
            more = seen[0] - (before[minute][0] if minute in before else 0)
            late_s = (looked_ms - minute - MINUTE_MS) / 1000  # at the last look it was not there yet
            if more > 0 and late_s <= STEPS_S[-1]:
                news[_step(late_s)] = news.get(_step(late_s), 0) + more
        if news:
            events = sum(news.values())
            self._weights = [weight * KEPT for weight in self._weights]
            for step, more in news.items():
                self._weights[step] += more / events


def _step(late_s: float) -> int:
    """The first step that is no less."""
    return next((index for index, step_s in enumerate(STEPS_S) if step_s >= late_s), len(STEPS_S) - 1)
