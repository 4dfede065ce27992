"""Who stores what a partition's records mean, and what the loop tells whoever watches it."""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from monitor.stream.records import Record


class Position(NamedTuple):
    """The stored row: the next offset to read, and what record `next - 1` was (None: not known).

    A keeper that must see again what it kept before says from which offset: those records are recalled.
    """

    next: int
    last_at_ms: int | None
    last_crc: int | None
    recall: int | None = None


class Keeper(Protocol):
    """Stores what records mean. Each method may raise StoreUnavailable; those with `at` FenceBroken too."""

    async def assigned(self, partition: int, *, cluster: str, begin: int, end: int) -> Position:
        """The stored row, made at `begin` where there is none; load whatever state the partition needs.

        May raise StreamChanged.
        """
        ...

    async def keep(
        self, partition: int, records: Sequence[Record], *, at: Position, new: Position, waiting: int = 0
    ) -> None:
        """Store what these mean, and `new` where the stored next is still `at.next`, in one transaction.

        `waiting` more are known to come behind them. A keeper may store later, in the same order and under
        the same fence; then it says with the next call what went wrong, and `caught_up` waits for all of
        it. It raises BadRow when it wants to see again what is not stored.
        """
        ...

    async def caught_up(self, partition: int, wall_ms: int, *, at: Position) -> None:
        """Everything appended before `wall_ms` was kept. At most once a second."""
        ...

    def revoked(self, partition: int) -> None:
        """The partition is no longer ours; forget its state."""
        ...


Recall = Callable[[int, Sequence[Record]], Awaitable[None]]  # partition, records kept before


def _ignore(*_: object) -> None:
    return


async def recall_nothing(*_: object) -> None:
    """For a keeper that never asks to see a record again."""


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """Whom to tell: records not yet read, partitions that wait for a person, batches refused by the fence."""

    lag: Callable[[int, int], None] = _ignore  # partition, records
    stopped: Callable[[int, bool], None] = _ignore  # partition, whether it is
    fenced: Callable[[], None] = _ignore


def crc_of(key: bytes | None, value: bytes | None) -> int:
    """CRC-32 of a record's key and value."""
    return zlib.crc32(value or b"", zlib.crc32(key or b""))
