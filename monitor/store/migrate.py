"""Applies the numbered migrations, each once, in order, under an advisory lock."""

from __future__ import annotations

from pathlib import Path

import asyncpg

from monitor.errors import MonitorError
from monitor.store.pool import ACQUIRE_S, reachable

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x636F6E74  # any number that nobody else locks


def numbered() -> list[Path]:
    """The migration files, `0001_what.sql` first."""
    return sorted(MIGRATIONS.glob("[0-9][0-9][0-9][0-9]_*.sql"))


async def migrate(dsn: str) -> list[str]:
    """Bring the database up to date; returns the names applied now.

    Raises StoreUnavailable, and MonitorError when the database is newer than this program.
    """
    with reachable():
        connection = await asyncpg.connect(dsn, timeout=ACQUIRE_S)
        try:
            if await _done(connection) == {file.name for file in numbered()}:
                return []  # as at nearly every start: then nobody waits for another who migrates
            await connection.execute("select pg_advisory_lock($1)", LOCK)
            return await _apply(connection)
        finally:
            await connection.close(timeout=ACQUIRE_S)


async def pending(dsn: str) -> list[str]:
    """Names of migrations that the database does not have yet."""
    with reachable():
        connection = await asyncpg.connect(dsn, timeout=ACQUIRE_S)
        try:
            done = await _done(connection)
        finally:
            await connection.close(timeout=ACQUIRE_S)
    return [file.name for file in numbered() if file.name not in done]


async def _done(connection: asyncpg.Connection) -> set[str]:
    if await connection.fetchval("select to_regclass('migration')") is None:
        return set()
    return {row["name"] for row in await connection.fetch("select name from migration")}


async def _apply(connection: asyncpg.Connection) -> list[str]:
    await connection.execute(
        "create table if not exists migration (name text primary key, at timestamptz not null default now())"
    )
    done, files = await _done(connection), numbered()
    if unknown := done - {file.name for file in files}:
        raise MonitorError(
            f"the database has migrations this program does not know: {', '.join(sorted(unknown))}; "
            "run the program that made them, or a newer one"
        )
    applied = []
    for file in files:
        if file.name in done:
            continue
        async with connection.transaction():
            await connection.execute(file.read_text(encoding="utf-8"))
            await connection.execute("insert into migration (name) values ($1)", file.name)
        applied.append(file.name)
    return applied
