"""The folder on disk: a version is written whole beside the others, then a link is moved onto it at once.

    folder/current → versions/<name>      what a web server serves
    folder/versions/<name>/…              this and a few older ones, for readers that hold them

Whoever reads through `current` sees one version or the next, never a part of both under one name.
"""

from __future__ import annotations

import gzip
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from monitor.errors import UsageError
from monitor.public.pages import AS_OF, Files

CURRENT, VERSIONS = "current", "versions"
KEPT = 3  # versions, the current one included
PACKED = frozenset({".html", ".css", ".js", ".json", ".xml", ".svg"})
LEVEL = 6
ABANDONED_S = 600.0  # a half version of a writer that died


class AsOf(msgspec.Struct, frozen=True):
    """What a folder says of its age."""

    as_of_ms: int | None


class Loaded(NamedTuple):
    """A version read whole."""

    name: str
    as_of_ms: int | None
    files: Files  # by path, packed ones beside the plain ones as `<path>.gz`


def write(folder: Path, files: Files) -> str:
    """Write a version and make it the current one; returns its name. Blocking. Raises OSError."""
    versions = folder / VERSIONS
    versions.mkdir(parents=True, exist_ok=True)
    name = f"{time.time_ns():020d}-{os.getpid()}"
    half = versions / f".{name}"
    try:
        for path, body in sorted(files.items(), key=lambda pair: pair[0] == AS_OF):
            _put(half / path, body)
        half.rename(versions / name)
    except OSError:
        shutil.rmtree(half, ignore_errors=True)
        raise
    _point(folder, name)
    _sweep(versions, keep=name)
    return name


def _put(path: Path, body: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    if path.suffix in PACKED:
        packed = gzip.compress(body, LEVEL, mtime=0)
        path.with_name(path.name + ".gz").write_bytes(packed)


def _point(folder: Path, name: str) -> None:
    link = folder / f".{CURRENT}-{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(Path(VERSIONS, name))
    link.replace(folder / CURRENT)


def _sweep(versions: Path, *, keep: str) -> None:
    """Remove all but the newest versions, and halves of writers that are gone."""
    whole = sorted(path for path in versions.iterdir() if not path.name.startswith("."))
    for path in whole[:-KEPT]:
        if path.name != keep:
            with suppress(OSError):  # another writer was first
                gone = path.rename(versions / f".{path.name}")  # nobody takes what is left of it for whole
                shutil.rmtree(gone, ignore_errors=True)
    for path in versions.glob(".*"):
        began_ns = path.name[1:].partition("-")[0]
        if began_ns.isdigit() and time.time_ns() - int(began_ns) > ABANDONED_S * 1e9:
            shutil.rmtree(path, ignore_errors=True)


def current(folder: Path) -> str | None:
    """The name of the current version; None before the first."""
    try:
        return (folder / CURRENT).readlink().name
    except OSError:
        return None


def load(folder: Path, name: str) -> Loaded:
    """Read a version whole. Blocking. Raises OSError when it is gone, or is not whole."""
    root = folder / VERSIONS / name
    said = msgspec.json.decode((root / AS_OF).read_bytes(), type=AsOf)
    files = {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }
    root.stat()  # it was there to the end
    return Loaded(name, said.as_of_ms, files)


def check_target(folder: Path) -> None:
    """Raises UsageError when what is there is not a folder of ours."""
    if not folder.exists():
        return
    if not folder.is_dir() or not {one.name for one in folder.iterdir()} <= {CURRENT, VERSIONS}:
        raise UsageError(f"{folder} holds something else; name a new folder, or one that this command made")
