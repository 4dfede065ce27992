"""Incidents, their timelines and the outbox, as stored; and since when each verdict is what it is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import asyncpg

from monitor.facts import Standing
from monitor.store.changes import wake
from monitor.store.pool import Store
from monitor.store.times import millis, millis_or_none, moment, moment_or_none
from monitor.store.tokens import audit


class IncidentRow(NamedTuple):
    """An incident: the columns readers ask by, and the whole as its JSON document. Unix milliseconds."""

    number: str
    subject: str
    sign: str
    state: str
    severity: str
    verdict: str
    suspected: bool
    since_ms: int
    opened_ms: int
    closed_ms: int | None
    absorbed_by: str | None
    services: tuple[str, ...]
    channels: tuple[str, ...]
    opened_by: str
    ruling: str | None
    document: str


class NoteRow(NamedTuple):
    """A line of a timeline; no author is the monitor itself."""

    incident: str
    kind: str
    at_ms: int
    author: str = ""
    text: str = ""


class NoticeRow(NamedTuple):
    """Something people must be told."""

    incident: str
    topic: str
    severity: str


class Kept(NamedTuple):
    """An incident as readers get it: its document, and who said that they have it in hand."""

    document: str
    acknowledged_ms: int | None
    acknowledged_by: str | None


class Line(NamedTuple):
    """A line of a timeline as readers get it."""

    kind: str
    at_ms: int
    known_ms: int
    author: str
    text: str


async def standing_since(
    store: Store, *, layers: Collection[str], subjects: Iterable[str]
) -> dict[tuple[str, str], Standing]:
    """What holds of each (layer, subject), `at_ms` being when its verdict became this one, for any reason."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            """
            select l.layer, s.subject, c.verdict, c.reason, c.cause,
                   (select min(f.at) from change f
                     where f.subject = s.subject and f.layer = l.layer and f.withdrawn_at is null
                       and f.at <= c.at and f.at > coalesce(
                           (select max(o.at) from change o
                             where o.subject = s.subject and o.layer = l.layer and o.withdrawn_at is null
                               and o.at <= c.at and o.verdict <> c.verdict), '-infinity')) as since
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
            row["layer"], row["subject"], millis(row["since"]), row["verdict"], row["reason"], row["cause"]
        )
        for row in rows
    }


async def documents(store: Store, *, closed_after_ms: int) -> list[str]:
    """Documents of all open incidents and of those closed since, oldest first."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            "select document from incident where closed_at is null or closed_at >= $1 "
            "order by opened_at, number",
            moment(closed_after_ms),
        )
    return [row["document"] for row in rows]


async def last_numbers(store: Store) -> dict[int, int]:
    """The highest number given, by year."""
    async with store.connection() as connection:
        return await last_numbers_within(connection)


async def last_numbers_within(connection: asyncpg.Connection) -> dict[int, int]:
    """The same, within a transaction."""
    rows = await connection.fetch(
        "select split_part(number, '-', 2)::int as year, max(split_part(number, '-', 3)::int) as last "
        "from incident group by 1"
    )
    return {row["year"]: row["last"] for row in rows}


async def edition(store: Store) -> int:
    """How often people changed incidents; another one: read them again."""
    async with store.connection() as connection:
        found: int = await connection.fetchval("select edition from incident_desk")
    return found


async def edition_locked(connection: asyncpg.Connection) -> int:
    """The same; until this transaction ends nobody changes one by hand."""
    found: int = await connection.fetchval("select edition from incident_desk for update")
    return found


async def take_desk(connection: asyncpg.Connection) -> None:
    """First statement of every act of a person: waits for whoever is at it, and makes the leader look."""
    await connection.execute("update incident_desk set edition = edition + 1")


async def open_of(connection: asyncpg.Connection, subject: str) -> str | None:
    """The number of the open incident of a subject."""
    number: str | None = await connection.fetchval(
        "select number from incident where subject = $1 and closed_at is null", subject
    )
    return number


async def document_of(connection: asyncpg.Connection, number: str) -> str:
    """The document of an incident, which must exist."""
    document: str = await connection.fetchval("select document from incident where number = $1", number)
    return document


async def keep(connection: asyncpg.Connection, rows: Sequence[IncidentRow]) -> None:
    """Store them as they are now, an absorbing one before what it absorbed.

    An acknowledgement stays, except of one that is opened again: that is for somebody to see anew.
    """
    await connection.executemany(
        """
        insert into incident (number, subject, sign, state, severity, verdict, suspected, since, opened_at,
                              closed_at, absorbed_by, services, channels, opened_by, ruling, document)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
        on conflict (number) do update
           set sign = excluded.sign, state = excluded.state, severity = excluded.severity,
               verdict = excluded.verdict, suspected = excluded.suspected, closed_at = excluded.closed_at,
               absorbed_by = excluded.absorbed_by, services = excluded.services,
               channels = excluded.channels, ruling = excluded.ruling, document = excluded.document,
               tx = pg_current_xact_id(),
               acknowledged_at = case when excluded.closed_at is null and incident.closed_at is not null
                                      then null else incident.acknowledged_at end,
               acknowledged_by = case when excluded.closed_at is null and incident.closed_at is not null
                                      then null else incident.acknowledged_by end
        """,
        [
            (
                *row[:7],
                moment(row.since_ms),
                moment(row.opened_ms),
                moment_or_none(row.closed_ms),
                *row[10:],
            )
            for row in sorted(rows, key=lambda row: row.absorbed_by is not None)
        ],
    )


async def note(connection: asyncpg.Connection, rows: Sequence[NoteRow]) -> None:
    """New lines of timelines."""
    await connection.executemany(
        "insert into incident_note (incident, kind, at, author, text) values ($1, $2, $3, $4, $5)",
        [(row.incident, row.kind, moment(row.at_ms), row.author, row.text) for row in rows],
    )


async def note_once(connection: asyncpg.Connection, row: NoteRow) -> bool:
    """A line of a timeline that stands there once of its kind and instant; whether it is new."""
    done: str = await connection.execute(
        "insert into incident_note (incident, kind, at, author, text) select $1, $2, $3, $4, $5 "
        "where not exists (select from incident_note where incident = $1 and kind = $2 and at = $3)",
        row.incident,
        row.kind,
        moment(row.at_ms),
        row.author,
        row.text,
    )
    return done.endswith(" 1")


async def announce(connection: asyncpg.Connection, rows: Sequence[NoticeRow]) -> None:
    """Put messages into the outbox, in order."""
    await connection.executemany(
        "insert into notice (incident, topic, severity) values ($1, $2, $3)", list(rows)
    )


_KEPT = "select document, acknowledged_at, acknowledged_by from incident"


async def open_ones(store: Store) -> list[Kept]:
    """Every open incident, the gravest first, then the oldest."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            f"{_KEPT} where closed_at is null "
            "order by array_position(array['critical', 'warning', 'info'], severity), since, number"
        )
    return [kept_of(row) for row in rows]


