"""Delivers the outbox: decides who gets each message, and sends to receivers what is due.

Each step stands by itself in the database: decided in one transaction, claimed by a lease that expires, sent
outside any transaction, recorded. Killed between acceptance and record it sends that message once more, with
the same key.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections import Counter

from monitor.alerts.gather import Context, Gatherer, decode, written
from monitor.alerts.metrics import NotifyMetrics
from monitor.alerts.policy import REMINDERS_MAX, WorkingHours, due_ms, listeners, needless
from monitor.alerts.receivers.names import name_of
from monitor.alerts.receivers.opening import Receivers
from monitor.alerts.text import Links
from monitor.alerts.work import concerned, due_of_work_ms, needless_of_work
from monitor.config.alerts import AlertsSettings
from monitor.errors import StoreUnavailable
from monitor.facts import ExclusionRow
from monitor.judge.incidents import Incident, Topic
from monitor.judge.reach import about
from monitor.lifetime import Backoff, Stop
from monitor.log import Log
from monitor.model import Catalogue, Severity
from monitor.outcome import Fate, Outcome, retry_s
from monitor.store import deliveries as table
from monitor.store import exclusions, public
from monitor.store.deliveries import Claimed, Planned, Unrouted
from monitor.store.listen import Bell
from monitor.store.pool import Store

log = Log(__name__)
TURN_S = 1.0
LOOK_S = 5.0  # between looks at what nobody acknowledged, and at what is not delivered
LEASE_S = 60.0  # longer than any deadline of sending
AT_ONCE = 8  # messages on their way
AT_ONCE_EACH = 2  # to one receiver: one that hangs holds nobody else back
DRAIN_S = 10.0


class Outbox:
    """One process's part of the work; any number may do it."""

    def __init__(
        self,
        store: Store,
        gatherer: Gatherer,
        *,
        settings: AlertsSettings,
        receivers: Receivers,
        context: Context,
        metrics: NotifyMetrics,
        bell: Bell,
    ) -> None:
        self._store, self._gatherer, self._settings = store, gatherer, settings
        self._receivers, self._context, self._metrics, self._bell = receivers, context, metrics, bell
        self._sending: dict[asyncio.Task[None], str] = {}
        self._bug: BaseException | None = None  # of a delivery: it ends the role, as a bug must
        self._looked_at = float("-inf")
        self.turned_at = float("-inf")  # monotonic: when a whole turn last went well

    async def run(self, stop: Stop) -> None:
        """Until `stop`, then what is on its way is given some seconds."""
        backoff = Backoff()
        while not stop.requested:
            try:
                await self.turn()
                backoff.reset()
                await self._bell.wait(TURN_S, stop)
            except StoreUnavailable as error:
                log.warning("alerts.store_away", why=str(error))
                await stop.pause(backoff.next_s())
        if self._sending:
            await asyncio.wait(self._sending, timeout=DRAIN_S)

    async def turn(self) -> None:
        """Decide, then begin to send what is due. Raises StoreUnavailable."""
        if self._bug is not None:
            raise self._bug
        if not await self._gatherer.refresh():
            return
        await self._route()
        if time.monotonic() - self._looked_at >= LOOK_S:
            await self._remind()
            self._metrics.undelivered.set(await table.undelivered(self._store))
            self._looked_at = time.monotonic()
        while await self._begin():
            pass
        self.turned_at = time.monotonic()

    async def settle(self) -> None:
        """Wait for what is on its way."""
        if self._sending:
            await asyncio.wait(self._sending)

    # -- who gets it -------------------------------------------------------------------------------------

    async def _route(self) -> None:
        hours = WorkingHours.of(self._gatherer.catalogue)
        async with self._store.transaction() as connection:
            found = await table.unrouted(connection)
            if not found:
                return
            for notice in found:
                rows = (
                    self._planned(notice, hours)
                    if notice.exclusion is None
                    else self._of_work(
                        notice, await exclusions.one_within(connection, notice.exclusion), hours
                    )
                )
                await table.route(connection, [notice.notice], rows)
        log.info("alerts.routed", notices=len(found))

    def _planned(self, notice: Unrouted, hours: WorkingHours) -> list[Planned]:
        now_ms = self._gatherer.now_ms
        severity = _severity(notice.severity)
        rows = [
            Planned(notice.notice, notice.incident, name_of(url), now_ms)
            for url in self._settings.alertmanagers
            if notice.document is not None and notice.topic != Topic.UPDATE_MISSED
        ]
        entity = entity_of(self._gatherer.catalogue, notice.document)
        rows += [
            Planned(
                notice.notice,
                notice.incident,
                receiver.name,
                due_ms(receiver, severity, hours, now_ms=now_ms),
            )
            for receiver in listeners(self._settings.receivers, severity, entity)
        ]
        if not rows and (self._settings.receivers or self._settings.alertmanagers):
            log.warning("alerts.nobody_to_tell", notice=notice.notice, incident=notice.incident)
        return rows

    def _of_work(self, notice: Unrouted, row: ExclusionRow | None, hours: WorkingHours) -> list[Planned]:
        """Each receiver of those it concerns, once. An Alertmanager is told of what fails, not of work."""
        if row is None:
            return []
        story = self._gatherer.work_of(row)
        severity, now_ms = _severity(notice.severity), self._gatherer.now_ms
        hearing = [
            receiver.name
            for entity in sorted(concerned(story, notice.topic) or {""})
            for receiver in listeners(self._settings.receivers, severity, entity)
        ]
        return [
            Planned(
                notice.notice,
                notice.incident,
                one.name,
                due_of_work_ms(one, severity, hours, notice.topic, story, now_ms=now_ms),
            )
            for one in self._settings.receivers
            if one.name in hearing
        ]

    async def _remind(self) -> None:
        """The second receiver of what nobody acknowledged, and reminders."""
        names = [one.name for one in self._settings.receivers]
        seconds = {one.name: one.second for one in self._settings.receivers if one.second}
        now_ms = self._gatherer.now_ms
        async with self._store.transaction() as connection:
            if not await table.may_route(connection):
                return
            unheard = await table.unheard(connection, [*seconds], after_s=self._settings.second_after_s)
            rows = [
                row._replace(receiver=seconds[row.receiver], why="second", due_ms=now_ms) for row in unheard
            ]
            if self._settings.remind_s:
                again = await table.silent(
                    connection, names, after_s=self._settings.remind_s, most=REMINDERS_MAX
                )
                rows += [row._replace(due_ms=now_ms) for row in again]
            await table.plan(connection, rows)

    # -- sending -----------------------------------------------------------------------------------------

    async def _begin(self) -> bool:
        """Claim one message and send it beside whatever else is on its way; False when there is none."""
        busy = Counter(self._sending.values())
        free = [name for name in self._receivers.by_name if busy[name] < AT_ONCE_EACH]
        if len(self._sending) >= AT_ONCE or not free:
            return False
        lease = secrets.token_hex(8)
        claimed = await table.claim(self._store, free, lease=lease, lease_s=LEASE_S)
        if claimed is None:
            return False
        task = asyncio.create_task(self._deliver(claimed), name=f"delivery {claimed.id}")
        self._sending[task] = claimed.receiver
        task.add_done_callback(self._sent)
        return True

    def _sent(self, task: asyncio.Task[None]) -> None:
        del self._sending[task]
        if not task.cancelled() and (error := task.exception()):
            if isinstance(error, StoreUnavailable):
                log.warning("alerts.store_away", why=str(error))
            else:
                self._bug = error
        self._bell.ring()

    async def _deliver(self, one: Claimed) -> None:
        """Send it and record what came of it. Raises StoreUnavailable: then the lease runs out."""
        if one.exclusion is not None:
            await self._deliver_work(one, one.exclusion)
            return
        incident = decode(one.document) if one.document else None
        why = needless(one.topic, incident, heard=one.heard) or _answered(one, incident)
        if one.topic == Topic.UPDATE_MISSED and await public.said_after(
            self._store, one.incident, one.made_ms
        ):
            why = "the public was told meanwhile"
        if why:
            await table.close(self._store, one, state="dropped", said=why)
            return
        outcome = await self._send(one, incident)
        await self._record(one, outcome)

    async def _deliver_work(self, one: Claimed, number: int) -> None:
        """The same of a message of work."""
        story = await self._gatherer.work(number)
        why = "it is there no more" if story is None else needless_of_work(one.topic, story, heard=one.heard)
        if story is None or why:
            await table.close(self._store, one, state="dropped", said=why)
            return
        told = self._gatherer.work_teller(self._receivers.by_name[one.receiver].language)
        message = told.work(
            story,
            one.topic,
            thread=one.incident,
            at_ms=self._gatherer.now_ms,
            link=self._context.work(number),
        )
        key = f"continuity-{one.id}-{one.made_ms}"
        outcome = await self._receivers.send(one.receiver, message, key=key, thread=one.incident)
        await self._record(one, outcome)

    async def _send(self, one: Claimed, incident: Incident | None) -> Outcome:
        told = self._gatherer.teller(self._receivers.by_name[one.receiver].language)
        now_ms = self._gatherer.now_ms
        if incident is None:
            message = told.news(one.topic, one.topic, at_ms=now_ms, link=self._context.url)
        else:
            story = await self._gatherer.story(incident, closing=one.topic == "resolved")
            where = Links(
                self._context.incident(incident.number), self._context.acknowledge(incident, one.receiver)
            )
            message = written(told, story, one.topic, why=one.why, at_ms=now_ms, links=where)
        key = f"continuity-{one.id}-{one.made_ms}"
        return await self._receivers.send(one.receiver, message, key=key, thread=one.incident)

    async def _record(self, one: Claimed, outcome: Outcome) -> None:
        if outcome.fate is Fate.ACCEPTED:
            await table.close(self._store, one, state="sent", said=outcome.said)
            self._metrics.sent.labels(one.receiver).inc()
            self._metrics.delay_s.observe(max(time.time() - one.made_ms / 1000, 0))
            log.info("alerts.sent", delivery=one.id, receiver=one.receiver, incident=one.incident)
            return
        self._metrics.failed.labels(one.receiver).inc()
        log.warning("alerts.not_taken", delivery=one.id, receiver=one.receiver, said=outcome.said)
        chance = random.random()  # noqa: S311 - jitter, not a secret
        wait_s = retry_s(outcome, tries=one.tries, chance=chance)
        if wait_s is None:
            await table.close(self._store, one, state="failed", said=outcome.said)
        else:
            await table.again(self._store, one, in_s=wait_s, said=outcome.said)


def _answered(one: Claimed, incident: Incident | None) -> str:
    """Why a reminder, or a second receiver, is not needed any more."""
    if one.why == "notice" or incident is None:
        return ""
    return f"acknowledged by {one.acknowledged_by}" if one.acknowledged_by else ""


def _severity(text: str) -> Severity:
    return Severity(text) if text in Severity.__members__.values() else Severity.WARNING


def entity_of(catalogue: Catalogue, document: str | None) -> str:
    """Slug of the entity that answers for what an incident is about; "" where there is none."""
    it = about(catalogue, decode(document)) if document else None
    return it.entity if it else ""
