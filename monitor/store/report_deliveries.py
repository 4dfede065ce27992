"""Reports on their way to people: planned with what is published, claimed by an expiring lease, logged."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Literal, NamedTuple

import asyncpg

from monitor.store import claims
from monitor.store.pool import Store
from monitor.store.times import millis, millis_or_none
from monitor.store.tokens import audit

LOG_MAX = 1000
SHOWN_DAYS = 7  # in which somebody is told that one was given up
_LOGGED = "id, scope, label, version, stage, recipient, state, tries, said, made_at, due_at, done_at"
_GIVEN_UP = """
    state = 'failed' and done_at > now() - make_interval(days => $1) and not exists (
        select from report_delivery newer
         where (newer.scope, newer.label, newer.recipient) = (t.scope, t.label, t.recipient)
           and newer.id > t.id)"""
Stage = Literal["draft", "published"]


class Which(NamedTuple):
    """A version of a report, as a draft or as it was published."""

    scope: str
    label: str
    version: int
    stage: Stage = "published"


class Claimed(NamedTuple):
    """A version to send now, under `lease`. `document` is its frozen JSON."""

    id: int
    which: Which
    recipient: str
    made_ms: int
    tries: int  # this one included
    lease: str
    document: bytes
    review_until_ms: int | None  # of a draft
    remade: bool  # a draft that replaces one that was sent


class Sent(NamedTuple):
    """A line of the log."""

    id: int
    scope: str
    label: str
    version: int
    stage: str
    recipient: str
    state: str
    tries: int
    said: str
    made_ms: int
    due_ms: int
    done_ms: int | None


async def plan(connection: asyncpg.Connection, which: Which, recipients: Collection[str]) -> None:
    """To be sent to each of them once."""
    await connection.executemany(
        "insert into report_delivery (scope, label, version, stage, recipient) values ($1, $2, $3, $4, $5) "
        "on conflict do nothing",
        [(*which, name) for name in recipients],
    )


async def plan_again(
    connection: asyncpg.Connection, which: Which, recipients: Collection[str], *, by: str
) -> None:
    """To be sent to each of them once more, because somebody asked; audited.

    Who has one of it waiting gets that one, now.
    """
    for name in recipients:
        status = await connection.execute(
            "update report_delivery set due_at = least(due_at, now()) where (scope, label, version, stage) = "
            "($1, $2, $3, $4) and recipient = $5 and state = 'waiting'",
            *which,
            name,
        )
        if status == "UPDATE 0":
            await connection.execute(
                "insert into report_delivery (scope, label, version, stage, recipient, turn) "
                "select $1, $2, $3, $4, $5, coalesce(max(turn) + 1, 0) from report_delivery "
                "where (scope, label, version, stage) = ($1, $2, $3, $4) and recipient = $5",
                *which,
                name,
            )
    about = f"report:{which.scope}/{which.label}/{which.version}"
    await audit(connection, actor=by, action="report.sent", about=about, detail={"to": [*recipients]})


async def plan_draft_again(connection: asyncpg.Connection, which: Which, *, in_s: float) -> None:
    """Whoever was sent a draft is sent it once more, made anew; who waits for it gets the new one anyway."""
    await connection.execute(  # a sender that has one in hand is waited for: it may hold the bytes of before
        "select from report_delivery where (scope, label, version) = ($1, $2, $3) and stage = 'draft' "
        "and state = 'waiting' for update",
        *which[:3],
    )
    await connection.execute(
        "insert into report_delivery (scope, label, version, stage, recipient, turn, due_at) "
        "select scope, label, version, stage, recipient, max(turn) + 1, now() + make_interval(secs => $4) "
        "from report_delivery where (scope, label, version) = ($1, $2, $3) and stage = 'draft' "
        "group by scope, label, version, stage, recipient "
        "having not bool_or(state = 'waiting' and coalesce(lease_until < now(), true))",
        *which[:3],
        float(in_s),
    )


async def drop_drafts(connection: asyncpg.Connection, which: Which) -> None:
    """A draft that is published need not be sent any more."""
    await connection.execute(
        "update report_delivery set state = 'dropped', done_at = now(), "
        "said = 'published before it was sent' where (scope, label, version) = ($1, $2, $3) "
        "and stage = 'draft' and state = 'waiting'",
        *which[:3],
    )


async def claim(store: Store, recipients: Collection[str], *, lease: str, lease_s: float) -> Claimed | None:
    """One that is due to one of `recipients` and that nobody is at; this process is at it now.

    Who has waited longest since it was due comes first: what is tried again and again holds up nobody else.
    A second claim by others waits for the lease to run out, which is after every deadline of sending.
    """
    async with store.connection() as connection:
        row = await connection.fetchrow(
            """
            with taken as (
                update report_delivery set tries = tries + 1, lease = $2,
                       lease_until = now() + make_interval(secs => $3)
                 where id = (
                    select id from report_delivery
                     where state = 'waiting' and due_at <= now() and recipient = any ($1)
                       and (lease_until is null or lease_until < now())
                     order by due_at, id limit 1 for update skip locked)
                returning *)
            select t.id, t.scope, t.label, t.version, t.stage, t.recipient, t.made_at, t.tries, t.lease,
                   coalesce(r.document, d.document) as document, d.review_until,
                   t.stage = 'draft' and t.turn > 0 as remade
              from taken t
              left join report_version r on t.stage = 'published'
                    and (r.scope, r.label, r.version) = (t.scope, t.label, t.version)
              left join report_draft d on t.stage = 'draft'
                    and (d.scope, d.label, d.version) = (t.scope, t.label, t.version)
            """,
            list(recipients),
            lease,
            lease_s,
        )
    if row is None:
        return None
    until = row["review_until"]
    return Claimed(
        id=row["id"],
        which=Which(row["scope"], row["label"], row["version"], row["stage"]),
        recipient=row["recipient"],
        made_ms=millis(row["made_at"]),
        tries=row["tries"],
        lease=row["lease"],
        document=row["document"].encode(),
        review_until_ms=millis_or_none(until),
        remade=row["remade"],
    )


close = partial(claims.close, "report_delivery")
again = partial(claims.again, "report_delivery")


class Standing(NamedTuple):
    """What is not delivered: how many wait, since when the first of them does, how many were given up."""

    waiting: int
    since_ms: int | None
    given_up: int


async def standing(store: Store) -> Standing:
    """Given up: within the last `SHOWN_DAYS`, and only where nothing newer goes to that recipient."""
    async with store.connection() as connection:
        row = await connection.fetchrow(
            "select count(*) filter (where state = 'waiting'), "  # noqa: S608 - our own text
            "min(made_at) filter (where state = 'waiting'), "
            "count(*) filter (where state = 'failed') "
            f"from report_delivery t where state = 'waiting' or ({_GIVEN_UP})",
            SHOWN_DAYS,
        )
    return Standing(row[0], millis_or_none(row[1]), row[2])


async def troubles(store: Store, *, waited_s: float) -> list[Sent]:
    """Deliveries that were given up, or have waited for longer than that; the oldest first."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            f"select {_LOGGED} from report_delivery t "  # noqa: S608 - our own text
            f"where ({_GIVEN_UP}) or (state = 'waiting' and made_at < now() - make_interval(secs => $2)) "
            "order by id limit $3",
            SHOWN_DAYS,
            float(waited_s),
            LOG_MAX,
        )
    return [_sent(row) for row in rows]


