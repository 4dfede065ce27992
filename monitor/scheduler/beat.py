"""When a check is asked: beats in whole milliseconds, fixed by its name, the same at every vantage point."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import lru_cache

SALT = b"beat:"  # not the hash that shards work, or every check of a shard would start together
GRID_MS = 10  # beats lie on this grid: starting a few checks per waking costs half of waking for each


@lru_cache(maxsize=65_536)
def phase_ms(check_key: str, every_ms: int) -> int:
    """Where in its interval a check beats, in milliseconds, 0 <= phase < every."""
    assert every_ms > 0, every_ms
    grid_ms = GRID_MS if every_ms % GRID_MS == 0 else 1
    return zlib.crc32(SALT + check_key.encode()) % (every_ms // grid_ms) * grid_ms


def next_due_ms(check_key: str, every_ms: int, after_ms: int) -> int:
    """The first beat strictly after `after_ms` (Unix milliseconds). A restart keeps every beat."""
    phase = phase_ms(check_key, every_ms)
    return ((after_ms - phase) // every_ms + 1) * every_ms + phase


def latest_due_ms(check_key: str, every_ms: int, at_ms: int) -> int:
    """The last beat at or before `at_ms` (Unix milliseconds)."""
    return next_due_ms(check_key, every_ms, at_ms) - every_ms


def beats_between(check_key: str, every_ms: int, *, after_ms: int, until_ms: int) -> Iterator[int]:
    """Every beat in (after_ms, until_ms], oldest first."""
    return iter(range(next_due_ms(check_key, every_ms, after_ms), until_ms + 1, every_ms))