async def closed_ones(store: Store, *, limit: int) -> list[Kept]:
    """The incidents closed last, the newest first; those absorbed are told of by who absorbed them."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            f"{_KEPT} where state = 'closed' order by closed_at desc, number desc limit $1", limit
        )
    return [kept_of(row) for row in rows]


async def one(store: Store, number: str) -> Kept | None:
    """The incident of that number; None when there is none."""
    async with store.connection() as connection:
        row = await connection.fetchrow(f"{_KEPT} where number = $1", number)
    return kept_of(row) if row else None


async def timeline(store: Store, number: str) -> list[Line]:
    """What happened to an incident and what people wrote, in the order in which we knew it."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            "select kind, at, known_at, author, text from incident_note where incident = $1 order by id",
            number,
        )
    return [
        Line(row["kind"], millis(row["at"]), millis(row["known_at"]), row["author"], row["text"])
        for row in rows
    ]


async def acknowledge(store: Store, number: str, *, actor: str) -> bool:
    """Somebody has it in hand: noted once, audited. False when it was acknowledged before, or is not open."""
    async with store.transaction() as connection:
        status = await connection.execute(
            "update incident set acknowledged_at = now(), acknowledged_by = $2, tx = pg_current_xact_id() "
            "where number = $1 and acknowledged_at is null and closed_at is null",
            number,
            actor,
        )
        if status != "UPDATE 1":
            return False
        await _write(connection, number, kind="acknowledged", actor=actor)
    return True


async def write_note(store: Store, number: str, *, actor: str, text: str, kind: str = "note") -> None:
    """What a person adds to the timeline (`note` | `summary`), under their name; audited.

    The incident must exist.
    """
    async with store.transaction() as connection:
        await _write(connection, number, kind=kind, actor=actor, text=text)


async def _write(
    connection: asyncpg.Connection, number: str, *, kind: str, actor: str, text: str = ""
) -> None:
    await connection.execute(
        "insert into incident_note (incident, kind, at, author, text) values ($1, $2, now(), $3, $4)",
        number,
        kind,
        actor,
        text,
    )
    await audit(connection, actor=actor, action=f"incident.{kind}", about=number)
    await wake(connection)


def kept_of(row: asyncpg.Record) -> Kept:
    """Of a row with document, acknowledged_at and acknowledged_by."""
    at = row["acknowledged_at"]
    return Kept(row["document"], millis_or_none(at), row["acknowledged_by"])
