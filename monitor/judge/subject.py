"""The judge of one subject (a channel or a system): rows in any order in, changes of its timelines out.

Pure and incremental: after any rows in any order the standing steps are those of one fold over all of them in
order. What is kept is bounded; a row too late for it raises NeedsHistory. As JSON it is the `state` document.

    subject = Subject.new("system:identity")
    subject.adopt(checks, serial=version.serial, valid_from_ms=version.valid_from_ms)
    changes = subject.add(rows, until_ms=judged_until_ms)        # each batch
    changes = subject.advance(until_ms=w_ms)                     # the clock, from `silent_at_ms()` on
    gaps, unfilled = subject.gaps(until_ms=w_ms), subject.take_unfilled()
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from monitor.judge import levels
from monitor.judge.attempts import Attempt, reach
from monitor.judge.beats import Beats, Gap
from monitor.judge.checks import CheckState
from monitor.judge.eras import era_at, era_of, gone, next_beat_ms, young
from monitor.judge.timeline import Diff, Step, apply, diff
from monitor.judge.window import Window
from monitor.model import Check, at_vantage

SLACK = 12  # attempts beyond those needed for rows in order, so that rows a little late need no history
STEPS_MAX = 24  # of one timeline kept in the document, whatever is recent


class Change(NamedTuple):
    """What to withdraw from and add to the standing changes of (layer, subject)."""

    layer: str  # vantage | check | measured
    subject: str
    diff: Diff


class Beat(NamedTuple):
    """One beat of a check at a vantage point."""

    check: str
    vantage: str
    due_ms: int


class NeedsHistory(Exception):
    """A row is older than what is kept can judge exactly; nothing was changed by the call that raised this.

    1. Load the measured attempts of (check, vantage) that may be judged (not those past the late horizon):
       the last `attempts` with due <= `before_ms` and all of the same dues, and all later ones.
    2. Load the standing steps of the subject, its checks and vantage points, from
       `subject.since_ms(needs, attempts)` on, and of each path the last one before.
    3. Give both to `subject.rebuild(needs, ...)` and make the same call again. Each (check, vantage) of a
       batch may ask, and ask for more once or twice; it ends when all attempts were given.
    """

    def __init__(self, check: str, vantage: str, *, before_ms: int, attempts: int) -> None:
        self.check, self.vantage, self.before_ms, self.attempts = check, vantage, before_ms, attempts
        super().__init__(f"{at_vantage(check, vantage)} before {before_ms}")

    def all_in(self, attempts: Sequence[Attempt]) -> bool:
        """Whether there are none before those loaded."""
        return sum(attempt.due_ms <= self.before_ms for attempt in attempts) < self.attempts


class Subject(msgspec.Struct, omit_defaults=True):
    """A channel or system with its checks. All steps from `from_ms` on are here, and one before them each."""

    subject: str
    serial: int = 0  # the version of the catalogue it goes by
    until_ms: int = 0  # silence is judged up to here
    from_ms: int = 0
    checks: dict[str, CheckState] = {}
    measured: list[Step] = []
    unfilled: list[Beat] = []
    slack: int = SLACK
    steps_max: int = STEPS_MAX

    @classmethod
    def new(cls, subject: str) -> Subject:
        """A subject nothing is known of; `adopt` gives it its checks."""
        return cls(subject)

    # -- the catalogue ------------------------------------------------------------------------------------

    def adopt(self, checks: Mapping[str, Check], *, serial: int, valid_from_ms: int) -> list[Change]:
        """Go by a version of the catalogue from `valid_from_ms` on; `checks` are the subject's, by key.

        Versions are adopted in order; one that was adopted before changes nothing. Checks that stay the same
        keep everything. A row asked under a version must not be added before that version is adopted: of a
        check or vantage point that is not known yet it says nothing. Beats that were accounted for before the
        version was learned stay as they are. Raises NeedsHistory when the version is older than what is kept
        can judge.
        """
        if serial <= self.serial:
            return []
        touched = self._touched(checks, valid_from_ms)
        for key in touched:
            self._require_since(key, checks.get(key), valid_from_ms)
        for key in touched:
            self._begin_era(key, checks.get(key), valid_from_ms)
        self.serial = serial
        self._forget(valid_from_ms)
        return self._judge(dict.fromkeys(touched, valid_from_ms), clock=False)

    def _touched(self, checks: Mapping[str, Check], valid_from_ms: int) -> list[str]:
        """Checks that appear, end, or have other rules from now on."""
        found = []
        for key in dict.fromkeys([*self.checks, *checks]):
            state = self.checks.get(key)
            era = state.eras[-1] if state else None
            if key not in checks:
                if era is not None and era.vantages:
                    found.append(key)
            elif era is None or not era.same_rules(era_of(checks[key], valid_from_ms)):
                found.append(key)
        return found

    def _begin_era(self, key: str, check: Check | None, from_ms: int) -> None:
        state = self.checks.get(key)
        if check is None:
            assert state is not None
            state.eras.append(gone(state.eras[-1], from_ms))
        else:
            era = era_of(check, from_ms)
            if state is None:
                state = self.checks[key] = CheckState([era])
            else:
                state.eras.append(era)
            for vantage in era.vantages:
                if vantage not in state.windows:
                    state.windows[vantage] = Window(
                        since_ms=from_ms, first_every_ms=era.every_ms, beats=Beats(from_ms - 1)
                    )
        assert all(one.from_ms <= two.from_ms for one, two in zip(state.eras, state.eras[1:], strict=False))
        for vantage, window in state.windows.items():
            window.begin_era(from_ms, there=vantage in state.eras[-1].vantages)

    def _forget(self, until_ms: int) -> None:
        """Drop rules, and checks that are gone, once they ended too long ago to matter."""
        for key, state in list(self.checks.items()):
            state.eras = young(state.eras, until_ms)
            named = {vantage for era in state.eras for vantage in era.vantages}
            state.windows = {name: window for name, window in state.windows.items() if name in named}
            if len(state.eras) == 1 and not state.eras[0].vantages:
                del self.checks[key]

    # -- rows and the clock -------------------------------------------------------------------------------

    def add(self, rows: Iterable[tuple[str, str, Attempt]], *, until_ms: int) -> list[Change]:
        """Judge rows of (check, vantage, attempt), in any order, repeated or not, measured or not.

        `until_ms` is the clock of the partition. Rows of checks or vantage points the catalogue did not have
        at their due say nothing. Raises NeedsHistory.
        """
        known = self._known(rows)
        oldest = self._oldest(known)
        for (key, vantage), due_ms in oldest.items():
            self._require(key, vantage, due_ms)
        self._require_silence(until_ms, oldest)
        changed = False
        for key, vantage, attempt in known:
            changed |= self._take(key, vantage, attempt)
        if changed:
            return self._judge({})
        for key, vantage, _ in known:
            state = self.checks[key]
            state.windows[vantage].trim(state.near, self.slack)
        return []

    def _known(self, rows: Iterable[tuple[str, str, Attempt]]) -> list[tuple[str, str, Attempt]]:
        found = []
        for row in rows:
            state = self.checks.get(row[0])
            era = era_at(state.eras, row[2].due_ms) if state else None
            if era is not None and row[1] in era.vantages:
                found.append(row)
        return found

    def _oldest(self, rows: Sequence[tuple[str, str, Attempt]]) -> dict[tuple[str, str], int]:
        """The first due of what is new, by check and vantage point.

        History is asked for before all of it: the store has these rows already, and gives them as well.
        """
        found: dict[tuple[str, str], int] = {}
        for key, vantage, attempt in rows:
            window = self.checks[key].windows[vantage]
            if attempt.measured and not window.place(attempt.due_ms, attempt.attempt)[1]:
                found[key, vantage] = min(attempt.due_ms, found.get((key, vantage), attempt.due_ms))
        return found

    def _take(self, key: str, vantage: str, attempt: Attempt) -> bool:
        """Put one row in its place. True when there is something to judge."""
        state = self.checks[key]
        window = state.windows[vantage]
        pending = window.refold_ms is not None and attempt.due_ms >= window.refold_ms
        new = not attempt.measured or window.take(attempt, state.near) or pending
        if attempt.attempt == 0 and not window.beats.saw(key, state.eras, vantage, attempt.due_ms) and new:
            self.unfilled.append(Beat(key, vantage, attempt.due_ms))
        return window.refold_ms is not None

    def advance(self, *, until_ms: int) -> list[Change]:
        """The clock: silence that has begun by `until_ms`. Raises NeedsHistory."""
        self._require_silence(until_ms, {})
        return self._judge({})

    def silent_at_ms(self) -> int | None:
        """The earliest clock at which `advance` or `gaps` may have something to say; None: never."""
        moments: list[int] = []
        for key, state in self.checks.items():
            for vantage, window in state.windows.items():
                silent_ms = window.silent_ms()
                if silent_ms is not None:
                    moments.append(silent_ms)
                beat = next_beat_ms(key, state.eras, vantage, window.beats.accounted_ms)
                if beat is not None:
                    moments.append(sum(beat))
        return min(moments, default=None)

    def gaps(self, *, until_ms: int) -> list[Gap]:
        """Gaps that are new or went on: beats nobody answered for though their interval has passed."""
        return [
            gap
            for key, state in self.checks.items()
            for vantage, window in state.windows.items()
            for gap in window.beats.missing(key, state.eras, vantage, until_ms=until_ms)
        ]

    def take_unfilled(self) -> list[Beat]:
        """Beats that were accounted for and then came: split the gap they lie in, if they lie in one."""
        beats, self.unfilled = self.unfilled, []
        return beats

    # -- judging ------------------------------------------------------------------------------------------

    def _judge(self, changed: dict[str, int], *, clock: bool = True) -> list[Change]:
        """Make anew what is pending, silence with `clock`, and the checks in `changed` from a moment on."""
        changes: list[Change] = []
        for key, state in self.checks.items():
            for vantage, window in state.windows.items():
                if not window.pending(self.until_ms, clock=clock):
                    continue
                found = window.judge(state.rules, until_ms=self.until_ms, check=key, vantage=vantage)
                if found:
                    changes.append(Change("vantage", at_vantage(key, vantage), found))
                    changed[key] = min(found.from_ms, changed.get(key, found.from_ms))
        for key, from_ms in changed.items():
            changes += self._check(key, from_ms)
        if changed:
            changes += self._measure(min(changed.values()))
        self._trim()
        return changes

    def _check(self, key: str, from_ms: int) -> list[Change]:
        state = self.checks[key]
        found = diff(state.steps, state.steps_from(from_ms), from_ms)
        if not found:
            return []
        state.steps = apply(state.steps, found)
        return [Change("check", key, found)]

    def _measure(self, from_ms: int) -> list[Change]:
        checks = [state.required_from(from_ms) for state in self.checks.values()]
        found = diff(self.measured, levels.measured(checks, from_ms), from_ms)
        if not found:
            return []
        self.measured = apply(self.measured, found)
        return [Change("measured", self.subject, found)]

    # -- what is kept -------------------------------------------------------------------------------------

    def _require_since(self, key: str, check: Check | None, from_ms: int) -> None:
        """Raises NeedsHistory when the check cannot be judged again from `from_ms` on by its new rules."""
        state = self.checks.get(key)
        if state is None:
            return
        rules = [*state.rules, *([era_of(check, from_ms).rules] if check else [])]
        for vantage in state.windows:
            self._require(key, vantage, from_ms, near=reach(rules))

    def _require_silence(self, until_ms: int, oldest: Mapping[tuple[str, str], int]) -> None:
        """Move the clock. Raises NeedsHistory when silence began before what is kept."""
        until_ms = max(until_ms, self.until_ms)
        for key, state in self.checks.items():
            for vantage, window in state.windows.items():
                silent_ms = window.silent_ms()
                if silent_ms is not None and silent_ms <= until_ms:
                    self._require(key, vantage, min(silent_ms, oldest.get((key, vantage), silent_ms)))
        self.until_ms = until_ms

    def _require(self, key: str, vantage: str, before_ms: int, *, near: int = 0) -> None:
        """Raises NeedsHistory when what is due from `before_ms` on cannot be judged with what is kept."""
        window, near = self.checks[key].windows[vantage], near or self.checks[key].near
        index = window.first_due(before_ms)
        start = window.start(index, near)
        if start is not None and min(window.from_ms(start, index), before_ms) >= self.from_ms:
            return
        attempts = max(2 * near + self.slack, 2 * len(window.attempts))
        raise NeedsHistory(key, vantage, before_ms=before_ms, attempts=attempts)

    def since_ms(self, needs: NeedsHistory, attempts: Sequence[Attempt]) -> int:
        """From when on `rebuild` needs the standing steps, given the attempts that were loaded."""
        moments = [self.from_ms, needs.before_ms, *(attempt.due_ms for attempt in attempts[:1])]
        if needs.all_in(attempts):
            moments.append(self.checks[needs.check].windows[needs.vantage].since_ms)
        return min(moments)

    def rebuild(
        self, needs: NeedsHistory, *, attempts: Sequence[Attempt], steps: Mapping[str, Sequence[Step]]
    ) -> None:
        """Take history back in, as NeedsHistory describes; `attempts` oldest first, `steps` by path.

        Rows of the batch at hand may be among `attempts`: the next call judges them all the same.
        """
        self.from_ms = self.since_ms(needs, attempts)
        whole = needs.all_in(attempts)
        window = self.checks[needs.check].windows[needs.vantage]
        attempts = [a for _, _, a in self._known((needs.check, needs.vantage, a) for a in attempts)]
        window.restore(attempts, whole=whole, refold_ms=needs.before_ms)
        for key, state in self.checks.items():
            state.steps = list(steps.get(key, ()))
            for name, each in state.windows.items():
                each.steps = list(steps.get(at_vantage(key, name), ()))
        self.measured = list(steps.get(self.subject, ()))

    def _trim(self) -> None:
        """Keep the document small: attempts and steps that in-order rows no longer reach."""
        for state in self.checks.values():
            for window in state.windows.values():
                window.trim(state.near, self.slack)
        timelines = [steps for steps in self._timelines() if len(steps) > self.steps_max // 2]
        if not timelines:
            return
        windows = [(w, s.near) for s in self.checks.values() for w in s.windows.values()]
        floor_ms = min(window.floor_ms(near) for window, near in windows)
        for steps in timelines:
            if len(steps) > self.steps_max:
                floor_ms = max(floor_ms, steps[-self.steps_max // 2].at_ms)
        self.from_ms = max(self.from_ms, floor_ms)
        for state in self.checks.values():
            state.steps = _since(state.steps, self.from_ms)
            for window in state.windows.values():
                window.steps = _since(window.steps, self.from_ms)
        self.measured = _since(self.measured, self.from_ms)

    def _timelines(self) -> list[list[Step]]:
        windows = [window for state in self.checks.values() for window in state.windows.values()]
        return [
            self.measured,
            *(state.steps for state in self.checks.values()),
            *(window.steps for window in windows),
        ]


def _since(steps: list[Step], from_ms: int) -> list[Step]:
    """The steps from `from_ms` on and the last one before."""
    later = [step for step in steps if step.at_ms >= from_ms]
    cut = len(steps) - len(later)
    return steps[max(0, cut - 1) :]


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Subject)


def encode(subject: Subject) -> str:
    """The `state` document."""
    return _encoder.encode(subject).decode()


def decode(document: str) -> Subject:
    """The subject as it was. Raises msgspec.DecodeError when the document is not one of ours."""
    return _decoder.decode(document)
