"""What a shift saw of incidents, and what it told the next one."""

from __future__ import annotations

from typing import NamedTuple

from monitor.store.changes import wake
from monitor.store.incidents import Kept, kept_of
from monitor.store.pool import Store
from monitor.store.times import millis, millis_or_none, moment
from monitor.store.tokens import audit

MOST = 500


class HandOver(NamedTuple):
    """A signed note from one shift to the next."""

    since_ms: int
    at_ms: int
    author: str
    text: str


async def opened_since(store: Store, *, from_ms: int) -> list[str]:
    """Numbers of the incidents opened since then, but those found to be part of another."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            "select number from incident where opened_at >= $1 and state <> 'absorbed' "
            "order by opened_at, number limit $2",
            moment(from_ms),
            MOST,
        )
    return [row["number"] for row in rows]


async def closed_since(store: Store, *, from_ms: int) -> list[Kept]:
    """Incidents closed since then, the newest first, but those found to be part of another."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            "select document, acknowledged_at, acknowledged_by from incident "
            "where state = 'closed' and closed_at >= $1 order by closed_at desc, number desc limit $2",
            moment(from_ms),
            MOST,
        )
    return [kept_of(row) for row in rows]


async def hand_overs(store: Store, *, from_ms: int) -> list[HandOver]:
    """Notes signed since then and the last one before, the newest first."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            "select since, at, author, text from hand_over "
            "where at >= coalesce((select max(at) from hand_over where at < $1), $1) "
            "order by at desc, id desc limit $2",
            moment(from_ms),
            MOST,
        )
    return [HandOver(millis(row["since"]), millis(row["at"]), row["author"], row["text"]) for row in rows]


async def last_hand_over(store: Store) -> int | None:
    """When a shift was last handed over."""
    async with store.connection() as connection:
        at = await connection.fetchval("select max(at) from hand_over")
    return millis_or_none(at)


async def hand_over(store: Store, *, since_ms: int, author: str, text: str) -> None:
    """Sign the note of the shift that began at `since_ms`; audited."""
    async with store.transaction() as connection:
        await connection.execute(
            "insert into hand_over (since, author, text) values ($1, $2, $3)", moment(since_ms), author, text
        )
        await audit(connection, actor=author, action="shift.handed_over", about="shift")
        await wake(connection)
