"""Where readers of the log stand: the fence on offsets, the partition's clock, dead letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from monitor.errors import FenceBroken
from monitor.store.pool import Store
from monitor.store.times import millis_or_none, moment, moment_or_none


class Standing(NamedTuple):
    """A stored offset: the next record to read, and what the last one looked like."""

    next: int
    last_at_ms: int | None
    last_crc: int | None
    judged_until_ms: int | None
    horizon: int | None = None  # the first offset whose ids are still remembered


class DeadLetter(NamedTuple):
    """A record set aside, whole, with a short closed reason and a sentence."""

    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    key: bytes | None
    value: bytes | None


class Place(NamedTuple):
    """What tells one record from every other."""

    cluster: str
    topic: str
    partition: int
    offset: int


class Letter(NamedTuple):
    """A dead letter that may be tried again."""

    place: Place
    key: bytes | None
    value: bytes | None


async def standing(store: Store, *, cluster: str, topic: str, partition: int, begin: int) -> Standing:
    """The stored row, created at `begin` (the log's first offset) when this cluster was never read."""
    async with store.connection() as connection:
        await connection.execute(
            "insert into stream_offset (cluster, topic, partition, next) values ($1, $2, $3, $4) "
            "on conflict do nothing",
            cluster,
            topic,
            partition,
            begin,
        )
    found = await stored(store, cluster=cluster, topic=topic, partition=partition)
    assert found is not None
    return found


async def stored(store: Store, *, cluster: str, topic: str, partition: int) -> Standing | None:
    """The stored row; None when we never read that partition."""
    async with store.connection() as connection:
        row = await connection.fetchrow(
            "select next, last_at, last_crc, judged_until, horizon from stream_offset "
            "where cluster = $1 and topic = $2 and partition = $3",
            cluster,
            topic,
            partition,
        )
    if row is None:
        return None
    return Standing(
        next=row["next"],
        last_at_ms=millis_or_none(row["last_at"]),
        last_crc=row["last_crc"],
        judged_until_ms=millis_or_none(row["judged_until"]),
        horizon=row["horizon"],
    )


async def elsewhere(store: Store, *, cluster: str, topic: str, partition: int) -> str | None:
    """The cluster on which this partition was read, when it was never read on this one."""
    async with store.connection() as connection:
        clusters = await connection.fetch(
            "select cluster from stream_offset where topic = $1 and partition = $2", topic, partition
        )
    known = sorted(row["cluster"] for row in clusters)
    return known[0] if known and cluster not in known else None


async def move(
    connection: asyncpg.Connection,
    *,
    cluster: str,
    topic: str,
    partition: int,
    expected: int,
    expected_until_ms: int | None,
    to: Standing,
) -> None:
    """Compare-and-set of the offset: first statement of a batch. Raises FenceBroken (T42).

    The clock is part of the fence: with nothing new in the log it is all that tells two owners apart.
    """
    status = await connection.execute(
        "update stream_offset set next = $6, last_at = $7, last_crc = $8, horizon = $9 "
        "where cluster = $1 and topic = $2 and partition = $3 and next = $4 "
        "and judged_until is not distinct from $5",
        cluster,
        topic,
        partition,
        expected,
        moment_or_none(expected_until_ms),
        to.next,
        moment_or_none(to.last_at_ms),
        to.last_crc,
        to.horizon,
    )
    if status != "UPDATE 1":
        raise FenceBroken(f"{topic}/{partition}: {expected} and its clock are not what is stored")


async def advance_clock(
    connection: asyncpg.Connection,
    *,
    cluster: str,
    topic: str,
    partition: int,
    expected: int,
    expected_until_ms: int | None,
    until_ms: int,
) -> None:
    """Move `judged_until` forward under the same fence. Raises FenceBroken."""
    assert until_ms > (expected_until_ms or 0), "the clock never goes back"
    status = await connection.execute(
        "update stream_offset set judged_until = $6 "
        "where cluster = $1 and topic = $2 and partition = $3 and next = $4 "
        "and judged_until is not distinct from $5",
        cluster,
        topic,
        partition,
        expected,
        moment_or_none(expected_until_ms),
        moment(until_ms),
    )
    if status != "UPDATE 1":
        raise FenceBroken(f"{topic}/{partition}: {expected} and its clock are not what is stored")


async def accept(store: Store, *, cluster: str, topic: str, partition: int, next_offset: int) -> bool:
    """A person accepts the log as it is now: read on from `next_offset`, trust no earlier record.

    False when this partition was never read, on this cluster or another.
    """
    async with store.connection() as connection:
        status = await connection.execute(
            "insert into stream_offset as o (cluster, topic, partition, next) "
            "select $1, $2, $3, $4 "
            "where exists (select from stream_offset where topic = $2 and partition = $3) "
            "on conflict (cluster, topic, partition) do update "
            "set next = excluded.next, last_at = null, last_crc = null, horizon = null",
            cluster,
            topic,
            partition,
            next_offset,
        )
    return bool(status == "INSERT 0 1")


async def set_aside(connection: asyncpg.Connection, *, cluster: str, letters: Sequence[DeadLetter]) -> None:
    """Keep unreadable records; repeatable."""
    await connection.executemany(
        'insert into dead_letter (cluster, topic, partition, "offset", reason, detail, key, value) '
        "values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing",
        [(cluster, *letter) for letter in letters],
    )


async def offsets_set_aside(
    store: Store, *, cluster: str, topic: str, partition: int, first: int, last: int
) -> set[int]:
    """Which records from `first` to `last`, both included, are dead letters."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            'select "offset" from dead_letter where cluster = $1 and topic = $2 and partition = $3 '
            'and "offset" between $4 and $5',
            cluster,
            topic,
            partition,
            first,
            last,
        )
    return {row["offset"] for row in rows}


async def letters(store: Store, *, topics: Sequence[str], after: Place | None, limit: int) -> list[Letter]:
    """Dead letters of these topics that were not settled by a retry, in the order of their places.

    Without those that PostgreSQL itself refused: it would again.
    """
    async with store.connection() as connection:
        rows = await connection.fetch(
            'select cluster, topic, partition, "offset", key, value from dead_letter '
            "where retried_at is null and topic = any($1) and reason <> 'refused' "
            'and (cluster, topic, partition, "offset") > ($2, $3, $4, $5) '
            'order by cluster, topic, partition, "offset" limit $6',
            topics,
            *(after or Place("", "", -1, -1)),
            limit,
        )
    return [Letter(Place(*row[:4]), row["key"], row["value"]) for row in rows]


async def settle(connection: asyncpg.Connection, places: Sequence[Place]) -> None:
    """Mark dead letters as counted, in the caller's transaction.

    Raises FenceBroken when one of them was marked meanwhile.
    """
    status = await connection.execute(
        "update dead_letter d set retried_at = now() "
        "from unnest($1::text[], $2::text[], $3::smallint[], $4::bigint[]) "
        "p(cluster, topic, partition, place) "
        'where (d.cluster, d.topic, d.partition, d."offset") = (p.cluster, p.topic, p.partition, p.place) '
        "and d.retried_at is null",
        *(list(column) for column in zip(*places, strict=True)),
    )
    if status != f"UPDATE {len(places)}":
        raise FenceBroken("somebody else retries these dead letters just now")


async def dead_letters(store: Store, *, limit: int = 100) -> list[DeadLetter]:
    """The newest dead letters that no retry has settled, newest first."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            'select topic, partition, "offset", reason, detail, key, value from dead_letter '
            'where retried_at is null order by known_at desc, topic, partition, "offset" desc limit $1',
            limit,
        )
    return [DeadLetter(*row) for row in rows]
