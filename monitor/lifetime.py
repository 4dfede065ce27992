"""How processes begin, go on and end: one stop switch, loops in a group, a grace at the end."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

GRACE_S = 15.0


class Stop:
    """A one-way switch. Every long-running loop watches it and finishes what it holds."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    @property
    def requested(self) -> bool:
        return self._event.is_set()

    def request(self) -> None:
        self._event.set()

    async def wait(self) -> None:
        await self._event.wait()

    async def pause(self, seconds: float) -> None:
        """Sleep, but wake at once when asked to stop."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._event.wait()


class Backoff:
    """Waits between tries: doubling from `first_s` to `most_s`, each with half of it left to chance."""

    def __init__(self, first_s: float = 0.25, most_s: float = 5.0) -> None:
        self._first_s, self._most_s = first_s, most_s
        self._next_s = first_s

    def reset(self) -> None:
        self._next_s = self._first_s

    def next_s(self) -> float:
        wait_s = self._next_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
        self._next_s = min(self._next_s * 2, self._most_s)
        return wait_s


async def live(
    stop: Stop, loops: Mapping[str, Coroutine[Any, Any, None]], *, grace_s: float = GRACE_S
) -> None:
    """Run the loops until `stop`; then give them `grace_s` seconds to finish. One crash ends them all.

    Raises TimeoutError when a loop outlives the grace, and the ExceptionGroup of whatever crashed.
    """

    async def start_the_clock_on_stop() -> None:
        await stop.wait()
        grace.reschedule(asyncio.get_running_loop().time() + grace_s)

    async with asyncio.timeout(None) as grace, asyncio.TaskGroup() as group:
        watchdog = group.create_task(start_the_clock_on_stop(), name="grace")
        tasks = [group.create_task(loop, name=name) for name, loop in loops.items()]
        await asyncio.wait(tasks)
        watchdog.cancel()


async def first_of(*waits: Coroutine[Any, Any, Any], within_s: float | None = None) -> None:
    """Return when any of them is done or `within_s` seconds have passed; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def stopping_on_signals(stop: Stop) -> Iterator[None]:
    """SIGINT and SIGTERM request the stop; the previous handlers come back at the end."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.request)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
