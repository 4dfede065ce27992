"""What readers ask of counts: sums and points of a stretch of time, and how far has been counted.

Hours come from the folded table and everything else from minutes, so that a sum over minutes and one over
days are the same number. The last two hours are always read by minute: they are still being added to.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import asyncpg

from monitor.facts import Ended
from monitor.store.counts import HOUR_MS, MINUTE_MS
from monitor.store.pool import Store
from monitor.store.times import EPOCH, millis, millis_or_none, moment

DAY_MS = 24 * HOUR_MS
MINUTES_KEPT_MS = 100 * DAY_MS
FRESH_MS = HOUR_MS  # hours that began in the last one, or later, are read by minute
GONE_S = 86_400.0  # a topic that nobody has read for so long is no source any more


class Point(NamedTuple):
    """What was counted in the step that begins at `at_ms`."""

    at_ms: int
    ended: Ended


class Stretch(NamedTuple):
    """[from, to) in whole minutes, and where in it whole hours are read: [hours_from, hours_to)."""

    from_ms: int
    hours_from_ms: int
    hours_to_ms: int
    to_ms: int

    @property
    def moments(self) -> list[datetime]:
        return [moment(ms) for ms in self]


def stretch(from_ms: int, to_ms: int, *, now_ms: int, by_minute: bool = False) -> Stretch:
    """How [from, to) is best read at `now_ms`."""
    fresh_ms = now_ms // HOUR_MS * HOUR_MS - FRESH_MS
    first_ms = -(-from_ms // HOUR_MS) * HOUR_MS
    last_ms = min(to_ms // HOUR_MS * HOUR_MS, fresh_ms)
    if by_minute or last_ms <= first_ms:
        return Stretch(from_ms, from_ms, from_ms, to_ms)
    return Stretch(from_ms, first_ms, last_ms, to_ms)


# Below the views, by number: a plan that knows the channels only as texts is a hundred times slower.
_COUNTED = """
select series, hour as at, count from count_hour where hour >= $2 and hour < $3 and {these}
union all
select series, minute, count from count_minute where minute >= $1 and minute < $2 and {these}
union all
select series, minute, count from count_minute where minute >= $3 and minute < $4 and {these}
"""
_ENDED = """
coalesce(sum(count) filter (where outcome = 'completed'), 0)::bigint,
coalesce(sum(count) filter (where outcome = 'failed'), 0)::bigint,
coalesce(sum(count) filter (where outcome = 'abandoned'), 0)::bigint
"""


class Channels(NamedTuple):
    """Which channels (paths): those named, or `all_but` those named, which is how to ask for most of them."""

    paths: Collection[str]
    all_but: bool = False


async def sums(store: Store, over: Stretch, channels: Channels) -> dict[str, Ended]:
    """Per channel, what was counted; a channel without any count is absent."""
    query = (
        f"select channel, {_ENDED} from (select series, sum(count) as count "  # noqa: S608
        f"from ({_counted(channels)}) c group by series) c join series s on s.id = c.series group by channel"
    )
    async with store.connection() as connection:
        rows = await connection.fetch(query, *over.moments, await _series(connection, channels))
    return {row[0]: Ended(row[1], row[2], row[3]) for row in rows}


async def points(
    store: Store, over: Stretch, channels: Channels, *, step_ms: int, zone: str = "UTC"
) -> list[Point]:
    """Of these channels together, oldest first; a step without any count is absent.

    Steps are counted from 1970; those of a day are days of the zone.
    """
    days = step_ms == DAY_MS
    bins = "date_trunc('day', at, $6)" if days else "date_bin($6::interval, at, $7)"
    step: list[Any] = [zone] if days else [timedelta(milliseconds=step_ms), EPOCH]
    query = (
        f"select {bins} as step, {_ENDED} from ({_counted(channels)}) c "  # noqa: S608
        "join series s on s.id = c.series group by step order by step"
    )
    async with store.connection() as connection:
        rows = await connection.fetch(query, *over.moments, await _series(connection, channels), *step)
    return [Point(millis(row[0]), Ended(row[1], row[2], row[3])) for row in rows]


def _counted(channels: Channels) -> str:
    return _COUNTED.format(these=f"series {'<> all' if channels.all_but else '= any'} ($5::integer[])")


async def _series(connection: asyncpg.Connection, channels: Channels) -> list[int]:
    rows = await connection.fetch("select id from series where channel = any ($1)", list(channels.paths))
    return [row["id"] for row in rows]


def whole_hours(zone: str, *, from_ms: int, to_ms: int) -> bool:
    """Whether local midnights of the stretch are whole hours of UTC, so that days are made of hours."""
    offsets = [moment(ms).astimezone(ZoneInfo(zone)).utcoffset() for ms in (from_ms, to_ms)]
    return all(offset is not None and offset % timedelta(hours=1) == timedelta() for offset in offsets)


async def ever(store: Store) -> dict[str, Ended]:
    """Per channel, everything ever counted; it never falls."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            f"select channel, {_ENDED} from counted_total group by channel"  # noqa: S608
        )
    return {row[0]: Ended(row[1], row[2], row[3]) for row in rows}


async def first_counted(store: Store) -> dict[str, int]:
    """Per channel, the beginning of the first hour in which anything was counted, in Unix ms."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            "select s.channel, min(h.hour) as hour from series s, "
            "lateral (select min(hour) as hour from count_hour where series = s.id) h "
            "where h.hour is not null group by s.channel"
        )
    return {row["channel"]: millis(row["hour"]) for row in rows}


async def counted_until(store: Store) -> int | None:
    """Everything that arrived by then is counted: the slowest clock of the topics of transactions."""
    async with store.connection() as connection:
        at = await connection.fetchval(
            "select case when bool_and(judged_until is not null) then min(judged_until) end "
            "from stream_offset where topic not like '%continuity.observations' "
            "and (topic like '%continuity.transactions' "
            "or judged_until > now() - make_interval(secs => $1))",
            GONE_S,
        )
    return millis_or_none(at)


async def being_added(store: Store, over: Stretch) -> list[int]:
    """Beginnings of the whole hours of the stretch that were added to and are not folded yet, in Unix ms."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            "select distinct hour from count_unfolded where hour >= $1 and hour < $2 order by hour",
            moment(over.hours_from_ms),
            moment(over.hours_to_ms),
        )
    return [millis(row["hour"]) for row in rows]


def whole_minute(ms: int) -> int:
    """The beginning of its minute."""
    return ms // MINUTE_MS * MINUTE_MS
