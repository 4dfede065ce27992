"""Standard input by line: what has come is sent when nothing more comes, and a stop ends the waiting."""

from __future__ import annotations

import os
import select
from collections.abc import Callable

LOOK_S = 0.2
DRY_S = 0.05
CHUNK_BYTES = 256 * 1024


class Pipe:
    """A descriptor as a file that can only be read by line."""

    def __init__(self, descriptor: int, stopped: Callable[[], bool]) -> None:
        self._descriptor, self._stopped = descriptor, stopped
        self._held = b""
        self._ended = False

    def readline(self, limit: int) -> bytes:
        """A line, at most `limit` bytes of it; empty at the end, or once a stop was asked for."""
        while b"\n" not in self._held[:limit] and len(self._held) < limit and not self._ended:
            if self._stopped():
                return b""
            if self._ready(LOOK_S):
                chunk = os.read(self._descriptor, CHUNK_BYTES)
                self._held += chunk
                self._ended = not chunk
        end = self._held.find(b"\n", 0, limit) + 1 or min(limit, len(self._held))
        line, self._held = self._held[:end], self._held[end:]
        return line

    def dry(self) -> bool:
        """Whether nothing more has come yet, so that waiting would hold up what has."""
        return b"\n" not in self._held and not self._ended and not self._ready(DRY_S)

    def close(self) -> None:
        """It is not ours to close."""

    def _ready(self, within_s: float) -> bool:
        return bool(select.select([self._descriptor], [], [], within_s)[0])
