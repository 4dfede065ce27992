"""What the loop of incidents sees: the picture of now, with the beginnings of verdicts, and last answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from monitor.facts import Changed, Clocks, LastAnswer, Place, Standing
from monitor.judge.current import CurrentExclusions
from monitor.judge.exclusions import excluded
from monitor.judge.picture import Facts, Partition, Picture, draw
from monitor.judge.ranges import Range, union
from monitor.judge.surroundings import Surroundings
from monitor.model import stream_key
from monitor.store import read
from monitor.store.incidents import standing_since
from monitor.store.pool import Store

LAYERS = ("measured", "effective")
ANSWERS_S = 60.0


class Outlook:
    """Follows the changes by cursor; drawn anew only where something changed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._around: Surroundings | None = None
        self._picture: Picture | None = None
        self._place = Place(0, 0)
        self._standing: dict[tuple[str, str], Standing] = {}
        self._partitions: dict[str, Partition] = {}
        self._clocks = Clocks({}, None, 0)
        self._answers_at = float("-inf")
        self._exclusions = CurrentExclusions(store)
        self.answers: list[LastAnswer] = []

    @property
    def around(self) -> Surroundings:
        assert self._around is not None, "refresh said that there is a catalogue"
        return self._around

    @property
    def picture(self) -> Picture:
        assert self._picture is not None, "refresh said that there is a catalogue"
        return self._picture

    @property
    def now_ms(self) -> int:
        """PostgreSQL's clock at the last refresh, Unix milliseconds."""
        return self._clocks.now_ms

    def excluded(self, subject: str) -> list[Range]:
        """Stretches of the last day in which it was not required; none before the first refresh."""
        if self._around is None:
            return []
        notice_ms = round(self._around.catalogue.policy.notice_s * 1000)
        shut = self._exclusions.closed.get(subject, ())
        found = excluded(subject, self._exclusions.announced, notice_ms=notice_ms, closed=shut)
        return union([*found.closed, *found.out_of_hours, *found.maintenance])

    async def refresh(self) -> bool:
        """Read what is new; False before the first catalogue. Raises StoreUnavailable."""
        serial = await read.serial_in_force(self._store)
        if serial == 0:
            return False
        touched: set[str] = set()
        if self._around is None or self._around.serial != serial:
            await self._begin(serial)
        else:
            touched = await self._follow()
        self._clocks = await read.clocks(self._store)
        if time.monotonic() - self._answers_at >= ANSWERS_S:
            self.answers = await read.last_answers(self._store, self.around.pairs)
            self._answers_at = time.monotonic()
        not_required = await self._exclusions.at(self.around.catalogue, self.now_ms)
        self._picture = await asyncio.to_thread(
            draw,
            self.around,
            Facts(self._standing, self._partitions, self._clocks, excluded=not_required),
            now_ms=self.now_ms,
            before=self._picture,
            touched=frozenset(touched),
        )
        return True

    async def _begin(self, serial: int) -> None:
        version = await read.version(self._store, serial)
        around = await asyncio.to_thread(Surroundings, version)
        self._place = await read.place_now(self._store)
        self._standing = await standing_since(self._store, layers=LAYERS, subjects=around.subjects)
        self._partitions = await read.partitions(self._store)
        self._around, self._picture, self._answers_at = around, None, float("-inf")

    async def _follow(self) -> set[str]:
        touched: set[str] = set()
        while rows := await read.changes_since(self._store, self._place):
            await self._take(rows)
            touched.update(row.subject for row in rows)
            self._place = rows[-1].place
        return touched

    async def _take(self, rows: Sequence[Changed]) -> None:
        """Read anew what stands for each subject a change names; a withdrawal may uncover an older one."""
        subjects = {row.subject for row in rows}
        found = await standing_since(self._store, layers=LAYERS, subjects=subjects)
        for layer in LAYERS:
            for subject in subjects:
                self._standing.pop((layer, subject), None)
        self._standing |= found
        if any(stream_key(row.subject) not in self._partitions for row in rows):
            self._partitions = await read.partitions(self._store)
