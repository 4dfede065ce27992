"""Keeps one Alertmanager told of every incident as it is now: at once when there is news, and every minute.

What it is handed is made of the stored incidents each time, so a restart on either side heals by itself, and
a repeat changes nothing. One process does it for each Alertmanager, under a lease: a stale picture posted
late by another would open again what is closed.
"""

from __future__ import annotations

import random
import time

from monitor.alerts.alerts import Alert, alert, spans
from monitor.alerts.gather import Context, Gatherer, decode, written
from monitor.alerts.metrics import NotifyMetrics
from monitor.alerts.receivers.alertmanager import Alertmanager
from monitor.alerts.text import Links
from monitor.errors import LeaseLost, StoreUnavailable
from monitor.judge.incidents import Topic
from monitor.lifetime import Backoff, Stop
from monitor.log import Log
from monitor.outcome import Fate, Outcome, retry_s
from monitor.store import deliveries as table
from monitor.store.deliveries import AlertRow, Waits
from monitor.store.lease import RENEW_S, Lease
from monitor.store.listen import Bell
from monitor.store.pool import Store

log = Log(__name__)
TURN_S = 1.0
EVERY_S = 60.0
ENDED_MS = 15 * 60_000  # how long an end is told again, to those that missed it
ALERTS_MAX = 1000


class Pump:
    """For one Alertmanager."""

    def __init__(
        self,
        store: Store,
        gatherer: Gatherer,
        *,
        to: Alertmanager,
        team: str,
        lease: Lease,
        context: Context,
        metrics: NotifyMetrics,
        bell: Bell,
    ) -> None:
        self._store, self._gatherer, self._to, self._team = store, gatherer, to, team
        self._lease, self._context, self._metrics, self._bell = lease, context, metrics, bell
        self._renewed_at = float("-inf")
        self._next_at = float("-inf")  # monotonic: when everything is told again
        self._tries = 0

    async def run(self, stop: Stop) -> None:
        """Until `stop`; then another process may go on at once."""
        backoff = Backoff()
        while not stop.requested:
            try:
                if self._gatherer.ready:
                    await self.turn()
                backoff.reset()
                await self._bell.wait(TURN_S, stop)
            except LeaseLost:
                self._renewed_at = float("-inf")
            except StoreUnavailable as error:
                log.warning("alerts.store_away", why=str(error))
                await stop.pause(backoff.next_s())
        await self._lease.leave()

    async def turn(self) -> None:
        """Hand over what is new, or all when its minute has come. Raises StoreUnavailable, LeaseLost."""
        if time.monotonic() - self._renewed_at >= RENEW_S:
            await self._renew()
        if not self._lease.held:
            return
        rows = await table.waiting(self._store, self._to.name)
        if not rows and time.monotonic() < self._next_at:
            return
        await self._renew()
        if self._lease.held:
            alerts = await self._alerts()
            await self._record(rows, await self._to.post(alerts), sent=len(alerts))

    async def _renew(self) -> None:
        await self._lease.take_or_renew()
        self._renewed_at = time.monotonic()

    async def _alerts(self) -> list[Alert]:
        now_ms = self._gatherer.now_ms
        told = await table.told_incidents(self._store, closed_after_ms=now_ms - ENDED_MS)
        found = [each for row in told for each in await self._of(row, now_ms)]
        if len(found) > ALERTS_MAX:
            log.error("alerts.too_many", alerts=len(found), handed=ALERTS_MAX)
        return found[:ALERTS_MAX]

    async def _of(self, row: AlertRow, now_ms: int) -> list[Alert]:
        """The alerts of one incident, with what there is to say of it now."""
        incident = decode(row.document)
        topic = row.told[-1][0]
        story = await self._gatherer.story(incident, closing=topic == Topic.RESOLVED)
        link = self._context.incident(incident.number)
        english, arabic = (
            written(
                self._gatherer.teller(language), story, topic, why="notice", at_ms=now_ms, links=Links(link)
            )
            for language in ("en", "ar")
        )
        return [
            alert(span, story, team=self._team, english=english, arabic=arabic, link=link, now_ms=now_ms)
            for span in spans(incident, row.told, over_ms=row.over_ms)
        ]

    async def _record(self, rows: list[Waits], outcome: Outcome, *, sent: int) -> None:
        name = self._to.name
        accepted = outcome.fate is Fate.ACCEPTED
        self._tries = 0 if accepted else self._tries + 1
        chance = random.random()  # noqa: S311 - jitter, not a secret
        wait_s = retry_s(outcome._replace(fate=Fate.PASSING), tries=min(self._tries or 1, 5), chance=chance)
        self._next_at = time.monotonic() + (EVERY_S if accepted else wait_s or EVERY_S)
        if not accepted:
            self._metrics.failed.labels(name).inc()
            log.warning("alerts.not_taken", receiver=name, said=outcome.said, waiting=len(rows))
        elif rows:
            log.info("alerts.sent", receiver=name, deliveries=[row.id for row in rows], alerts=sent)
        if rows:
            await self._close(rows, outcome, chance)
        if accepted:
            self._count(rows)

    async def _close(self, rows: list[Waits], outcome: Outcome, chance: float) -> None:
        async with self._store.transaction() as connection:
            await self._lease.lock(connection)
            if outcome.fate is Fate.ACCEPTED:
                ids = [row.id for row in rows]
                await table.close_all(connection, ids, state="sent", said=outcome.said)
                return
            for row in rows:
                wait_s = retry_s(outcome, tries=row.tries + 1, chance=chance)
                if wait_s is None:
                    await table.close_all(connection, [row.id], state="failed", said=outcome.said)
                else:
                    await table.all_again(connection, [row.id], in_s=wait_s, said=outcome.said)

    def _count(self, rows: list[Waits]) -> None:
        self._metrics.sent.labels(self._to.name).inc(len(rows))
        for row in rows:
            self._metrics.delay_s.observe(max(time.time() - row.made_ms / 1000, 0))
