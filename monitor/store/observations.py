"""Raw attempts, the heartbeats beside them, and the beats that nobody answered for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import asyncpg
import msgspec

from monitor.store.pool import Store
from monitor.store.times import millis, moment

_DAY_MS = 86_400_000
_MAKING_PARTITIONS = 0x64617973  # any number that nobody else locks


class ObservationRow(NamedTuple):
    """One row, in the order of `_COLUMNS`."""

    check_key: str
    vantage: str
    due: datetime
    attempt: int
    outcome: str
    reason: str
    sentence: str
    every_ms: int
    late_ms: int
    took_ms: float
    phases_ms: str
    status: int | None
    size_bytes: int | None
    certificate_expires: datetime | None
    failed: str | None
    serial: int
    skewed: bool
    beyond: bool


class AttemptRow(NamedTuple):
    """What the judge needs of a stored attempt."""

    due_ms: int
    attempt: int
    outcome: str
    reason: str
    sentence: str
    every_ms: int


class GapRow(NamedTuple):
    """Beats of a check at a vantage point that have no observation; both ends are beats."""

    check: str
    vantage: str
    first_due_ms: int
    last_due_ms: int
    beats: int
    why: str


_ADD = f"""
insert into observation ({", ".join(ObservationRow._fields)})
select u.* from unnest($1::text[], $2::text[], $3::timestamptz[], $4::smallint[], $5::text[], $6::text[],
    $7::text[], $8::integer[], $9::integer[], $10::real[], $11::jsonb[], $12::smallint[], $13::bigint[],
    $14::timestamptz[], $15::jsonb[], $16::bigint[], $17::boolean[], $18::boolean[]) u
on conflict (check_key, vantage, due, attempt) do update
   set outcome = excluded.outcome, reason = excluded.reason, sentence = excluded.sentence,
       every_ms = excluded.every_ms, late_ms = excluded.late_ms, took_ms = excluded.took_ms,
       phases_ms = excluded.phases_ms, status = excluded.status, size_bytes = excluded.size_bytes,
       certificate_expires = excluded.certificate_expires, failed = excluded.failed,
       serial = excluded.serial, skewed = excluded.skewed, beyond = excluded.beyond, known_at = now()
 where observation.outcome = 'unknown' and excluded.outcome <> 'unknown'
"""  # noqa: S608 - the column names are ours


async def add(connection: asyncpg.Connection, rows: Sequence[ObservationRow]) -> int:
    """Store each row once, in one round trip; returns how many were new or replaced an unmeasured one.

    `rows` must name each identity once. Two writers never meet here: a subject has one partition, a
    partition one owner.
    """
    status = await connection.execute(_ADD, *(list(column) for column in zip(*rows, strict=True)))
    return int(status.rsplit(" ", 1)[1])


async def attempts(store: Store, *, check: str, vantage: str, before_ms: int, count: int) -> list[AttemptRow]:
    """Measured attempts that may be judged, oldest first: the last `count` due by `before_ms`, all that share
    their dues, and all later ones.
    """
    async with store.connection() as connection:
        rows = await connection.fetch(
            """
            select due, attempt, outcome, reason, sentence, every_ms from observation
             where check_key = $1 and vantage = $2 and outcome <> 'unknown' and not beyond
               and due >= coalesce((select min(due) from (
                    select due from observation
                     where check_key = $1 and vantage = $2 and due <= $3
                       and outcome <> 'unknown' and not beyond
                     order by due desc, attempt desc limit $4) earlier), $3)
             order by due, attempt
            """,
            check,
            vantage,
            moment(before_ms),
            count,
        )
    return [AttemptRow(millis(row["due"]), *tuple(row)[1:]) for row in rows]


async def make_partitions(connection: asyncpg.Connection, days: Iterable[int]) -> None:
    """One partition per UTC day; `days` are days since 1970. Safe to repeat and to race.

    Give it a transaction of its own: `if not exists` alone does not see what another one is just making.
    """
    await connection.execute("select pg_advisory_xact_lock($1)", _MAKING_PARTITIONS)
    for day in days:
        start = moment(day * _DAY_MS)
        await connection.execute(
            f"create table if not exists observation_{start:%Y%m%d} partition of observation "
            f"for values from ('{start.isoformat()}') to ('{(start + timedelta(days=1)).isoformat()}')"
        )


async def heartbeats(connection: asyncpg.Connection, beats: Sequence[tuple[str, str, int, int, int]]) -> None:
    """(vantage, prober, at_ms, checks, skew_ms) each; repeatable."""
    await connection.executemany(
        "insert into heartbeat (vantage, prober, at, checks, skew_ms) values ($1, $2, $3, $4, $5) "
        "on conflict do nothing",
        [(vantage, prober, moment(at), checks, skew) for vantage, prober, at, checks, skew in beats],
    )


_ADD_GAP = """
insert into gap (check_key, vantage, first_due, last_due, beats, why)
select $1, $2, $3, $4, $5, case when $6 <> '' then $6 when (
    select count(*) from heartbeat where vantage = $2
       and at between $3::timestamptz - $7::interval and $4::timestamptz + $7::interval
    ) * 2 * $8::float8 >= extract(epoch from $4::timestamptz - $3::timestamptz + 2 * $7::interval)
    then 'missed' else 'no_heartbeat' end
on conflict (check_key, vantage, first_due) do update
   set last_due = excluded.last_due, beats = excluded.beats, why = excluded.why
"""
HEARTBEAT_S = 5.0  # how often a prober says that it lives


async def add_gaps(connection: asyncpg.Connection, gaps: Sequence[GapRow]) -> None:
    """Record beats that nobody answered for; one that goes on is stored over what it was.

    Without a reason of its own a gap is *missed* where at least half of the heartbeats to be expected around
    it are there (a prober lived and did not ask), else *no_heartbeat*.
    """
    around = timedelta(seconds=HEARTBEAT_S * 1.1)
    await connection.executemany(
        _ADD_GAP,
        [
            (
                g.check,
                g.vantage,
                moment(g.first_due_ms),
                moment(g.last_due_ms),
                g.beats,
                g.why,
                around,
                HEARTBEAT_S,
            )
            for g in gaps
        ],
    )


async def gaps_holding(
    connection: asyncpg.Connection, *, check: str, vantage: str, first_ms: int, last_ms: int
) -> list[GapRow]:
    """Gaps that share a beat with [first_ms, last_ms], locked, oldest first."""
    rows = await connection.fetch(
        "select first_due, last_due, beats, why from gap where check_key = $1 and vantage = $2 "
        "and first_due <= $4 and last_due >= $3 order by first_due for update",
        check,
        vantage,
        moment(first_ms),
        moment(last_ms),
    )
    return [
        GapRow(check, vantage, millis(row["first_due"]), millis(row["last_due"]), row["beats"], row["why"])
        for row in rows
    ]


async def drop_gap(connection: asyncpg.Connection, gap: GapRow) -> None:
    """Its beats were answered for after all."""
    await connection.execute(
        "delete from gap where check_key = $1 and vantage = $2 and first_due = $3",
        gap.check,
        gap.vantage,
        moment(gap.first_due_ms),
    )


def today() -> int:
    """Days since 1970, UTC."""
    return int(datetime.now(UTC).timestamp()) // 86_400


def as_json(value: object) -> str:
    return msgspec.json.encode(value).decode()
