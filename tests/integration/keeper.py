"""The smallest keeper that keeps the promise: rows and offset in one PostgreSQL transaction. Runs alone too.

`python keeper.py SETTINGS` consumes until it is killed. With `freeze` it stops itself (SIGSTOP) with its
first batch in hand; woken, it says "fenced" for every batch that the fence refused.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

import asyncpg

from monitor.errors import FenceBroken, StoreUnavailable
from monitor.lifetime import Stop
from monitor.stream.kafka import Kafka
from monitor.stream.loop import Hooks, Position, Record, consume

SCHEMA = """
create table if not exists kept (partition int, "offset" bigint, value text);
create table if not exists place (partition int primary key, next bigint, last_at_ms bigint, last_crc bigint);
"""
TOPIC = "observations"


class Keeper:
    """Writes every value to `kept`, which has no key: a record kept twice would show."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool
        self.away = False  # a test's switch: the store cannot be reached
        self.refused = 0
        self.caught_up_ms: dict[int, int] = {}
        self.let_go: list[int] = []
        self.freeze = False
        self.recall_from: int | None = None

    async def assigned(self, partition: int, *, cluster: str, begin: int, end: int) -> Position:
        await self._reach()
        await self.pool.execute("insert into place values ($1, $2) on conflict do nothing", partition, begin)
        row = await self.pool.fetchrow(
            "select next, last_at_ms, last_crc from place where partition = $1", partition
        )
        return Position(*row, self.recall_from)

    async def keep(
        self, partition: int, records: Sequence[Record], *, at: Position, new: Position, waiting: int = 0
    ) -> None:
        await self._reach()
        if self.freeze:
            self.freeze = False
            os.kill(os.getpid(), signal.SIGSTOP)
        async with self.pool.acquire() as connection, connection.transaction():
            done = await connection.execute(
                "update place set next = $3, last_at_ms = $4, last_crc = $5"
                " where partition = $1 and next = $2",
                partition, at.next, *new[:3],
            )  # fmt: skip
            if done != "UPDATE 1":
                raise FenceBroken(f"partition {partition} is not at {at.next}")
            rows = [(partition, record.offset, (record.value or b"").decode()) for record in records]
            await connection.copy_records_to_table("kept", records=rows)

    async def caught_up(self, partition: int, wall_ms: int, *, at: Position) -> None:
        await self._reach()
        self.caught_up_ms[partition] = wall_ms

    def revoked(self, partition: int) -> None:
        self.let_go.append(partition)

    async def _reach(self) -> None:
        if self.away:
            self.refused += 1
            raise StoreUnavailable("switched off by the test")

    async def values(self) -> list[str]:
        """Every value kept, sorted."""
        return sorted(row["value"] for row in await self.pool.fetch("select value from kept"))


async def main(settings: dict[str, Any]) -> None:
    pool = await asyncpg.create_pool(settings["dsn"], min_size=1, max_size=4)
    keeper = Keeper(pool)
    keeper.freeze = settings["freeze"]
    hooks = Hooks(fenced=lambda: print("fenced", flush=True))
    kafka = Kafka(**settings["kafka"])
    await consume(kafka, topic=TOPIC, group="readers", keeper=keeper, stop=Stop(), hooks=hooks, session_s=6.0)


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
