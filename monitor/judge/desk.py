"""Where people's acts on incidents are stored: each one transaction, after whoever is at it, and audited."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from monitor.judge import by_hand
from monitor.judge.by_hand import NotNow, Report
from monitor.judge.handling import notes_of, notices_of, row_of
from monitor.judge.incidents import Handled, Incident, Numbers, Ruling
from monitor.store import incidents as table
from monitor.store.changes import wake
from monitor.store.pool import Store
from monitor.store.tokens import audit

_incident = msgspec.json.Decoder(Incident)


async def open_incident(store: Store, report: Report, *, now_ms: int) -> Incident:
    """A new incident by hand. Raises NotNow when one of that subject is open; StoreUnavailable."""
    async with store.transaction() as connection:
        await table.take_desk(connection)
        if (other := await table.open_of(connection, report.subject)) is not None:
            raise NotNow(f"{other} is open for it; add a note there")
        numbers = Numbers(await table.last_numbers_within(connection))
        done = by_hand.opened(report, number=numbers.take(now_ms), now_ms=now_ms)
        return await _store(connection, done, actor=report.by)


async def close_incident(store: Store, number: str, *, by: str, now_ms: int) -> Incident:
    """Close one that a person opened; it must exist. Raises NotNow, StoreUnavailable."""
    return await _change(store, number, lambda one: by_hand.closed(one, by=by, now_ms=now_ms), actor=by)


async def rule(store: Store, number: str, ruling: Ruling, *, by: str, now_ms: int) -> Incident:
    """Confirm or reject its suspected cause; it must exist. Raises NotNow, StoreUnavailable."""
    return await _change(
        store, number, lambda one: by_hand.ruled(one, ruling, by=by, now_ms=now_ms), actor=by
    )


async def summarise(store: Store, number: str, *, by: str, text: str) -> None:
    """What happened and what was learned, under a name; a later one stands beside it.

    The incident must exist. Raises NotNow while it is open, StoreUnavailable.
    """
    kept = await table.one(store, number)
    assert kept is not None, number
    if _incident.decode(kept.document).open:
        raise NotNow(f"{number} is open; a summary is written when it is closed, a note at any time")
    await table.write_note(store, number, actor=by, text=text, kind="summary")


async def _change(store: Store, number: str, act: Callable[[Incident], Handled], *, actor: str) -> Incident:
    async with store.transaction() as connection:
        await table.take_desk(connection)
        document = await table.document_of(connection, number)
        return await _store(connection, act(_incident.decode(document)), actor=actor)


async def _store(connection: Any, done: Handled, *, actor: str) -> Incident:
    [incident], [entry] = done.changed, done.entries
    await table.keep(connection, [row_of(incident)])
    await table.note(connection, notes_of(done))
    await table.announce(connection, notices_of(done))
    await audit(connection, actor=actor, action=f"incident.{entry.kind.value}", about=incident.number)
    await wake(connection)
    return incident
