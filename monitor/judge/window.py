"""What the judge keeps of one check at one vantage point: recent attempts and the steps they led to. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import msgspec

from monitor.judge.attempts import INTERVALS, Attempt, Rules, fold, reach
from monitor.judge.beats import Beats
from monitor.judge.timeline import SILENCE, Diff, Step, apply, diff, value_at
from monitor.model import Verdict
from probes.contract import Outcome

SENTENCE_CHARS_MAX = 120  # of a failure's sentence, kept as evidence


class Window(msgspec.Struct, omit_defaults=True, kw_only=True):
    """Measured attempts in order of (due, attempt), with no duplicates, and the standing steps.

    `trimmed`: there were older ones. `refold_ms`: what is due from then on must be judged again. `calm`: so
    many attempts at the end were plainly up.
    """

    since_ms: int  # expected to be measured from here on
    first_every_ms: int  # the interval then
    beats: Beats
    attempts: list[Attempt] = []
    trimmed: bool = False
    steps: list[Step] = []
    refold_ms: int | None = None
    calm: int = 0

    def place(self, due_ms: int, attempt: int) -> tuple[int, bool]:
        """Where an attempt belongs, and whether it is there already."""
        attempts = self.attempts
        if not attempts or (due_ms, attempt) > (attempts[-1].due_ms, attempts[-1].attempt):
            return len(attempts), False
        index = bisect_left(attempts, (due_ms, attempt), key=lambda a: (a.due_ms, a.attempt))
        return index, (attempts[index].due_ms, attempts[index].attempt) == (due_ms, attempt)

    def first_due(self, due_ms: int) -> int:
        """The first attempt due at `due_ms` or later."""
        if not self.attempts or due_ms > self.attempts[-1].due_ms:
            return len(self.attempts)
        return bisect_left(self.attempts, due_ms, key=lambda a: a.due_ms)

    def start(self, index: int, near: int) -> int | None:
        """The first attempt to judge again when the one at `index` is new; None when that is too long ago.

        `near` attempts in a row decide on each other. Attempts of one due are judged together.
        """
        start = max(0, index - near + 1)
        while 0 < start < len(self.attempts) and (
            self.attempts[start - 1].due_ms == self.attempts[start].due_ms
        ):
            start -= 1
        return None if self.trimmed and start < near - 1 else start

    def from_ms(self, start: int, index: int) -> int:
        """From when on judging attempts[start:] again, for a new one at `index`, may change the timeline."""
        if start == 0 and index == 0:
            return self.since_ms
        return self.attempts[start].due_ms if start < len(self.attempts) else self.since_ms

    def take(self, attempt: Attempt, near: int) -> bool:
        """Put a measured attempt in its place. False when it was there: the first one stays."""
        index, known = self.place(attempt.due_ms, attempt.attempt)
        if known:
            return False
        if not (index == len(self.attempts) and self._changes_nothing(attempt, near)):
            self._pend(attempt.due_ms)
        self.attempts.insert(index, _short(attempt))
        if attempt.outcome is not Outcome.UP:
            self.calm = self._calm()
        elif index >= len(self.attempts) - 1 - self.calm:
            self.calm += 1
        return True

    def _changes_nothing(self, attempt: Attempt, near: int) -> bool:
        """One more success after many, in time."""
        return (
            self.calm >= near
            and attempt.outcome is Outcome.UP
            and attempt.due_ms <= self.attempts[-1].silent_ms
            and bool(self.steps)
            and self.steps[-1].verdict is Verdict.UP
        )

    def _calm(self) -> int:
        calm = 0
        for attempt in reversed(self.attempts):
            if attempt.outcome is not Outcome.UP:
                break
            calm += 1
        return calm

    def begin_era(self, from_ms: int, *, there: bool) -> None:
        """Other rules from `from_ms` on; rows of a vantage point not `there` any more do not count."""
        if not self.attempts or self.attempts[-1].due_ms < from_ms:
            return
        if not there:
            self.attempts = [attempt for attempt in self.attempts if attempt.due_ms < from_ms]
            self.calm = self._calm()
        self._pend(from_ms)

    def _pend(self, from_ms: int) -> None:
        self.refold_ms = from_ms if self.refold_ms is None else min(from_ms, self.refold_ms)

    def silent_ms(self) -> int | None:
        """When silence begins if nothing more comes; None while it lasts."""
        if self.steps and self.steps[-1].reason == SILENCE:
            return None
        if self.attempts:
            return self.attempts[-1].silent_ms
        return self.since_ms + INTERVALS * self.first_every_ms

    def pending(self, until_ms: int, *, clock: bool) -> bool:
        """Whether there is something to judge; with `clock` also silence that began by `until_ms`."""
        if self.refold_ms is not None:
            return True
        silent_ms = self.silent_ms() if clock else None
        return silent_ms is not None and silent_ms <= until_ms

    def judge(self, rules: Sequence[Rules], *, until_ms: int, check: str, vantage: str) -> Diff | None:
        """Judge again what is pending, and silence up to `until_ms`. None when nothing changed."""
        pending_ms = until_ms if self.refold_ms is None else self.refold_ms
        self.refold_ms = None
        near = reach(rules)
        index = self.first_due(pending_ms)
        start = self.start(index, near)
        assert start is not None, "history was asked for before"
        context = max(0, start - near + 1)
        seed = value_at(self.steps, self.attempts[start - 1].due_ms) if start else None
        wanted = self._silence_at_first(until_ms) if start == 0 and index == 0 else []
        wanted += fold(
            seed,
            self.attempts[context:],
            rules,
            until_ms=until_ms,
            first=start - context,
            check=check,
            vantage=vantage,
        )
        found = diff(self.steps, wanted, self.from_ms(start, index))
        if not found:
            return None
        self.steps = apply(self.steps, found)
        return found

    def _silence_at_first(self, until_ms: int) -> list[Step]:
        """Nothing was measured in the first two intervals it was expected."""
        at_ms = self.since_ms + INTERVALS * self.first_every_ms
        begun = at_ms < self.attempts[0].due_ms if self.attempts else at_ms <= until_ms
        return [Step(at_ms, Verdict.UNKNOWN, SILENCE)] if begun else []

    def trim(self, near: int, slack: int) -> None:
        """Keep enough attempts to judge what comes in order, and `slack` more for what comes late."""
        keep = 2 * near + slack
        if len(self.attempts) > keep + slack // 2:
            del self.attempts[:-keep]
            self.trimmed = True
            self.calm = min(self.calm, keep)

    def floor_ms(self, near: int) -> int:
        """Steps from here on are enough to judge what comes in order."""
        start = self.start(len(self.attempts), near)
        return self.since_ms if start is None else self.from_ms(start, len(self.attempts))

    def restore(self, attempts: Sequence[Attempt], *, whole: bool, refold_ms: int) -> None:
        """Add older attempts out of the store; `whole` when there are none before them."""
        known = {(a.due_ms, a.attempt) for a in self.attempts}
        self.attempts += [_short(a) for a in attempts if a.measured and (a.due_ms, a.attempt) not in known]
        self.attempts.sort(key=lambda a: (a.due_ms, a.attempt))
        self.trimmed = self.trimmed and not whole
        self._pend(refold_ms)
        self.calm = self._calm()


def _short(attempt: Attempt) -> Attempt:
    """Without what is not needed as evidence."""
    sentence = "" if attempt.outcome is Outcome.UP else attempt.sentence[:SENTENCE_CHARS_MAX]
    if sentence == attempt.sentence:
        return attempt
    return msgspec.structs.replace(attempt, sentence=sentence)
