"""Reminds operators of what the public was promised: an update that did not come, once for each promise."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from monitor.facts import Said
from monitor.judge.incidents import SENT, Incident, Kind, Topic
from monitor.judge.promises import overdue, promised_ms
from monitor.log import Log
from monitor.model import Catalogue, PublicRules, Severity
from monitor.store import incidents as table
from monitor.store import public
from monitor.store.changes import wake
from monitor.store.incidents import NoteRow, NoticeRow
from monitor.store.lease import Lease
from monitor.store.pool import Store

log = Log(__name__)
LOOK_S = 15.0


class Missed(NamedTuple):
    """A promise that was not kept, and when it was due."""

    incident: Incident
    due_ms: int


def missed(
    incidents: Iterable[Incident], said: Mapping[str, list[Said]], rules: PublicRules, *, now_ms: int
) -> list[Missed]:
    """Of incidents that still fail. `said`: of each, the oldest first."""
    found = []
    for one in incidents:
        words = said.get(one.number, [])
        due_ms = promised_ms(one, words, rules)
        if due_ms is not None and overdue(one, words, rules, now_ms=now_ms):
            found.append(Missed(one, due_ms))
    return found


class Reminder:
    """Looks at promises every few seconds while its process leads."""

    def __init__(self, store: Store, *, lease: Lease) -> None:
        self._store, self._lease = store, lease
        self._looked_at = float("-inf")

    async def look(self, incidents: Iterable[Incident], catalogue: Catalogue, *, now_ms: int) -> None:
        """Tell of what was missed since the last look. Raises StoreUnavailable and LeaseLost."""
        if time.monotonic() - self._looked_at < LOOK_S:
            return
        said: dict[str, list[Said]] = {}
        for word in await public.said_since(self._store, now_ms):
            said.setdefault(word.incident, []).append(word)
        found = missed(incidents, said, catalogue.policy.public, now_ms=now_ms)
        if found:
            await self._tell(found)
        self._looked_at = time.monotonic()

    async def _tell(self, found: Iterable[Missed]) -> None:
        async with self._store.transaction() as connection:
            await self._lease.lock(connection)
            new = [
                one
                for one in found
                if await table.note_once(
                    connection, NoteRow(one.incident.number, Kind.UPDATE_MISSED.value, one.due_ms)
                )
            ]
            await table.announce(
                connection,
                [NoticeRow(one.incident.number, Topic.UPDATE_MISSED.value, _severity(one)) for one in new],
            )
            if new:
                await wake(connection)
        for one in new:
            log.info("public.update_missed", number=one.incident.number)


def _severity(one: Missed) -> str:
    """Of the incident; what is only shown is a warning where the public waits for it."""
    severity = one.incident.severity
    return (severity if severity in SENT else Severity.WARNING).value
