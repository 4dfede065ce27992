"""What is usual, what differs from it, and what outages cost: kept by derive's leader, read by everybody."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import asyncpg

from monitor.facts import Finding, Fitted, Missed, Place
from monitor.store.pool import Store
from monitor.store.times import millis, millis_or_none, moment, moment_or_none

FINDINGS_MAX = 1000
MISSED_MAX = 20_000


class Found(NamedTuple):
    """A finding as its keeper writes it; (subject, kind) is its name while it lasts."""

    subject: str
    kind: str
    level: str
    began_ms: int
    probability: float
    expected: float
    seen: int


# -- patterns


async def keep_patterns(connection: asyncpg.Connection, rows: Sequence[tuple[str, str, str]]) -> None:
    """(channel, service, document) each, as of now."""
    if rows:
        await connection.execute(
            "insert into pattern (channel, service, document, fitted_at) "
            "select u.*, now() from unnest($1::text[], $2::text[], $3::text[]) u(channel, service, document) "
            "order by channel on conflict (channel) do update "
            "set document = excluded.document, fitted_at = excluded.fitted_at",
            *(list(column) for column in zip(*rows, strict=True)),
        )


async def patterns(
    store: Store, *, services: Collection[str] | None = None, since_ms: int = 0
) -> list[Fitted]:
    """Patterns made at or after `since_ms`, of some services (paths) or of all, by channel."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            "select channel, document, fitted_at from pattern "
            "where ($1::text[] is null or service = any ($1)) and fitted_at >= $2 order by channel",
            None if services is None else list(services),
            moment(since_ms),
        )
    return [Fitted(row["channel"], row["document"], millis(row["fitted_at"])) for row in rows]


# -- findings


async def open_findings(store: Store) -> list[Finding]:
    """What lasts, the oldest first."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            f"select {_FINDING} from finding where ended is null and withdrawn_at is null order by began, id"  # noqa: S608
        )
    return [_finding(row) for row in rows]


async def findings(
    store: Store, *, from_ms: int, to_ms: int, subjects: Collection[str] | None = None
) -> list[Finding]:
    """Findings that touch [from, to) and stand, the newest first, FINDINGS_MAX at most."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            f"select {_FINDING} from finding "  # noqa: S608
            "where began < $2 and (ended is null or ended >= $1) and withdrawn_at is null "
            "and ($3::text[] is null or subject = any ($3)) order by began desc, id limit $4",
            moment(from_ms),
            moment(to_ms),
            None if subjects is None else list(subjects),
            FINDINGS_MAX,
        )
    return [_finding(row) for row in rows]


async def findings_since(store: Store, place: Place, *, limit: int = FINDINGS_MAX) -> list[Finding]:
    """Findings touched after `place`, withdrawn ones too, below every open transaction (T43)."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            f"select {_FINDING} from finding where (tx, id) > ($1::text::xid8, $2) "  # noqa: S608
            "and tx < pg_snapshot_xmin(pg_current_snapshot()) order by tx, id limit $3",
            str(place.tx),
            place.id,
            limit,
        )
    return [_finding(row) for row in rows]


async def keep_findings(connection: asyncpg.Connection, rows: Sequence[Found]) -> None:
    """Begin a finding, or go on with the one of that name: levels only rise, probabilities only fall."""
    for row in rows:
        await connection.execute(
            """
            insert into finding as f (subject, kind, level, began, probability, expected, seen)
            values ($1, $2, $3, $4, $5, $6, $7)
            on conflict (subject, kind) where ended is null and withdrawn_at is null do update
               set level = case when f.level = 'incident' then f.level else excluded.level end,
                   began = least(f.began, excluded.began),
                   probability = least(f.probability, excluded.probability),
                   expected = excluded.expected, seen = excluded.seen, tx = pg_current_xact_id()
            """,
            row.subject,
            row.kind,
            row.level,
            moment(row.began_ms),
            row.probability,
            row.expected,
            row.seen,
        )


async def end_findings(connection: asyncpg.Connection, rows: Sequence[tuple[str, str, int]]) -> None:
    """(subject, kind, ended_ms) each: over. One that would end at or before its beginning never was."""
    for subject, kind, ended_ms in rows:
        await connection.execute(
            """
            update finding set tx = pg_current_xact_id(),
                   ended = case when $3 > began then $3 end,
                   withdrawn_at = case when $3 > began then null else now() end
             where subject = $1 and kind = $2 and ended is null and withdrawn_at is null
            """,
            subject,
            kind,
            moment(ended_ms),
        )


_FINDING = (
    "id, tx::text::bigint as tx, subject, kind, level, began, ended, probability, expected, seen, known_at, "
    "withdrawn_at"
)


def _finding(row: asyncpg.Record) -> Finding:
    return Finding(
        place=Place(row["tx"], row["id"]),
        subject=row["subject"],
        kind=row["kind"],
        level=row["level"],
        began_ms=millis(row["began"]),
        ended_ms=millis_or_none(row["ended"]),
        probability=row["probability"],
        expected=row["expected"],
        seen=row["seen"],
        known_at_ms=millis(row["known_at"]),
        withdrawn_at_ms=millis_or_none(row["withdrawn_at"]),
    )


# -- missed transactions


async def keep_missed(connection: asyncpg.Connection, rows: Sequence[Missed]) -> None:
    """One row an outage, made anew."""
    if rows:
        await connection.executemany(
            f"insert into missed ({_MISSED}) values ({', '.join(f'${n}' for n in range(1, 16))}) "  # noqa: S608
            "on conflict (subject, began) do update set "
            + ", ".join(f"{name} = excluded.{name}" for name in _MISSED.split(", ")[2:])
            + ", known_at = now()",
            [(row[0], moment(row[1]), moment_or_none(row[2]), *row[3:14], moment(row[14])) for row in rows],
        )


async def drop_missed(connection: asyncpg.Connection, rows: Sequence[tuple[str, int]]) -> None:
    """(subject, began_ms) each: that outage no longer stands."""
    await connection.executemany(
        "delete from missed where subject = $1 and began = $2",
        [(subject, moment(began_ms)) for subject, began_ms in rows],
    )


async def missed(
    store: Store, *, from_ms: int, to_ms: int, subjects: Collection[str] | None = None
) -> list[Missed]:
    """Outages that touch [from, to), the newest first, MISSED_MAX at most; of some subjects, or of all."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            f"select {_MISSED} from missed where began < $2 and (ended is null or ended > $1) "  # noqa: S608
            "and ($3::text[] is null or subject = any ($3)) order by began desc, subject limit $4",
            moment(from_ms),
            moment(to_ms),
            None if subjects is None else list(subjects),
            MISSED_MAX,
        )
    return [_missed(row) for row in rows]


async def reckoned(
    store: Store, *, from_ms: int, to_ms: int, subjects: Collection[str]
) -> set[tuple[str, int]]:
    """(subject, began_ms) of the outages of these subjects that began in [from, to) and have a row."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            "select subject, began from missed where began >= $1 and began < $2 and subject = any ($3)",
            moment(from_ms),
            moment(to_ms),
            list(subjects),
        )
    return {(row["subject"], millis(row["began"])) for row in rows}


_MISSED = (
    "subject, began, ended, expected, seen, missed, low, high, own, shared, made_up, made_up_low, "
    "made_up_high, made_up_done, as_of"
)


def _missed(row: asyncpg.Record) -> Missed:
    told: dict[str, Any] = dict(row)
    times: dict[str, Any] = {
        f"{name}_ms": millis_or_none(told.pop(name)) for name in ("began", "ended", "as_of")
    }
    return Missed(**told, **times)
