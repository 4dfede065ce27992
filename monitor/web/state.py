"""The one follower of a web process: keeps the picture fresh and tells every open page what changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from monitor.errors import StoreUnavailable
from monitor.facts import Changed, Clocks, LastAnswer, Place, Refusal, Standing
from monitor.judge.current import CurrentExclusions, CurrentFigures
from monitor.judge.picture import Facts, Partition, Picture, draw
from monitor.judge.seconds import State
from monitor.judge.surroundings import Surroundings
from monitor.lifetime import Backoff, Stop
from monitor.log import Log
from monitor.model import stream_key
from monitor.store import read
from monitor.store.incidents import Kept, open_ones
from monitor.store.listen import Bell
from monitor.store.pool import Store
from monitor.web.cursors import encode_place
from monitor.web.times import rfc3339

log = Log(__name__)
POLL_S = 1.0
SETTLE_S = 0.1  # after a ring, so that a storm of small transactions is read as one
HEARTBEAT_S = 5.0
ANSWERS_S = 10.0
QUEUE_MAX = 32  # events a slow client may fall behind before it is dropped
NAMED_MAX = 200  # subjects an event names; with more it says `many`
LAYERS = ("measured", "effective")


class Event(msgspec.Struct, frozen=True):
    """One server-sent event: its name, its data, and the cursor to go on from."""

    name: str
    data: dict[str, Any]
    cursor: str

    def encoded(self) -> bytes:
        data = msgspec.json.encode(self.data)
        return b"event: %b\nid: %b\ndata: %b\n\n" % (self.name.encode(), self.cursor.encode(), data)


class Client:
    """An open page: a bounded queue of events. `dropped` when it was too slow; it comes back by itself."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[bytes] = asyncio.Queue(QUEUE_MAX)
        self.dropped = False

    async def next_event(self, *, within_s: float) -> bytes | None:
        """The next event; None when the stream ends, or nothing came for so long."""
        try:
            async with asyncio.timeout(within_s):
                return await self.events.get() or None
        except TimeoutError:
            return None

    def tell(self, event: bytes) -> None:
        if self.events.full():
            self.dropped = True
        else:
            self.events.put_nowait(event)

    def end(self) -> None:
        if not self.events.full():
            self.events.put_nowait(b"")


