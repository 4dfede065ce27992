"""The role `notify`: the outbox to receivers, every Alertmanager kept up to date, the dead-man signal."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import aiohttp

from monitor.alerts.dead_man import DeadMan
from monitor.alerts.gather import Context, Gatherer, context
from monitor.alerts.metrics import NotifyMetrics
from monitor.alerts.outbox import Outbox
from monitor.alerts.pump import Pump
from monitor.alerts.receivers.alertmanager import Alertmanager
from monitor.alerts.receivers.opening import receivers
from monitor.config.alerts import AlertsSettings
from monitor.errors import StoreUnavailable
from monitor.lifetime import Backoff, Stop
from monitor.log import Log
from monitor.store.lease import Lease
from monitor.store.listen import Bell
from monitor.store.pool import Store

log = Log(__name__)
ALIVE_S = 60.0


async def notify_role(
    store: Store,
    *,
    settings: AlertsSettings,
    url: str,
    holder: str,
    bell: Bell,
    metrics: NotifyMetrics,
    stop: Stop,
    ready: Callable[[Callable[[], str | None]], None] = lambda ask: None,
) -> None:
    """Until `stop`. `url` is where the pages are, for links; `ready` hears what it waits for."""
    gatherer = Gatherer(store)
    ready(lambda: None if gatherer.ready else "the first catalogue")
    known = await _context(store, url, stop)
    if known is None:
        return
    host = urlsplit(url).hostname or "localhost"
    async with (
        receivers(settings.receivers, host=host) as ways,
        aiohttp.ClientSession(trust_env=False) as session,
        asyncio.TaskGroup() as group,
    ):
        outbox = Outbox(
            store,
            gatherer,
            settings=settings,
            receivers=ways,
            context=known,
            metrics=metrics,
            bell=bell,
        )
        group.create_task(outbox.run(stop), name="outbox")
        for address in settings.alertmanagers:
            to = Alertmanager(address, settings, session)
            lease = Lease(store, role=f"notify {to.name}", holder=holder)
            pump = Pump(
                store,
                gatherer,
                to=to,
                team=settings.team,
                lease=lease,
                context=known,
                metrics=metrics,
                bell=bell,
            )
            group.create_task(pump.run(stop), name=to.name)
        if settings.dead_man:
            dead_man = DeadMan(
                settings.dead_man,
                session,
                alive=lambda: time.monotonic() - outbox.turned_at < ALIVE_S,
                metrics=metrics,
            )
            group.create_task(dead_man.run(stop), name="dead man")


async def _context(store: Store, url: str, stop: Stop) -> Context | None:
    """Waits for the database as long as it is away; None when asked to stop meanwhile."""
    backoff = Backoff()
    while not stop.requested:
        try:
            return await context(store, url)
        except StoreUnavailable as error:
            log.warning("alerts.store_away", why=str(error))
            await stop.pause(backoff.next_s())
    return None
