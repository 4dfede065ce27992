"""Which checks are ours: those whose shard the group assigned to us, as last told, also after a restart."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from monitor.log import Log

log = Log(__name__)

FILE = "shards.json"


class Assignment(msgspec.Struct, frozen=True):
    """The shards that are ours, of how many."""

    owned: frozenset[int] = frozenset()
    of: int = 0


class Shards:
    """Keeps to the last assignment: only an assignment without a shard takes it away, never a revocation."""

    def __init__(
        self, folder: Path, *, shard_of: Callable[[str, int], int], changed: Callable[[], None]
    ) -> None:
        self._file, self._shard_of, self._changed = folder / FILE, shard_of, changed
        self._told = False
        self.assignment = Assignment()

    def owns(self, check_key: str) -> bool:
        """Whether a check is ours to ask."""
        of = self.assignment.of
        return of > 0 and self._shard_of(check_key, of) in self.assignment.owned

    def assigned(self, owned: frozenset[int], of: int) -> None:
        """The group says so now."""
        self._told = True
        self._become(Assignment(owned, of))
        beside = self._file.with_name(f"{FILE}.{os.getpid()}")
        beside.write_bytes(msgspec.json.encode(self.assignment))
        beside.replace(self._file)

    def resume(self) -> None:
        """Kafka is away: until it has told us anything, go on with what we had before the restart."""
        if self._told or self.assignment.of:
            return
        try:
            self._become(msgspec.json.decode(self._file.read_bytes(), type=Assignment))
        except FileNotFoundError:
            return
        except (OSError, msgspec.DecodeError) as error:
            log.warning("shards.unreadable", why=str(error))
            return
        log.info("shards.resumed", owned=sorted(self.assignment.owned), of=self.assignment.of)

    def _become(self, assignment: Assignment) -> None:
        if assignment != self.assignment:
            self.assignment = assignment
            self._changed()
