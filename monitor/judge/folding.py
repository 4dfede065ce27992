"""The loop that makes hours anew from their minutes, beside the counting."""

from __future__ import annotations

import time
from collections.abc import Callable

from monitor.errors import StoreUnavailable
from monitor.lifetime import Stop
from monitor.log import Log
from monitor.metrics import CountMetrics
from monitor.store import counts
from monitor.store.pool import Store

log = Log(__name__)

FOLD_EVERY_S = 5.0  # an hour that goes on
FOLD_BEHIND_S = 30.0  # while a backlog is read, hours change too fast to be worth more
LOOK_S = 1.0  # whether there is something to fold


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
        if behind():
            await _while_behind(stop, behind)
        elif len(hours) < counts.HOURS_A_CALL:
            await stop.pause(FOLD_EVERY_S if hours else LOOK_S)


async def _while_behind(stop: Stop, behind: Callable[[], bool]) -> None:
    """For FOLD_BEHIND_S at most: the hours of a backlog that is read need not wait any more."""
    until = time.monotonic() + FOLD_BEHIND_S
    while behind() and time.monotonic() < until and not stop.requested:
        await stop.pause(LOOK_S)
