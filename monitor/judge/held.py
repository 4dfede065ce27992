"""What the owner of a partition of transactions holds in memory: the ids of its horizon, and its batch."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from monitor.judge.counting import Horizon, Rows, Tally
from monitor.store.stream import DeadLetter
from monitor.stream.loop import Position


@dataclass
class Batch:
    """What was added up and is not stored yet: from the offset `at` up to `new`."""

    at: int
    new: Position
    horizon: int | None = None  # the first offset whose id is remembered when this is stored
    rows: Rows = field(default_factory=dict)
    letters: list[DeadLetter] = field(default_factory=list)
    counted: int = 0
    repeated: int = 0
    began_s: float = field(default_factory=time.monotonic)

    @property
    def size(self) -> int:
        """Rows it is to become."""
        return len(self.rows) + len(self.letters)

    def take(self, tally: Tally, letters: Sequence[DeadLetter]) -> None:
        """What a tally found that added to `rows`."""
        self.letters += letters
        self.counted += tally.counted
        self.repeated += tally.repeated


@dataclass
class Partition:
    """One that is ours. `batch` gathers while the one before it is being stored."""

    cluster: str
    judged_until_ms: int | None = None
    next: int | None = None  # the offset up to which `horizon` and `batch` are whole; None: they are not
    horizon: Horizon = field(default_factory=Horizon)
    batch: Batch | None = None
    worth_waiting: bool = False  # more of the log is known to wait behind the batch
    stored: Batch | None = None  # the one that is on its way
    storing: asyncio.Task[None] | None = None
    hand: asyncio.Lock = field(default_factory=asyncio.Lock)  # held while something is added to the batch
    failed: Exception | None = None  # why the last one could not be stored
    careful_until: int = 0  # up to this offset there is a row that PostgreSQL refuses

    @property
    def busy(self) -> bool:
        """Whether a batch is on its way."""
        return self.storing is not None and not self.storing.done()

    @property
    def size(self) -> int:
        """Rows in hand."""
        return sum(batch.size for batch in (self.batch, self.stored) if batch)

    def check(self) -> None:
        """Raises why the last batch could not be stored: what came after it is forgotten too."""
        if self.failed is not None:
            raise self.failed
        if self.storing is not None and self.storing.done():
            self.storing.result()

    def spoil(self, why: Exception) -> None:
        """Nothing in hand may be stored any more; the log has it all."""
        self.batch, self.next, self.failed = None, None, why
