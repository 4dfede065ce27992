"""One row per budget: what it allows, what was measured, and what a baseline did in the same minute."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

PACKAGES = ("aiohttp", "aiokafka", "asyncpg", "msgspec", "uvloop")
COLUMNS = ("what", "budget", "measured", "baseline, same minute", "within?")
MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table. `within` is None where the budget names no number or nothing was measured."""

    what: str
    budget: str
    measured: str
    baseline: str = "–"
    within: bool | None = None
    note: str = ""  # how it was measured, where that is not plain


def spread(values: Sequence[float], unit: str, *, digits: int = 2) -> str:
    """The median of several runs, with the lowest and highest beside it."""
    middle = f"{statistics.median(values):.{digits}f} {unit}"
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def share_below(values: Sequence[float], share: float) -> float:
    """The smallest of the values that `share` of them do not exceed; of nothing, infinity."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("inf")


def times(measured: float, baseline: float) -> str:
    """How many times the baseline, fit to stand behind it."""
    return f"×{measured / baseline:.1f}" if baseline else "no baseline"


def machine() -> str:
    """Where and when: cores, processor, memory, Python, and the versions that decide most."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / MIB / 1024
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC · {os.cpu_count()} cores, {_processor()}, "
        f"{memory_gib:.0f} GiB · {platform.system()} {platform.release()} · "
        f"Python {platform.python_version()}, {versions} · load before: {os.getloadavg()[0]:.2f}"
    )


def heading() -> str:
    """The table's head."""
    return f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}"


def line(row: Row) -> str:
    """One row in markdown."""
    within = {True: "yes", False: "**no**", None: "–"}[row.within]
    return f"| {row.what} | {row.budget} | {row.measured} | {row.baseline} | {within} |"


def closing(rows: Iterable[Row]) -> str:
    """What falls short, and how the figures were come by."""
    rows = list(rows)
    short = [f"- {row.what}: {row.measured}, budget {row.budget}" for row in rows if row.within is False]
    notes = [f"- {row.what}: {row.note}" for row in rows if row.note]
    parts = ["Falls short:\n" + "\n".join(short) if short else "Nothing measured falls short."]
    if notes:
        parts.append("Notes:\n" + "\n".join(notes))
    return "\n\n".join(parts)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for text in info.read_text().splitlines():
            if text.startswith("model name"):
                return text.partition(":")[2].strip()
    return platform.processor() or platform.machine()
