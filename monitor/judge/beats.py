"""Accounting of beats: each is observed, or lies in one gap. Pure; times are Unix ms."""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence

import msgspec

from monitor.judge.eras import Era, Stretch, next_beat_ms, stretches
from monitor.scheduler.beat import latest_due_ms

AHEAD_MAX = 64  # observed beats kept behind a hole; past that the hole is a gap, whatever the clock says


class Gap(msgspec.Struct, frozen=True):
    """Beats nobody answered for. One that goes on is told again with the same `first_due_ms`: store it over
    the former (unique by check, vantage, first_due_ms)."""

    check: str
    vantage: str
    first_due_ms: int
    last_due_ms: int
    beats: int


class Beats(msgspec.Struct, omit_defaults=True):
    """Of one check at one vantage point: up to `accounted_ms` every beat is observed or lies in a gap."""

    accounted_ms: int
    ahead: list[int] = []
    gap_first_ms: int = 0  # the gap that ends at `accounted_ms`, if any
    gap_beats: int = 0

    def saw(self, check: str, eras: Sequence[Era], vantage: str, due_ms: int) -> bool:
        """A beat was observed. False when it was accounted for already: a repeat, or it lay in a gap."""
        if due_ms <= self.accounted_ms:
            if self.gap_beats and due_ms >= self.gap_first_ms:
                self.gap_beats = 0  # the caller splits it; what goes on is another gap
            return False
        if due_ms in self.ahead:
            return True
        insort(self.ahead, due_ms)
        self._take_up(check, eras, vantage)
        return True

    def missing(self, check: str, eras: Sequence[Era], vantage: str, *, until_ms: int) -> list[Gap]:
        """Gaps that are new or went on: beats not observed though their interval passed by `until_ms`."""
        found: list[Gap] = []
        self._take_up(check, eras, vantage)  # another version may have moved the beats since
        while (hole := self._hole(check, eras, vantage, until_ms=until_ms)) is not None:
            if not self.gap_beats:
                self.gap_first_ms = hole.first_ms
            self.gap_beats += hole.beats
            self.accounted_ms = hole.last_ms
            gap = Gap(check, vantage, self.gap_first_ms, hole.last_ms, self.gap_beats)
            if found and found[-1].first_due_ms == gap.first_due_ms:
                found.pop()  # the same gap, gone on under the next era's interval
            found.append(gap)
            self._take_up(check, eras, vantage)
        return found

    def _hole(self, check: str, eras: Sequence[Era], vantage: str, *, until_ms: int) -> Stretch | None:
        """The next beats not observed, up to an observed one or the end of an era."""
        ended_ms = until_ms
        if len(self.ahead) > AHEAD_MAX:
            ended_ms = max(until_ms, self.ahead[0] + max(era.every_ms for era in eras))
        hole = next(stretches(check, eras, vantage, after_ms=self.accounted_ms, ended_ms=ended_ms), None)
        if hole is None or not self.ahead or self.ahead[0] > hole.last_ms:
            return hole
        last_ms = latest_due_ms(check, hole.every_ms, self.ahead[0] - 1)
        assert hole.first_ms <= last_ms, "what was observed before the next beat is taken up"
        return Stretch(hole.first_ms, last_ms, hole.every_ms)

    def _take_up(self, check: str, eras: Sequence[Era], vantage: str) -> None:
        """Account for observed beats that follow without a hole."""
        while self.ahead:
            beat = next_beat_ms(check, eras, vantage, self.accounted_ms)
            if beat is not None and beat[0] < self.ahead[0]:
                return
            self.accounted_ms = max(self.accounted_ms, self.ahead.pop(0))
            self.gap_beats = 0
