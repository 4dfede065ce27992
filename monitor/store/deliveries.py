"""The outbox on its way: who gets each message, who is at it, what became of it.

A row is claimed by a lease that expires, sent outside any transaction, and closed by whoever holds the lease.
For an incident and a receiver they go one after the other, in the order in which they were made.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import NamedTuple

import asyncpg

from monitor.store import claims
from monitor.store.pool import Store
from monitor.store.times import millis, millis_or_none, moment

ROUTING = 0x726F7574  # lock of whoever decides who gets what; any number that nobody else locks
ROUTED_MAX = 200
REMINDER = "reminder"
WORK = "WORK-"
LOG_MAX = 1000


class Unrouted(NamedTuple):
    """A message nobody has decided on yet, with its incident as it is now (None for a message of none).

    Of work, `incident` is the thread in which all that is told of it goes on: WORK- and its first number.
    """

    notice: int
    incident: str
    topic: str
    severity: str
    document: str | None
    exclusion: int | None = None


class Planned(NamedTuple):
    """A message to a receiver, due at `due_ms`."""

    notice: int
    incident: str
    receiver: str
    due_ms: int
    why: str = "notice"
    turn: int = 0


class Claimed(NamedTuple):
    """A message to send now, under `lease`; its incident as it is now."""

    id: int
    notice: int
    incident: str
    receiver: str
    why: str
    topic: str
    severity: str
    made_ms: int
    tries: int  # this one included
    lease: str
    document: str | None
    acknowledged_by: str | None
    heard: bool  # something of this incident was sent to this receiver before
    exclusion: int | None = None


class Told(NamedTuple):
    """A line of the delivery log."""

    id: int
    incident: str
    receiver: str
    topic: str
    severity: str
    why: str
    state: str
    tries: int
    said: str
    made_ms: int
    due_ms: int
    done_ms: int | None
    exclusion: int | None = None


class Waits(NamedTuple):
    """What an Alertmanager has not been handed yet."""

    id: int
    tries: int
    made_ms: int


class AlertRow(NamedTuple):
    """An incident that people were told of, and when of which severity, oldest first."""

    document: str
    over_ms: int | None  # when it, or what it followed from, was closed
    told: tuple[tuple[str, str, int], ...]  # (topic, severity, at_ms)


async def may_route(connection: asyncpg.Connection) -> bool:
    """Whether this transaction decides; False while another one does."""
    return bool(await connection.fetchval("select pg_try_advisory_xact_lock($1)", ROUTING))


async def unrouted(connection: asyncpg.Connection) -> list[Unrouted]:
    """The oldest messages to decide on, oldest first; none while another process decides."""
    if not await may_route(connection):
        return []
    rows = await connection.fetch(
        """
        with recursive new as (select * from notice where routed_at is null order by id limit $1),
        up as (
            select id as of, id, extends, series from exclusion where id in (select exclusion from new)
            union all
            select up.of, e.id, e.extends, e.series from up join exclusion e on e.id = up.extends)
        select n.id, coalesce(n.incident, $2 || coalesce(up.series, up.id), '') as incident, n.topic,
               n.severity, i.document, n.exclusion
          from new n left join incident i on i.number = n.incident
          left join up on up.of = n.exclusion and up.extends is null order by n.id
        """,
        ROUTED_MAX,
        WORK,
    )
    return [Unrouted(*row) for row in rows]


async def route(connection: asyncpg.Connection, notices: Sequence[int], rows: Sequence[Planned]) -> None:
    """Decided. What still waits for its hour, of the same incident and receiver, is overtaken."""
    for row in rows:
        await connection.execute(
            "update delivery set state = 'dropped', done_at = now(), said = 'overtaken by a newer message' "
            "where incident = $1 and receiver = $2 and state = 'waiting' and tries = 0 and due_at > now() "
            "and incident <> '' "
            "and not exists (select from notice n where n.id = $3 and n.topic = 'update_missed')",
            row.incident,
            row.receiver,
            row.notice,
        )
        await plan(connection, [row])
    await connection.execute("update notice set routed_at = now() where id = any ($1)", list(notices))


async def plan(connection: asyncpg.Connection, rows: Sequence[Planned]) -> None:
    """Messages to receivers, each once."""
    await connection.executemany(
        "insert into delivery (notice, incident, receiver, due_at, why, turn) "
        "values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
        [(row.notice, row.incident, row.receiver, moment(row.due_ms), row.why, row.turn) for row in rows],
    )


_UNHEARD = """
  from delivery d join notice n on n.id = d.notice join incident i on i.number = d.incident
 where n.severity = 'critical' and n.topic in ('first', 'raised', 'again') and i.state = 'failing'
   and i.acknowledged_at is null
   and not exists (select 1 from notice m where m.incident = n.incident and m.id > n.id
                     and m.topic <> 'update_missed')
