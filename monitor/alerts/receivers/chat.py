"""Everything else that Apprise speaks: chats, SMS gateways, webhooks. In threads, because it blocks."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from monitor.alerts.text import Message
from monitor.outcome import Fate, Outcome, of_status

CHAT_S = 20.0
CONNECT_S, READ_S = 5.0, 10.0
THREADS = 8
STATUS = re.compile(r"error=(\d{3})\b")


async def send(pool: ThreadPoolExecutor, plugin: Any, message: Message, *, key: str) -> Outcome:
    """Within a deadline; a thread that outlives it ends by its own time-outs."""
    work = asyncio.get_running_loop().run_in_executor(pool, _send, plugin, message, key)
    try:
        async with asyncio.timeout(CHAT_S):
            return await work
    except TimeoutError:
        return Outcome(Fate.PASSING, f"no answer within {CHAT_S:g} s")


def _send(plugin: Any, message: Message, key: str) -> Outcome:
    plugin.socket_connect_timeout, plugin.socket_read_timeout = CONNECT_S, READ_S
    if isinstance(getattr(plugin, "headers", None), dict):  # of webhooks: they may tell a repeat by it
        plugin.headers["Idempotency-Key"] = key
    with _Statuses() as statuses:
        accepted = plugin.notify(body=message.body, title=message.title, body_format="text")
    if accepted:
        return Outcome(Fate.ACCEPTED, "accepted")
    return of_status(statuses.last) if statuses.last else Outcome(Fate.PASSING, "could not be reached")


class _Statuses(logging.Handler):
    """Hears which HTTP status Apprise met in this thread. Its lines hold addresses: they go nowhere else."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last: int | None = None
        self._thread = threading.get_ident()
        self._logger = logging.getLogger("apprise")

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread and (met := STATUS.search(record.getMessage())):
            self.last = int(met.group(1))

    def __enter__(self) -> _Statuses:
        self._logger.propagate = False
        self._logger.setLevel(logging.WARNING)
        self._logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)
