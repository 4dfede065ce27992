"""What became true when: written by withdrawing and adding, read by cursor, never rewritten."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import asyncpg

from monitor.store.times import millis, moment

WAKE = "continuity"  # the channel of the empty NOTIFY


class ChangeRow(NamedTuple):
    """One change: layer is vantage, check, measured or effective; evidence is JSON."""

    layer: str
    subject: str
    at_ms: int
    verdict: str
    reason: str
    cause: str
    evidence: str
    serial: int


class Cursor(NamedTuple):
    """A follower's place: the last transaction and row it has read."""

    tx: int
    id: int


START = Cursor(0, 0)


class Followed(NamedTuple):
    """A change as a follower meets it: standing when `withdrawn` is False."""

    cursor: Cursor
    layer: str
    subject: str
    at_ms: int
    withdrawn: bool


async def withdraw(connection: asyncpg.Connection, keys: Sequence[tuple[str, str, int]]) -> None:
    """(layer, subject, at_ms) each: no longer held to be true, as of this transaction."""
    if keys:
        layers, subjects, ats = zip(*keys, strict=True)
        await connection.execute(
            """
            update change c set withdrawn_at = now(), tx = pg_current_xact_id()
              from unnest($1::text[], $2::text[], $3::timestamptz[]) u(layer, subject, at)
             where c.layer = u.layer and c.subject = u.subject and c.at = u.at and c.withdrawn_at is null
            """,
            list(layers),
            list(subjects),
            [moment(at) for at in ats],
        )


async def add(connection: asyncpg.Connection, rows: Sequence[ChangeRow]) -> None:
    """New changes; wakes the followers when the transaction commits."""
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        columns[2] = [moment(at) for at in columns[2]]
        await connection.execute(
            """
            insert into change (layer, subject, at, verdict, reason, cause, evidence, serial)
            select * from unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::text[],
                                 $6::text[], $7::jsonb[], $8::bigint[])
            """,
            *columns,
        )


async def wake(connection: asyncpg.Connection) -> None:
    await connection.execute(f"notify {WAKE}")


async def follow(
    connection: asyncpg.Connection, cursor: Cursor, *, layer: str, limit: int = 2000
) -> list[Followed]:
    """Changes of a layer after `cursor`, in (tx, id) order, below every open transaction (T43)."""
    rows = await connection.fetch(
        """
        select tx::text::bigint as tx, id, layer, subject, at, withdrawn_at is not null as withdrawn
          from change
         where (tx, id) > ($1::text::xid8, $2) and tx < pg_snapshot_xmin(pg_current_snapshot()) and layer = $3
         order by tx, id limit $4
        """,
        str(cursor.tx),
        cursor.id,
        layer,
        limit,
    )
    return [
        Followed(
            Cursor(row["tx"], row["id"]), row["layer"], row["subject"], millis(row["at"]), row["withdrawn"]
        )
        for row in rows
    ]


async def standing(
    connection: asyncpg.Connection, *, layer: str, subjects: Iterable[str], from_ms: int
) -> dict[str, list[ChangeRow]]:
    """Per subject, the standing changes from `from_ms` on and the last one before it, oldest first."""
    rows = await connection.fetch(
        """
        select c.layer, c.subject, c.at, c.verdict, c.reason, c.cause, c.evidence, c.serial
          from unnest($2::text[]) s(subject)
          join change c on c.subject = s.subject and c.layer = $1 and c.withdrawn_at is null
           and c.at >= coalesce((select max(b.at) from change b where b.subject = s.subject and b.layer = $1
                                  and b.withdrawn_at is null and b.at < $3), '-infinity'::timestamptz)
         order by c.subject, c.at
        """,
        layer,
        list(subjects),
        moment(from_ms),
    )
    found: dict[str, list[ChangeRow]] = {}
    for row in rows:
        found.setdefault(row["subject"], []).append(
            ChangeRow(row["layer"], row["subject"], millis(row["at"]), *tuple(row)[3:])
        )
    return found


class Place(NamedTuple):
    """Where a follower stands, and the version of the catalogue it last worked under."""

    cursor: Cursor
    serial: int


async def place(connection: asyncpg.Connection, role: str) -> Place:
    """Where a follower stands; the start when it never read."""
    row = await connection.fetchrow(
        "select tx::text::bigint as tx, id, serial from follower where role = $1", role
    )
    return Place(Cursor(row["tx"], row["id"]), row["serial"]) if row else Place(START, 0)


async def keep_place(connection: asyncpg.Connection, role: str, at: Place) -> None:
    """In the transaction of what the follower wrote; also says that the follower lives."""
    await connection.execute(
        "insert into follower (role, tx, id, serial, at) values ($1, $2::text::xid8, $3, $4, now()) "
        "on conflict (role) do update "
        "set tx = excluded.tx, id = excluded.id, serial = excluded.serial, at = excluded.at",
        role,
        str(at.cursor.tx),
        at.cursor.id,
        at.serial,
    )