"""


async def unheard(
    connection: asyncpg.Connection, receivers: Collection[str], *, after_s: float
) -> list[Planned]:
    """Critical messages that nobody acknowledged within `after_s` of their sending, or that failed, for whom
    a second receiver may be told. As they were planned."""
    rows = await connection.fetch(
        f"select d.notice, d.incident, d.receiver, d.due_at {_UNHEARD} and d.why = 'notice' "
        "and d.receiver = any ($1) and (d.state = 'failed' or "
        "(d.state = 'sent' and d.done_at <= now() - make_interval(secs => $2))) order by d.id",
        list(receivers),
        after_s,
    )
    return [Planned(row["notice"], row["incident"], row["receiver"], millis(row["due_at"])) for row in rows]


async def silent(
    connection: asyncpg.Connection, receivers: Collection[str], *, after_s: float, most: int
) -> list[Planned]:
    """Critical messages that nobody acknowledged, to be told again: each with the turn that is next."""
    rows = await connection.fetch(
        f"select d.notice, d.incident, d.receiver, max(d.turn) + 1 as turn, max(d.due_at) as due_at "
        f"{_UNHEARD} and d.receiver = any ($1) group by d.notice, d.incident, d.receiver "
        "having bool_and(d.state <> 'waiting') and bool_or(d.state = 'sent') and max(d.turn) < $3 "
        "and max(d.done_at) <= now() - make_interval(secs => $2) order by d.notice",
        list(receivers),
        after_s,
        most,
    )
    return [
        Planned(
            row["notice"], row["incident"], row["receiver"], millis(row["due_at"]), "reminder", row["turn"]
        )
        for row in rows
    ]


async def claim(store: Store, receivers: Collection[str], *, lease: str, lease_s: float) -> Claimed | None:
    """The oldest message that is due to one of `receivers` and that nobody is at; this process is at it now.

    A second claim by others waits for the lease to run out, which is after every deadline of sending.
    """
    async with store.connection() as connection:
        row = await connection.fetchrow(
            """
            with taken as (
                update delivery set tries = tries + 1, lease = $2,
                       lease_until = now() + make_interval(secs => $3)
                 where id = (
                    select d.id from delivery d
                     where d.state = 'waiting' and d.due_at <= now() and d.receiver = any ($1)
                       and (d.lease_until is null or d.lease_until < now())
                       and (d.incident = '' or not exists (
                            select 1 from delivery e where e.incident = d.incident
                               and e.receiver = d.receiver and e.state = 'waiting' and e.id < d.id))
                     order by d.id limit 1 for update skip locked)
                returning *)
            select t.id, t.notice, t.incident, t.receiver, t.why, n.topic, n.severity, n.made_at, t.tries,
                   t.lease, i.document, i.acknowledged_by, n.exclusion,
                   exists (select 1 from delivery h where h.incident = t.incident
                              and h.receiver = t.receiver and h.state = 'sent') as heard
              from taken t join notice n on n.id = t.notice left join incident i on i.number = t.incident
            """,
            list(receivers),
            lease,
            lease_s,
        )
    if row is None:
        return None
    told = dict(row)
    return Claimed(made_ms=millis(told.pop("made_at")), **told)


close = partial(claims.close, "delivery")
again = partial(claims.again, "delivery")


async def waiting(store: Store, receiver: str) -> list[Waits]:
    """What this Alertmanager has not been handed yet and is due."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            "select id, tries, made_at from delivery "
            "where receiver = $1 and state = 'waiting' and due_at <= now() order by id",
            receiver,
        )
    return [Waits(row["id"], row["tries"], millis(row["made_at"])) for row in rows]


async def close_all(connection: asyncpg.Connection, ids: Collection[int], *, state: str, said: str) -> None:
    """The same of several, under whatever the transaction holds."""
    await connection.execute(
        "update delivery set state = $2, said = $3, done_at = now(), tries = tries + 1 "
        "where id = any ($1) and state = 'waiting'",
        list(ids),
        state,
        said,
    )


