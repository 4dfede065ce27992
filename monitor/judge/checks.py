"""One check: its rules over time, what each vantage point saw of it, and the steps that follow. Pure."""

from __future__ import annotations

import msgspec

from monitor.judge.attempts import Rules, reach
from monitor.judge.eras import Era, pieces
from monitor.judge.quorum import check_timeline
from monitor.judge.timeline import BEFORE, Step, moved, squeeze, value_at
from monitor.judge.window import Window


class CheckState(msgspec.Struct, omit_defaults=True):
    """`windows` is by vantage point; `steps` are the standing ones of level 3."""

    eras: list[Era]
    windows: dict[str, Window] = {}
    steps: list[Step] = []

    @property
    def rules(self) -> list[Rules]:
        return [era.rules for era in self.eras]

    @property
    def near(self) -> int:
        """So many attempts in a row decide on each other."""
        return reach(self.rules)

    def steps_from(self, from_ms: int) -> list[Step]:
        """Level 3 on [from_ms, ∞), each era by its own rules; not measured where the check is not there."""
        found: list[Step] = []
        for era, start_ms, end_ms in pieces(self.eras, from_ms):
            by_vantage = {name: self.windows[name].steps for name in era.vantages}
            found += check_timeline(
                by_vantage, quorum=era.quorum, minimum=era.minimum, from_ms=start_ms, to_ms=end_ms
            )
        return squeeze(found)

    def required_from(self, from_ms: int) -> list[Step]:
        """The standing steps on [from_ms, ∞), not measured while the check is not required."""
        if all(era.required for era in self.eras):
            return self.steps
        found: list[Step] = []
        for era, start_ms, end_ms in pieces(self.eras, from_ms):
            if not era.required:
                found.append(moved(BEFORE, start_ms))
                continue
            found.append(moved(value_at(self.steps, start_ms), start_ms))
            found += [s for s in self.steps if s.at_ms > start_ms and (end_ms is None or s.at_ms < end_ms)]
        return squeeze(found)
