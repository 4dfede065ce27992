"""What a run left in its database, read once, and held against what an undisturbed run would have left.

The reference is one fold of the stored attempts in order, by a judge that forgets nothing; for the beats it
is a plain walk over the clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

import asyncpg
import msgspec

from monitor.judge.attempts import Attempt
from monitor.judge.effective import everything, rederive
from monitor.judge.subject import Subject
from monitor.judge.timeline import Step, diff
from monitor.model import Catalogue, Check, Version, at_vantage
from monitor.scheduler.beat import beats_between
from monitor.store.times import millis
from probes.contract import Outcome

PLENTY = 10**6
Said = tuple[int, str, str, str]  # at_ms, verdict, reason, cause
Timelines = dict[tuple[str, str], list[Said]]  # (layer, path)


class Seen(NamedTuple):
    """One stored attempt."""

    check: str
    vantage: str
    due_ms: int
    attempt: int
    outcome: str
    reason: str
    sentence: str
    every_ms: int
    late_ms: int
    took_ms: float
    known_ms: int
    beyond: bool

    @property
    def judged(self) -> Attempt:
        """What the judge sees of it."""
        outcome = Outcome(self.outcome)
        return Attempt(self.due_ms, self.attempt, outcome, self.reason, self.sentence, self.every_ms)


class Gap(NamedTuple):
    check: str
    vantage: str
    first_due_ms: int
    last_due_ms: int
    beats: int
    why: str


class Written(NamedTuple):
    """One change, standing or withdrawn."""

    layer: str
    subject: str
    at_ms: int
    verdict: str
    reason: str
    cause: str
    known_ms: int
    standing: bool

    @property
    def said(self) -> Said:
        return self.at_ms, self.verdict, self.reason, self.cause


class Facts(NamedTuple):
    """Everything a run stored, as of one instant."""

    versions: list[Version]
    seen: list[Seen]
    gaps: list[Gap]
    written: list[Written]
    judged_until_ms: dict[str, int]  # by channel or system
    letters: list[str]  # reasons of dead letters
    followed: bool  # whether derive had read every change, and worked under the version in force

    def timeline(self, layer: str, subject: str) -> list[Said]:
        """The standing changes of one path, oldest first."""
        return [w.said for w in self.written if (w.layer, w.subject) == (layer, subject) and w.standing]

    def beats(self, check: str) -> dict[int, Seen]:
        """The attempts 0 of a check, by due."""
        return {seen.due_ms: seen for seen in self.seen if seen.check == check and seen.attempt == 0}


async def facts(dsn: str) -> Facts:
    """Read it all under one snapshot, also while the roles go on working."""
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            rows = {
                name: [_plain(row) for row in await connection.fetch(query)]
                for name, query in _QUERIES.items()
            }
            followed = await connection.fetchval(_FOLLOWED)
    finally:
        await connection.close(timeout=5)
    return Facts(
        versions=[
            Version(
                serial=serial, sha256=sha256, valid_from_ms=from_ms, catalogue=_catalogue.decode(document)
            )
            for serial, sha256, from_ms, document in rows["versions"]
        ],
        seen=[Seen(*row) for row in rows["seen"]],
        gaps=[Gap(*row) for row in rows["gaps"]],
        written=[Written(*row) for row in rows["written"]],
        judged_until_ms=dict(rows["clocks"]),
        letters=[reason for (reason,) in rows["letters"]],
        followed=bool(followed),
    )


_catalogue = msgspec.json.Decoder(Catalogue)
_QUERIES = {
    "versions": "select serial, sha256, valid_from, document from catalogue order by serial",
    "seen": """
        select check_key, vantage, due, attempt, outcome, reason, sentence, every_ms, late_ms, took_ms,
               known_at, beyond from observation order by due, attempt
        """,
    "gaps": "select check_key, vantage, first_due, last_due, beats, why from gap order by first_due",
    "written": """
        select layer, subject, at, verdict, reason, cause, known_at, withdrawn_at is null
          from change order by at, id
        """,
    "clocks": """
        select s.subject, o.judged_until from state s join stream_offset o using (cluster, partition)
         where o.judged_until is not null and o.topic like '%continuity.observations'
        """,
    "letters": 'select reason from dead_letter order by "offset"',
}
_FOLLOWED = """
select exists (
    select from follower f where f.role = 'derive'
       and f.serial = (select max(serial) from catalogue where valid_from <= now())
       and not exists (select from change c where c.layer = 'measured' and (c.tx, c.id) > (f.tx, f.id)))
