"""Observations into PostgreSQL, judged in the same transaction; owner of the clock of its partitions."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from monitor.errors import BadMessage
from monitor.judge import batch as batches
from monitor.judge import subject as subjects
from monitor.judge.attempts import Attempt
from monitor.judge.batch import Batch
from monitor.judge.beats import Gap
from monitor.judge.derive import row_of, step_of
from monitor.judge.halving import keep_by_halves
from monitor.judge.subject import Beat, Change, NeedsHistory, Subject
from monitor.judge.timeline import Step
from monitor.log import Log
from monitor.metrics import IngestMetrics
from monitor.model import Check, Policy, Version, at_vantage, stream_key
from monitor.store import catalogue, changes, observations, states, stream
from monitor.store.observations import GapRow
from monitor.store.pool import Store
from monitor.store.stream import Standing
from monitor.stream.loop import Position, Record
from probes.contract import Outcome

log = Log(__name__)

DAY_MS = 86_400_000
DAYS_AHEAD = 7
VERSIONS_KEPT_MS = 80 * 3_600_000  # longer than the late horizon
LOOK_S = 1.0  # how often a new version of the catalogue is looked for
NEVER_MS = 2**62
HISTORY_MAX = 50  # readings of history for one judging; a few are usual, more is a bug

Judging = Callable[[Subject], list[Change]]


class Verdicts(NamedTuple):
    """What judging one batch, or one tick of the clock, came to."""

    changes: list[Change]
    touched: dict[str, Subject]  # whose document is to be stored
    gaps: list[Gap]
    unfilled: list[Beat]


@dataclass
class Partition:
    """What the owner of a partition holds in memory; thrown away whenever a transaction fails."""

    number: int
    cluster: str
    subjects: dict[str, Subject]
    judged_until_ms: int
    serial: int = 0  # of the newest version its subjects go by
    due_ms: dict[str, int] = field(default_factory=dict)  # when the clock may have something to say


class Ingest:
    """The keeper of the observations topic (monitor/stream/loop.py says when each method is called)."""

    def __init__(
        self,
        store: Store,
        *,
        topic: str,
        owner: Callable[[str], int],
        metrics: IngestMetrics,
        now_ms: Callable[[], int] = lambda: int(time.time() * 1000),
    ) -> None:
        """`owner` gives the partition of a stream key."""
        self._store, self._topic, self._owner, self._metrics = store, topic, owner, metrics
        self._now_ms = now_ms
        self._clusters: dict[int, str] = {}
        self._partitions: dict[int, Partition] = {}
        self._versions: list[Version] = []
        self._looked_at = 0.0
        self._days: set[int] = set()

    @property
    def ready(self) -> bool:
        """Whether it owns a partition and has a catalogue to judge by."""
        return bool(self._clusters and self._versions)

    # -- what the loop calls ------------------------------------------------------------------------------

    async def assigned(self, partition: int, *, cluster: str, begin: int, end: int) -> Position:
        """The stored row; the state of the partition's subjects is loaded with its first batch."""
        self._clusters[partition] = cluster
        self._partitions.pop(partition, None)
        standing = await self._standing(partition, begin=begin)
        return Position(standing.next, standing.last_at_ms, standing.last_crc)

    async def keep(
        self, partition: int, records: Sequence[Record], *, at: Position, new: Position, waiting: int = 0
    ) -> None:
        """One transaction; a row that PostgreSQL refuses is found by halving and set aside."""

        async def keep(
            some: Sequence[Record], at: Position, new: Position, refused: BadMessage | None
        ) -> None:
            await self._keep(partition, some, at=at, new=new, refused=refused)

        await keep_by_halves(keep, records, at=at, new=new)

    async def caught_up(self, partition: int, wall_ms: int, *, at: Position) -> None:
        """Advance the clock to `wall_ms` minus the grace, with the silence and the gaps this brings."""
        if time.monotonic() >= self._looked_at + LOOK_S:
            await self._look_for_versions()
        if not self._versions:
            return
        state = await self._state(partition)
        until_ms = wall_ms - round(self._policy.grace_s * 1000)
        if until_ms <= state.judged_until_ms:
            return
        await self._make_partitions(set())
        with _forgetting(self._partitions, partition):
            due = [name for name, due_ms in state.due_ms.items() if due_ms <= until_ms]
            verdicts = await self._judge(state, dict.fromkeys(due, _advancing(until_ms)), until_ms)
            async with self._store.transaction() as connection:
                await stream.advance_clock(
                    connection,
                    **self._where(partition),
                    expected=at.next,
                    expected_until_ms=state.judged_until_ms or None,
                    until_ms=until_ms,
                )
                await self._write(connection, partition, verdicts)
            state.judged_until_ms = until_ms
        self._metrics.judged_until_s.labels(str(partition)).set(until_ms / 1000)
        self._count(verdicts)

    def revoked(self, partition: int) -> None:
        """Somebody else's now."""
        self._partitions.pop(partition, None)
        self._clusters.pop(partition, None)

    # -- one batch ----------------------------------------------------------------------------------------

    async def _keep(
        self,
        partition: int,
        records: Sequence[Record],
        *,
        at: Position,
        new: Position,
        refused: BadMessage | None,
    ) -> None:
        began, now_ms = time.perf_counter(), self._now_ms()
        batch = batches.read(
            () if refused else records, topic=self._topic, partition=partition, now_ms=now_ms
        )
        if refused:
            batch.letters = [
                batches.letter_of(record, refused, topic=self._topic, partition=partition)
                for record in records
            ]
        if not self._versions or batch.newest_serial > self._versions[-1].serial:
            await self._look_for_versions()
        batches.refuse_strangers(batch, self._versions, topic=self._topic, partition=partition)
        await self._make_partitions({seen.due_ms // DAY_MS for _, seen in batch.rows.values()})
        state = await self._state(partition)
        with _forgetting(self._partitions, partition):
            verdicts = await self._judge_batch(state, batch, now_ms)
            async with self._store.transaction() as connection:
                await stream.move(
                    connection,
                    **self._where(partition),
                    expected=at.next,
                    expected_until_ms=state.judged_until_ms or None,
                    to=Standing(new.next, new.last_at_ms, new.last_crc, None),
                )
                stored = await self._store_batch(connection, batch, state.cluster, now_ms)
                await self._write(connection, partition, verdicts)
        self._metrics.stored.inc(stored)
        self._metrics.repeated.inc(batch.read - stored)
        self._metrics.batch_s.observe(time.perf_counter() - began)
        for letter in batch.letters:
            self._metrics.dead_letters.labels(self._topic, letter.reason).inc()
            log.warning("ingest.set_aside", partition=partition, offset=letter.offset, why=letter.reason)
        self._count(verdicts)

    async def _judge_batch(self, state: Partition, batch: Batch, now_ms: int) -> Verdicts:
        policy = self._policy
        rows: dict[str, list[tuple[str, str, Attempt]]] = {}
        for _, seen in batch.rows.values():
            if not batches.is_beyond(seen, policy=policy, now_ms=now_ms):
                row = (seen.check, seen.vantage, batches.attempt_of(seen))
                rows.setdefault(seen.check.rsplit("/", 1)[0], []).append(row)
                if seen.due_ms + 2 * seen.every_ms <= state.judged_until_ms:
                    self._metrics.late.inc()
        until_ms = state.judged_until_ms

        def judging(mine: list[tuple[str, str, Attempt]]) -> Judging:
            return lambda subject: subject.add(mine, until_ms=until_ms)

        return await self._judge(state, {name: judging(mine) for name, mine in rows.items()}, until_ms)

    async def _store_batch(self, connection: Any, batch: Batch, cluster: str, now_ms: int) -> int:
        policy, stored = self._policy, 0
        rows = [batches.row_of(seen, policy=policy, now_ms=now_ms) for _, seen in batch.rows.values()]
        if rows:
            stored = await observations.add(connection, rows)
        if batch.heartbeats:
            beats = [(h.vantage, h.prober, h.at_ms, h.checks, h.skew_ms) for h in batch.heartbeats]
            await observations.heartbeats(connection, beats)
        if batch.letters:
            await stream.set_aside(connection, cluster=cluster, letters=batch.letters)
        return stored

    async def _make_partitions(self, days: set[int]) -> None:
        """Those of a week ahead, and of whatever older day a late row belongs to.

        In a transaction of their own: a batch that is rolled back must not take them along while we believe
        that they are there.
        """
        today = observations.today()
        missing = (days | set(range(today, today + DAYS_AHEAD + 1))) - self._days
        if missing:
            async with self._store.transaction() as connection:
                await observations.make_partitions(connection, sorted(missing))
            self._days |= missing

    # -- judging ------------------------------------------------------------------------------------------

    async def _judge(self, state: Partition, judgings: dict[str, Judging], until_ms: int) -> Verdicts:
        """Judge each subject; and whoever a new version of the catalogue touches."""
        found = Verdicts([], {}, [], [])
        await self._adopt(state, found)
        silence = dict.fromkeys(found.touched, _advancing(until_ms))  # their time has come up to here too
        for name, judge in (silence | judgings).items():
            subject = state.subjects.get(name)
            if subject is None:
                continue
            found.changes.extend(await self._with_history(subject, judge))
            found.gaps.extend(subject.gaps(until_ms=until_ms))
            found.unfilled.extend(subject.take_unfilled())
            found.touched[name] = subject
        for name in found.touched:
            state.due_ms[name] = state.subjects[name].silent_at_ms() or NEVER_MS
        return found

    async def _adopt(self, state: Partition, found: Verdicts) -> None:
        """Go by every version of the catalogue in turn."""
        for version in self._versions:
            if version.serial <= state.serial:
                continue
            checks = _by_subject(version)
            for name in checks.keys() | state.subjects.keys():
                if self._owner(stream_key(name)) != state.number:
                    continue
                subject = state.subjects.setdefault(name, Subject.new(name))
                judge = _adopting(checks.get(name, {}), version)
                found.changes.extend(await self._with_history(subject, judge))
                found.touched[name] = subject
            state.serial = version.serial

    async def _with_history(self, subject: Subject, judge: Judging) -> list[Change]:
        """Judge; where a row is older than what the subject keeps, read the attempts around it first."""
        for _ in range(HISTORY_MAX):
            try:
                return judge(subject)
            except NeedsHistory as needs:
                attempts = await self._attempts(needs)
                steps = await self._steps(subject, since_ms=subject.since_ms(needs, attempts))
                subject.rebuild(needs, attempts=attempts, steps=steps)
        raise AssertionError(f"{subject.subject} still needs history after {HISTORY_MAX} readings")

    async def _attempts(self, needs: NeedsHistory) -> list[Attempt]:
        rows = await observations.attempts(
            self._store,
            check=needs.check,
            vantage=needs.vantage,
            before_ms=needs.before_ms,
            count=needs.attempts,
        )
        return [
            Attempt(r.due_ms, r.attempt, Outcome(r.outcome), r.reason, r.sentence, r.every_ms) for r in rows
        ]

    async def _steps(self, subject: Subject, *, since_ms: int) -> dict[str, list[Step]]:
        checks = list(subject.checks)
        at = [at_vantage(key, name) for key, check in subject.checks.items() for name in check.windows]
        found: dict[str, list[Step]] = {}
        async with self._store.connection() as connection:
            for layer, paths in (("measured", [subject.subject]), ("check", checks), ("vantage", at)):
                rows = await changes.standing(connection, layer=layer, subjects=paths, from_ms=since_ms)
                found |= {path: [step_of(row) for row in mine] for path, mine in rows.items()}
        return found

    # -- writing ------------------------------------------------------------------------------------------

    async def _write(self, connection: Any, partition: int, verdicts: Verdicts) -> None:
        if verdicts.changes:
            gone = [(c.layer, c.subject, step.at_ms) for c in verdicts.changes for step in c.diff.withdrawn]
            await changes.withdraw(connection, gone)
            serial = self._versions[-1].serial
            await changes.add(
                connection,
                [
                    row_of(step, layer=change.layer, subject=change.subject, serial=serial)
                    for change in verdicts.changes
                    for step in change.diff.added
                ],
            )
            await changes.wake(connection)
        await _fill(connection, verdicts.unfilled, self._every_ms)
        if verdicts.gaps:
            rows = [
                GapRow(g.check, g.vantage, g.first_due_ms, g.last_due_ms, g.beats, "") for g in verdicts.gaps
            ]
            await observations.add_gaps(connection, rows)
        if verdicts.touched:
            documents = {name: subjects.encode(subject) for name, subject in verdicts.touched.items()}
            await states.keep(connection, documents, cluster=self._clusters[partition], partition=partition)

    def _every_ms(self, check: str) -> int:
        """The interval of a check in the newest version that names it."""
        for version in reversed(self._versions):
            if check in version.catalogue.checks:
                return version.catalogue.checks[check].every_ms
        return 1

    def _count(self, verdicts: Verdicts) -> None:
        for change in verdicts.changes:
            total = len(change.diff.added) + len(change.diff.withdrawn)
            self._metrics.changes.labels(change.layer).inc(total)

    # -- what is held -------------------------------------------------------------------------------------

    @property
    def _policy(self) -> Policy:
        return self._versions[-1].catalogue.policy if self._versions else Policy()

    def _where(self, partition: int) -> dict[str, Any]:
        return {"cluster": self._clusters[partition], "topic": self._topic, "partition": partition}

    async def _standing(self, partition: int, *, begin: int) -> Standing:
        return await stream.standing(self._store, **self._where(partition), begin=begin)

    async def _look_for_versions(self) -> None:
        after = self._versions[-1].serial if self._versions else 0
        since_ms = self._now_ms() - VERSIONS_KEPT_MS
        found = await catalogue.versions(self._store, after_serial=after, since_ms=since_ms)
        known = self._versions[-1].serial if self._versions else 0  # another partition may have looked too
        self._versions += [version for version in found if version.serial > known]
        self._looked_at = time.monotonic()

    async def _state(self, partition: int) -> Partition:
        """The partition's subjects, loaded when they are not in memory."""
        if partition not in self._partitions:
            cluster = self._clusters[partition]
            standing = await self._standing(
                partition, begin=0
            )  # first: the fence is never newer than they are
            documents = await states.load(self._store, cluster=cluster, partition=partition)
            known = {name: subjects.decode(document) for name, document in documents.items()}
            state = Partition(partition, cluster, known, standing.judged_until_ms or 0)
            state.due_ms = {name: subject.silent_at_ms() or NEVER_MS for name, subject in known.items()}
            self._partitions[partition] = state
        return self._partitions[partition]


def _advancing(until_ms: int) -> Judging:
    return lambda subject: subject.advance(until_ms=until_ms)


def _adopting(checks: Mapping[str, Check], version: Version) -> Judging:
    return lambda subject: subject.adopt(checks, serial=version.serial, valid_from_ms=version.valid_from_ms)


def _by_subject(version: Version) -> dict[str, dict[str, Check]]:
    found: dict[str, dict[str, Check]] = {}
    for key, check in version.catalogue.checks.items():
        found.setdefault(check.subject, {})[key] = check
    return found


async def _fill(connection: Any, beats: Sequence[Beat], every_ms: Callable[[str], int]) -> None:
    """Take beats that were answered for after all out of the gaps they lay in."""
    dues: dict[tuple[str, str], list[int]] = {}
    for beat in beats:
        dues.setdefault((beat.check, beat.vantage), []).append(beat.due_ms)
    for (check, vantage), mine in dues.items():
        held = await observations.gaps_holding(
            connection, check=check, vantage=vantage, first_ms=min(mine), last_ms=max(mine)
        )
        left = [part for gap in held for part in batches.without(gap, mine, every_ms=every_ms(check))]
        for gap in held:
            await observations.drop_gap(connection, gap)
        await observations.add_gaps(connection, left)


class _forgetting:  # noqa: N801 - used as a function
    """What is in memory was changed for a transaction; when that fails, memory is thrown away."""

    def __init__(self, partitions: dict[int, Partition], number: int) -> None:
        self._partitions, self._number = partitions, number

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._partitions.pop(self._number, None)
