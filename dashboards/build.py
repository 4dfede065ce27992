"""Writes `generated/` anew, by `make dashboards`. A test compares what is checked in with what is made."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from dashboards import alertmanager, boards, provisioning, rules, scrape

Producer = Callable[[], Mapping[str, str]]
"""Gives the text of each file by its path under `generated/`."""

PRODUCERS: tuple[Producer, ...] = (
    rules.files,
    scrape.files,
    alertmanager.files,
    boards.boards,
    provisioning.files,
)
GENERATED = Path(__file__).parent / "generated"
NOTHING: Mapping[str, str] = {}


def built() -> dict[str, str]:
    """Every file by its path under `generated/`. Two producers of one path are a bug."""
    made: dict[str, str] = {}
    for producer in PRODUCERS:
        for path, text in producer().items():
            assert path not in made, f"{path} is made twice"
            made[path] = text
    return made


def write(folder: Path, replace: Mapping[str, str] = NOTHING) -> None:
    """Put every file into `folder`, with pieces of text swapped literally. Raises OSError."""
    for path, text in built().items():
        for piece, instead in replace.items():
            text = text.replace(piece, instead)
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m dashboards.build", description=__doc__)
    parser.add_argument("--output", type=Path, help="a folder to write to, instead of generated/")
    parser.add_argument(
        "--replace", type=json.loads, default={}, help='such as \'{"127.0.0.1": "10.0.0.7"}\''
    )
    given = parser.parse_args()
    if given.output is None:
        shutil.rmtree(GENERATED, ignore_errors=True)  # a file that is no longer made goes
    write(given.output or GENERATED, given.replace)


if __name__ == "__main__":
    main()
