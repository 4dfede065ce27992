"""A database that is up to date lets a role start at once, whoever else is migrating."""

from __future__ import annotations

import asyncio

import asyncpg

from monitor.store.migrate import LOCK, migrate, numbered

WAITS = """
    select exists (select from pg_locks join pg_database d on d.oid = database
                   where not granted and d.datname = current_database())
"""


async def test_a_start_waits_for_no_lock_when_nothing_is_left_to_apply(database: str) -> None:
    holder = await asyncpg.connect(database)
    try:
        await holder.execute("select pg_advisory_lock($1)", LOCK)
        async with asyncio.timeout(5):
            assert await migrate(database) == []
    finally:
        await holder.close()


async def test_a_start_that_has_something_to_apply_waits_for_whoever_does(database: str) -> None:
    holder = await asyncpg.connect(database)
    try:
        await holder.execute("delete from migration")
        await holder.execute("select pg_advisory_lock($1)", LOCK)
        waiting = asyncio.create_task(migrate(database))
        async with asyncio.timeout(5):
            while not await holder.fetchval(WAITS):  # noqa: ASYNC110 - the event is in PostgreSQL
                await asyncio.sleep(0.02)
        await holder.executemany(
            "insert into migration (name) values ($1)", [(file.name,) for file in numbered()]
        )
        await holder.execute("select pg_advisory_unlock($1)", LOCK)
        assert await waiting == []
    finally:
        await holder.close()
