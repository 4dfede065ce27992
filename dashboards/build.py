"""Writes `generated/` anew, by `make dashboards`. A test compares what is checked in with what is made."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from dashboards import boards, rules

Producer = Callable[[], Mapping[str, str]]
"""Gives the text of each file by its path under `generated/`."""

PRODUCERS: tuple[Producer, ...] = (rules.files, boards.boards)
GENERATED = Path(__file__).parent / "generated"


def built() -> dict[str, str]:
    """Every file by its path under `generated/`. Two producers of one path are a bug."""
    made: dict[str, str] = {}
    for producer in PRODUCERS:
        for path, text in producer().items():
            assert path not in made, f"{path} is made twice"
            made[path] = text
    return made


def write() -> None:
    """Make the folder anew. Raises OSError."""
    made = built()
    shutil.rmtree(GENERATED, ignore_errors=True)
    for path, text in made.items():
        file = GENERATED / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
