"""Half-open stretches of time: united, cut, and asked what lies in them. Pure; Unix ms."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

Range = tuple[int, int]
"""[from, to): its first millisecond, and the one after its last."""

Ranges = Sequence[Range]
"""In order, none empty, none touching another: what `union` returns."""

ALWAYS: Ranges = ((-(2**62), 2**62),)


def union(ranges: Iterable[Range]) -> list[Range]:
    """The same time once, however often it was named (T9); what is empty or runs backwards is left out."""
    found: list[Range] = []
    for start, end in sorted(ranges):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def clip(ranges: Ranges, start_ms: int, end_ms: int) -> list[Range]:
    """What of them lies in [start, end)."""
    cut = ((max(start, start_ms), min(end, end_ms)) for start, end in ranges)
    return [(start, end) for start, end in cut if start < end]


def shared(one: Ranges, other: Ranges) -> list[Range]:
    """What lies in both."""
    return [part for start, end in one for part in clip(other, start, end)]


def holds(ranges: Ranges, at_ms: int) -> bool:
    """True when `at_ms` lies in one of them."""
    index = bisect_right(ranges, (at_ms, 2**63))
    return index > 0 and at_ms < ranges[index - 1][1]


def length_ms(ranges: Ranges) -> int:
    """All of them together, in milliseconds."""
    return sum(end - start for start, end in ranges)