async def all_again(connection: asyncpg.Connection, ids: Collection[int], *, in_s: float, said: str) -> None:
    """None of them went through; another try in `in_s` seconds."""
    await connection.execute(
        "update delivery set said = $2, tries = tries + 1, due_at = now() + make_interval(secs => $3) "
        "where id = any ($1) and state = 'waiting'",
        list(ids),
        said,
        in_s,
    )


async def told_incidents(store: Store, *, closed_after_ms: int) -> list[AlertRow]:
    """Incidents people were told of, those open and those closed since, with their messages.

    One that followed from another lasts as long as that one: it is not over for whoever was told of it.
    """
    async with store.connection() as connection:
        rows = await connection.fetch(
            """
            with recursive up as (
                select number, number as top, absorbed_by from incident
                 where (closed_at is null or closed_at >= $1
                        or (state = 'absorbed' and closed_at >= now() - interval '30 days'))
                   and exists (select 1 from notice n where n.incident = incident.number
                                and n.topic <> 'update_missed')
                union all
                select up.number, i.number, i.absorbed_by
                  from up join incident i on i.number = up.absorbed_by)
            select i.document, t.closed_at is not null as over, coalesce(t.closed_at, now()) as over_at,
                   array_agg(n.topic order by n.id) as topics,
                   array_agg(n.severity order by n.id) as severities,
                   array_agg(n.made_at order by n.id) as times
              from up join incident t on t.number = up.top and up.absorbed_by is null
              join incident i on i.number = up.number
              join notice n on n.incident = up.number and n.topic <> 'update_missed'
             where t.closed_at is null or t.closed_at >= $1
             group by i.number, t.number order by i.opened_at, i.number
            """,
            moment(closed_after_ms),
        )
    return [
        AlertRow(
            row["document"],
            millis(row["over_at"]) if row["over"] else None,
            tuple(zip(row["topics"], row["severities"], map(millis, row["times"]), strict=True)),
        )
        for row in rows
    ]


async def undelivered(store: Store) -> int:
    """Messages that should have arrived: tried in vain or overdue, and given up within the hour."""
    async with store.connection() as connection:
        found: int = await connection.fetchval(
            "select count(*) from delivery where "
            "(state = 'waiting' and (tries > 0 or due_at < now() - interval '30 seconds')) "
            "or (state = 'failed' and done_at > now() - interval '1 hour')"
        )
        lost: int = await connection.fetchval(
            "select count(*) from notice where routed_at is null and made_at < now() - interval '30 seconds'"
        )
    return found + lost


async def log(store: Store, *, incident: str | None = None, limit: int = LOG_MAX) -> list[Told]:
    """The delivery log, the newest first; of one incident, or of all."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            "select d.id, d.incident, d.receiver, n.topic, n.severity, d.why, d.state, d.tries, d.said, "
            "d.made_at, d.due_at, d.done_at, n.exclusion from delivery d join notice n on n.id = d.notice "
            "where $1::text is null or d.incident = $1 order by d.id desc limit $2",
            incident,
            min(limit, LOG_MAX),
        )
    return [_told(row) for row in rows]


async def not_delivered(store: Store, *, from_ms: int) -> list[Told]:
    """Given up since then, or tried in vain so far, the newest first."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            "select d.id, d.incident, d.receiver, n.topic, n.severity, d.why, d.state, d.tries, d.said, "
            "d.made_at, d.due_at, d.done_at, n.exclusion from delivery d join notice n on n.id = d.notice "
            "where d.made_at >= $1 and (d.state = 'failed' or (d.state = 'waiting' and d.tries > 0)) "
            "order by d.id desc limit $2",
            moment(from_ms),
            LOG_MAX,
        )
    return [_told(row) for row in rows]


def _told(row: asyncpg.Record) -> Told:
    told = dict(row)
    made, due, done = (told.pop(name) for name in ("made_at", "due_at", "done_at"))
    return Told(**told, made_ms=millis(made), due_ms=millis(due), done_ms=millis_or_none(done))


async def signing_key(store: Store, purpose: str, *, fresh: bytes) -> bytes:
    """The key of that purpose; `fresh` becomes it when there is none yet."""
    async with store.connection() as connection:
        await connection.execute(
            "insert into signing_key (purpose, key) values ($1, $2) on conflict do nothing", purpose, fresh
        )
        key: bytes = await connection.fetchval("select key from signing_key where purpose = $1", purpose)
    return key
