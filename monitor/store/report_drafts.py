"""Weekly reports that wait for their reviewers, and their publication with the very same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from monitor.store.pool import Store
from monitor.store.report_deliveries import Which
from monitor.store.reports import Frozen
from monitor.store.times import millis, millis_or_none, moment
from monitor.store.tokens import audit

_DRAFT = "scope, label, version, made_at, review_until, sha256, remade_at"


class Draft(NamedTuple):
    """One that is not published yet."""

    scope: str
    label: str
    version: int
    made_ms: int
    review_until_ms: int
    sha256: str
    remade_ms: int | None  # made anew since reviewers got it

    @property
    def which(self) -> Which:
        return Which(self.scope, self.label, self.version)


async def add(
    connection: asyncpg.Connection, row: Frozen, *, review_s: float, recipients: Sequence[str], by: str
) -> None:
    """Keep a version back for its reviewers; `recipients` are sent it when it is published. Audited.

    Raises BadRow when there is one of that number.
    """
    await connection.execute(
        "insert into report_draft (scope, label, version, kind, during, as_of, complete, sample, figures, "
        "sha256, document, recipients, review_until) values ($1, $2, $3, $4, tstzrange($5, $6), $7, $8, $9, "
        "$10, $11, $12, $13, now() + make_interval(secs => $14))",
        *row[:4],
        moment(row.from_ms),
        moment(row.to_ms),
        moment(row.as_of_ms),
        *row[7:11],
        row.document.decode(),
        list(recipients),
        float(review_s),
    )
    await audit(
        connection, actor=by, action="report.drafted", about=_about(row.scope, row.label, row.version)
    )


async def waiting(store: Store, *, label: str | None = None, due: bool = False) -> list[Draft]:
    """Drafts that are not published, the oldest first; of one label, or those whose time is over."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            f"select {_DRAFT} from report_draft "  # noqa: S608
            "where released_at is null and ($1::text is null or label = $1) "
            "and (not $2 or review_until <= now()) order by made_at, scope, label",
            label,
            due,
        )
    return [_draft(row) for row in rows]


def _draft(row: asyncpg.Record) -> Draft:
    made_ms, until_ms = millis(row["made_at"]), millis(row["review_until"])
    remade_ms = millis_or_none(row["remade_at"])
    return Draft(row[0], row[1], row[2], made_ms, until_ms, row["sha256"], remade_ms)


async def held(
    connection: asyncpg.Connection, *, label: str, scopes: Sequence[str]
) -> list[tuple[Draft, bytes]]:
    """Those of these scopes with their frozen JSON; nobody publishes them until the transaction ends."""
    rows = await connection.fetch(
        f"select {_DRAFT}, document from report_draft where label = $1 and scope = any ($2) "  # noqa: S608
        "and released_at is null order by scope, version for update",
        label,
        list(scopes),
    )
    return [(_draft(row), row["document"].encode()) for row in rows]


async def remake(connection: asyncpg.Connection, draft: Draft, text: bytes, *, sha256: str, by: str) -> None:
    """Other bytes for a draft that is held; audited, with the SHA-256 of the bytes it had."""
    await connection.execute(
        "update report_draft set document = $4, sha256 = $5, remade_at = now() "
        "where (scope, label, version) = ($1, $2, $3)",
        *draft[:3],
        text.decode(),
        sha256,
    )
    detail = {"before": draft.sha256, "sha256": sha256}
    await audit(connection, actor=by, action="report.draft_remade", about=_about(*draft[:3]), detail=detail)


async def one(store: Store, *, scope: str, label: str) -> tuple[Draft, bytes] | None:
    """A draft that is not published, and its frozen JSON; None when there is none."""
    async with store.connection() as connection:
        row = await connection.fetchrow(
            f"select {_DRAFT}, document from report_draft "  # noqa: S608
            "where (scope, label) = ($1, $2) and released_at is null order by version desc limit 1",
            scope,
            label,
        )
    return None if row is None else (_draft(row), row["document"].encode())


async def release(
    connection: asyncpg.Connection, draft: Draft, *, signed_by: str | None, by: str
) -> list[str] | None:
    """Publish these very bytes; audited. Who is sent it.

    None when somebody else published it, or when it was made anew since `draft` was read.
    """
    row = await connection.fetchrow(
        "update report_draft set released_at = now(), signed_by = $4 where (scope, label, version) = "
        "($1, $2, $3) and released_at is null and sha256 = $5 returning recipients",
        *draft[:3],
        signed_by,
        draft.sha256,
    )
    if row is None:
        return None
    await connection.execute(
        "insert into report_version (scope, label, version, kind, during, as_of, complete, sample, figures, "
        "sha256, document) select scope, label, version, kind, during, as_of, complete, sample, figures, "
        "sha256, document from report_draft where (scope, label, version) = ($1, $2, $3)",
        *draft[:3],
    )
    action = "report.signed_off" if signed_by else "report.published"
    detail = {"sha256": draft.sha256}
    await audit(connection, actor=by, action=action, about=_about(*draft[:3]), detail=detail)
    return list(row["recipients"])


async def drafted(store: Store) -> set[tuple[str, str]]:
    """(scope, label) of every report that waits."""
    return {(each.scope, each.label) for each in await waiting(store)}


def _about(scope: str, label: str, version: int) -> str:
    return f"report:{scope}/{label}/{version}"
