"""One partition of a log of transactions, a keeper that counts it, and what is stored at the end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry

from monitor.errors import BadRow
from monitor.judge.books import Books
from monitor.judge.count import Count
from monitor.judge.counting import REASONS
from monitor.judge.shapes import Ours, Shape
from monitor.metrics import CountMetrics
from monitor.model import Catalogue, Channel, ChannelKind, Service
from monitor.store import catalogue as catalogues
from monitor.store import counts, stream
from monitor.store.pool import Store
from monitor.store.times import EPOCH, moment
from monitor.stream.loop import Position, Record, crc_of

TOPIC = "continuity.transactions"
NOW_MS = 1_800_000_000_000  # 2027-01-15 08:00 UTC


def service(slug: str, *channels: str, was: tuple[str, ...] = ()) -> Service:
    """A service with these channels; its paths go by the first slug it had."""
    subject = f"service:{was[0] if was else slug}"
    made = tuple(Channel(subject=f"{subject}/{name}", slug=name, kind=ChannelKind.WEB) for name in channels)
    return Service(slug=slug, was=was, channels=made)


PASSPORT = service("passport", "web", "app")
PERMIT = service("permit", "web", was=("licence",))


async def publish(store: Store, *services: Service, valid_from_ms: int = 0) -> None:
    """A version of the catalogue with these services."""
    document = msgspec.json.encode(Catalogue(services=services))
    async with store.transaction() as connection:
        sha256 = hashlib.sha256(document).hexdigest()
        await catalogues.add(connection, sha256=sha256, document=document, valid_from_ms=valid_from_ms)


def said(service: str = "passport", channel: str = "web", *, at_ms: int = NOW_MS, **more: Any) -> bytes:
    """A message as a sender writes it."""
    given = {"schema": 1, "service": service, "channel": channel, "outcome": "completed"}
    return msgspec.json.encode({**given, "at": moment(at_ms).isoformat(), **more})


class Bench:
    """The test is log and loop; `take_over` makes another process with nothing but what is stored."""

    def __init__(self, store: Store, *, topic: str = TOPIC, shape: Shape | None = None) -> None:
        self.store, self.topic, self.shape = store, topic, shape or Ours()
        self.log: list[Record] = []
        self.now_ms = NOW_MS
        self.registry = CollectorRegistry()
        self.at = Position(0, None, None)
        self.count = self._keeper()

    def _keeper(self) -> Count:
        self.registry = CollectorRegistry()
        return Count(
            Books(self.store, ahead_s=300.0),
            topic=self.topic,
            shape=self.shape,
            metrics=CountMetrics(self.registry, topics=[self.topic], reasons=REASONS),
            now_ms=lambda: self.now_ms,
        )

    async def take_over(self) -> None:
        """As the loop does on assignment, with what is to be recalled."""
        self.count = self._keeper()
        await self.assigned()

    async def assigned(self) -> None:
        self.at = await self.count.assigned(0, cluster="c", begin=0, end=len(self.log))
        if self.at.recall is not None and self.at.recall < self.at.next:
            await self.count.recalled(0, self.log[self.at.recall : self.at.next])

    async def send(self, *values: bytes | None, at_ms: int | None = None) -> list[Record]:
        """Append to the log at this time of the broker's, and let it be kept as one batch."""
        timestamp_ms = self.now_ms if at_ms is None else at_ms
        first = len(self.log)
        records = [Record(first + i, timestamp_ms, b"passport", value) for i, value in enumerate(values)]
        self.log += records
        await self.keep(records)
        return records

    async def keep(self, records: list[Record]) -> None:
        """Until they are stored; as the loop does, what a keeper wants to see again is given to it again."""
        last = records[-1]
        new = Position(last.offset + 1, last.timestamp, crc_of(last.key, last.value))
        try:
            await self.give(records, new)
            await self.count.settle(0)
        except BadRow:
            await self.assigned()
            await self.keep(self.log[self.at.next :])
        self.at = new

    async def give(self, records: list[Record], new: Position, *, waiting: int = 0) -> None:
        await self.count.keep(0, records, at=self.at, new=new, waiting=waiting)

    async def totals(self) -> dict[tuple[str, str], int]:
        """Transactions by channel (without "service:") and outcome."""
        found = await counts.totals(self.store)
        return {(each.channel.removeprefix("service:"), each.outcome): each.events for each in found}

    async def letters(self) -> list[tuple[int, str]]:
        """(offset, reason) of every dead letter."""
        found = await stream.dead_letters(self.store, limit=10_000)
        return sorted((letter.offset, letter.reason) for letter in found)

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, {"topic": self.topic, **labels}) or 0.0


def minute_ms(at_ms: int) -> int:
    return at_ms - at_ms % 60_000


def ids(prefix: str, numbers: Iterable[int]) -> list[bytes]:
    return [said(id=f"{prefix}-{number}") for number in numbers]


assert moment(0) == EPOCH
