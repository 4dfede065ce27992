"""The bell that wakes followers: an empty NOTIFY, and a tick for when it was missed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg

from monitor.lifetime import Backoff, Stop, first_of
from monitor.log import Log
from monitor.store.changes import WAKE
from monitor.store.pool import ACQUIRE_S, AWAY

log = Log(__name__)


class Bell:
    """Rings when somebody wrote changes. Missing a ring costs one tick, never a change."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def wait(self, at_most_s: float, stop: Stop) -> None:
        """Until rung, stopped or `at_most_s` have passed."""
        await first_of(self._rung.wait(), stop.wait(), within_s=at_most_s)
        self._rung.clear()


@asynccontextmanager
async def listening(dsn: str, bell: Bell) -> AsyncIterator[None]:
    """Keep one connection that listens, reopened with growing pauses when PostgreSQL goes away."""
    stop = Stop()
    task = asyncio.create_task(_listen(dsn, bell, stop), name="listen")
    try:
        yield
    finally:
        stop.request()
        await task


async def _listen(dsn: str, bell: Bell, stop: Stop) -> None:
    backoff = Backoff()
    while not stop.requested:
        lost = asyncio.Event()
        connection: asyncpg.Connection | None = None
        try:
            connection = await asyncpg.connect(dsn, timeout=ACQUIRE_S)
            connection.add_termination_listener(lambda *_, lost=lost: lost.set())
            await connection.add_listener(WAKE, lambda *_: bell.ring())
            backoff.reset()
            await first_of(lost.wait(), stop.wait())
        except AWAY as error:
            log.warning("listen.away", why=f"{type(error).__name__}: {error}")
        finally:
            if connection is not None and not connection.is_closed():
                with suppress(*AWAY):
                    await connection.close(timeout=1)
        if not stop.requested:
            await stop.pause(backoff.next_s())
