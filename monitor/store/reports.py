"""Published reports: added, listed, read; never changed. And what a report asks of others' tables."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import asyncpg

from monitor.store.pool import Store
from monitor.store.times import millis, millis_or_none, moment
from monitor.store.tokens import audit

NOTES_MAX = 5  # of an incident


class ReportLine(NamedTuple):
    """A version; `figures` are those of everybody, as JSON. `complete`: the deadline had not come first."""

    scope: str
    label: str
    version: int
    kind: str
    from_ms: int
    to_ms: int
    as_of_ms: int
    published_ms: int
    complete: bool
    sample: bool
    figures: str
    sha256: str


class Frozen(NamedTuple):
    """A version to be stored; `document` are the bytes of its JSON."""

    scope: str
    label: str
    version: int
    kind: str
    from_ms: int
    to_ms: int
    as_of_ms: int
    complete: bool
    sample: bool
    figures: str
    sha256: str
    document: bytes


class NotedIncident(NamedTuple):
    """An incident that touches a period, with what people wrote, oldest first."""

    number: str
    subject: str
    since_ms: int
    ended_ms: int | None
    notes: tuple[str, ...]


async def add(connection: asyncpg.Connection, row: Frozen, *, by: str) -> None:
    """Publish a version; audited. Raises BadRow when there is one of that number."""
    await connection.execute(
        "insert into report_version (scope, label, version, kind, during, as_of, complete, sample, figures, "
        "sha256, document) values ($1, $2, $3, $4, tstzrange($5, $6), $7, $8, $9, $10, $11, $12)",
        *row[:4],
        moment(row.from_ms),
        moment(row.to_ms),
        moment(row.as_of_ms),
        *row[7:11],
        row.document.decode(),
    )
    about = f"report:{row.scope}/{row.label}/{row.version}"
    await audit(connection, actor=by, action="report.published", about=about)


_LINE = (
    "scope, label, version, kind, lower(during) as began, upper(during) as ended, as_of, published_at, "
    "complete, sample, figures, sha256"
)


async def newest(
    store: Store, *, scope: str | None = None, kind: str | None = None, limit: int
) -> list[ReportLine]:
    """The last version of each report, the newest period first; of one scope or kind, or of all."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            f"select * from (select distinct on (scope, label) {_LINE} from report_version "  # noqa: S608
            "where ($1::text is null or scope = $1) and ($2::text is null or kind = $2) "
            "order by scope, label, version desc) r "
            "order by ended desc, kind, scope <> 'government', scope, label limit $3",
            scope,
            kind,
            limit,
        )
    return [_line(row) for row in rows]


async def versions(store: Store, *, scope: str, label: str) -> list[ReportLine]:
    """Every version of a report, the last one first."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            f"select {_LINE} from report_version where scope = $1 and label = $2 order by version desc",  # noqa: S608
            scope,
            label,
        )
    return [_line(row) for row in rows]


async def document(store: Store, *, scope: str, label: str, version: int | None = None) -> bytes | None:
    """The frozen JSON of a version, of the last one unless said; None when there is none."""
    async with store.connection() as connection:
        text = await connection.fetchval(
            "select document from report_version where scope = $1 and label = $2 "
            "and ($3::integer is null or version = $3) order by version desc limit 1",
            scope,
            label,
            version,
        )
    return None if text is None else str(text).encode()


async def published(store: Store, *, kind: str) -> set[tuple[str, str]]:
    """(scope, label) of every report of that kind."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            "select distinct scope, label from report_version where kind = $1", kind
        )
    return {(row["scope"], row["label"]) for row in rows}


async def last_published(store: Store) -> int | None:
    """When the last version was published, in Unix ms; None before the first."""
    async with store.connection() as connection:
        at = await connection.fetchval("select max(published_at) from report_version")
    return millis_or_none(at)


def _line(row: asyncpg.Record) -> ReportLine:
    return ReportLine(
        scope=row["scope"],
        label=row["label"],
        version=row["version"],
        kind=row["kind"],
        from_ms=millis(row["began"]),
        to_ms=millis(row["ended"]),
        as_of_ms=millis(row["as_of"]),
        published_ms=millis(row["published_at"]),
        complete=row["complete"],
        sample=row["sample"],
        figures=row["figures"],
        sha256=row["sha256"],
    )


# -- what a report asks of others


async def now(store: Store) -> int:
    """PostgreSQL's clock when the transaction began, in Unix ms."""
    async with store.connection() as connection:
        return millis(await connection.fetchval("select now()"))


async def incidents(
    store: Store, *, subjects: Collection[str], from_ms: int, to_ms: int
) -> list[NotedIncident]:
    """Incidents of these subjects that touch [from, to), oldest first; those absorbed are others'."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            """
            select i.number, i.subject, i.since, i.closed_at, array(
                select n.text from (select id, text from incident_note
                                     where incident = i.number and kind = 'note' and text <> ''
                                     order by id desc limit $4) n order by n.id) as notes
              from incident i
             where i.subject = any ($1) and i.since < $3 and coalesce(i.closed_at, now()) >= $2
               and i.absorbed_by is null
             order by i.since, i.number
            """,
            list(subjects),
            moment(from_ms),
            moment(to_ms),
            NOTES_MAX,
        )
    return [_noted(row) for row in rows]


async def incident(store: Store, number: str) -> NotedIncident | None:
    """The incident of that number, without its notes; None when there is none."""
    async with store.connection() as connection:
        row = await connection.fetchrow(
            "select number, subject, since, closed_at, '{}'::text[] as notes from incident where number = $1",
            number,
        )
    return None if row is None else _noted(row)


def _noted(row: asyncpg.Record) -> NotedIncident:
    return NotedIncident(
        row["number"],
        row["subject"],
        millis(row["since"]),
        millis_or_none(row["closed_at"]),
        tuple(row["notes"]),
    )