class Live:
    """The picture, by one follower of the changes (cursor under the snapshot's xmin), and its listeners."""

    def __init__(self, store: Store, bell: Bell, *, heartbeat_s: float = HEARTBEAT_S) -> None:
        self.picture: Picture | None = None
        self.around: Surroundings | None = None
        self.answers: Mapping[tuple[str, str], LastAnswer] = {}
        self.figures = CurrentFigures(store)
        self.incidents: list[Kept] = []  # the open ones
        self.revision = 0
        self.clients: set[Client] = set()
        self.closing = asyncio.Event()  # set at the end, so that open streams do not hold the server
        self.heartbeat_s = heartbeat_s
        self._store, self._bell = store, bell
        self._place = Place(0, 0)
        self._standing: dict[tuple[str, str], Standing] = {}
        self._partitions: dict[str, Partition] = {}
        self._clocks = Clocks({}, None, int(time.time() * 1000))
        self._clocks_at = time.monotonic()
        self._refusal: Refusal | None = None
        self._exclusions, self._excluded = CurrentExclusions(store), dict[str, State]()
        self._answers_at = float("-inf")
        self._drawn_in_ms = int(time.time() * 1000)  # so that revisions of two runs do not meet in a cache

    @property
    def now_ms(self) -> int:
        """PostgreSQL's clock, carried on by ours while PostgreSQL is away."""
        return self._clocks.now_ms + int((time.monotonic() - self._clocks_at) * 1000)

    @property
    def cursor(self) -> str:
        """Where a reader of /changes goes on after what the picture shows."""
        return encode_place(self._place)

    @property
    def etag(self) -> str:
        return f"{self._drawn_in_ms:x}-{self.revision:x}"

    async def run(self, stop: Stop) -> None:
        """Follow until `stop`. With PostgreSQL away the picture ages into *unknown*, then comes back."""
        backoff = Backoff()
        async with asyncio.TaskGroup() as group:
            beat = group.create_task(self._beat(stop), name="heartbeat")
            while not stop.requested:
                try:
                    await self.refresh()
                    backoff.reset()
                    await self._bell.wait(POLL_S, stop)
                    await stop.pause(SETTLE_S)
                except StoreUnavailable as error:
                    log.warning("web.store_away", why=str(error))
                    await self._draw(frozenset())
                    await stop.pause(min(backoff.next_s(), POLL_S))
            beat.cancel()
        self.close()

    async def refresh(self) -> None:
        """Read what is new and draw it. Raises StoreUnavailable."""
        serial = await read.serial_in_force(self._store)
        if serial == 0:
            return
        if self.around is None or self.around.serial != serial:
            touched = await self._begin(serial)
        else:
            touched = await self._follow()
        self._clocks, self._clocks_at = await read.clocks(self._store), time.monotonic()
        self._refusal = await read.refusal(self._store)
        assert self.around is not None, "begun above"
        self._excluded = await self._exclusions.at(self.around.catalogue, self.now_ms)
        incidents, self.incidents = self.incidents, await open_ones(self._store)
        if time.monotonic() - self._answers_at >= ANSWERS_S:
            await self._read_answers()
        await self._draw(touched, moved=incidents != self.incidents)

    async def _begin(self, serial: int) -> frozenset[str]:
        version = await read.version(self._store, serial)
        around = await asyncio.to_thread(Surroundings, version)
        self._place = await read.place_now(self._store)
        self._standing = await read.standing(self._store, layers=LAYERS, subjects=around.subjects)
        self._partitions = await read.partitions(self._store)
        self.around, self.picture, self._answers_at = around, None, float("-inf")
        log.info("web.catalogue", serial=serial)
        return frozenset()

    async def _follow(self) -> frozenset[str]:
        touched: set[str] = set()
        while rows := await read.changes_since(self._store, self._place):
            await self._take(rows)
            touched.update(row.subject for row in rows)
            self._place = rows[-1].place
            if len(rows) < read.CHANGES_MAX:
                break
        return frozenset(touched)

    async def _take(self, rows: Sequence[Changed]) -> None:
        """Read anew what stands for each subject a change names; a withdrawal may uncover an older one."""
        for layer in LAYERS:
            subjects = {row.subject for row in rows if row.layer == layer}
            found = await read.standing(self._store, layers=[layer], subjects=subjects)
            for subject in subjects:
                self._standing.pop((layer, subject), None)
            self._standing.update(found)
        if any(stream_key(row.subject) not in self._partitions for row in rows):
            self._partitions = await read.partitions(self._store)

    async def _read_answers(self) -> None:
        assert self.around is not None
        answers = await read.last_answers(self._store, self.around.pairs)
        self.answers = {(answer.check, answer.vantage): answer for answer in answers}
        await self.figures.refresh(self.around.catalogue)
        self._answers_at = time.monotonic()

    async def _draw(self, touched: frozenset[str], *, moved: bool = False) -> None:
        """Draw, and tell the pages when something differs: of the picture, or (`moved`) of the incidents."""
        if self.around is None:
            return
        facts = Facts(self._standing, self._partitions, self._clocks, self._refusal, self._excluded)
        before = self.picture
        self.picture = await asyncio.to_thread(
            draw, self.around, facts, now_ms=self.now_ms, before=before, touched=touched
        )
        if before is None or moved or not self.picture.same_but_later(before):
            self.revision += 1
            self._publish(self._changed(before, self.picture))

    async def _beat(self, stop: Stop) -> None:
        while not stop.requested:
            await stop.pause(self.heartbeat_s)
            self._publish(self.event("heartbeat"))

    def event(self, name: str, **data: Any) -> Event:
        """An event of this moment, with the as-of that pages show."""
        return Event(name, {"revision": self.etag, "as_of": self._as_of, **data}, self.cursor)

    def tell(self, name: str, **data: Any) -> None:
        """Send an event of this moment to every open page."""
        self._publish(self.event(name, **data))

    @property
    def _as_of(self) -> str | None:
        return rfc3339(self.picture.as_of_ms) if self.picture else None

    def _changed(self, before: Picture | None, after: Picture) -> Event:
        services = _differing(before.services if before else {}, after.services)
        systems = _differing(before.systems if before else {}, after.systems)
        if len(services) + len(systems) > NAMED_MAX:
            return self.event("changes", services=[], systems=[], many=True)
        return self.event("changes", services=services, systems=systems, many=False)

    def _publish(self, event: Event) -> None:
        encoded = event.encoded()
        for client in self.clients:
            client.tell(encoded)

    def close(self) -> None:
        """End every open stream; their pages come back to whoever serves next."""
        self.closing.set()
        for client in self.clients:
            client.end()

    @contextmanager
    def listening(self) -> Iterator[Client]:
        """A client that hears every event while the block runs."""
        client = Client()
        self.clients.add(client)
        try:
            yield client
        finally:
            self.clients.discard(client)


def _differing(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    return [slug for slug, shown in after.items() if before.get(slug) is not shown]
