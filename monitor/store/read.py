"""What the readers ask: the world as it stands, what changed since, and how far it has been judged."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import asyncpg
import msgspec

from monitor.facts import Changed, Clocks, LastAnswer, Place, Refusal, Standing
from monitor.model import Catalogue, Version
from monitor.store.pool import Store
from monitor.store.times import millis, millis_or_none

CHANGES_MAX = 1000
PHASE_AGE_MAX_S = 3600  # an answer older than this is no longer shown as the last one
BACK_MAX = 40  # attempts looked through for a phase that the last one did not finish

_catalogue = msgspec.json.Decoder(Catalogue)
_problems = msgspec.json.Decoder(list[str])
_phases = msgspec.json.Decoder(dict[str, float])


async def serial_in_force(store: Store) -> int:
    """Serial of the version of the catalogue in force now; 0 before the first."""
    async with store.connection() as connection:
        serial: int = await connection.fetchval(
            "select coalesce(max(serial), 0) from catalogue where valid_from <= now()"
        )
    return serial


async def version(store: Store, serial: int) -> Version:
    """The version of that serial, which must exist."""
    async with store.connection() as connection:
        row = await connection.fetchrow("select * from catalogue where serial = $1", serial)
    return Version(
        serial=row["serial"],
        sha256=row["sha256"],
        valid_from_ms=millis(row["valid_from"]),
        catalogue=_catalogue.decode(row["document"]),
    )


async def place_now(store: Store) -> Place:
    """Where a reader that begins now must go on from: whatever it cannot see yet comes after (T43)."""
    async with store.connection() as connection:
        xmin: int = await connection.fetchval("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
    return Place(xmin - 1, 2**62)


async def standing(
    store: Store, *, layers: Collection[str], subjects: Iterable[str]
) -> dict[tuple[str, str], Standing]:
    """The change that holds now of each (layer, subject); absent where nothing was ever judged."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            """
            select l.layer, s.subject, c.at, c.verdict, c.reason, c.cause
              from unnest($1::text[]) l(layer), unnest($2::text[]) s(subject),
                   lateral (select at, verdict, reason, cause from change
                             where subject = s.subject and layer = l.layer and withdrawn_at is null
                               and at <= now() order by at desc limit 1) c
            """,
            list(layers),
            list(subjects),
        )
    return {
        (row["layer"], row["subject"]): Standing(
            row["layer"], row["subject"], millis(row["at"]), row["verdict"], row["reason"], row["cause"]
        )
        for row in rows
    }


async def changes_since(store: Store, place: Place, *, limit: int = CHANGES_MAX) -> list[Changed]:
    """Changes of every layer that people see, after `place`, of transactions that nobody can still join."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            """
            select tx::text::bigint as tx, id, layer, subject, at, verdict, reason, cause, known_at,
                   withdrawn_at
              from change
             where (tx, id) > ($1::text::xid8, $2) and tx < pg_snapshot_xmin(pg_current_snapshot())
               and layer in ('measured', 'effective')
             order by tx, id limit $3
            """,
            str(place.tx),
            place.id,
            limit,
        )
    return [_changed(row) for row in rows]


def _changed(row: asyncpg.Record) -> Changed:
    return Changed(
        place=Place(row["tx"], row["id"]),
        layer=row["layer"],
        subject=row["subject"],
        at_ms=millis(row["at"]),
        verdict=row["verdict"],
        reason=row["reason"],
        cause=row["cause"],
        known_at_ms=millis(row["known_at"]),
        withdrawn_at_ms=millis_or_none(row["withdrawn_at"]),
    )


async def clocks(store: Store) -> Clocks:
    """The clock of every partition of observations, and when derive last said that it lives."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            "select cluster, partition, judged_until from stream_offset "
            "where topic like '%continuity.observations'"
        )
        derive = await connection.fetchval("select at from follower where role = 'derive'")
        now = await connection.fetchval("select clock_timestamp()")
    return Clocks(
        judged_until_ms={
            (row["cluster"], row["partition"]): millis_or_none(row["judged_until"]) for row in rows
        },
        derive_at_ms=millis_or_none(derive),
        now_ms=millis(now),
    )


async def partitions(store: Store) -> dict[str, tuple[str, int]]:
    """(cluster, partition) of every subject (`service:x`, `system:y`) that was ever judged."""
    async with store.connection() as connection:
        rows = await connection.fetch("select subject, cluster, partition from state")
    return {row["subject"]: (row["cluster"], row["partition"]) for row in rows}


async def refusal(store: Store) -> Refusal | None:
    """The last edit of the catalogue, when it was refused."""
    async with store.connection() as connection:
        row = await connection.fetchrow("select problems, at from refused")
    return Refusal(tuple(_problems.decode(row["problems"])), millis(row["at"])) if row else None


async def last_answers(store: Store, pairs: Collection[tuple[str, str]]) -> list[LastAnswer]:
    """Of each (check, vantage): each phase as it last finished within the hour (T24), and the certificate.

    A function of stored rows alone, so that every replica says the same (T48).
    """
    checks, vantages = [check for check, _ in pairs], [vantage for _, vantage in pairs]
    async with store.connection() as connection:
        newest = await connection.fetch(_NEWEST, checks, vantages, float(PHASE_AGE_MAX_S))
        whole = {
            (r["check_key"], r["vantage"]): _last(r) for r in newest if r["outcome"] in ("up", "degraded")
        }
        partly = [
            (r["check_key"], r["vantage"]) for r in newest if (r["check_key"], r["vantage"]) not in whole
        ]
        earlier = await connection.fetch(
            _EARLIER, [c for c, _ in partly], [v for _, v in partly], float(PHASE_AGE_MAX_S), BACK_MAX
        )
    return [*whole.values(), *_merged(earlier)]


_NEWEST = """
select u.check_key, u.vantage, o.outcome, o.phases_ms, o.certificate_expires
  from unnest($1::text[], $2::text[]) u(check_key, vantage),
       lateral (select outcome, phases_ms, certificate_expires from observation
                 where check_key = u.check_key and vantage = u.vantage
                   and due > now() - make_interval(secs => $3)
                 order by due desc, attempt desc limit 1) o
"""
_EARLIER = """
select u.check_key, u.vantage, o.outcome, o.phases_ms, o.certificate_expires
  from unnest($1::text[], $2::text[]) u(check_key, vantage),
       lateral (select due, attempt, outcome, phases_ms, certificate_expires from observation
                 where check_key = u.check_key and vantage = u.vantage
                   and due > now() - make_interval(secs => $3)
                 order by due desc, attempt desc limit $4) o
 order by u.check_key, u.vantage, o.due desc, o.attempt desc
"""


def _last(row: asyncpg.Record) -> LastAnswer:
    return LastAnswer(
        row["check_key"],
        row["vantage"],
        _phases.decode(row["phases_ms"]),
        millis_or_none(row["certificate_expires"]),
    )


def _merged(rows: Iterable[asyncpg.Record]) -> list[LastAnswer]:
    """Newest first per (check, vantage): the first row that finished a phase gives its value."""
    found: dict[tuple[str, str], LastAnswer] = {}
    for row in rows:
        older = _last(row)
        newer = found.get((older.check, older.vantage))
        found[older.check, older.vantage] = older if newer is None else _fill(newer, older)
    return list(found.values())


def _fill(newer: LastAnswer, older: LastAnswer) -> LastAnswer:
    expires_ms = newer.certificate_expires_ms
    return newer._replace(
        phases_ms={**older.phases_ms, **newer.phases_ms},
        certificate_expires_ms=older.certificate_expires_ms if expires_ms is None else expires_ms,
    )
