"""Counts of transactions: added by batch, folded into hours, read by minute, hour and in total."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import NamedTuple

import asyncpg

from monitor.errors import BadRow
from monitor.model import stream_key
from monitor.store.pool import Store
from monitor.store.times import EPOCH, millis, millis_or_none, moment

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
WEEK_MS = 7 * 86_400_000
_MAKING_PARTITIONS = 0x7765656B  # any numbers that nobody else locks
_FOLDING = 0x666F6C64
HOURS_A_CALL = 24
_ROWS_A_PIECE = 50_000
_HOUR, _END = timedelta(hours=1), datetime(9999, 1, 1, tzinfo=UTC)


class Added(NamedTuple):
    """What a batch adds to one channel, outcome and minute of the event."""

    channel: str  # path: service:passport/web
    outcome: str
    minute_ms: int
    events: int
    timed: int = 0  # how many of them said how long they took
    duration_ms: int = 0  # of those, together


Addition = tuple[str, str, int, int, int, int]  # the same without its names, where there are very many
series_of_row = itemgetter(0, 1)  # channel and outcome of an addition
minute_of = itemgetter(2)


class Counted(NamedTuple):
    """Transactions of one channel and outcome in the minute, or hour, that begins at `at_ms`."""

    channel: str
    outcome: str
    at_ms: int
    events: int
    timed: int
    duration_ms: int


class Total(NamedTuple):
    """All transactions of one channel and outcome ever counted."""

    channel: str
    outcome: str
    events: int
    timed: int
    duration_ms: int


async def make_partitions(store: Store, weeks: Iterable[int]) -> None:
    """One partition per week; `weeks` are whole weeks since 1970. Safe to repeat and to race."""
    async with store.transaction() as connection:
        await connection.execute("select pg_advisory_xact_lock($1)", _MAKING_PARTITIONS)
        for week in weeks:
            start = moment(week * WEEK_MS)
            await connection.execute(
                f"create table if not exists count_minute_{start:%Y%m%d} partition of count_minute "
                f"for values from ('{start.isoformat()}') to ('{(start + timedelta(days=7)).isoformat()}')"
            )


async def series_of(store: Store, names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Number of each (channel, outcome), made where there is none yet."""
    wanted = sorted(set(names))
    async with store.connection() as connection:
        await connection.executemany(
            "insert into series (service, channel, outcome) values ($1, $2, $3) on conflict do nothing",
            [(stream_key(channel), channel, outcome) for channel, outcome in wanted],
        )
        rows = await connection.fetch(
            "select s.id, s.channel, s.outcome from series s "
            "join unnest($1::text[], $2::text[]) w(channel, outcome) using (channel, outcome)",
            [channel for channel, _ in wanted],
            [outcome for _, outcome in wanted],
        )
    return {(row["channel"], row["outcome"]): row["id"] for row in rows}


async def add(
    connection: asyncpg.Connection, rows: Sequence[Addition], *, series: dict[tuple[str, str], int]
) -> None:
    """Add to minutes and totals, in the caller's transaction. Their partitions and series must be there.

    Raises BadRow when a number is larger than PostgreSQL holds.
    """
    if not rows:
        return
    totals: dict[int, list[int]] = {}
    packed = _packed(rows, series, totals)
    source = io.BytesIO(b"".join((_COPY_HEAD, *packed, _COPY_END)))
    await connection.copy_to_table("count_minute", source=source, format="binary")
    await connection.execute(
        "insert into transaction_total as t (series, count, timed, duration_ms) "
        "select * from unnest($1::integer[], $2::bigint[], $3::bigint[], $4::bigint[]) "
        "on conflict (series) do update set count = t.count + excluded.count, "
        "timed = t.timed + excluded.timed, duration_ms = t.duration_ms + excluded.duration_ms",
        *(list(column) for column in zip(*((n, *totals[n]) for n in sorted(totals)), strict=True)),
    )
    hours = {minute_ms - minute_ms % HOUR_MS for minute_ms in set(map(minute_of, rows))}
    await connection.copy_records_to_table("count_unfolded", records=[(moment(hour),) for hour in hours])


_minute = struct.Struct("!hiiiqiqiqiq")  # fields, then the length and value of each
_POSTGRES_EPOCH_MS = 946_684_800_000
_COPY_HEAD, _COPY_END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"


def _packed(
    rows: Sequence[Addition], series: dict[tuple[str, str], int], totals: dict[int, list[int]]
) -> list[bytes]:
    """Rows of count_minute in PostgreSQL's own binary form: half of what the driver would take for them.

    Adds up `totals` by series on the way. Raises BadRow.
    """
    pack, packed = _minute.pack, []
    try:
        for channel, outcome, minute_ms, events, timed, duration_ms in rows:
            number, minute = series[channel, outcome], (minute_ms - _POSTGRES_EPOCH_MS) * 1000
            packed.append(pack(5, 4, number, 8, minute, 8, events, 8, timed, 8, duration_ms))
            if (total := totals.get(number)) is None:
                totals[number] = [events, timed, duration_ms]
                continue
            total[0] += events
            total[1] += timed
            total[2] += duration_ms
    except struct.error as error:
        raise BadRow(f"a count is too large: {error}") from error
    return packed


