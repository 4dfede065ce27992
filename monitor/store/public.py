"""What operators said to the public, and the days of services as the public pages show them."""

from __future__ import annotations

import asyncpg

from monitor.facts import Day, Said
from monitor.store.changes import wake
from monitor.store.pool import Store
from monitor.store.times import millis, millis_or_none, moment, moment_or_none
from monitor.store.tokens import audit


async def say(
    store: Store, incident: str, *, ar: str, en: str, next_update_ms: int | None, actor: str
) -> None:
    """Add to what the public is told of an incident, which must exist; it is published at once. Audited."""
    async with store.transaction() as connection:
        await connection.execute(
            "insert into public_message (incident, ar, en, next_update, said_by) values ($1, $2, $3, $4, $5)",
            incident,
            ar,
            en,
            moment_or_none(next_update_ms),
            actor,
        )
        await audit(connection, actor=actor, action="public.said", about=incident)
        await wake(connection)


async def said_since(store: Store, at_ms: int) -> list[Said]:
    """What was said of incidents that are open, or were closed since; the oldest first."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            "select m.* from public_message m join incident i on i.number = m.incident "
            "where i.closed_at is null or i.closed_at >= $1 order by m.id",
            moment(at_ms),
        )
    return [_said(row) for row in rows]


async def said_after(store: Store, incident: str, at_ms: int) -> bool:
    """Whether the public was told anything of it since."""
    async with store.connection() as connection:
        return bool(
            await connection.fetchval(
                "select exists (select from public_message where incident = $1 and said_at > $2)",
                incident,
                moment(at_ms),
            )
        )


async def said_of(store: Store, incident: str) -> list[Said]:
    """What was said of one incident, the oldest first."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            "select * from public_message where incident = $1 order by id", incident
        )
    return [_said(row) for row in rows]


def _said(row: asyncpg.Record) -> Said:
    due = row["next_update"]
    return Said(
        incident=row["incident"],
        ar=row["ar"],
        en=row["en"],
        next_update_ms=millis_or_none(due),
        said_ms=millis(row["said_at"]),
        said_by=row["said_by"],
    )


async def days(store: Store, *, zone: str, from_ms: int, made_after_ms: int = 0) -> list[Day]:
    """Days of services that begin at `from_ms` or later and were accounted after that instant."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            "select subject, start, says, availability, up_ms, degraded_ms, unknown_ms, down_ms, "
            "maintenance_ms, out_of_hours_ms from figure where zone = $1 and kind = 'day' and start >= $2 "
            "and computed_at > $3 and starts_with(subject, 'service:') and strpos(subject, '/') = 0",
            zone,
            moment(from_ms),
            moment(made_after_ms),
        )
    return [
        Day(
            row["subject"],
            millis(row["start"]),
            row["says"],
            None if row["availability"] is None else str(row["availability"]),
            *tuple(row)[4:],
        )
        for row in rows
    ]
