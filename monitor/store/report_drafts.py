"""Weekly reports that wait for their reviewers, and their publication with the very same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from monitor.store.pool import Store
from monitor.store.report_deliveries import Which
from monitor.store.reports import Frozen
from monitor.store.times import millis, moment
from monitor.store.tokens import audit


class Draft(NamedTuple):
    """One that is not published yet."""

    scope: str
    label: str
    version: int
    made_ms: int
    review_until_ms: int
    sha256: str

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
            "select scope, label, version, made_at, review_until, sha256 from report_draft "
            "where released_at is null and ($1::text is null or label = $1) "
            "and (not $2 or review_until <= now()) order by made_at, scope, label",
            label,
            due,
        )
    return [
        Draft(row[0], row[1], row[2], millis(row["made_at"]), millis(row["review_until"]), row["sha256"])
        for row in rows
    ]


async def document(store: Store, draft: Draft) -> bytes:
    """Its frozen JSON."""
    async with store.connection() as connection:
        text = await connection.fetchval(
            "select document from report_draft where (scope, label, version) = ($1, $2, $3)", *draft[:3]
        )
    return str(text).encode()


async def release(
    connection: asyncpg.Connection, draft: Draft, *, signed_by: str | None, by: str
) -> list[str] | None:
    """Publish it as it is; audited. Who is sent it; None when somebody else published it."""
    row = await connection.fetchrow(
        "update report_draft set released_at = now(), signed_by = $4 "
        "where (scope, label, version) = ($1, $2, $3) and released_at is null returning recipients",
        *draft[:3],
        signed_by,
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
    await audit(connection, actor=by, action=action, about=_about(*draft[:3]))
    return list(row["recipients"])


async def drafted(store: Store) -> set[tuple[str, str]]:
    """(scope, label) of every report that waits."""
    return {(each.scope, each.label) for each in await waiting(store)}


def _about(scope: str, label: str, version: int) -> str:
    return f"report:{scope}/{label}/{version}"
