"""Announced stretches of time: added, approved once, finished once, never edited; each act is audited."""

from __future__ import annotations

from collections.abc import Collection

import asyncpg

from monitor.facts import ExclusionRow
from monitor.store.pool import Store
from monitor.store.times import millis, moment
from monitor.store.tokens import audit


async def announce(
    connection: asyncpg.Connection,
    *,
    kind: str,
    subjects: Collection[str],
    from_ms: int,
    to_ms: int,
    why: str,
    by: str,
    extends: int | None = None,
) -> int:
    """Announce a stretch of time, as of now; returns its number. Raises BadRow when it is empty."""
    number: int = await connection.fetchval(
        "insert into exclusion (kind, subjects, during, why, announced_by, extends) "
        "values ($1, $2, tstzrange($3, $4), $5, $6, $7) returning id",
        kind,
        list(subjects),
        moment(from_ms),
        moment(to_ms),
        why,
        by,
        extends,
    )
    await _trace(connection, number, by=by, action="exclusion.announced")
    return number


async def approve(connection: asyncpg.Connection, number: int, *, by: str) -> bool:
    """The committee lets it stand; False when it already did, or there is no such exclusion."""
    found = await connection.fetchval(
        "update exclusion set approved_at = now(), approved_by = $2 "
        "where id = $1 and approved_at is null returning id",
        number,
        by,
    )
    if found is not None:
        await _trace(connection, number, by=by, action="exclusion.approved")
    return found is not None


async def finish(connection: asyncpg.Connection, number: int, *, by: str) -> bool:
    """It ends now; before its beginning: it is called off. False when it was over, or there is none."""
    found = await connection.fetchval(
        "update exclusion set finished_at = now(), finished_by = $2 "
        "where id = $1 and finished_at is null and upper(during) > now() returning id",
        number,
        by,
    )
    if found is not None:
        await _trace(connection, number, by=by, action="exclusion.finished")
    return found is not None


async def _trace(connection: asyncpg.Connection, number: int, *, by: str, action: str) -> None:
    """Who did it, and that figures of its time no longer hold."""
    await audit(connection, actor=by, action=action, about=f"exclusion:{number}")
    await connection.execute(
        "insert into figure_dirty (subject, since, until) "
        "select s.subject, lower(during), upper(during) from exclusion, unnest(subjects) s(subject) "
        "where id = $1",
        number,
    )


async def touching(store: Store, *, from_ms: int, to_ms: int) -> list[ExclusionRow]:
    """Exclusions that share an instant with [from, to), with who was down when each was announced."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            """
            select e.*, lower(during) as began, upper(during) as ended, array(
                select distinct c.subject
                  from unnest(e.subjects) named(subject)
                  join lateral (select named.subject union select m.subject from membership m
                                 where starts_with(m.subject, named.subject || '/')) below on true
                  join lateral (select subject, verdict from change
                                 where subject = below.subject and layer = 'effective'
                                   and withdrawn_at is null and at <= e.announced_at
                                 order by at desc limit 1) c on c.verdict = 'down'
                 order by 1) as down
              from exclusion e where during && tstzrange($1, $2) order by id
            """,
            moment(from_ms),
            moment(to_ms),
        )
    return [_row(row) for row in rows]


def _row(row: asyncpg.Record) -> ExclusionRow:
    approved_at, finished_at = row["approved_at"], row["finished_at"]
    return ExclusionRow(
        id=row["id"],
        kind=row["kind"],
        subjects=row["subjects"],
        from_ms=millis(row["began"]),
        to_ms=millis(row["ended"]),
        why=row["why"],
        announced_at_ms=millis(row["announced_at"]),
        announced_by=row["announced_by"],
        extends=row["extends"],
        approved_at_ms=None if approved_at is None else millis(approved_at),
        approved_by=row["approved_by"],
        finished_at_ms=None if finished_at is None else millis(finished_at),
        down=row["down"],
    )
