"""Rounds of faults under load: after each, what is counted must equal what was sent.

One installation lives through all rounds. A round sends its share of the messages while one fault is done
at random moments; then everything is mended, and the counts are held against the ledger.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from monitor.demo.embedded import Kafka, Postgres
from monitor.stream.wire import TRANSACTIONS
from tests.integration.monitor_process import PARTITIONS, Monitor, Role, super_user, until
from tests.integration.sender import Sender, differences, send

FROZEN_S = 13.0  # longer than Kafka waits for a member
PORTIONS = 8  # a round's messages come in so many pieces, so that every fault meets some
SETTLED_S = 120.0


class Round(NamedTuple):
    """What one round did and how long it took until everything was counted."""

    number: int
    fault: str
    messages: int
    took_s: float
    differences: list[str]


class Rounds:
    """The installation and what may happen to it."""

    def __init__(
        self, running: Monitor, *, kafka: Kafka, postgres: Postgres, sender: Sender, seed: int, kills: int
    ) -> None:
        """`kills` of the first kind of round; after each the group waits for the session of the dead one."""
        self.running, self.sender, self._kills_a_round = running, sender, kills
        self._kafka, self._postgres, self._chance = kafka, postgres, random.Random(seed)

    @property
    def faults(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """By name, in the order in which rounds take them."""
        return {
            "kill -9": self._kills,
            "frozen past the session time-out": self._freeze,
            "the broker restarts": self._restart_broker,
            "the database restarts": self._restart_database,
            "a second member joins and leaves": self._second_member,
        }

    async def run(self, number: int, *, messages: int) -> Round:
        """One round; the fault is the one whose turn it is."""
        began = time.monotonic()
        name = list(self.faults)[number % len(self.faults)]
        sending = asyncio.create_task(self._send(messages))
        try:
            await self.faults[name]()
        finally:
            await sending
        if not self.running.started("count").running:
            self.running.start("count")
        await settled(self.running)
        found = await differences(self.running.dsn, self.sender)
        return Round(number, name, messages, time.monotonic() - began, found)

    async def _send(self, messages: int) -> None:
        kafka = super_user(self._kafka, self.running.prefix)
        for portion in range(PORTIONS):
            size = messages // PORTIONS + (messages % PORTIONS if portion == 0 else 0)
            await send(kafka, self.sender, size, all_named=True)

    async def _moment(self, least_s: float = 0.1, most_s: float = 1.0) -> None:
        await asyncio.sleep(self._chance.uniform(least_s, most_s))

    async def _kills(self) -> None:
        for _ in range(self._kills_a_round):
            await self._moment()
            self.running.started("count").kill()
            await self._moment(0.0, 0.3)
            self.running.start("count")
            await until(lambda: at_work(self.running), within_s=60, what="the counter did not begin")

    async def _freeze(self) -> None:
        """One of two stands still with what it holds, loses its share, and wakes with it."""
        other = await self._join()
        await self._moment()
        self.running.started("count").freeze()
        await asyncio.sleep(FROZEN_S)
        self.running.started("count").wake()
        await self._moment()
        await other.stop()

    async def _restart_broker(self) -> None:
        await self._moment()
        await asyncio.to_thread(self._kafka.stop)
        await self._moment()
        await asyncio.to_thread(self._kafka.start)

    async def _restart_database(self) -> None:
        for mode in ("fast", "immediate"):
            await self._moment()
            await asyncio.to_thread(self._postgres.stop, mode)
            await self._moment()
            await asyncio.to_thread(self._postgres.start)

    async def _second_member(self) -> None:
        other = await self._join()
        await self._moment()
        other.kill() if self._chance.random() < 0.5 else await other.stop()

    async def _join(self) -> Role:
        other = self.running.start("count", member="b")
        await until(lambda: bool(share(self.running, "b")), within_s=60, what="the second did not join")
        return other


def share(running: Monitor, member: str) -> int:
    """How many partitions a member was assigned last."""
    assigned = running.started("count", member).events("stream.assigned")
    return len(assigned[-1]["partitions"]) if assigned else 0


def at_work(running: Monitor) -> bool:
    return share(running, "a") > 0


async def counted_until_ms(running: Monitor) -> int:
    """The clock of the partition of transactions that is furthest behind; 0 while one has none."""
    clock = await running.value(
        "select case when count(judged_until) = $1 "
        "then (extract(epoch from min(judged_until)) * 1000)::bigint else 0 end "
        "from stream_offset where topic = $2",
        PARTITIONS,
        running.prefix + TRANSACTIONS,
    )
    return int(clock)


async def settled(running: Monitor) -> None:
    """Wait until everything that was sent by now is counted."""
    at_ms = time.time() * 1000

    async def so_far() -> bool:
        return await counted_until_ms(running) >= at_ms

    await until(so_far, within_s=SETTLED_S, what="not everything was counted")
