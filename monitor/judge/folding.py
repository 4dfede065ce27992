"""The loop that makes hours anew from their minutes, beside the counting."""

from __future__ import annotations

from collections.abc import Callable

from monitor.errors import StoreUnavailable
from monitor.lifetime import Stop
from monitor.log import Log
from monitor.metrics import CountMetrics
from monitor.store import counts
from monitor.store.pool import Store

log = Log(__name__)

FOLD_EVERY_S = 5.0
FOLD_BEHIND_S = 30.0  # while a backlog is read, hours change too fast to be worth more


async def fold(
    store: Store, stop: Stop, *, metrics: CountMetrics, behind: Callable[[], bool] = lambda: False
) -> None:
    """Make the hours that were added to anew, again and again, until asked to stop."""
    while not stop.requested:
        try:
            hours = await counts.fold(store)
        except StoreUnavailable as error:
            log.warning("count.not_folded", why=str(error))
            hours = []
        metrics.folded.inc(len(hours))
        await stop.pause(FOLD_BEHIND_S if behind() else 0.1 if hours else FOLD_EVERY_S)
