"""What was measured waits here, on disk, until Kafka has it: kill -9 loses nothing, a power cut may.

Append-only segment files, one `write` per record and no fsync: what was written is the kernel's and survives
the death of this process, not of the machine. A record carries a CRC, so a torn end is cut at the next start.
Reading goes from the oldest; what was acknowledged and not yet dropped is read again after a crash, which is
harmless because an observation has an identity.
"""

from __future__ import annotations

import os
import struct
import time
import zlib
from collections import deque
from pathlib import Path
from typing import NamedTuple

from monitor.log import Log

log = Log(__name__)

HEAD = struct.Struct(">IIqH")  # CRC of what follows it, length of key and value, Unix ms, length of key
CRC_BYTES = 4
READ_BYTES = 256 * 1024
SEGMENT_BYTES = 8 * 1024 * 1024
RECYCLE_BYTES = 64 * 1024  # an emptied segment larger than this is cut, so that a crash repeats little
LONGEST_BYTES = 1024 * 1024


class Kept(NamedTuple):
    """One record as it was put in; `at_ms` is when (Unix milliseconds)."""

    at_ms: int
    key: bytes
    value: bytes


class Chunk(NamedTuple):
    """The oldest records not yet acknowledged, and where they end."""

    segment: int
    end: int
    records: list[Kept]


class _Segment:
    """One file: `size` bytes written, of them `acked` delivered; `records` are those not delivered."""

    def __init__(self, number: int, path: Path) -> None:
        self.number, self.path = number, path
        self.size = self.acked = self.records = 0
        self.oldest_ms = 0
        self.file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def close(self) -> None:
        os.close(self.file)


class Buffer:
    """A bounded queue on disk. Not for several threads or processes at once."""

    def __init__(self, folder: Path, *, most_bytes: int = 256 * 1024 * 1024) -> None:
        """Opens what is there. Raises OSError when the folder cannot be written."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._most_bytes = folder, most_bytes
        self._segment_bytes = min(SEGMENT_BYTES, max(most_bytes // 8, 1))
        self._segments: deque[_Segment] = deque()
        self._full = False
        self.dropped = 0  # since the start
        for path in sorted(folder.glob("*.segment")):
            self._segments.append(_load(int(path.stem), path))
        if not self._segments:
            self._begin_segment(1)

    @property
    def depth(self) -> int:
        """Records not yet acknowledged."""
        return sum(segment.records for segment in self._segments)

    @property
    def size_bytes(self) -> int:
        return sum(segment.size for segment in self._segments)

    @property
    def oldest_ms(self) -> int | None:
        """When the oldest record was put in, or None when there is none. (By segment, so at most too old.)"""
        return next((segment.oldest_ms for segment in self._segments if segment.records), None)

    def put(self, key: bytes, value: bytes) -> bool:
        """Keep one record. False when it had to be given up, because the disk is full or it is too long."""
        length = len(key) + len(value)
        if length > LONGEST_BYTES:
            return self._give_up("too_long", 1)
        at_ms = int(time.time() * 1000)
        body = HEAD.pack(0, length, at_ms, len(key))[CRC_BYTES:] + key + value
        segment = self._room_for(len(body) + CRC_BYTES)
        if not self._append(segment, zlib.crc32(body).to_bytes(CRC_BYTES, "big") + body):
            return False
        if not segment.records:
            segment.oldest_ms = at_ms
        segment.records += 1
        return True

    def oldest(self) -> Chunk | None:
        """The oldest records not yet acknowledged, at most about 256 KiB of them; None when there is none."""
        for segment in self._segments:
            if segment.records:
                records, end = _read(segment.file, segment.acked, READ_BYTES)
                assert records, f"{segment.path} promises {segment.records} records"
                return Chunk(segment.number, end, records)
        return None

    def acknowledge(self, chunk: Chunk) -> None:
        """These were delivered. A segment delivered to its end is dropped."""
        for segment in self._segments:
            if segment.number == chunk.segment:
                segment.acked = chunk.end
                segment.records -= len(chunk.records)
                segment.oldest_ms = chunk.records[-1].at_ms
        while len(self._segments) > 1 and not self._segments[0].records:
            self._drop_oldest_segment()
        last = self._segments[0]
        if not last.records and (last.size > RECYCLE_BYTES or self._full):  # what it takes up is room again
            os.ftruncate(last.file, 0)
            last.size = last.acked = 0

    def close(self) -> None:
        """Keep what is not delivered for the next start."""
        for segment in self._segments:
            segment.close()
            if not segment.records:
                segment.path.unlink()
        self._segments.clear()

    def _begin_segment(self, number: int) -> _Segment:
        self._segments.append(_Segment(number, self._folder / f"{number:016d}.segment"))
        return self._segments[-1]

    def _room_for(self, length: int) -> _Segment:
        segment = self._segments[-1]
        if segment.size and segment.size + length > self._segment_bytes:
            segment = self._begin_segment(segment.number + 1)
        while len(self._segments) > 1 and self.size_bytes + length > self._most_bytes:
            if given_up := self._drop_oldest_segment():
                self._give_up("full", given_up)
        return segment

    def _append(self, segment: _Segment, record: bytes) -> bool:
        try:
            written = os.write(segment.file, record)
        except OSError as error:
            return self._give_up(error.strerror or "disk", 1)
        if written != len(record):  # the disk filled up in the middle
            os.ftruncate(segment.file, segment.size)
            return self._give_up("short_write", 1)
        segment.size += written
        self._full = False
        return True

    def _drop_oldest_segment(self) -> int:
        segment = self._segments.popleft()
        segment.close()
        segment.path.unlink()
        return segment.records

    def _give_up(self, why: str, records: int) -> bool:
        self.dropped += records
        if not self._full:  # one line per change, not per record
            log.error("buffer.dropping", why=why, records=records, size_bytes=self.size_bytes)
        self._full = True
        return False


def _load(number: int, path: Path) -> _Segment:
    """A segment left by an earlier run; a torn or damaged end is cut."""
    segment = _Segment(number, path)
    size, end = os.fstat(segment.file).st_size, 0
    while True:
        records, next_end = _read(segment.file, end, READ_BYTES)
        if not records:
            break
        segment.oldest_ms = segment.oldest_ms or records[0].at_ms
        segment.records += len(records)
        end = next_end
    if end < size:
        log.warning("buffer.cut", file=path.name, lost_bytes=size - end)
        os.ftruncate(segment.file, end)
    segment.size = end
    return segment


def _read(file: int, start: int, most_bytes: int) -> tuple[list[Kept], int]:
    """Whole, undamaged records from `start`, and where they end. At least one where there is one."""
    data = os.pread(file, most_bytes, start)
    if len(data) == most_bytes:
        _, length, _, _ = HEAD.unpack_from(data)
        if length <= LONGEST_BYTES and HEAD.size + length > most_bytes:
            data = os.pread(file, HEAD.size + length, start)
    records, at = [], 0
    while at + HEAD.size <= len(data):
        crc, length, at_ms, key_length = HEAD.unpack_from(data, at)
        end = at + HEAD.size + length
        if length > LONGEST_BYTES or end > len(data) or zlib.crc32(data[at + CRC_BYTES : end]) != crc:
            break
        middle = at + HEAD.size + key_length
        records.append(Kept(at_ms, data[at + HEAD.size : middle], data[middle:end]))
        at = end
    return records, start + at
