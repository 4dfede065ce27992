"""What stands around a Subject in these tests: rows and standing changes, kept as the database would."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from monitor.judge.attempts import Attempt
from monitor.judge.beats import Gap
from monitor.judge.subject import Change, NeedsHistory, Subject, decode, encode
from monitor.judge.timeline import Step, apply, value_at
from monitor.model import Check
from probes.catalogue import Ask
from probes.contract import Outcome

Row = tuple[str, str, Attempt]
SUBJECT = "system:identity"
ASK: Ask = None  # type: ignore[assignment]  # the judge never looks at what is asked


def check(name: str = "main", **rules: object) -> Check:
    """A check of SUBJECT; `every_ms` instead of `every_s`."""
    every_s = rules.pop("every_ms", 1000) / 1000  # type: ignore[operator]
    return Check(subject=SUBJECT, name=name, ask=ASK, every_s=every_s, **rules)  # type: ignore[arg-type]


def attempt(
    due_ms: int, outcome: str = "up", *, every_ms: int = 1000, retry: int = 0, reason: str = ""
) -> Attempt:
    """An attempt; a failure's reason is "timeout" unless another is given."""
    usual = {"up": "ok", "degraded": "slow", "down": "timeout", "unknown": "missed"}[outcome]
    return Attempt(due_ms, retry, Outcome(outcome), reason or usual, "", every_ms)


class World:
    """A Subject with its database. `history` counts how often it had to be asked."""

    def __init__(self, *, slack: int = 12, steps_max: int = 24) -> None:
        self.subject = Subject(SUBJECT, slack=slack, steps_max=steps_max)
        self.rows: dict[tuple[str, str], dict[tuple[int, int], Attempt]] = {}
        self.standing: dict[str, list[Step]] = {}
        self.gaps: dict[tuple[str, str, int], Gap] = {}
        self.history = 0
        self.changes: list[Change] = []

    def adopt(self, checks: Iterable[Check], *, serial: int = 1, valid_from_ms: int = 0) -> None:
        by_key = {each.key: each for each in checks}
        self._carry_out(lambda: self.subject.adopt(by_key, serial=serial, valid_from_ms=valid_from_ms), [], 0)

    def add(self, rows: Sequence[Row], *, until_ms: int = 0) -> None:
        """Stored first, then judged, in one transaction."""
        for key, vantage, row in rows:
            kept = self.rows.setdefault((key, vantage), {})
            standing = kept.get((row.due_ms, row.attempt))
            if standing is None or (row.measured and not standing.measured):
                kept[row.due_ms, row.attempt] = row
        self._carry_out(lambda: self.subject.add(rows, until_ms=until_ms), rows, until_ms)

    def advance(self, until_ms: int) -> None:
        self._carry_out(lambda: self.subject.advance(until_ms=until_ms), [], until_ms)
        self.account(until_ms)

    def restart(self) -> None:
        """Another process takes over from the stored document."""
        self.subject = decode(encode(self.subject))

    def account(self, until_ms: int) -> None:
        """Gaps as the store keeps them: one that goes on is written over."""
        for gap in self.subject.gaps(until_ms=until_ms):
            self.gaps[gap.check, gap.vantage, gap.first_due_ms] = gap

    def split(self, every_ms: int) -> None:
        for beat in self.subject.take_unfilled():
            for identity, gap in list(self.gaps.items()):
                if identity[:2] == beat[:2] and gap.first_due_ms <= beat.due_ms <= gap.last_due_ms:
                    del self.gaps[identity]
                    for first, last in (
                        (gap.first_due_ms, beat.due_ms - every_ms),
                        (beat.due_ms + every_ms, gap.last_due_ms),
                    ):
                        if first <= last:
                            part = Gap(*identity[:2], first, last, (last - first) // every_ms + 1)
                            self.gaps[part.check, part.vantage, first] = part

    def _carry_out(self, call: Callable[[], list[Change]], rows: Sequence[Row], until_ms: int) -> None:
        for _ in range(50):
            try:
                changes = call()
            except NeedsHistory as needs:
                self.history += 1
                self._give(needs)
            else:
                break
        else:
            raise AssertionError("history was asked for again and again")
        self.changes += changes
        for change in changes:
            self.standing[change.subject] = apply(self.standing.get(change.subject, []), change.diff)

    def _give(self, needs: NeedsHistory) -> None:
        kept = self.rows.get((needs.check, needs.vantage), {})
        measured = [kept[identity] for identity in sorted(kept) if kept[identity].measured]
        older = [row.due_ms for row in measured if row.due_ms <= needs.before_ms]
        from_ms = older[-needs.attempts] if len(older) >= needs.attempts else 0
        attempts = [row for row in measured if row.due_ms >= from_ms]
        since_ms = self.subject.since_ms(needs, attempts)
        steps = {path: _from(steps, since_ms) for path, steps in self.standing.items()}
        self.subject.rebuild(needs, attempts=attempts, steps=steps)


def _from(steps: Sequence[Step], since_ms: int) -> list[Step]:
    before = value_at(steps, since_ms - 1)
    return [step for step in steps if step is before or step.at_ms >= since_ms]
