"""Sends the events of a file batch by batch, and keeps how far it came after each acknowledgement."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from monitor.errors import MonitorError
from monitor.lifetime import Backoff, Stop
from monitor.sending.lines import LINE_MOST_BYTES, Csv, Item, Read, raw_lines
from monitor.sending.pipe import Pipe
from monitor.sending.place import Place, Places
from monitor.sending.ways import Away, Failed, Way

BATCH, BATCH_BYTES = 2_000, 4 * 1024 * 1024  # a gateway takes 8 MiB at once
AT_ONCE = 4  # batches on their way
GIVE_UP_S = 120.0
FAILED_KEPT = 100
EVENTS_SHOWN = 10

Moved = Callable[[int], None]  # hears the byte that was reached


@dataclass
class Tally:
    """What became of the lines of a run."""

    sent: int = 0  # lines; an event may stand for many transactions
    refused: int = 0
    passed_over: int = 0
    failed: list[tuple[str, Failed]] = field(default_factory=list)  # the first, by file
    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # transactions
    first: list[bytes] = field(default_factory=list)  # messages, where they are only shown

    def fail(self, file: str, failed: Failed) -> None:
        self.refused += failed.count
        if len(self.failed) < FAILED_KEPT:
            self.failed.append((file, failed))

    def take(self, item: Item) -> None:
        assert item.event is not None
        event = item.event
        self.sent += 1
        self.counts[event.service, event.channel, event.outcome.value] += event.count
        if len(self.first) < EVENTS_SHOWN:
            self.first.append(item.value)


class Source:
    """One open file, or standard input: its events from where they were left."""

    def __init__(self, name: str, file: BinaryIO | Pipe, read: Read, place: Place) -> None:
        self.name, self.file, self.place, self._read = name, file, place, read

    def with_csv(self, csv: Callable[[bytes], Csv]) -> Source:
        """The same with a reader made of the header, which is no event. Raises UsageError."""
        if isinstance(self.file, Pipe):
            header = self.file.readline(LINE_MOST_BYTES)
        else:
            self.file.seek(0)
            header = self.file.readline(LINE_MOST_BYTES)
        self._read = csv(header)
        if not self.place.offset:
            self.place.offset, self.place.line = len(header), 2
        return self

    @property
    def is_file(self) -> bool:
        return not isinstance(self.file, Pipe)

    @property
    def size(self) -> int | None:
        """Bytes, where that can be known."""
        return None if isinstance(self.file, Pipe) else os.fstat(self.file.fileno()).st_size

    def items(self) -> Iterator[Item]:
        if not isinstance(self.file, Pipe):
            self.file.seek(self.place.offset)
        lines = raw_lines(self.file, begin=self.place.offset, number=self.place.line)
        return self._read(lines, lambda line: f"{self.place.base}-{line}")

    def may_grow(self, item: Item) -> bool:
        """True for a last line without its end: it may be in the middle of being written."""
        return not isinstance(self.file, Pipe) and os.pread(self.file.fileno(), 1, item.end - 1) != b"\n"

    def dry(self) -> bool:
        """Whether what has come should go now, because nothing more has come yet."""
        return isinstance(self.file, Pipe) and self.file.dry()


def standard_input(pipe: Pipe, read: Read) -> Source:
    """No place to come back to; ids of its own, so that a batch sent again counts once."""
    place = Place(path="", inode=0, head="", head_bytes=0, base=secrets.token_hex(8))
    return Source("-", pipe, read, place)


def open_file(path: Path, read: Read, places: Places, *, again: bool) -> Source:
    """Raises MonitorError when it cannot be read."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise MonitorError(f"{path} cannot be read: {error.strerror}") from error
    return Source(str(path), file, read, places.of(path, file, again=again))


async def show(source: Source, way: Way, tally: Tally, stop: Stop, moved: Moved) -> None:
    """What `Sending` would do, without doing it."""
    for number, item in enumerate(source.items()):
        if number % BATCH == 0:
            await asyncio.sleep(0)  # a Ctrl-C is heard
        if stop.requested:
            return
        if _sort(item, source, way, tally):
            tally.take(item)
        moved(item.end)


def _sort(item: Item, source: Source, way: Way, tally: Tally) -> bool:
    """True for an event to send; what is none, or cannot count, goes into the tally."""
    why_not = item.why_not or (way.check(item) if item.event else "")
    if why_not:
        tally.fail(source.name, Failed(item.line, why_not))
    elif item.event is None:
        tally.passed_over += 1
    return not why_not and item.event is not None


class Sending:
    """One file on its way."""

    def __init__(self, source: Source, way: Way, places: Places, tally: Tally, stop: Stop) -> None:
        self._source, self._way, self._places, self._tally, self._stop = source, way, places, tally, stop
        self._under_way: deque[tuple[asyncio.Task[list[Failed]], list[Item], Item]] = deque()

    async def run(self, moved: Moved) -> None:
        """Send to the end, or until `stop`; then what is under way is waited for.

        Raises MonitorError when it cannot go on; what was acknowledged is kept, and not sent again.
        """
        self._keep()
        try:
            batches = self._batches()
            # read in a thread: what is under way goes on meanwhile, and standard input may be slow
            while not self._stop.requested and (found := await asyncio.to_thread(next, batches, None)):
                batch, last = found
                self._under_way.append((asyncio.create_task(self._deliver(batch)), batch, last))
                if len(self._under_way) >= AT_ONCE:
                    moved(await self._settle())
            while self._under_way:
                moved(await self._settle())
        finally:
            for task, *_ in self._under_way:
                task.cancel()
            await asyncio.gather(*(task for task, *_ in self._under_way), return_exceptions=True)

    def _batches(self) -> Iterator[tuple[list[Item], Item]]:
        """Events to send, and the last line that is done with once they are acknowledged."""
        batch: list[Item] = []
        last: Item | None = None
        lines = size = 0
        for item in self._source.items():
            if item.why_not and self._source.may_grow(item):
                self._tally.fail(self._source.name, Failed(item.line, f"{item.why_not} (and has no end yet)"))
                break
            if _sort(item, self._source, self._way, self._tally):
                batch.append(item)
            last, lines, size = item, lines + 1, size + len(item.value)
            if lines >= BATCH or size >= BATCH_BYTES or self._source.dry():
                yield batch, last
                batch, last, lines, size = [], None, 0, 0
        if last is not None:
            yield batch, last

    async def _deliver(self, batch: list[Item]) -> list[Failed]:
        backoff, until_s = Backoff(), time.monotonic() + GIVE_UP_S
        while batch:
            try:
                return await self._way.deliver(batch)
            except Away as error:
                if self._stop.requested or time.monotonic() > until_s:
                    raise
                await self._stop.pause(max(backoff.next_s(), error.after_s))
        return []

    async def _settle(self) -> int:
        """Wait for the oldest batch, and keep the place behind it; returns its last byte."""
        task, batch, last = self._under_way[0]
        try:
            failed = await task
        finally:
            self._under_way.popleft()
        refused = {one.line for one in failed}
        for one in failed:
            self._tally.fail(self._source.name, one)
        for item in batch:
            if item.line not in refused:
                self._tally.take(item)
        self._tally.sent -= sum(one.count for one in failed if not one.line)
        self._source.place.offset, self._source.place.line = last.end, last.line + 1
        self._keep()
        return last.end

    def _keep(self) -> None:
        if self._source.is_file:
            self._places.keep(self._source.place)
