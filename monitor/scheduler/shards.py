"""Which checks are ours: those whose shard the group assigned to us, as last told, also after a restart."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
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

    def still_ours(self) -> None:
        """The group takes us for a member now: remembered over a `kill -9`."""
        if self._told:
            self._date(None)

    def given_up(self) -> None:
        """We left the group: the next start waits to be told."""
        self._date((0, 0))

    def resume(self, *, within_s: float | None = None) -> None:
        """Until Kafka has told us anything, go on with what we had before the restart.

        `within_s`: only where that was `still_ours` so many seconds ago. For that long the group waits for a
        member that died, so nobody else can have been given it.
        """
        if self._told or self.assignment.of:
            return
        try:
            if within_s is not None and time.time() - self._file.stat().st_mtime > within_s:
                return
            self._become(msgspec.json.decode(self._file.read_bytes(), type=Assignment))
        except FileNotFoundError:
            return
        except (OSError, msgspec.DecodeError) as error:
            log.warning("shards.unreadable", why=str(error))
            return
        log.info("shards.resumed", owned=sorted(self.assignment.owned), of=self.assignment.of)

    def _date(self, times: tuple[int, int] | None) -> None:
        with suppress(FileNotFoundError):
            os.utime(self._file, times)

    def _become(self, assignment: Assignment) -> None:
        if assignment != self.assignment:
            self.assignment = assignment
            self._changed()
