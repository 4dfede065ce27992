"""What only sample data may do: have existed before it was first written down."""

from __future__ import annotations

import asyncpg

from monitor.store.times import moment


async def existed_before(connection: asyncpg.Connection, *, from_ms: int, first_ms: int) -> None:
    """Whoever has existed since `first_ms`, when the first catalogue came, has since `from_ms`."""
    await connection.execute(
        "update membership set during = tstzrange($1, upper(during)) where lower(during) = $2",
        moment(from_ms),
        moment(first_ms),
    )
