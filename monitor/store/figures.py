"""Figures by period, how far they go, which no longer hold, and what they are made of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any

import asyncpg

from monitor.facts import Dirty, FigureClock, FigureRow, Membership, TallyRow
from monitor.store.changes import ChangeRow
from monitor.store.pool import Store
from monitor.store.times import millis, millis_or_none, moment, moment_or_none

_TALLY = TallyRow._fields
_KEY = ("subject", "zone", "kind", "start", "end", "as_of")
_COLUMNS = (*_KEY, *_TALLY, *(f"whole_{name}" for name in _TALLY))
_LIST = ", ".join(f'"{name}"' for name in _COLUMNS)
_SET = ", ".join(f'"{name}" = excluded."{name}"' for name in _COLUMNS if name not in _KEY[:4])
_NEW = (
    f"create temp table if not exists figure_new on commit delete rows as select {_LIST} from figure limit 0"
)
_MERGE = (
    f"insert into figure ({_LIST}) select {_LIST} from figure_new "
    f"on conflict (zone, kind, start, subject) do update set {_SET}, computed_at = now()"
)
_READ = (
    f"select {_LIST} from figure where zone = $1 and kind = $2 and start >= $3 and start < $4 "
    "and ($5::text[] is null or subject = any ($5)) order by subject, start"
)


async def judged_until(store: Store) -> int | None:
    """Everything has been judged, and what follows derived, up to here; None before the first verdict."""
    async with store.connection() as connection:
        at = await connection.fetchval(
            """
            select least((select min(o.judged_until) from stream_offset o
                           where o.topic like '%continuity.observations' and o.judged_until is not null
                             and exists (select from state s
                                          where s.cluster = o.cluster and s.partition = o.partition)),
                         (select at from follower where role = 'derive'))
             where exists (select from state) and exists (select from follower where role = 'derive')
            """
        )
    return millis_or_none(at)


async def memberships(store: Store, *, from_ms: int, to_ms: int) -> list[Membership]:
    """Who belonged to whom at some instant of [from, to)."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            "select subject, parent, lower(during) as began, upper(during) as ended from membership "
            "where during && tstzrange($1, $2) order by subject, parent, began",
            moment(from_ms),
            moment(to_ms),
        )
    return [
        Membership(
            row["subject"],
            row["parent"],
            millis(row["began"]),
            millis_or_none(row["ended"]),
        )
        for row in rows
    ]


async def began(store: Store) -> int | None:
    """When the first subject began to exist; None before the first catalogue."""
    async with store.connection() as connection:
        at = await connection.fetchval("select min(lower(during)) from membership")
    return millis_or_none(at)


async def clock(store: Store, zone: str) -> FigureClock | None:
    """How far the zone has been accounted; None when never."""
    async with store.connection() as connection:
        row = await connection.fetchrow("select until, terms from figure_clock where zone = $1", zone)
    return FigureClock(millis(row["until"]), row["terms"]) if row else None


async def keep_clock(connection: asyncpg.Connection, zone: str, at: FigureClock) -> None:
    await connection.execute(
        "insert into figure_clock (zone, until, terms) values ($1, $2, $3) "
        "on conflict (zone) do update set until = excluded.until, terms = excluded.terms",
        zone,
        moment(at.until_ms),
        at.terms,
    )


async def dirty(store: Store) -> list[Dirty]:
    """Every mark, the oldest stretch first."""
    async with store.connection() as connection:
        rows = await connection.fetch("select id, since, until from figure_dirty order by since, id")
    return [Dirty(row["id"], millis(row["since"]), millis_or_none(row["until"])) for row in rows]


async def mark(connection: asyncpg.Connection, since_ms: dict[str, int]) -> None:
    """Figures of these subjects no longer hold, from that instant on."""
    await connection.executemany(
        "insert into figure_dirty (subject, since) values ($1, $2)",
        [(subject, moment(at)) for subject, at in since_ms.items()],
    )


