"""The leader's loop of incidents: looks at what holds, and stores what it makes of them with what to tell.

A look is level-triggered: it goes by what holds now, so a leader that was away misses no failure that lasts,
and one that begins goes on from the stored incidents. All of a look is one transaction under derive's lease.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import msgspec

from monitor.errors import LeaseLost, StoreUnavailable
from monitor.judge.causes import see
from monitor.judge.incidents import Entry, Handled, Incident, Kind, Numbers, State, handle, held_by
from monitor.judge.outlook import Outlook
from monitor.judge.prompter import Prompter
from monitor.judge.questions import below, questions, unexplained
from monitor.judge.ranges import Range
from monitor.judge.reminding import Reminder
from monitor.judge.troubles import Seen, Sign, expiring
from monitor.judge.work import ASK_BEFORE_MS
from monitor.lifetime import Backoff, Stop
from monitor.log import Log
from monitor.metrics import HandlingMetrics
from monitor.model import IncidentRules
from monitor.store import exclusions
from monitor.store import incidents as table
from monitor.store.changes import wake
from monitor.store.incidents import IncidentRow, NoteRow, NoticeRow
from monitor.store.lease import Lease
from monitor.store.listen import Bell
from monitor.store.pool import Store

log = Log(__name__)
LOOK_S = 1.0
ASK_S = 15.0  # so often it is looked for work that ends soon
SETTLE_S = 0.1  # after a ring, so that what derive writes in several transactions is looked at once

_incident = msgspec.json.Decoder(Incident)


class Handling:
    """Keeps the incidents while this process leads; a stand-by forgets what it knew."""

    def __init__(
        self, store: Store, *, lease: Lease, metrics: HandlingMetrics, bell: Bell, prompter: Prompter
    ) -> None:
        self._store, self._lease, self._metrics, self._bell = store, lease, metrics, bell
        self._prompter = prompter
        self._epoch = 0  # of the leadership under which the rest was read
        self._outlook = Outlook(store)
        self._incidents: dict[str, Incident] = {}
        self._numbers = Numbers({})
        self._edition = -1  # of what people did, when the rest was read
        self._failing: frozenset[str] = frozenset()  # unexplained at the last look
        self._asked_at = float("-inf")
        self._reminder = Reminder(store, lease=lease)

    async def run(self, stop: Stop) -> None:
        """Until `stop`. Database away, or the lease lost: what is stored is read again."""
        backoff = Backoff()
        while not stop.requested:
            try:
                if self._lease.held:
                    await self.look()
                else:
                    self._forget()
                backoff.reset()
                await self._bell.wait(LOOK_S, stop)
                await stop.pause(SETTLE_S)
            except LeaseLost as error:
                log.warning("incidents.lease_lost", why=str(error))
                self._forget()
                await stop.pause(backoff.next_s())
            except StoreUnavailable as error:
                log.warning("incidents.store_away", why=str(error))
                self._forget()  # what was in flight may be stored, or not
                await stop.pause(backoff.next_s())

    def excluded(self, subject: str) -> list[Range]:
        """Stretches of the last day in which a subject was not required, as last read."""
        return self._outlook.excluded(subject)

    def _forget(self) -> None:
        self._epoch, self._failing = 0, frozenset()
        self._metrics.show_open({})

    async def look(self) -> None:
        """One look. Raises StoreUnavailable and LeaseLost; then nothing of it was stored."""
        if not await self._outlook.refresh():
            return
        rules = self._outlook.around.catalogue.policy.incidents
        now_ms = self._outlook.now_ms
        edition = await table.edition(self._store)
        if self._epoch != self._lease.epoch or self._edition != edition:
            await self._recall(rules, now_ms, edition)
        seen = await asyncio.to_thread(self._see, rules, now_ms)
        found = handle(self._incidents.values(), seen, now_ms=now_ms, rules=rules, numbers=self._numbers)
        causes = self._possible_causes(seen)
        found = found._replace(entries=[*found.entries, *self._asked(found, causes, now_ms)])
        if (found.changed or found.entries) and not await self._write(found):
            self._epoch = 0  # read them again at the next look
            return
        self._keep(found, rules, now_ms)
        self._failing = frozenset(unexplained(seen.troubles))
        systems = [system for each in causes.values() for system in each]
        self._prompter.ask(questions(self._outlook.around, systems, now_ms=now_ms))
        await self._ask_about_work()
        await self._reminder.look(self._incidents.values(), self._outlook.around.catalogue, now_ms=now_ms)
        self._metrics.looked_at.set(time.time())

    async def _ask_about_work(self) -> None:
        """Whether work that ends soon is finished, takes longer, or is rolled back: asked once of each."""
        if time.monotonic() - self._asked_at < ASK_S:
            return
        async with self._store.transaction() as connection:
            await self._lease.lock(connection)
            for number in await exclusions.ask_about_ends(connection, before_s=ASK_BEFORE_MS / 1000):
                await exclusions.tell(connection, number, "work_ending")
        self._asked_at = time.monotonic()

    async def _recall(self, rules: IncidentRules, now_ms: int, edition: int) -> None:
        epoch, self._edition = self._lease.epoch, edition
        stored = await table.documents(self._store, closed_after_ms=now_ms - round(rules.reopen_s * 1000))
        self._incidents = {one.number: one for one in map(_incident.decode, stored)}
        self._numbers = Numbers(await table.last_numbers(self._store))
        self._failing = _known_failing(self._incidents.values())
        self._epoch = epoch
        log.info("incidents.recalled", incidents=len(self._incidents))

    def _see(self, rules: IncidentRules, now_ms: int) -> Seen:
        incidents = list(self._incidents.values())
        certificates = expiring(
            self._outlook.answers, now_ms=now_ms, within_ms=round(rules.certificate_s * 1000)
        )
        seen = see(
            self._outlook.around,
            self._outlook.picture,
            held=held_by(incidents),
            certificates=certificates,
        )
        return replace(seen, unsure=seen.unsure | self._blind())

    def _possible_causes(self, seen: Seen) -> dict[str, list[str]]:
        """Of each trouble with something that fails since this look: the systems it may follow from."""
        new: dict[str, list[str]] = {}
        for path, subject in unexplained(seen.troubles).items():
            if path not in self._failing:
                new.setdefault(subject, []).append(path)
        return {subject: below(self._outlook.around, paths) for subject, paths in new.items()}

    def _asked(self, found: Handled, causes: dict[str, list[str]], now_ms: int) -> list[Entry]:
        after = {**self._incidents, **{one.number: one for one in found.changed}}
        return [
            Entry(one.number, Kind.ASKED, now_ms, " ".join(causes[one.subject]))
            for one in after.values()
            if one.open and causes.get(one.subject)
        ]

    def _blind(self) -> frozenset[str]:
        """Checks whose certificate was an incident and has not been seen of late."""
        shown = {one.check for one in self._outlook.answers if one.certificate_expires_ms is not None}
        return frozenset(
            one.subject
            for one in self._incidents.values()
            if one.open and one.sign is Sign.CERTIFICATE and one.subject not in shown
            if one.subject in self._outlook.around.catalogue.checks
        )

    async def _write(self, found: Handled) -> bool:
        """False when a person changed an incident since they were read: then nothing was stored."""
        async with self._store.transaction() as connection:
            if self._epoch != self._lease.epoch:
                raise LeaseLost("another process led since these incidents were read")
            await self._lease.lock(connection)
            if await table.edition_locked(connection) != self._edition:
                return False
            await table.keep(connection, [row_of(one) for one in found.changed])
            await table.note(connection, notes_of(found))
            await table.announce(connection, notices_of(found))
            if found.entries or found.messages:
                await wake(connection)
        return True

    def _keep(self, found: Handled, rules: IncidentRules, now_ms: int) -> None:
        self._incidents |= {one.number: one for one in found.changed}
        self._incidents = {
            number: one
            for number, one in self._incidents.items()
            if one.open or (one.state is State.CLOSED and now_ms - one.closed_ms <= rules.reopen_s * 1000)
        }
        for entry in found.entries:
            log.info("incidents.moved", number=entry.number, kind=entry.kind.value)
        for message in found.messages:
            self._metrics.notices.labels(message.severity.value).inc()
        self._metrics.show_open(Counter(one.severity for one in self._incidents.values() if one.open))


def _known_failing(incidents: Iterable[Incident]) -> frozenset[str]:
    """What was asked about before this process led."""
    failing = [one for one in incidents if one.state is State.FAILING]
    return frozenset(path for one in failing for path in (one.subject, *one.channels))


def notes_of(handled: Handled) -> list[NoteRow]:
    """The new lines of timelines, as they are stored."""
    return [
        NoteRow(one.number, one.kind.value, one.at_ms, author=one.author, text=one.text)
        for one in handled.entries
    ]


def notices_of(handled: Handled) -> list[NoticeRow]:
    """What is to be told, as it is stored."""
    return [NoticeRow(one.number, one.topic.value, one.severity.value) for one in handled.messages]


def row_of(incident: Incident) -> IncidentRow:
    """An incident as it is stored."""
    return IncidentRow(
        number=incident.number,
        subject=incident.subject,
        sign=incident.sign.value,
        state=incident.state.value,
        severity=incident.severity.value,
        verdict=incident.verdict.value,
        suspected=incident.suspected,
        since_ms=incident.since_ms,
        opened_ms=incident.opened_ms,
        closed_ms=incident.closed_ms or None,
        absorbed_by=incident.absorbed_by or None,
        services=incident.services,
        channels=incident.channels,
        opened_by=incident.by,
        ruling=None if incident.ruling is None else incident.ruling.value,
        document=msgspec.json.encode(incident).decode(),
    )
