"""What entities answered about a period: added, withdrawn once, never edited; each act is audited."""

from __future__ import annotations

from typing import NamedTuple

import asyncpg

from monitor.facts import ReplyRow
from monitor.store.pool import Store
from monitor.store.times import millis, millis_or_none, moment
from monitor.store.tokens import audit


class Said(NamedTuple):
    """A reply to be kept. `code`, or `subject` with `began_ms`: the figure or outage it is about."""

    entity: str
    label: str
    code: str
    subject: str
    began_ms: int | None
    incident: str
    ar: str
    en: str
    by: str
    on_behalf: bool  # `by` is not of the entity


async def add(connection: asyncpg.Connection, said: Said) -> int:
    """Keep it; returns its number."""
    began = None if said.began_ms is None else moment(said.began_ms)
    number: int = await connection.fetchval(
        "insert into report_reply (entity, label, code, subject, began, incident, ar, en, said_by, "
        "on_behalf) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning id",
        *said[:4],
        began,
        *said[5:],
    )
    await audit(connection, actor=said.by, action="report.replied", about=_about(said.label, number))
    return number


async def withdraw(connection: asyncpg.Connection, number: int, *, by: str) -> ReplyRow | None:
    """It no longer stands; None when it did not, or there is none of that number."""
    row = await connection.fetchrow(
        "update report_reply set withdrawn_at = now(), withdrawn_by = $2 "
        "where id = $1 and withdrawn_at is null returning *",
        number,
        by,
    )
    if row is None:
        return None
    await audit(connection, actor=by, action="report.reply_withdrawn", about=_about(row["label"], number))
    return _reply(row)


async def hold(connection: asyncpg.Connection) -> None:
    """Wait for replies on their way; none comes in or is withdrawn until the transaction ends."""
    await connection.execute("lock table report_reply in share mode")


async def standing(connection: asyncpg.Connection, *, label: str, entity: str | None) -> list[ReplyRow]:
    """Those that stand, by entity, oldest first; of one entity, or of all."""
    rows = await connection.fetch(
        "select * from report_reply where label = $1 and ($2::text is null or entity = $2) "
        "and withdrawn_at is null order by entity, id",
        label,
        entity,
    )
    return [_reply(row) for row in rows]


async def count(connection: asyncpg.Connection, *, label: str, entity: str) -> int:
    """How many there are of an entity about a period, withdrawn ones too."""
    found: int = await connection.fetchval(
        "select count(*) from report_reply where label = $1 and entity = $2", label, entity
    )
    return found


async def listed(store: Store, *, label: str, entity: str | None, limit: int) -> list[ReplyRow]:
    """All of a period, withdrawn ones too, by entity, oldest first."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            "select * from report_reply where label = $1 and ($2::text is null or entity = $2) "
            "order by entity, id limit $3",
            label,
            entity,
            limit,
        )
    return [_reply(row) for row in rows]


async def one(store: Store, number: int) -> ReplyRow | None:
    """The reply of that number."""
    async with store.connection() as connection:
        row = await connection.fetchrow("select * from report_reply where id = $1", number)
    return None if row is None else _reply(row)


def _about(label: str, number: int) -> str:
    return f"reply:{label}/{number}"


def _reply(row: asyncpg.Record) -> ReplyRow:
    return ReplyRow(
        number=row["id"],
        entity=row["entity"],
        label=row["label"],
        code=row["code"],
        subject=row["subject"],
        began_ms=millis_or_none(row["began"]),
        incident=row["incident"],
        ar=row["ar"],
        en=row["en"],
        by=row["said_by"],
        on_behalf=row["on_behalf"],
        said_ms=millis(row["said_at"]),
        withdrawn_ms=millis_or_none(row["withdrawn_at"]),
        withdrawn_by=row["withdrawn_by"],
    )
