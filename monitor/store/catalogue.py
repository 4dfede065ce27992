"""Versions of the catalogue, who summed into whom, and the last edit that was refused."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
import msgspec

from monitor.model import Catalogue, Version
from monitor.offered import Offered
from monitor.store.pool import Store
from monitor.store.times import millis, moment

_document = msgspec.json.Decoder(Catalogue)
_offered = msgspec.json.Decoder(Offered)


def _version(row: asyncpg.Record) -> Version:
    return Version(
        serial=row["serial"],
        sha256=row["sha256"],
        valid_from_ms=millis(row["valid_from"]),
        catalogue=_document.decode(row["document"]),
    )


async def newest(connection: asyncpg.Connection) -> Version | None:
    """The version published last, in force or about to be."""
    row = await connection.fetchrow("select * from catalogue order by serial desc limit 1")
    return _version(row) if row else None


async def versions(store: Store, *, after_serial: int, since_ms: int) -> list[Version]:
    """Versions above `after_serial` that were in force at `since_ms` or later, oldest first."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            """
            select * from catalogue where serial > $1 and serial >= coalesce(
                (select max(serial) from catalogue where valid_from <= $2), 0) order by serial
            """,
            after_serial,
            moment(since_ms),
        )
    return [_version(row) for row in rows]


async def offered(store: Store, *, since_ms: int) -> list[tuple[int, Offered]]:
    """What each version in force at `since_ms` or later says of hours, and since when; oldest first."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            """
            select valid_from, document from catalogue where serial >= coalesce(
                (select max(serial) from catalogue where valid_from <= $1), 0) order by serial
            """,
            moment(since_ms),
        )
    return [(millis(row["valid_from"]), _offered.decode(row["document"])) for row in rows]


async def add(connection: asyncpg.Connection, *, sha256: str, document: bytes, valid_from_ms: int) -> int:
    """Store a version; returns its serial. The caller holds derive's lease."""
    serial: int = await connection.fetchval(
        "insert into catalogue (sha256, valid_from, document) values ($1, $2, $3) returning serial",
        sha256,
        moment(valid_from_ms),
        document.decode(),
    )
    return serial


async def set_membership(
    connection: asyncpg.Connection, pairs: Sequence[tuple[str, str]], *, from_ms: int
) -> None:
    """From `from_ms` on exactly these (subject, parent) pairs hold; others end, new ones begin."""
    at = moment(from_ms)
    subjects = [subject for subject, _ in pairs]
    parents = [parent for _, parent in pairs]
    await connection.execute(
        """
        update membership m set during = tstzrange(lower(m.during), $3)
         where upper_inf(m.during) and lower(m.during) < $3
           and not exists (select from unnest($1::text[], $2::text[]) u(subject, parent)
                            where u.subject = m.subject and u.parent = m.parent)
        """,
        subjects,
        parents,
        at,
    )
    await connection.execute(
        """
        insert into membership (subject, parent, during)
        select u.subject, u.parent, tstzrange($3, null) from unnest($1::text[], $2::text[]) u(subject, parent)
         where not exists (select from membership m where m.subject = u.subject and m.parent = u.parent
                            and upper_inf(m.during))
        on conflict do nothing
        """,
        subjects,
        parents,
        at,
    )


async def refuse(connection: asyncpg.Connection, problems: Sequence[str]) -> None:
    """Remember that the last edit was refused, and why; no problems: it was taken."""
    if problems:
        await connection.execute(
            "insert into refused (problems, at) values ($1, now()) "
            "on conflict (single) do update set problems = excluded.problems, at = excluded.at",
            msgspec.json.encode(list(problems)).decode(),
        )
    else:
        await connection.execute("delete from refused")