async def clean(connection: asyncpg.Connection, ids: Collection[int], *, until_ms: int) -> None:
    """These marks are dealt with up to `until_ms`: what is left of a mark begins there."""
    await connection.execute(
        "delete from figure_dirty where id = any ($1) and coalesce(until, now()) <= $2",
        list(ids),
        moment(until_ms),
    )
    await connection.execute(
        "update figure_dirty set since = $2 where id = any ($1) and since < $2", list(ids), moment(until_ms)
    )


async def write(connection: asyncpg.Connection, rows: Sequence[FigureRow]) -> None:
    """Store figures in the place of those of the same subject, zone and period."""
    if not rows:
        return
    await connection.execute(_NEW)
    records = [_record(row) for row in rows]
    await connection.copy_records_to_table("figure_new", records=records, columns=_COLUMNS)
    await connection.execute(_MERGE)


def _record(row: FigureRow) -> tuple[Any, ...]:
    times = moment(row.start_ms), moment(row.end_ms), moment(row.as_of_ms)
    return (row.subject, row.zone, row.kind, *times, *_numbers(row.counted), *_numbers(row.whole))


def _numbers(tally: TallyRow) -> tuple[Any, ...]:
    availability, coverage = (
        None if text is None else Decimal(text) for text in (tally.availability, tally.coverage)
    )
    return tally.says, availability, coverage, *tally[3:]


async def forget(connection: asyncpg.Connection, *, zone: str, kind: str, but_ms: int | None) -> None:
    """Remove every figure of a kind but those that begin at `but_ms`."""
    await connection.execute(
        "delete from figure where zone = $1 and kind = $2 and start is distinct from $3",
        zone,
        kind,
        moment_or_none(but_ms),
    )


async def read(
    store: Store,
    *,
    zone: str,
    kind: str,
    from_ms: int,
    to_ms: int,
    subjects: Collection[str] | None = None,
) -> list[FigureRow]:
    """Figures of a kind that begin in [from, to), by subject and oldest first; of everybody unless named."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            _READ,
            zone,
            kind,
            moment(from_ms),
            moment(to_ms),
            None if subjects is None else list(subjects),
        )
    return [_row(row) for row in rows]


def _row(row: asyncpg.Record) -> FigureRow:
    values = tuple(row)
    middle = len(_KEY) + len(_TALLY)
    subject, zone, kind, *times = values[: len(_KEY)]
    start_ms, end_ms, as_of_ms = (millis(value) for value in times)
    halves = _tally(values[len(_KEY) : middle]), _tally(values[middle:])
    return FigureRow(subject, zone, kind, start_ms, end_ms, as_of_ms, *halves)


def _tally(values: tuple[Any, ...]) -> TallyRow:
    says, availability, coverage, *numbers = values
    return TallyRow(
        says,
        None if availability is None else str(availability),
        None if coverage is None else str(coverage),
        *numbers,
    )


async def timelines(
    store: Store, *, subjects: Collection[str], from_ms: int, to_ms: int, layer: str = "effective"
) -> dict[str, list[ChangeRow]]:
    """Per subject, the standing changes in [from, to) and the last one before it, oldest first."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            """
            select c.subject, c.at, c.verdict, c.reason, c.cause, c.evidence, c.serial
              from unnest($2::text[]) s(subject)
              join change c on c.subject = s.subject and c.layer = $1 and c.withdrawn_at is null and c.at < $4
               and c.at >= coalesce((select max(b.at) from change b where b.subject = s.subject
                    and b.layer = $1 and b.withdrawn_at is null and b.at <= $3), '-infinity'::timestamptz)
             order by c.subject, c.at
            """,
            layer,
            list(subjects),
            moment(from_ms),
            moment(to_ms),
        )
    found: dict[str, list[ChangeRow]] = {}
    for row in rows:
        found.setdefault(row["subject"], []).append(
            ChangeRow(layer, row["subject"], millis(row["at"]), *tuple(row)[2:])
        )
    return found
