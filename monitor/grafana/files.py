"""What `dashboards/generated/` holds, with the zone and the first day of the week that somebody wants."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, NamedTuple

from monitor.errors import MonitorError

Json = dict[str, Any]
DASHBOARDS = "grafana/dashboards/"
WEEK_STARTS = ("saturday", "sunday", "monday")
"""The days that Grafana lets a week begin with."""


class Wanted(NamedTuple):
    """What differs from the files as they are: None leaves it."""

    zone: str | None = None
    week_start: str | None = None


def files(wanted: Wanted) -> dict[str, str]:
    """Every file by its path: dashboards as wanted, the rest as it is. Raises MonitorError."""
    root = resources.files("monitor").joinpath("..", "dashboards", "generated")
    if not root.is_dir():
        raise MonitorError("the dashboards are not part of this installation; take them from the source tree")
    return {
        path: _text(_as_wanted(json.loads(text), wanted)) if path.startswith(DASHBOARDS) else text
        for path, text in _walk(root)
    }


def dashboards(wanted: Wanted) -> list[Json]:
    """The dashboards in the order of their titles. Raises MonitorError."""
    found = [json.loads(text) for path, text in files(wanted).items() if path.startswith(DASHBOARDS)]
    return sorted(found, key=lambda board: str(board["title"]))


def write(folder: Path, wanted: Wanted) -> list[Path]:
    """Put every file into `folder`; what else lies there stays. Returns their paths. Raises MonitorError."""
    written = []
    for path, text in files(wanted).items():
        file = folder / path
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise MonitorError(f"{file} cannot be written: {error.strerror}") from error
        written.append(file)
    return written


def _walk(folder: Traversable, above: str = "") -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            yield from _walk(entry, f"{above}{entry.name}/")
        else:
            yield f"{above}{entry.name}", entry.read_text(encoding="utf-8")


def _as_wanted(board: Json, wanted: Wanted) -> Json:
    return board | {
        name: value
        for name, value in (("timezone", wanted.zone), ("weekStart", wanted.week_start))
        if value is not None
    }


def _text(board: Json) -> str:
    return json.dumps(board, indent=1, ensure_ascii=False) + "\n"


def mark(board: Mapping[str, Any]) -> int:
    """A number that stands for what a dashboard says, to be known again by after Grafana has rewritten it."""
    said = {name: value for name, value in board.items() if name not in ("id", "version", "revision")}
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    return int(digest[:13], 16)  # 52 bits: exact in a browser's numbers
