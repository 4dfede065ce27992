"""What judging counts needs to read: how far they are known, their hours and minutes, and outages."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from monitor.facts import Place
from monitor.store.pool import Store
from monitor.store.times import millis, millis_or_none, moment

HOUR_MS = 3_600_000


class Outage(NamedTuple):
    """A stretch in which a service or channel was effectively down; `ended_ms` is None while it lasts."""

    subject: str
    began_ms: int
    ended_ms: int | None


class Series(NamedTuple):
    """One channel and outcome: hours since 1970 that had any, and how many transactions each."""

    channel: str
    outcome: str
    hours: list[int]
    events: list[int]


class Sum(NamedTuple):
    """What to add up: completed transactions of these channels in [from, to)."""

    channels: Sequence[str]
    from_ms: int
    to_ms: int


async def clocks(store: Store, topics: Collection[str]) -> dict[tuple[str, int], int]:
    """Per (topic, partition), up to when all that came is counted; absent where nobody said so yet."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            "select topic, partition, max(judged_until) as until from stream_offset "
            "where topic = any ($1) and judged_until is not null group by topic, partition",
            list(topics),
        )
    return {(row["topic"], row["partition"]): millis(row["until"]) for row in rows}


async def unfolded(store: Store, *, before_ms: int) -> int:
    """How many hours before then were added to and are not folded yet."""
    async with store.connection() as connection:
        found: int = await connection.fetchval(
            "select count(distinct hour) from count_unfolded where hour < $1", moment(before_ms)
        )
    return found


async def totals(store: Store) -> dict[str, int]:
    """Transactions ever counted on each channel."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            "select channel, sum(count)::bigint as events from counted_total group by channel"
        )
    return {row["channel"]: row["events"] for row in rows}


async def series(store: Store, *, channels: Collection[str], from_ms: int, to_ms: int) -> list[Series]:
    """Counts by hour of some channels (paths), of the hours that begin in [from, to)."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            """
            select s.channel, s.outcome, array_agg((extract(epoch from c.hour) / 3600)::integer) as hours,
                   array_agg(c.count) as events
              from series s join count_hour c on c.series = s.id
             where s.channel = any ($1) and c.hour >= $2 and c.hour < $3
             group by s.channel, s.outcome
            """,
            list(channels),
            moment(from_ms),
            moment(to_ms),
        )
    return [Series(*row) for row in rows]


async def series_of_groups(
    store: Store, groups: Mapping[str, str], *, from_ms: int, to_ms: int
) -> list[Series]:
    """The same in sums over `groups`: channel (path) to group, whose name stands where the channel's does."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            """
            select h.name, '', array_agg(h.hour) as hours, array_agg(h.events) as events
              from (select g.name, (extract(epoch from c.hour) / 3600)::integer as hour,
                           sum(c.count)::bigint as events
                      from unnest($1::text[], $2::text[]) g(channel, name)
                      join series s on s.channel = g.channel join count_hour c on c.series = s.id
                     where c.hour >= $3 and c.hour < $4 group by 1, 2) h
             group by h.name
            """,
            list(groups),
            list(groups.values()),
            moment(from_ms),
            moment(to_ms),
        )
    return [Series(*row) for row in rows]


async def completed(store: Store, sums: Sequence[Sum]) -> list[int]:
    """Completed transactions of each sum, in whole minutes, in the same order."""
    rows = [
        (number, channel, moment(each.from_ms), moment(each.to_ms))
        for number, each in enumerate(sums)
        for channel in each.channels
    ]
    found = [0] * len(sums)
    if not rows:
        return found
    async with store.connection() as connection:
        counted = await connection.fetch(
            """
            select u.number, coalesce(sum(c.count), 0)::bigint as events
              from unnest($1::integer[], $2::text[], $3::timestamptz[], $4::timestamptz[])
                   u(number, channel, since, until)
              join series s on s.channel = u.channel and s.outcome = 'completed'
              join count_minute c on c.series = s.id and c.minute >= u.since and c.minute < u.until
             group by u.number
            """,
            *(list(column) for column in zip(*rows, strict=True)),
        )
    for row in counted:
        found[row["number"]] = row["events"]
    return found


async def downs_of_long_ago(store: Store, place: Place | None, *, before_ms: int) -> tuple[Place, bool]:
    """Whether outages were told after `place` that began before then, and how far that is looked at.

    Without a place, which is how to begin, always. Below every open transaction (T43).
    """
    async with store.connection() as connection:
        row = await connection.fetchrow(
            """
            select tx::text::bigint as tx, id from change
             where tx < pg_snapshot_xmin(pg_current_snapshot()) order by change.tx desc, id desc limit 1
            """
        )
        until = Place(row["tx"], row["id"]) if row else Place(0, 0)
        if place is None:
            return until, True
        came: bool = await connection.fetchval(
            """
            select exists (select from change where (tx, id) > ($1::text::xid8, $2)
                               and (tx, id) <= ($3::text::xid8, $4) and layer = 'effective'
                               and verdict = 'down' and withdrawn_at is null and at < $5)
            """,
            str(place.tx),
            place.id,
            str(until.tx),
            until.id,
            moment(before_ms),
        )
    return until, came


async def outages(store: Store, *, subjects: Collection[str], from_ms: int, to_ms: int) -> list[Outage]:
    """Whole effective outages that touch [from, to), by subject and beginning.

    Steps in a row that are all down, with another reason or cause, are one outage.
    """
    async with store.connection() as connection:
        rows = await connection.fetch(_OUTAGES, list(subjects), moment(from_ms), moment(to_ms))
    return [Outage(row["subject"], millis(row["began"]), millis_or_none(row["ended"])) for row in rows]


_STANDING = "layer = 'effective' and withdrawn_at is null"
_OUTAGES = f"""
with down as (
    select subject, at from change
     where subject = any ($1) and {_STANDING} and verdict = 'down' and at >= $2 and at < $3
    union all
    select s.subject, c.at from unnest($1::text[]) s(subject), lateral (
        select at, verdict from change
         where subject = s.subject and {_STANDING} and at < $2 order by at desc limit 1) c
     where c.verdict = 'down')
select distinct d.subject, began.at as began, ended.at as ended
  from down d,
       lateral (select max(at) as at from change
                 where subject = d.subject and {_STANDING} and verdict <> 'down' and at < d.at) before,
       lateral (select min(at) as at from change
                 where subject = d.subject and {_STANDING} and verdict = 'down'
                   and at > coalesce(before.at, '-infinity')) began,
       lateral (select min(at) as at from change
                 where subject = d.subject and {_STANDING} and verdict <> 'down' and at > d.at) ended
 order by d.subject, began.at
"""  # noqa: S608 - both parts are constants of this file
