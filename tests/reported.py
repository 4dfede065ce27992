"""A report or a draft stored as the role `report` stores it, from a document a test made."""

from __future__ import annotations

from monitor.report.document import Document, digest, encode, figures_json
from monitor.store import report_drafts, reports
from monitor.store.pool import Store
from monitor.store.reports import Frozen
from monitor.store.times import millis


async def publish(store: Store, document: Document) -> bytes:
    """Publish it; returns the bytes that were frozen."""
    row = row_of(document)
    async with store.transaction() as connection:
        await reports.add(connection, row, by="test")
    return row.document


async def draft(store: Store, document: Document) -> bytes:
    """Keep it back for an hour; then it goes to `chair`. Returns the bytes that were frozen."""
    row = row_of(document)
    async with store.transaction() as connection:
        await report_drafts.add(connection, row, review_s=3600, recipients=["chair"], by="test")
    return row.document


def row_of(document: Document) -> Frozen:
    """The row in which it is stored."""
    text, about = encode(document), document.about
    return Frozen(
        scope=about.scope,
        label=about.label,
        version=about.version,
        kind=about.kind,
        from_ms=millis(about.began),
        to_ms=millis(about.ended),
        as_of_ms=millis(about.as_of),
        complete=not document.not_in,
        sample=about.sample,
        figures=figures_json(document),
        sha256=digest(text),
        document=text,
    )
