"""The pool of connections, and the one place where "PostgreSQL is away" gets its name."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg

from monitor.errors import BadRow, StoreUnavailable

AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, starting up
    asyncpg.InsufficientResourcesError,  # too many connections, disk full
    asyncpg.InternalClientError,  # what the pool says when a restart cuts a query in half
    asyncpg.InterfaceError,  # the connection was closed under us
)
ACQUIRE_S = 5.0
COMMAND_S = 30.0
CLOSE_S = 5.0


@contextmanager
def reachable() -> Iterator[None]:
    """Raises StoreUnavailable when PostgreSQL cannot answer now, BadRow when it refuses a row."""
    try:
        yield
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
        raise BadRow(f"{type(error).__name__}: {error}") from error
    except AWAY as error:
        raise StoreUnavailable(f"PostgreSQL: {type(error).__name__}: {error}") from error


class Store:
    """A pool with deadlines: every statement has one, and so has the wait for a connection."""

    def __init__(self, pool: asyncpg.Pool, waited: Callable[[float], None]) -> None:
        self.pool = pool
        self._waited = waited

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """One connection. Raises StoreUnavailable when there is none within 5 s, or when it breaks."""
        began = time.perf_counter()
        with reachable():
            async with self.pool.acquire(timeout=ACQUIRE_S) as connection:
                self._waited(time.perf_counter() - began)
                yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[asyncpg.Connection]:
        """One transaction; rolled back by any exception."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Store]:
        """A store that only reads, on one connection, and whose every read sees the same instant."""
        async with (
            self.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield _Snapshot(self, connection)


class _Snapshot(Store):
    """Reads one after another within one transaction."""

    def __init__(self, store: Store, connection: asyncpg.Connection) -> None:
        super().__init__(store.pool, store._waited)
        self._only = connection

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        yield self._only


def _ignore(_: float) -> None:
    pass


@asynccontextmanager
async def open_store(
    dsn: str, *, size: int = 4, waited: Callable[[float], None] = _ignore, application: str = "continuity"
) -> AsyncIterator[Store]:
    """The store, opened without waiting for PostgreSQL to be there; closed within 5 s."""
    pool = asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=size,
        timeout=ACQUIRE_S,
        command_timeout=COMMAND_S,
        max_inactive_connection_lifetime=300.0,
        server_settings={"application_name": application, "timezone": "UTC"},
    )
    with reachable():
        await pool
    try:
        yield Store(pool, waited)
    finally:
        try:
            async with asyncio.timeout(CLOSE_S):
                await pool.close()
        except (TimeoutError, *AWAY):
            pool.terminate()