async def give_up_strangers(store: Store, recipients: Collection[str], *, waited_s: float) -> int:
    """Give up what has waited so long for a name that is none of `recipients`; how many that were."""
    async with store.connection() as connection:
        status = await connection.execute(
            "update report_delivery set state = 'failed', done_at = now(), lease = null, lease_until = null, "
            "said = 'nobody is called so any more' where state = 'waiting' and recipient <> all ($1) "
            "and (lease_until is null or lease_until < now()) "
            "and made_at < now() - make_interval(secs => $2)",
            list(recipients),
            float(waited_s),
        )
    return int(status.split()[-1])


async def log(store: Store, *, label: str | None = None, limit: int = LOG_MAX) -> list[Sent]:
    """The log of deliveries, the newest first; of one label, or of all."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            f"select {_LOGGED} from report_delivery where $1::text is null or label = $1 "  # noqa: S608
            "order by id desc limit $2",
            label,
            min(limit, LOG_MAX),
        )
    return [_sent(row) for row in rows]


def _sent(row: asyncpg.Record) -> Sent:
    told = dict(row)
    made, due, done = (told.pop(name) for name in ("made_at", "due_at", "done_at"))
    return Sent(**told, made_ms=millis(made), due_ms=millis(due), done_ms=millis_or_none(done))
