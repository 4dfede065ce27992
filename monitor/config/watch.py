"""Whether the files of a catalogue changed, without reading what did not."""

from __future__ import annotations

import hashlib
from pathlib import Path

RESERVED = frozenset({"journeys", "evaluation"})
"""Folders beside the catalogue that hold something else."""


def files(folder: Path) -> list[Path]:
    """Every YAML file of the catalogue, in the order they are read; `folder` may also be one file."""
    if not folder.is_dir():
        return [folder]
    found = [path for path in folder.rglob("*") if path.suffix in (".yaml", ".yml") and _counts(path, folder)]
    return sorted(found)


def _counts(path: Path, folder: Path) -> bool:
    """Hidden files (an editor's leftovers), reserved folders and pipes do not count; a dead link does."""
    parts = path.relative_to(folder).parts
    hidden = any(part.startswith(".") for part in parts)
    return not hidden and parts[0] not in RESERVED and (path.is_file() or not path.exists())


def fingerprint(folder: Path) -> str:
    """Differs when a file was added, removed or written since; reads no contents. Never raises."""
    seen = hashlib.sha256()
    for path in files(folder):
        try:
            stat = path.stat()
            seen.update(f"{path}\0{stat.st_mtime_ns}\0{stat.st_size}\0{stat.st_ino}\0".encode())
        except OSError as error:
            seen.update(f"{path}\0{error.errno}\0".encode())
    return seen.hexdigest()


def changed(folder: Path, *, since: str) -> bool:
    """Whether the files differ from when `fingerprint` gave `since`."""
    return fingerprint(folder) != since
