"""What a single command does where parts meet: open what it needs, ask or tell, close. A module a topic.

A function imports what it alone needs: a command that asks the database loads neither Kafka nor the pages.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from monitor.addresses import stored
from monitor.config.settings import Settings

if TYPE_CHECKING:
    from monitor.store.pool import Store

Answer = TypeVar("Answer")


def asked(settings: Settings, act: Callable[[Store, int], Awaitable[Answer]]) -> Answer:
    """What `act` answers, given the database and the hour (Unix ms). Raises StoreUnavailable."""

    async def run() -> Answer:
        async with stored(settings) as store:
            return await act(store, int(time.time() * 1000))

    return asyncio.run(run())
