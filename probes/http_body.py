"""A body as it arrives: counted, capped, expanded within a cap, and kept only when somebody looks into it."""

from __future__ import annotations

import codecs
import importlib
import re
import zlib
from collections.abc import Iterator
from typing import Any, Protocol

from probes.contract import Reason, TargetFailed

STEP_BYTES = 64 * 1024
TEXT_CODECS = re.compile(r"^(utf-(8|16|32)|ascii|iso8859-|cp\d|koi8-|big5|gb|euc|shift|mac-|iso2022|tis-620)")


class Expander(Protocol):
    """Turns compressed pieces into plain ones, never more than a step at a time."""

    def feed(self, data: bytes) -> Iterator[bytes]: ...

    def finished(self) -> bool: ...


class Zlib:
    """gzip (also in several members) and deflate (with or without its zlib wrapping)."""

    def __init__(self, encoding: str, bytes_max: int) -> None:
        self._gzip = encoding == "gzip"
        self._stream: Any = None  # None before the first member and between two
        self._ended = False
        self._left = bytes_max

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data := self._wanted(data):
            self._stream = self._stream or zlib.decompressobj(self._window(data))
            yield from self._steps(data)
            data = self._stream.unused_data
            if self._stream.eof:
                self._stream, self._ended = None, True

    def _steps(self, data: bytes) -> Iterator[bytes]:
        piece = None
        # a full step may leave output behind even when no input is left
        while data or piece is None or (len(piece) == STEP_BYTES and not self._stream.eof):
            piece = self._stream.decompress(data, STEP_BYTES)
            data = self._stream.unconsumed_tail
            self._left -= len(piece)
            if self._left < 0:
                raise _too_large()
            yield piece

    def _wanted(self, data: bytes) -> bytes:
        if self._stream is not None or not self._ended:
            return data
        # zeros may pad a finished file; what trails a finished deflate stream is not the body
        return data.lstrip(b"\0") if self._gzip else b""

    def _window(self, data: bytes) -> int:
        if self._gzip:
            return 31
        return 15 if data[0] & 0x0F == 8 else -15  # deflate: a zlib header, or none

    def finished(self) -> bool:
        return self._stream is None and self._ended


class Brotli:
    """br, when a Brotli decoder is installed."""

    def __init__(self, bytes_max: int) -> None:
        assert brotli is not None
        self._stream = brotli.Decompressor()
        self._left = bytes_max

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data or not self._stream.can_accept_more_data():
            piece = self._stream.process(data, output_buffer_limit=STEP_BYTES)
            data = b""
            self._left -= len(piece)
            if self._left < 0:
                raise _too_large()
            yield piece

    def finished(self) -> bool:
        return bool(self._stream.is_finished())


def _brotli() -> Any:
    try:
        module = importlib.import_module("brotli")
    except ImportError:
        return None
    # only decoders that can be told to stop before they have expanded everything
    return module if hasattr(module.Decompressor, "can_accept_more_data") else None


brotli: Any = _brotli()
ACCEPT_ENCODING = "gzip, deflate, br" if brotli else "gzip, deflate"
BROKEN = (zlib.error, brotli.error) if brotli else (zlib.error,)


class Body:
    """Takes the pieces of one body. Raises TargetFailed (too_large, decode) as soon as that is certain."""

    def __init__(self, *, encoding: str, bytes_max: int, expanded_bytes_max: int, keep: bool) -> None:
        self.size_bytes = 0
        self._bytes_max = bytes_max
        self._expander = expander(encoding, expanded_bytes_max)
        self._keep = keep
        self._kept = bytearray()

    def feed(self, data: bytes) -> None:
        self.size_bytes += len(data)
        if self.size_bytes > self._bytes_max:
            raise TargetFailed(Reason.TOO_LARGE, f"the body is over {self._bytes_max:,} bytes")
        try:
            for piece in self._expander.feed(data) if self._expander else (data,):
                if self._keep:
                    self._kept += piece
        except BROKEN as error:
            raise TargetFailed(Reason.DECODE, "the body's compression is broken") from error

    def end(self) -> None:
        """The body is whole. Raises TargetFailed when its compression is not."""
        if self.size_bytes and self._expander and not self._expander.finished():
            raise TargetFailed(Reason.DECODE, "the body's compression ends early")

    def text(self, content_type: str) -> str:
        """The kept body in its declared character set, or in UTF-8; what does not fit becomes �."""
        charset = _charset(content_type)
        return self._kept.decode(charset, "replace")


def expander(encoding: str, bytes_max: int) -> Expander | None:
    """What undoes a Content-Encoding. Raises TargetFailed for one that nobody asked for."""
    if encoding in ("", "identity"):
        return None
    if encoding in ("gzip", "x-gzip", "deflate"):
        return Zlib(encoding.removeprefix("x-"), bytes_max)
    if encoding == "br" and brotli:
        return Brotli(bytes_max)
    raise TargetFailed(Reason.DECODE, f"the body is compressed as {encoding[:20]!r}, which was not asked for")


def _too_large() -> TargetFailed:
    return TargetFailed(Reason.DECODE, "the body expands beyond the cap")


def _charset(content_type: str) -> str:
    match = re.search(r"charset\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})", content_type, re.IGNORECASE)
    try:
        name = codecs.lookup(match[1]).name if match else "utf-8"
    except (LookupError, ValueError):
        return "utf-8"
    # Python also lists encodings that are no character sets and may cost much (punycode, idna)
    return name if TEXT_CODECS.match(name) else "utf-8"
