"""A receiver's address, which is a secret, into a way to send. Read anew each time: it may be changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

from monitor.alerts.receivers import chat, mail
from monitor.alerts.text import Message
from monitor.config.alerts import Receiver
from monitor.outcome import Fate, Outcome
from probes.contract import SecretUnavailable, resolve_secret


class Receivers:
    """All that are configured, by name."""

    def __init__(self, given: Iterable[Receiver], pool: ThreadPoolExecutor, *, host: str) -> None:
        self.by_name = {one.name: one for one in given}
        self._pool, self._host = pool, host

    async def send(self, name: str, message: Message, *, key: str, thread: str = "") -> Outcome:
        """One try. `key` is the same in every repeat; nothing that comes back holds the address."""
        receiver = self.by_name[name]
        try:
            address = resolve_secret(receiver.to)
        except SecretUnavailable as error:  # names the reference only
            return Outcome(Fate.PASSING, str(error))
        loop = asyncio.get_running_loop()  # what Apprise loads the first time takes a second
        plugin = await loop.run_in_executor(self._pool, read_address, address)
        if plugin is None:
            return Outcome(Fate.PERMANENT, f"{receiver.to} holds no address that Apprise knows")
        if type(plugin).__name__ == "NotifyEmail":
            return await mail.send(plugin, message, key=key, thread=thread, host=self._host)
        return await chat.send(self._pool, plugin, message, key=key)


def read_address(address: str) -> Any:
    """Apprise's reading of an address; None where it has none."""
    from apprise import Apprise

    return Apprise.instantiate(address.strip(), suppress_exceptions=True)


@asynccontextmanager
async def receivers(given: Iterable[Receiver], *, host: str) -> AsyncIterator[Receivers]:
    """Open until the block ends. `host` is the right side of Message-IDs."""
    pool = ThreadPoolExecutor(chat.THREADS, thread_name_prefix="receiver")
    try:
        yield Receivers(given, pool, host=host)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
