"""Asks an address each minute while messages go out: whoever misses it knows that nobody would be told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import aiohttp

from monitor.alerts.metrics import NotifyMetrics
from monitor.lifetime import Stop
from monitor.log import Log
from probes.contract import SecretUnavailable, resolve_secret

log = Log(__name__)
EVERY_S = 60.0
ASK_S = 10.0


class DeadMan:
    """`reference` names where the address is, which is a secret; `alive` says whether messages go out."""

    def __init__(
        self,
        reference: str,
        session: aiohttp.ClientSession,
        *,
        alive: Callable[[], bool],
        metrics: NotifyMetrics,
    ) -> None:
        self._reference, self._session = reference, session
        self._alive, self._metrics = alive, metrics

    async def run(self, stop: Stop, *, every_s: float = EVERY_S) -> None:
        """Until `stop`; silent while messages cannot go out, which is the whole point."""
        while not stop.requested:
            if self._alive() and await self._ask():
                self._metrics.dead_man_at.set(time.time())
                await stop.pause(every_s)
            else:
                await stop.pause(min(every_s, 5.0))

    async def _ask(self) -> bool:
        try:
            address = resolve_secret(self._reference).strip()
            async with asyncio.timeout(ASK_S), self._session.get(address) as response:
                if response.status < 400:
                    return True
                said = f"answered {response.status}"
        except SecretUnavailable as error:
            said = str(error)
        except TimeoutError:
            said = f"no answer within {ASK_S:g} s"
        except (aiohttp.ClientError, OSError, ValueError) as error:  # its text would hold the address
            said = type(error).__name__
        log.warning("alerts.dead_man", said=said)
        return False
