"""The leader's loop: publishes the catalogue and writes what follows from measured verdicts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from monitor.judge.effective import everything, needed, reached, rederive
from monitor.judge.publishing import Publisher
from monitor.judge.timeline import Evidence, Step, diff
from monitor.lifetime import Stop
from monitor.log import Log
from monitor.metrics import DeriveMetrics
from monitor.model import Verdict, Version
from monitor.store import catalogue as catalogues
from monitor.store import changes
from monitor.store.changes import ChangeRow, Followed, Place
from monitor.store.lease import Lease
from monitor.store.listen import Bell
from monitor.store.observations import as_json
from monitor.store.pool import Store

log = Log(__name__)
ROLE = "derive"
TICK_S = 0.5
LIVE_S = 2.0  # how often a follower with nothing to do says that it lives
LOOK_S = 1.0  # how often the files are looked at
BATCH = 2000

_evidence = msgspec.json.Decoder(tuple[Evidence, ...])


class Reached(NamedTuple):
    """One batch of work: these subjects anew from that instant on, and where the follower stands then."""

    subjects: set[str]
    from_ms: int
    place: Place


def step_of(row: ChangeRow) -> Step:
    """A stored change as a step of a timeline."""
    return Step(
        at_ms=row.at_ms,
        verdict=Verdict(row.verdict),
        reason=row.reason,
        cause=row.cause,
        evidence=_evidence.decode(row.evidence),
    )


def row_of(step: Step, *, layer: str, subject: str, serial: int) -> ChangeRow:
    """A step of a timeline as a change to store."""
    return ChangeRow(
        layer=layer,
        subject=subject,
        at_ms=step.at_ms,
        verdict=step.verdict.value,
        reason=step.reason,
        cause=step.cause,
        evidence=as_json(step.evidence),
        serial=serial,
    )


class Derive:
    """Leads while it holds the lease; a stand-by only tries to take it."""

    def __init__(
        self, store: Store, publisher: Publisher, *, lease: Lease, metrics: DeriveMetrics, bell: Bell
    ) -> None:
        self._store, self._publisher, self._lease, self._metrics = store, publisher, lease, metrics
        self._bell = bell
        self._versions: list[Version] = []
        self._place: Place | None = None
        self._live_at = self._look_at = 0.0
        metrics.leads.labels(ROLE).set(0)

    async def run(self, stop: Stop) -> None:
        """Until `stop`."""
        await self._lease.lead(
            stop, self._turn, afresh=self._forget, rest=lambda: self._bell.wait(TICK_S, stop)
        )

    async def _turn(self) -> None:
        if time.monotonic() >= self._look_at:
            await self._publisher.look()
            self._look_at = time.monotonic() + LOOK_S
        await self.follow()

    def _forget(self) -> None:
        self._metrics.leads.labels(ROLE).set(1 if self._lease.held else 0)
        self._publisher.forget()
        self._versions, self._place = [], None

    async def follow(self) -> None:
        """Read what is new, make anew what it reaches, write both in one transaction; until all is read."""
        while True:
            await self._load_versions()
            work = await self._next()
            if work is None:
                return
            await self._write(work)
            await asyncio.sleep(0)

    async def _load_versions(self) -> None:
        after = self._versions[-1].serial if self._versions else 0
        since_ms = int(time.time() * 1000) - 8 * 86_400_000
        self._versions += await catalogues.versions(self._store, after_serial=after, since_ms=since_ms)

    async def _next(self) -> Reached | None:
        now_ms = int(time.time() * 1000)
        if not self._versions:
            return None
        async with self._store.connection() as connection:
            if self._place is None:
                self._place = await changes.place(connection, ROLE)
            followed = await changes.follow(connection, self._place.cursor, layer="measured", limit=BATCH)
        in_force = [version for version in self._versions if version.valid_from_ms <= now_ms]
        if in_force and in_force[-1].serial != self._place.serial:
            return self._new_version(self._place, in_force, followed)
        if not followed:
            await self._say_we_live(self._place)
            return None
        from_ms = min(change.at_ms for change in followed)
        relevant = self._in_force_since(from_ms)
        subjects = reached([version.catalogue for version in relevant], {c.subject for c in followed})
        return Reached(subjects, from_ms, Place(followed[-1].cursor, self._place.serial))

    def _new_version(
        self, place: Place, in_force: Sequence[Version], followed: Sequence[Followed]
    ) -> Reached:
        """A version came into force: everything it or the one before it names is made anew from then on."""
        subjects = {subject for version in in_force[-2:] for subject in everything(version.catalogue)}
        subjects |= {change.subject for change in followed}
        from_ms = min([in_force[-1].valid_from_ms, *(change.at_ms for change in followed)])
        cursor = followed[-1].cursor if followed else place.cursor
        return Reached(subjects, from_ms, Place(cursor, in_force[-1].serial))

    def _in_force_since(self, from_ms: int) -> list[Version]:
        """Versions in force at `from_ms` or later, oldest first."""
        earlier = [version for version in self._versions if version.valid_from_ms <= from_ms]
        later = [version for version in self._versions if version.valid_from_ms > from_ms]
        return earlier[-1:] + later

    async def _say_we_live(self, place: Place) -> None:
        if time.monotonic() < self._live_at:
            return
        async with self._store.transaction() as connection:
            await self._lease.lock(connection)
            await changes.keep_place(connection, ROLE, place)
        self._live_at = time.monotonic() + LIVE_S

    async def _write(self, work: Reached) -> None:
        versions = self._in_force_since(work.from_ms)
        async with self._store.transaction() as connection:
            await self._lease.lock(connection)
            need = needed([version.catalogue for version in versions], work.subjects)
            measured = await changes.standing(
                connection, layer="measured", subjects=need.measured, from_ms=work.from_ms
            )
            standing = await changes.standing(
                connection, layer="effective", subjects=need.effective, from_ms=work.from_ms
            )
            effective = _steps(standing)
            wanted = rederive(
                versions, work.subjects, measured=_steps(measured), effective=effective, from_ms=work.from_ms
            )
            serial = versions[-1].serial if versions else 0
            withdrawn: list[tuple[str, str, int]] = []
            added: list[ChangeRow] = []
            for subject, steps in wanted.items():
                found = diff(effective.get(subject, []), steps, work.from_ms)
                withdrawn += [("effective", subject, step.at_ms) for step in found.withdrawn]
                added += [
                    row_of(step, layer="effective", subject=subject, serial=serial) for step in found.added
                ]
            written = len(withdrawn) + len(added)
            await changes.withdraw(connection, withdrawn)
            await changes.add(connection, added)
            await changes.keep_place(connection, ROLE, work.place)
            if written:
                await changes.wake(connection)
        self._place = work.place
        self._metrics.changes.inc(written)


def _steps(rows: dict[str, list[ChangeRow]]) -> dict[str, list[Step]]:
    return {subject: [step_of(row) for row in found] for subject, found in rows.items()}