"""


def _plain(row: asyncpg.Record) -> list[Any]:
    """Instants as Unix milliseconds."""
    return [millis(value) if isinstance(value, datetime) else value for value in row]


class Beat(NamedTuple):
    """A beat that should be accounted for."""

    check: str
    vantage: str
    due_ms: int


def beats_due(found: Facts) -> Iterator[Beat]:
    """Every beat of every check whose interval had passed when its partition was last judged."""
    for version, next_version in pairwise([*found.versions, None]):
        assert version is not None
        for key, check in version.catalogue.checks.items():
            until_ms = found.judged_until_ms.get(check.subject, 0) - check.every_ms
            if next_version is not None:
                until_ms = min(until_ms, next_version.valid_from_ms - 1)
            for due_ms in beats_between(
                key, check.every_ms, after_ms=version.valid_from_ms - 1, until_ms=until_ms
            ):
                for vantage in check.vantages:
                    yield Beat(key, vantage, due_ms)


def unaccounted(found: Facts, *, since_ms: float = 0) -> list[str]:
    """Beats that have neither one observation nor one gap, or more than that; in words. None: all is well.

    Only beats due from `since_ms` on.
    """
    observed = Counter(Beat(s.check, s.vantage, s.due_ms) for s in found.seen if s.attempt == 0)
    every_ms = {key: c.every_ms for v in found.versions for key, c in v.catalogue.checks.items()}
    missed: Counter[Beat] = Counter()
    problems: list[str] = []
    for gap in found.gaps:
        dues = range(gap.first_due_ms, gap.last_due_ms + 1, every_ms[gap.check])
        missed.update(Beat(gap.check, gap.vantage, due_ms) for due_ms in dues)
        if len(dues) != gap.beats:
            problems.append(f"{gap} holds {len(dues)} beats")
    subjects = {check.subject for v in found.versions for check in v.catalogue.checks.values()}
    problems += [f"{subject}: never judged" for subject in sorted(subjects - found.judged_until_ms.keys())]
    due = list(beats_due(found))
    for beat in due:
        if observed[beat] + missed[beat] != 1 and beat.due_ms >= since_ms:
            problems.append(f"{beat}: {observed[beat]} observations, {missed[beat]} gaps")
    problems += [f"{beat}: a gap where no beat was due" for beat in missed.keys() - set(due)]
    return problems


def standing(found: Facts) -> Timelines:
    """The standing changes, by layer and path."""
    told: Timelines = {}
    for written in found.written:
        if written.standing:
            told.setdefault((written.layer, written.subject), []).append(written.said)
    return told


def undisturbed(found: Facts) -> Timelines:
    """What stands after one fold over the same attempts in order, and what follows from it."""
    told: Timelines = {}
    measured: dict[str, list[Step]] = {}
    for name in sorted({c.subject for v in found.versions for c in v.catalogue.checks.values()}):
        subject = _folded(name, found)
        measured[name] = subject.measured
        told["measured", name] = _said(subject.measured)
        for key, state in subject.checks.items():
            told["check", key] = _said(state.steps)
            for vantage, window in state.windows.items():
                told["vantage", at_vantage(key, vantage)] = _said(window.steps)
    from_ms = found.versions[0].valid_from_ms
    wanted = rederive(
        found.versions,
        {subject for version in found.versions for subject in everything(version.catalogue)},
        measured=measured,
        effective={},
        from_ms=from_ms,
    )
    for name, steps in wanted.items():
        told["effective", name] = _said(diff([], steps, from_ms).added)
    return {path: steps for path, steps in told.items() if steps}


def _folded(name: str, found: Facts) -> Subject:
    subject = Subject(name, slack=PLENTY, steps_max=PLENTY)
    for version in found.versions:
        subject.adopt(_checks(version, name), serial=version.serial, valid_from_ms=version.valid_from_ms)
    rows = [
        (seen.check, seen.vantage, seen.judged)
        for seen in found.seen
        if seen.check.rsplit("/", 1)[0] == name and not seen.beyond
    ]
    until_ms = found.judged_until_ms.get(name, 0)
    for row in rows:
        subject.add([row], until_ms=0)
    subject.advance(until_ms=until_ms)
    return subject


def _checks(version: Version, subject: str) -> dict[str, Check]:
    return {key: check for key, check in version.catalogue.checks.items() if check.subject == subject}


def _said(steps: list[Step]) -> list[Said]:
    return [(step.at_ms, step.verdict.value, step.reason, step.cause) for step in steps]


def differences(found: Facts, *, since_ms: float = 0) -> list[str]:
    """Where the standing changes are not those of an undisturbed run; in words. None: all is well.

    Only changes from `since_ms` on.
    """
    stands, wanted = standing(found), undisturbed(found)
    problems = []
    for layer, path in sorted(stands.keys() | wanted.keys()):
        have, want = (
            {said for said in told.get((layer, path), ()) if said[0] >= since_ms} for told in (stands, wanted)
        )
        if have != want:
            problems.append(f"{layer} {path}: stands {sorted(have - want)}, should be {sorted(want - have)}")
    return problems
