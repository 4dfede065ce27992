"""The judge by definition: instant by instant, from all rows at once, as obvious and as slow as it likes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product

from monitor.judge.attempts import Attempt
from monitor.judge.eras import Era
from monitor.judge.timeline import Step
from monitor.model import Verdict
from probes.contract import Outcome

Said = tuple[Verdict, str]  # verdict and reason
NOTHING: Said = (Verdict.UNKNOWN, "not_measured")
SILENT: Said = (Verdict.UNKNOWN, "silence")
UNCONFIRMED: Said = (Verdict.UNKNOWN, "unconfirmed")


def judged(rows: Sequence[Attempt]) -> list[Attempt]:
    """Rows in the order they came: the measured ones, the first of each identity, in order of due."""
    first: dict[tuple[int, int], Attempt] = {}
    for row in rows:
        if row.outcome is not Outcome.UNKNOWN:
            first.setdefault((row.due_ms, row.attempt), row)
    return [first[identity] for identity in sorted(first)]


def says(rows: Sequence[Attempt], count_recover: Callable[[int], tuple[int, int]]) -> list[Said]:
    """What each measured attempt says, one after another."""
    found: list[Said] = []
    for i, row in enumerate(rows):
        failed = row.outcome is Outcome.DOWN
        left = right = i
        while left > 0 and (rows[left - 1].outcome is Outcome.DOWN) == failed:
            left -= 1
        while right + 1 < len(rows) and (rows[right + 1].outcome is Outcome.DOWN) == failed:
            right += 1
        count, recover = count_recover(row.due_ms)
        after_silence = i == 0 or row.due_ms > rows[i - 1].due_ms + 2 * rows[i - 1].every_ms
        before = found[i - 1][0] if i else Verdict.UNKNOWN
        if right - left + 1 >= (count if failed else recover):
            verdict = Verdict.DOWN if failed else Verdict.UP
        elif after_silence or before is Verdict.UNKNOWN:
            verdict = Verdict.UNKNOWN if failed else Verdict.UP
        else:
            verdict = Verdict.DOWN if before is Verdict.DOWN else Verdict.UP
        if verdict is Verdict.UP and _slow(rows, i):
            verdict = Verdict.DEGRADED
        reason = {Verdict.UP: "ok", Verdict.UNKNOWN: "unconfirmed"}.get(verdict, "")
        if not reason and verdict is before and not after_silence:
            reason = found[i - 1][1]
        if not reason:
            like = Outcome.DOWN if verdict is Verdict.DOWN else Outcome.DEGRADED
            reason = [earlier for earlier in rows[: i + 1] if earlier.outcome is like][-1].reason
        found.append((verdict, reason))
    return found


def _slow(rows: Sequence[Attempt], i: int) -> bool:
    """Whether some five in a row that end at i or later hold three degraded ones, the first not after i."""
    for end in range(i, len(rows)):
        five = range(max(0, end - 4), end + 1)
        slow = [k for k in five if rows[k].outcome is Outcome.DEGRADED]
        if len(slow) >= 3 and slow[0] <= i:
            return True
    return False


class VantageReference:
    """Levels 1 and 2 of one check at one vantage point."""

    def __init__(self, rows: Sequence[Attempt], eras: Sequence[Era], *, since_ms: int, until_ms: int) -> None:
        self.rows, self.since_ms, self.until_ms = judged(rows), since_ms, until_ms
        self.first_every_ms = [era for era in eras if era.from_ms <= since_ms][-1].every_ms
        self.says = says(self.rows, lambda due_ms: _count_recover(eras, due_ms))

    def at(self, t: int) -> Said:
        spoken = [i for i, row in enumerate(self.rows) if row.due_ms <= t]
        if spoken:
            last = self.rows[spoken[-1]]
            silent_ms = last.due_ms + 2 * last.every_ms
        else:
            silent_ms = self.since_ms + 2 * self.first_every_ms
        later = len(spoken) < len(self.rows)
        if t >= silent_ms and (later or silent_ms <= self.until_ms):
            return SILENT
        return self.says[spoken[-1]] if spoken else NOTHING


def _count_recover(eras: Sequence[Era], at_ms: int) -> tuple[int, int]:
    era = [era for era in eras if era.from_ms <= at_ms][-1]
    return era.count, era.recover


def check_at(votes: Mapping[str, Said], era: Era) -> Said:
    """Level 3 at one instant, trying everything that those who abstain might say."""
    mine = [votes[vantage] for vantage in sorted(era.vantages)]
    if all(vote == NOTHING for vote in mine):
        return NOTHING
    live = [vote for vote in mine if vote not in (NOTHING, SILENT)]
    if len(live) < era.minimum:
        return SILENT
    needed = min(era.quorum or len(live) // 2 + 1, len(live))
    choices = [
        [v] if v[0] is not Verdict.UNKNOWN else [(w, "?") for w in Verdict if w != "unknown"] for v in live
    ]
    outcomes = set()
    for said in product(*choices):
        down = sum(verdict is Verdict.DOWN for verdict, _ in said)
        failing = down + sum(verdict is Verdict.DEGRADED for verdict, _ in said)
        outcomes.add("down" if down >= needed else "failing" if failing >= needed else "up")
    if len(outcomes) > 1:
        return UNCONFIRMED
    verdict = {"down": Verdict.DOWN, "failing": Verdict.DEGRADED, "up": Verdict.UP}[outcomes.pop()]
    if verdict is Verdict.UP:
        return (verdict, "ok")
    worse = (Verdict.DOWN,) if verdict is Verdict.DOWN else (Verdict.DOWN, Verdict.DEGRADED)
    reasons = [reason for said, reason in live if said in worse]
    return verdict, max(reasons, key=lambda reason: (reasons.count(reason), -reasons.index(reason)))


def worst_of(checks: Sequence[Said]) -> Said:
    """Level 4 at one instant: down > unknown > degraded > up."""
    for verdict in (Verdict.DOWN, Verdict.UNKNOWN, Verdict.DEGRADED, Verdict.UP):
        for said in checks:
            if said[0] is verdict and said != NOTHING:
                return said
    return NOTHING


def told(at: Callable[[int], Said], *, from_ms: int, to_ms: int) -> list[tuple[int, Verdict, str]]:
    """A function of the instant as (at, verdict, reason) wherever it changes."""
    found, before = [], NOTHING
    for t in range(from_ms, to_ms):
        said = at(t)
        if said != before:
            found.append((t, *said))
        before = said
    return found


def plain(steps: Sequence[Step]) -> list[tuple[int, Verdict, str]]:
    """Steps without cause and evidence, to compare with what was `told`."""
    return [(step.at_ms, step.verdict, step.reason) for step in steps]