async def fold(store: Store) -> list[int]:
    """Make hours that were added to anew, and each of their minutes one row; returns their beginnings.

    At most 24 hours a call, the newest first, in Unix ms; those in a row that are small together, as of a
    backlog, in one transaction. One folder at a time works.
    """
    hours: list[datetime] = []
    while len(hours) < HOURS_A_CALL:
        made = await _fold_next(store, before=hours[-1] if hours else _END, most=HOURS_A_CALL - len(hours))
        if not made:
            break
        hours += made
    return [millis(hour) for hour in reversed(hours)]


async def _fold_next(store: Store, *, before: datetime, most: int) -> list[datetime]:
    """The newest marked hours before that one, newest first; none when somebody else folds."""
    async with store.transaction() as connection:
        if not await connection.fetchval("select pg_try_advisory_xact_lock($1)", _FOLDING):
            return []
        hours, rows = await _marked(connection, before=before, most=most)
        if hours:
            await connection.execute(
                "delete from count_unfolded where hour >= $1 and hour <= $2", hours[-1], hours[0]
            )
            await _merge_minutes(connection, hours[-1], hours[0] + _HOUR, rows=rows)
            await _fold_hours(connection, hours[-1], hours[0] + _HOUR)
    return hours


async def _marked(
    connection: asyncpg.Connection, *, before: datetime, most: int
) -> tuple[list[datetime], int]:
    """Marked hours in a row, the newest first, as many as one statement may merge; and their rows."""
    newest: datetime | None = await connection.fetchval(
        "select max(hour) from count_unfolded where hour < $1", before
    )
    if newest is None:
        return [], 0
    marked = await connection.fetch(
        "select hour, (select count(*) from count_minute where minute >= hour and minute < hour + $3) "
        "as rows from (select distinct hour from count_unfolded where hour > $1 and hour <= $2) h "
        "order by hour desc",
        newest - most * _HOUR,
        newest,
        _HOUR,
    )
    hours, rows = [newest], marked[0]["rows"]
    for each in marked[1:]:
        if each["hour"] != hours[-1] - _HOUR or rows + each["rows"] > _ROWS_A_PIECE:
            break
        hours.append(each["hour"])
        rows += each["rows"]
    return hours, rows


async def _merge_minutes(
    connection: asyncpg.Connection, begin: datetime, end: datetime, *, rows: int
) -> None:
    """In pieces, when there are many rows: each statement has its deadline."""
    pieces = next(each for each in (1, 6, 60) if rows <= each * _ROWS_A_PIECE or each == 60)
    for piece in range(pieces):
        await connection.execute(
            "with several as (select series, minute from count_minute where minute >= $1 and minute < $2 "
            "group by series, minute having count(*) > 1), "
            "gone as (delete from count_minute c using several s where c.series = s.series "
            "and c.minute = s.minute and c.minute >= $1 and c.minute < $2 returning c.*) "
            "insert into count_minute select series, minute, sum(count), sum(timed), sum(duration_ms) "
            "from gone group by series, minute",
            begin + piece * (end - begin) / pieces,
            begin + (piece + 1) * (end - begin) / pieces,
        )


async def _fold_hours(connection: asyncpg.Connection, begin: datetime, end: datetime) -> None:
    await connection.execute(
        "insert into count_hour (series, hour, count, timed, duration_ms) "
        "select series, date_bin($3, minute, $4) as hour, sum(count), sum(timed), sum(duration_ms) "
        "from count_minute where minute >= $1 and minute < $2 group by series, hour "
        "on conflict (series, hour) do update set count = excluded.count, timed = excluded.timed, "
        "duration_ms = excluded.duration_ms",
        begin,
        end,
        _HOUR,
        EPOCH,
    )


async def first_unfolded(store: Store) -> int | None:
    """The earliest hour that was added to and is not folded yet, in Unix ms; None when all are."""
    async with store.connection() as connection:
        hour = await connection.fetchval("select min(hour) from count_unfolded")
    return millis_or_none(hour)


async def minutes(
    store: Store, *, from_ms: int, to_ms: int, services: Sequence[str] | None = None
) -> list[Counted]:
    """Counts by minute in [from_ms, to_ms), oldest first; of some services (paths), or of all."""
    return await _between(store, "minute", from_ms=from_ms, to_ms=to_ms, services=services)


async def hours(
    store: Store, *, from_ms: int, to_ms: int, services: Sequence[str] | None = None
) -> list[Counted]:
    """Counts by hour of the hours that begin in [from_ms, to_ms), oldest first."""
    return await _between(store, "hour", from_ms=from_ms, to_ms=to_ms, services=services)


async def _between(
    store: Store, unit: str, *, from_ms: int, to_ms: int, services: Sequence[str] | None
) -> list[Counted]:
    query = (
        f"select channel, outcome, {unit}, sum(count)::bigint, sum(timed)::bigint, sum(duration_ms)::bigint "  # noqa: S608
        f"from counted_{unit} where {unit} >= $1 and {unit} < $2 "
        f"and ($3::text[] is null or service = any($3)) "
        f"group by channel, outcome, {unit} order by {unit}, channel, outcome"
    )
    async with store.connection() as connection:
        rows = await connection.fetch(query, moment(from_ms), moment(to_ms), services)
    return [Counted(row[0], row[1], millis(row[2]), row[3], row[4], row[5]) for row in rows]


async def totals(store: Store) -> list[Total]:
    """Everything ever counted, by channel and outcome."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            "select channel, outcome, count, timed, duration_ms from counted_total order by channel, outcome"
        )
    return [Total(*row) for row in rows]
