"""Announced stretches of time: added, approved once, finished once, never edited; each act is audited."""

from __future__ import annotations

from collections.abc import Collection

import asyncpg

from monitor.facts import ExclusionRow
from monitor.store.pool import Store
from monitor.store.times import millis, millis_or_none, moment
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
    filing: str = "work",
    document: str = "{}",
    series: int | None = None,
) -> int:
    """Announce a stretch of time, as of now; returns its number. Raises BadRow when it is empty."""
    number: int = await connection.fetchval(
        "insert into exclusion "
        "(kind, subjects, during, why, announced_by, extends, filing, document, series) "
        "values ($1, $2, tstzrange($3, $4), $5, $6, $7, $8, $9, $10) returning id",
        kind,
        list(subjects),
        moment(from_ms),
        moment(to_ms),
        why,
        by,
        extends,
        filing,
        document,
        series,
    )
    await _trace(connection, number, by=by, action="exclusion.announced")
    return number


async def approve(connection: asyncpg.Connection, number: int, *, by: str, why: str = "") -> bool:
    """The committee lets it stand; False when it ruled already, or there is no such exclusion."""
    found = await connection.fetchval(
        "update exclusion set approved_at = now(), approved_by = $2, ruling_why = $3 "
        "where id = $1 and approved_at is null and rejected_at is null returning id",
        number,
        by,
        why,
    )
    if found is not None:
        await _trace(connection, number, by=by, action="exclusion.approved", detail={"why": why})
    return found is not None


async def reject(connection: asyncpg.Connection, number: int, *, by: str, why: str) -> bool:
    """The committee lets it count; False when it ruled already, or there is no such exclusion."""
    found = await connection.fetchval(
        "update exclusion set rejected_at = now(), rejected_by = $2, ruling_why = $3 "
        "where id = $1 and approved_at is null and rejected_at is null returning id",
        number,
        by,
        why,
    )
    if found is not None:
        await _trace(connection, number, by=by, action="exclusion.rejected", detail={"why": why})
    return found is not None


async def finish(connection: asyncpg.Connection, number: int, *, by: str, rolled_back: bool = False) -> bool:
    """It ends now; before its beginning: it is called off. False when it was over, or there is none."""
    found = await connection.fetchval(
        "update exclusion set finished_at = now(), finished_by = $2 "
        "where id = $1 and finished_at is null and upper(during) > now() returning id",
        number,
        by,
    )
    if found is not None:
        await _trace(
            connection, number, by=by, action="exclusion.rolled_back" if rolled_back else "exclusion.finished"
        )
    return found is not None


async def locked(connection: asyncpg.Connection, number: int) -> None:
    """Until this transaction ends nobody else acts on it."""
    await connection.execute("select from exclusion where id = $1 for update", number)


async def tell(connection: asyncpg.Connection, number: int, topic: str, *, severity: str = "warning") -> None:
    """Into the outbox: those affected are to be told."""
    await connection.execute(
        "insert into notice (exclusion, topic, severity) values ($1, $2, $3)", number, topic, severity
    )


async def ask_about_ends(connection: asyncpg.Connection, *, before_s: float) -> list[int]:
    """Numbers of planned work that ends so soon and that nobody was asked about; each is given once."""
    rows = await connection.fetch(
        """
        update exclusion e set asked_at = now()
         where filing = 'work' and asked_at is null and finished_at is null and lower(during) <= now()
           and upper(during) > now() and upper(during) <= now() + make_interval(secs => $1)
           and not exists (select from exclusion x where x.extends = e.id) returning id
        """,
        before_s,
    )
    return sorted(row["id"] for row in rows)


async def _trace(
    connection: asyncpg.Connection, number: int, *, by: str, action: str, detail: object = None
) -> None:
    """Who did it, and that figures of its time no longer hold."""
    await audit(connection, actor=by, action=action, about=f"exclusion:{number}", detail=detail)
    await connection.execute(
        "insert into figure_dirty (subject, since, until) "
        "select s.subject, lower(during), upper(during) from exclusion, unnest(subjects) s(subject) "
        "where id = $1",
        number,
    )


_READ = """
    select e.*, lower(during) as began, upper(during) as ended, array(
        select distinct c.subject
          from (select unnest(e.subjects) as subject
                 union select subject from membership where parent = any (e.subjects)) below
          join lateral (select subject, verdict from change
                         where subject = below.subject and layer = 'effective'
                           and withdrawn_at is null and at <= e.announced_at
                         order by at desc limit 1) c on c.verdict = 'down'
         order by 1) as down
      from exclusion e
"""


async def touching(store: Store, *, from_ms: int, to_ms: int) -> list[ExclusionRow]:
    """Exclusions that share an instant with [from, to), with who was down when each was announced."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            f"{_READ} where during && tstzrange($1, $2) order by id", moment(from_ms), moment(to_ms)
        )
    return [_row(row) for row in rows]


async def one(store: Store, number: int) -> ExclusionRow | None:
    """The exclusion of that number."""
    async with store.connection() as connection:
        row = await connection.fetchrow(f"{_READ} where id = $1", number)
    return None if row is None else _row(row)


async def one_within(connection: asyncpg.Connection, number: int) -> ExclusionRow | None:
    """The same, within a transaction."""
    row = await connection.fetchrow(f"{_READ} where id = $1", number)
    return None if row is None else _row(row)


async def latest(store: Store, *, limit: int) -> list[ExclusionRow]:
    """Those that begin last, the last one first."""
    async with store.connection() as connection:
        rows = await connection.fetch(f"{_READ} order by lower(during) desc, id desc limit $1", limit)
    return [_row(row) for row in rows]


async def extended(store: Store, numbers: Collection[int]) -> frozenset[int]:
    """Those of them that another one prolongs."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            "select distinct extends from exclusion where extends = any ($1)", list(numbers)
        )
    return frozenset(row["extends"] for row in rows)


async def extended_within(connection: asyncpg.Connection, number: int) -> int | None:
    """The number of the one that prolongs it."""
    found: int | None = await connection.fetchval("select id from exclusion where extends = $1", number)
    return found


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
        approved_at_ms=millis_or_none(approved_at),
        approved_by=row["approved_by"],
        finished_at_ms=millis_or_none(finished_at),
        down=row["down"],
        filing=row["filing"],
        document=row["document"],
        series=row["series"],
        rejected_at_ms=millis_or_none(row["rejected_at"]),
        rejected_by=row["rejected_by"],
        ruling_why=row["ruling_why"],
    )
