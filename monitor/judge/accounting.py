"""The loop that keeps the figures: of each day as it goes by, and again when more became known about it.

One of derive's processes leads it by a lease of its own, so that a long pass holds up no verdict.
"""

from __future__ import annotations

import asyncio
import time

from monitor.facts import FigureClock, FigureRow
from monitor.judge.periods import Kind
from monitor.judge.terms import Terms, terms_of
from monitor.judge.totals import Totals, Work, plan
from monitor.lifetime import Stop
from monitor.log import Log
from monitor.metrics import AccountingMetrics
from monitor.store import changes, figures, read
from monitor.store.changes import Cursor, Place
from monitor.store.lease import RENEW_S, Lease
from monitor.store.pool import Store

log = Log(__name__)
ROLE = "accounting"
TICK_S = 1.0
EVERY_S = 30.0  # between two passes when nothing presses
SHARE = 20  # a pass may take one part in so many of the time
BATCH = 2000


class Accounting:
    """Leads while it holds the lease; a stand-by only tries to take it."""

    def __init__(
        self, store: Store, *, lease: Lease, metrics: AccountingMetrics, every_s: float = EVERY_S
    ) -> None:
        self._store, self._lease, self._metrics, self._every_s = store, lease, metrics, every_s
        self._totals = Totals(store)
        self._cursor: Cursor | None = None
        self._terms: tuple[int, Terms] | None = None
        self._pass_at = self._rested_at = 0.0

    async def run(self, stop: Stop) -> None:
        """Until `stop`."""
        await self._lease.lead(stop, self._turn, afresh=self._forget, rest=lambda: stop.pause(TICK_S))

    async def _turn(self) -> None:
        await self.follow()
        if await self._presses():
            await self._timed_pass()

    def _forget(self) -> None:
        self._cursor, self._terms, self._pass_at, self._rested_at = None, None, 0.0, 0.0
        self._totals.forget()

    async def _presses(self) -> bool:
        """Whether a pass is due: as time goes by, and as soon as may be where figures no longer hold."""
        at = time.monotonic()
        return at >= self._pass_at or (at >= self._rested_at and bool(await figures.dirty(self._store)))

    async def _timed_pass(self) -> None:
        began = time.monotonic()
        more = await self.settle()
        took_s = time.monotonic() - began
        self._metrics.pass_s.observe(took_s)
        rest_s = took_s if more else took_s * SHARE
        self._rested_at = time.monotonic() + rest_s
        self._pass_at = self._rested_at if more else time.monotonic() + max(self._every_s, rest_s)

    async def follow(self) -> None:
        """Read the changes since the last time; mark what was already accounted and no longer holds."""
        terms = await self._terms_now()
        if terms is None:
            return
        async with self._store.connection() as connection:
            if self._cursor is None:
                self._cursor = (await changes.place(connection, ROLE)).cursor
        clock = await figures.clock(self._store, terms.zone.key)
        settled_ms = terms.period(Kind.DAY, clock.until_ms).start_ms if clock else 0
        while True:
            async with self._store.transaction() as connection:
                await self._lease.lock(connection)
                found = await changes.follow(connection, self._cursor, layer="effective", limit=BATCH)
                if not found:
                    return
                late: dict[str, int] = {}
                for change in found:
                    if change.at_ms < settled_ms:
                        late[change.subject] = min(change.at_ms, late.get(change.subject, change.at_ms))
                await figures.mark(connection, late)
                await changes.keep_place(connection, ROLE, Place(found[-1].cursor, 0))
            self._cursor = found[-1].cursor

    async def _terms_now(self) -> Terms | None:
        serial = await read.serial_in_force(self._store)
        if serial and (self._terms is None or self._terms[0] != serial):
            version = await read.version(self._store, serial)
            self._terms = serial, terms_of(version.catalogue)
        return self._terms[1] if self._terms else None

    async def settle(self) -> bool:
        """One pass over what time and knowledge have added; True when there is more to do at once."""
        work = await self._next()
        if work is None:
            return False
        rows = await self._made(work)
        zone = work.terms.zone.key
        async with self._store.transaction() as connection:
            await self._lease.lock(connection)
            for kind, begins_ms in work.replaced():
                await figures.forget(connection, zone=zone, kind=kind.value, but_ms=begins_ms)
            await figures.write(connection, rows)
            await figures.clean(connection, work.marks, until_ms=work.marks_until_ms)
            await figures.keep_clock(connection, zone, FigureClock(work.until_ms, work.terms.written))
        self._metrics.figures.inc(len(rows))
        self._metrics.until_s.set(work.until_ms / 1000)
        return work.more

    async def _made(self, work: Work) -> list[FigureRow]:
        """The rows of a pass. It may take longer than the lease lasts: that is renewed meanwhile."""
        making = asyncio.create_task(self._totals.rows(work), name="figures")
        try:
            while not making.done():
                await asyncio.wait([making], timeout=RENEW_S)
                await self._lease.take_or_renew()
            return await making
        finally:
            making.cancel()

    async def _next(self) -> Work | None:
        """What to do now; None when nothing is new, or nothing was judged yet."""
        terms = await self._terms_now()
        as_of_ms, began_ms = await figures.judged_until(self._store), await figures.began(self._store)
        if terms is None or as_of_ms is None or began_ms is None:
            return None
        clock = await figures.clock(self._store, terms.zone.key)
        anew = clock is None or clock.terms != terms.written
        since_ms = began_ms if clock is None or anew else clock.until_ms
        return plan(
            terms,
            await figures.dirty(self._store),
            began_ms=began_ms,
            since_ms=since_ms,
            as_of_ms=as_of_ms,
            anew=anew,
        )
