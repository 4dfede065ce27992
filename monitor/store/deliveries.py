"""What became of messages to receivers, for readers; nothing where this installation sends none yet."""

from __future__ import annotations

from typing import NamedTuple

import asyncpg

from monitor.store.pool import Store
from monitor.store.times import millis, moment

MOST = 200


class Delivery(NamedTuple):
    """A message to a receiver. `said` is what became of the last try."""

    incident: str
    receiver: str
    why: str  # notice | second | reminder
    state: str  # waiting | sent | failed | dropped
    tries: int
    said: str
    made_ms: int
    done_ms: int | None


async def of_incident(store: Store, number: str) -> list[Delivery]:
    """Of one incident, in the order in which they were decided."""
    return await _read(store, "incident = $1 order by id limit $2", number) or []


async def undelivered(store: Store, *, from_ms: int) -> list[Delivery] | None:
    """Given up since then, or tried in vain so far, the newest first; None: nothing is delivered here."""
    where = (
        "made_at >= $1 and (state = 'failed' or (state = 'waiting' and tries > 0)) order by id desc limit $2"
    )
    return await _read(store, where, moment(from_ms))


async def _read(store: Store, where: str, *values: object) -> list[Delivery] | None:
    async with store.connection() as connection:
        if await connection.fetchval("select to_regclass('delivery')") is None:
            return None
        rows = await connection.fetch(
            "select incident, receiver, why, state, tries, said, made_at, done_at from delivery "  # noqa: S608
            f"where {where}",
            *values,
            MOST,
        )
    return [_delivery(row) for row in rows]


def _delivery(row: asyncpg.Record) -> Delivery:
    done_at = row["done_at"]
    return Delivery(
        row["incident"],
        row["receiver"],
        row["why"],
        row["state"],
        row["tries"],
        row["said"],
        millis(row["made_at"]),
        None if done_at is None else millis(done_at),
    )
