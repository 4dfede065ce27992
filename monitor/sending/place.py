"""How far a file was sent: its identity and the byte after the last line that was acknowledged, on disk.

A file is known again by its first bytes and by where it lies (name or inode), so one that grew goes on, one
that was rotated away goes on under its new name, and one that was replaced begins anew.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path
from typing import BinaryIO

import msgspec

from monitor.errors import UsageError

HEAD_BYTES = 1024
FILES_KEPT = 1_000  # rotated ones come and go


class Place(msgspec.Struct, kw_only=True):
    """One file's line in the state. `base` begins the ids made for it."""

    path: str
    inode: int
    head: str  # SHA-256 of its first `head_bytes` bytes
    head_bytes: int
    base: str
    offset: int = 0
    line: int = 1  # the next one to read


class Places:
    """The places of all files ever sent from one data folder, a small file for each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, path: Path, file: BinaryIO, *, again: bool = False) -> Place:
        """Where to go on in this file; `again`: from its beginning, to count again. Raises UsageError."""
        path = path.resolve()
        if not again and (found := self._known(path, file)) is not None:
            found.path = str(path)
            return found
        head = _head(file, HEAD_BYTES)
        place = Place(
            path=str(path),
            inode=os.fstat(file.fileno()).st_ino,
            head=hashlib.sha256(head).hexdigest(),
            head_bytes=len(head),
            base=hashlib.sha256(f"{path}\0".encode() + head).hexdigest()[:16],
        )
        if again:
            place.base = secrets.token_hex(8)  # its events are to count again
        return place

    def _known(self, path: Path, file: BinaryIO) -> Place | None:
        inode, size = os.fstat(file.fileno()).st_ino, os.fstat(file.fileno()).st_size
        for place in self._all():
            if str(path) != place.path and inode != place.inode:
                continue
            head = _head(file, place.head_bytes)
            same = hashlib.sha256(head).hexdigest() == place.head and place.head_bytes > 0
            if same and place.offset <= size:
                return place
        return None

    def _all(self) -> list[Place]:
        """Every place, newest first; of too many the oldest are forgotten."""
        found = []
        paths = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in paths[FILES_KEPT:]:
            path.unlink(missing_ok=True)
        for path in paths[:FILES_KEPT]:
            try:
                found.append(msgspec.json.decode(path.read_bytes(), type=Place))
            except (OSError, msgspec.DecodeError) as error:
                raise UsageError(f"{path} cannot be read ({error}); remove it to begin anew") from error
        return found

    def keep(self, place: Place) -> None:
        """Write it in one step. Raises UsageError when it cannot be written."""
        file = self._folder / f"{place.base}.json"
        new = file.with_suffix(".new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            new.write_bytes(msgspec.json.encode(place))
            new.replace(file)
        except OSError as error:
            raise UsageError(f"{file} cannot be written: {error.strerror}; choose another --data") from error


def _head(file: BinaryIO, size: int) -> bytes:
    file.seek(0)
    return file.read(size)
