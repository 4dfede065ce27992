"""The way of transactions from HTTP to Kafka: who may send, how much at once, and what a sender is told."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from monitor.errors import BadMessage, BufferFull, StoreUnavailable, StreamUnavailable
from monitor.judge.accepting import Offers
from monitor.judge.counting import span
from monitor.metrics import GatewayMetrics
from monitor.model import Catalogue
from monitor.store import tokens
from monitor.store.pool import Store
from monitor.store.tokens import Holder
from monitor.stream.wire import Transaction, decode_transaction
from monitor.web.bodies import EXPANDED_MOST_BYTES, Items
from monitor.web.problems import Refused

EVENTS_MOST = 100_000  # in one request
HELD_MOST_BYTES = 4 * EXPANDED_MOST_BYTES  # bodies being read and checked, together
FAILED_SHOWN = 100
SLICE = 2_000  # events checked before others get the loop
VERIFIED_S = 2.0  # a revoked token may send for so long
AWAY_VERIFIED_S = 300.0  # the same while PostgreSQL is away: nobody can revoke then
TOKENS_MOST = 4_096
LINE_MOST_BYTES = 16 * 1024


class Sends(Protocol):
    """Kafka, as far as the gateway knows it."""

    @property
    def events_in_flight(self) -> int: ...
    async def send(self, events: Sequence[tuple[str, bytes]]) -> None: ...


class Failed(NamedTuple):
    """An event that was not taken: its line, and what would be right."""

    line: int
    why: str


class Checked(NamedTuple):
    """The events of a request that may go to Kafka; of those that may not the first ones, and how many."""

    events: list[tuple[str, bytes]]
    failed: list[Failed]
    refused: int


class Gateway:
    """One of a web process. Its bound is what waits for Kafka, not how often somebody sends."""

    def __init__(
        self, sender: Sends, store: Store, metrics: GatewayMetrics, *, ahead_s: float = 300.0
    ) -> None:
        self.metrics, self._ahead_s = metrics, ahead_s
        self._sender, self._known = sender, KnownTokens(store)
        self._offers: tuple[Catalogue, Offers] | None = None
        self._held = 0
        metrics.in_flight.set_function(lambda: sender.events_in_flight)

    async def holder(self, secret: str) -> Holder | None:
        """Whose token this is, at most `VERIFIED_S` ago. Raises StoreUnavailable."""
        return await self._known.holder(secret)

    def hold(self, size: int) -> None:
        """Keep a place for so many bytes of a body. Raises Refused (429) when too many are being read."""
        if self._held + size > HELD_MOST_BYTES:
            self.metrics.failures.labels("full").inc()
            raise _full(f"{self._held} bytes are being read")
        self._held += size

    def let_go(self, size: int) -> None:
        self._held -= size

    async def check(self, items: Items, catalogue: Catalogue, entities: Sequence[str]) -> Checked:
        """Sort out what may go to Kafka. Raises Refused (413) for too many at once."""
        if len(items) > EVENTS_MOST:
            raise Refused(413, "Too many", f"{len(items)} events; at most {EVENTS_MOST} in one request")
        offers, checked, reasons = self._offers_of(catalogue), Checked([], [], 0), Counter[str]()
        within = span(int(time.time() * 1000), ahead_s=self._ahead_s)

        def check(event: Transaction) -> None:
            offers.check(event, within, entities=entities)

        for begin in range(0, len(items), SLICE):
            if begin:
                await asyncio.sleep(0)
            _check(items[begin : begin + SLICE], check, checked, reasons)
        for reason, count in reasons.items():
            self.metrics.failures.labels(reason).inc(count)
        return checked._replace(refused=reasons.total())

    async def send(self, events: Sequence[tuple[str, bytes]]) -> None:
        """Returns once Kafka has acknowledged. Raises Refused: 429 when it is full, 503 with Kafka away."""
        try:
            await self._sender.send(events)
        except BufferFull as error:
            self.metrics.failures.labels("full").inc(len(events))
            raise _full(str(error)) from error
        except StreamUnavailable as error:
            self.metrics.failures.labels("away").inc(len(events))
            raise Refused(
                503,
                "Kafka away",
                "not all of it was acknowledged: send it again, with the same ids",
                headers={"Retry-After": "5"},
            ) from error
        self.metrics.events.inc(len(events))

    def _offers_of(self, catalogue: Catalogue) -> Offers:
        if self._offers is None or self._offers[0] is not catalogue:
            self._offers = catalogue, Offers(catalogue)
        return self._offers[1]


def _full(why: str) -> Refused:
    return Refused(429, "Full", f"{why}; send it again shortly", headers={"Retry-After": "1"})


def _check(
    items: Items, check: Callable[[Transaction], None], checked: Checked, reasons: Counter[str]
) -> None:
    for line, value in items:
        try:
            if len(value) > LINE_MOST_BYTES:
                raise BadMessage("absurd", f"an event of {len(value)} bytes; at most {LINE_MOST_BYTES}")
            event = decode_transaction(value)
            check(event)
        except BadMessage as error:
            reasons[error.reason] += 1
            if len(checked.failed) < FAILED_SHOWN:
                checked.failed.append(Failed(line, str(error)[:300]))
        else:
            checked.events.append((event.service, value))


class KnownTokens:
    """Tokens verified a moment ago, so that thousands of posts a second are not as many questions.

    Those who ask for the same token at once wait for one answer. With PostgreSQL away, what was verified
    before holds on for a while.
    """

    def __init__(self, store: Store, *, verified_s: float = VERIFIED_S) -> None:
        self._store, self._verified_s = store, verified_s
        self._found: dict[bytes, tuple[float, Holder]] = {}  # when verified, by the hash of the secret
        self._asking: dict[bytes, asyncio.Task[Holder | None]] = {}

    async def holder(self, secret: str) -> Holder | None:
        """None when unknown or revoked. Raises StoreUnavailable."""
        key = hashlib.sha256(secret.encode()).digest()
        known = self._found.get(key)
        if known and time.monotonic() - known[0] < self._verified_s:
            return known[1]
        try:
            return await self._ask(key, secret)
        except StoreUnavailable:
            if known and time.monotonic() - known[0] < AWAY_VERIFIED_S:
                return known[1]
            raise

    async def _ask(self, key: bytes, secret: str) -> Holder | None:
        asking = self._asking.get(key)
        if asking is None:
            asking = asyncio.ensure_future(self._look_up(key, secret))
            self._asking[key] = asking
            asking.add_done_callback(lambda _: self._asking.pop(key))
        return await asyncio.shield(asking)

    async def _look_up(self, key: bytes, secret: str) -> Holder | None:
        found = await tokens.holder_of_token(self._store, secret)
        self._found.pop(key, None)
        if found is not None:
            if len(self._found) >= TOKENS_MOST:
                del self._found[next(iter(self._found))]  # the one verified longest ago
            self._found[key] = time.monotonic(), found
        return found
