"""Leadership: a row with an epoch, renewed by PostgreSQL's clock, locked by every leader transaction."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import asyncpg

from monitor.errors import LeaseLost, StoreUnavailable
from monitor.lifetime import Backoff, Stop
from monitor.log import Log
from monitor.store.pool import Store

log = Log(__name__)
LEASE_S = 10
RENEW_S = 3
LEAVE_S = 2  # a stopping process waits no longer for a database that may be away


class Lease:
    """One role's leadership as seen by one process. `epoch` is 0 while it does not lead."""

    def __init__(self, store: Store, *, role: str, holder: str) -> None:
        self._store, self.role, self.holder = store, role, holder
        self.epoch = 0

    @property
    def held(self) -> bool:
        return self.epoch > 0

    async def lead(
        self,
        stop: Stop,
        turn: Callable[[], Awaitable[None]],
        *,
        afresh: Callable[[], None],
        rest: Callable[[], Awaitable[None]],
    ) -> None:
        """Take turns while this process leads, with rests between; until `stop`, then let a stand-by lead.

        `afresh`: the leadership came or went, so nothing that is remembered holds. Database away: wait and
        try again. Lease lost: become a stand-by.
        """
        backoff, renew_at = Backoff(), 0.0
        while not stop.requested:
            try:
                if time.monotonic() >= renew_at:
                    await self._take_or_renew(afresh)
                    renew_at = time.monotonic() + RENEW_S
                if self.held:
                    await turn()
                backoff.reset()
                await rest()
            except LeaseLost as error:
                event = f"{self.role}.lease_lost"
                log.warning(event, why=str(error))
                afresh()
                renew_at = 0.0
                await stop.pause(backoff.next_s())
            except StoreUnavailable as error:
                event = f"{self.role}.store_away"
                log.warning(event, why=str(error))
                await stop.pause(backoff.next_s())
        await self.leave()

    async def _take_or_renew(self, afresh: Callable[[], None]) -> None:
        led = self.epoch
        await self.take_or_renew()
        if self.epoch != led:
            event = f"{self.role}.leads" if self.held else f"{self.role}.stands_by"
            log.info(event, epoch=self.epoch)
            afresh()

    async def take_or_renew(self) -> bool:
        """True when this process leads for the next 10 s. Taking over raises the epoch.

        Raises StoreUnavailable; what was held stays held until a transaction finds otherwise.
        """
        async with self._store.connection() as connection:
            epoch = await connection.fetchval(
                """
                insert into lease as l (role, holder, epoch, until)
                values ($1, $2, 1, now() + make_interval(secs => $3))
                on conflict (role) do update
                   set holder = excluded.holder,
                       epoch = case when l.holder = excluded.holder and l.epoch = $4 then l.epoch
                                    else l.epoch + 1 end,
                       until = excluded.until
                 where (l.holder = excluded.holder and l.epoch = $4) or l.until < now()
                returning epoch
                """,
                self.role,
                self.holder,
                float(LEASE_S),
                self.epoch,
            )
        self.epoch = epoch or 0
        return self.held

    async def lock(self, connection: asyncpg.Connection) -> None:
        """First statement of every leader transaction. Raises LeaseLost when another epoch is in force."""
        row = await connection.fetchrow(
            "select 1 from lease where role = $1 and holder = $2 and epoch = $3 and until > now() for update",
            self.role,
            self.holder,
            self.epoch,
        )
        if row is None:
            self.epoch = 0
            raise LeaseLost(f"another process leads {self.role}")

    async def give_up(self) -> None:
        """Let a stand-by take over at once."""
        if self.held:
            async with self._store.connection() as connection:
                await connection.execute(
                    "update lease set until = now() where role = $1 and holder = $2 and epoch = $3",
                    self.role,
                    self.holder,
                    self.epoch,
                )
            self.epoch = 0

    async def leave(self) -> None:
        """The same at the end of a process: within a bound, and a database that is away stops nobody."""
        try:
            async with asyncio.timeout(LEAVE_S):
                await self.give_up()
        except (StoreUnavailable, TimeoutError):
            event = f"{self.role}.lease_left_to_expire"
            log.warning(event)
