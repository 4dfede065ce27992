"""The loop that keeps the public folder: made anew each minute, and soon after what it says has changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from monitor.errors import StoreUnavailable
from monitor.facts import Day
from monitor.judge.exclusions import Exclusion
from monitor.judge.incidents import Incident
from monitor.judge.outlook import Outlook
from monitor.judge.reach_of_work import covered
from monitor.judge.reading import exclusion_of
from monitor.judge.surroundings import Surroundings
from monitor.lifetime import Backoff, Stop
from monitor.log import Log
from monitor.public import folder as folders
from monitor.public.bars import DAYS
from monitor.public.metrics import WriteMetrics
from monitor.public.pages import Files, Pages
from monitor.public.told import Given, tell
from monitor.public.works import AHEAD_MS, OVERRUN_MS
from monitor.store import exclusions, incidents
from monitor.store import public as table
from monitor.store.lease import Lease
from monitor.store.pool import Store

log = Log(__name__)
LOOK_S = 5.0
EVERY_S = 60.0
DAY_MS = 86_400_000
AGAIN_MS = 120_000  # days are read again from a little before they were read last
BACK_MS = (DAYS + 1) * DAY_MS

_incident = msgspec.json.Decoder(Incident)


class Gatherer:
    """Reads what the pages are made of; the days of the past are read once, then what was made anew."""

    def __init__(self, store: Store) -> None:
        self._store, self._outlook = store, Outlook(store)
        self._zone, self._read_ms = "", 0
        self._reaching = Reaching()
        self._days: dict[str, dict[int, Day]] = {}

    async def gather(self) -> Given | None:
        """What is known now; None before the first catalogue. Raises StoreUnavailable."""
        if not await self._outlook.refresh():
            return None
        picture, now_ms = self._outlook.picture, self._outlook.now_ms
        await self._read_days(picture.catalogue.zone, now_ms)
        stored = await incidents.documents(self._store, closed_after_ms=now_ms - DAYS * DAY_MS)
        work = await exclusions.touching(
            self._store, from_ms=now_ms - 2 * OVERRUN_MS, to_ms=now_ms + AHEAD_MS
        )
        rows = [exclusion_of(row) for row in work]
        return Given(
            picture=picture,
            now_ms=now_ms,
            incidents=[_incident.decode(one) for one in stored],
            exclusions=await asyncio.to_thread(self._reaching.of, self._outlook.around, rows),
            said=await table.said_since(self._store, now_ms - DAYS * DAY_MS),
            days={path: [of[at] for at in sorted(of)] for path, of in self._days.items()},
        )

    async def _read_days(self, zone: str, now_ms: int) -> None:
        if zone != self._zone:
            self._zone, self._read_ms, self._days = zone, 0, {}
        from_ms = now_ms - BACK_MS
        rows = await table.days(
            self._store, zone=zone, from_ms=from_ms, made_after_ms=max(0, self._read_ms - AGAIN_MS)
        )
        for row in rows:
            self._days.setdefault(row.subject, {})[row.start_ms] = row
        for of in self._days.values():
            for at in [at for at in of if at < from_ms]:
                del of[at]
        self._read_ms = now_ms


class Reaching:
    """What announced work reaches by the catalogue in force; looked up once for each set of subjects."""

    def __init__(self) -> None:
        self._around: Surroundings | None = None
        self._known: dict[tuple[str, ...], tuple[str, ...]] = {}

    def of(self, around: Surroundings, works: Sequence[Exclusion]) -> list[Exclusion]:
        if around is not self._around:
            self._around, self._known = around, {}
        wanted = {each.subjects for each in works}
        self._known = {each: self._known.get(each) or covered(around, each) for each in wanted}
        return [replace(each, subjects=self._known[each.subjects]) for each in works]


class Publishing:
    """Writes the folder while this process leads."""

    def __init__(self, store: Store, *, folder: Path, url: str, lease: Lease, metrics: WriteMetrics) -> None:
        self._gatherer, self._pages = Gatherer(store), Pages(url)
        self._folder, self._lease, self._metrics = folder, lease, metrics
        self._said: object = None
        self._due_at = 0.0

    async def run(self, stop: Stop) -> None:
        """Until `stop`. Database away, or no place to write: wait and try again; nobody else is held up."""
        backoff = Backoff()
        while not stop.requested:
            try:
                if self._lease.held:
                    await self.look()
                backoff.reset()
                await stop.pause(LOOK_S)
            except StoreUnavailable as error:
                log.warning("public.store_away", why=str(error))
                await stop.pause(backoff.next_s())
            except OSError as error:
                self._metrics.failures.inc()
                log.error("public.not_written", folder=str(self._folder), why=str(error))
                await stop.pause(LOOK_S + backoff.next_s())

    async def look(self) -> bool:
        """Write a version when a minute has passed or something else is said; whether it was written.

        Raises StoreUnavailable, OSError.
        """
        given = await self._gatherer.gather()
        if given is None:
            return False
        said = await asyncio.to_thread(tell, given)
        if said == self._said and time.monotonic() < self._due_at:
            return False
        began = time.monotonic()
        await asyncio.to_thread(self._write, given)
        self._said, self._due_at = said, began + EVERY_S
        self._metrics.write_s.observe(time.monotonic() - began)
        self._metrics.written_s.set(time.time())
        return True

    def _write(self, given: Given) -> None:
        folders.write(self._folder, self._pages.files(given))


async def export(store: Store, *, url: str) -> Files | None:
    """The files of the pages as of now; None before the first catalogue. Raises StoreUnavailable."""
    given = await Gatherer(store).gather()
    return None if given is None else await asyncio.to_thread(Pages(url).files, given)
