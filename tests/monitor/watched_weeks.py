"""Weeks of simulated traffic under the eye of the judge, look by look, for tests and the bench."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from monitor.judge.findings import Watched, look
from monitor.judge.fitting import FLAT, Counts, Span, burst_of, fit
from monitor.judge.hours import HOUR_MS, Hours
from monitor.judge.pattern import Pattern
from monitor.judge.windows import MINUTE_MS
from monitor.model import Expecting, FindingLevel
from tests.monitor.simulated import Traffic

WEEK_MS = 168 * HOUR_MS
KEPT_MS = 6 * HOUR_MS
EXPECTING = Expecting()


def learn(traffic: Traffic, now_ms: int, *, weeks: int = 8) -> Pattern:
    """The pattern of so many weeks before `now_ms`; minutes of the last hours tell about batches."""
    span = Span(traffic.hours, to_ms=now_ms, weeks=weeks)
    counts = Counts(span)
    for index in range(span.length):
        count = traffic.hour(span.from_ms + index * HOUR_MS)
        failed = sum(traffic.chance.random() < traffic.failing for _ in range(min(count, 300)))
        counts.add("completed", index, count - failed)
        counts.add("failed", index, failed)
    minutes = {at: (traffic.minute(at), 0, 0) for at in range(now_ms - KEPT_MS, now_ms, MINUTE_MS)}
    burst = burst_of(minutes, from_ms=now_ms - KEPT_MS, to_ms=now_ms)
    pattern = fit(span, counts, bad=(), prior=FLAT, burst=burst)
    assert pattern is not None
    return pattern


@dataclass
class Eye:
    """One channel looked at minute by minute; `met` are the findings, `at` when each level was reached."""

    traffic: Traffic
    pattern: Pattern
    now_ms: int
    expecting: Expecting = EXPECTING
    bad: list[tuple[int, int]] = field(default_factory=list)
    met: Counter[tuple[str, str]] = field(default_factory=Counter)
    at: dict[tuple[str, str], int] = field(default_factory=dict)
    look_ms: int = MINUTE_MS

    def __post_init__(self) -> None:
        self.watched = Watched("service:s/web", "service:s", 1, self.pattern, self.now_ms)
        self._open: dict[str, tuple[int, FindingLevel]] = {}

    def pass_time(
        self,
        minutes: int,
        *,
        volume: float = 1.0,
        failing: float | None = None,
        until: Callable[[Eye], bool] = lambda eye: False,
    ) -> None:
        """Traffic times `volume`, minute by minute, with looks in between; ends early at `until`."""
        share = self.traffic.failing if failing is None else failing
        for _ in range(minutes):
            at_ms = self.now_ms
            for number, counts in enumerate(self._arriving(at_ms, volume)):
                self._arrived(at_ms, counts, share)
                self._look(at_ms + (number + 1) * self.look_ms)
                if until(self):
                    return
            self.now_ms = at_ms + MINUTE_MS
            if at_ms % (2 * HOUR_MS) == 0:
                self.watched.forget_before(at_ms - KEPT_MS)

    def _arriving(self, at_ms: int, volume: float) -> list[int]:
        """How many come before each look of the minute; what comes together stays together."""
        chance, batch = self.traffic.chance, self.traffic.batch
        usual = self.traffic.minute(at_ms)
        count = round(usual * volume) if volume > 1 else sum(chance.random() < volume for _ in range(usual))
        before = [0] * (MINUTE_MS // self.look_ms)
        while count > 0:
            before[chance.randrange(len(before))] += min(count, batch)
            count -= batch
        return before

    def _arrived(self, at_ms: int, count: int, share: float) -> None:
        failed = sum(self.traffic.chance.random() < share for _ in range(count))
        if count:
            every, completed, failures = self.watched.minutes.get(at_ms, (0, 0, 0))
            self.watched.minutes[at_ms] = (every + count, completed + count - failed, failures + failed)

    def _look(self, until_ms: int) -> None:
        began = {kind: began_ms for kind, (began_ms, _) in self._open.items()}
        looked = look(
            self.watched,
            self.traffic.hours,
            self.expecting,
            until_ms=until_ms,
            bad=self.bad,
            began=began,
        )
        for kind, _ in looked.over:
            del self._open[kind]
        for each in looked.judged:
            known = self._open.get(each.kind)
            if known is None or (each.level is FindingLevel.INCIDENT and known[1] is not each.level):
                self.met[each.kind, each.level.value] += 1
                self.at.setdefault((each.kind, each.level.value), until_ms)
                self._open[each.kind] = (each.began_ms if known is None else known[0], each.level)

    @property
    def open(self) -> set[str]:
        return set(self._open)


def watch(
    hours: Hours,
    a_week: float,
    now_ms: int,
    *,
    seed: int = 1,
    expecting: Expecting = EXPECTING,
    **given: object,
) -> Eye:
    """A channel of so many transactions a week, with a pattern of its last eight."""
    traffic = Traffic(hours, a_week, random.Random(seed), origin_ms=now_ms, **given)  # type: ignore[arg-type]
    return Eye(traffic, learn(traffic, now_ms), now_ms, expecting)
