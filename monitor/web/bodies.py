"""Reads what a program sends: bounded in size, also after gzip, and in time; nobody else waits for long."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Iterator

import msgspec
from aiohttp import web

from monitor.web.problems import Refused

BODY_MOST_BYTES = 8 * 1024 * 1024  # as it travels
EXPANDED_MOST_BYTES = 16 * 1024 * 1024
BODY_WITHIN_S = 30.0
SLICE_BYTES = 1024 * 1024  # inflated before others get the loop
JSON = "application/json"
NDJSON = "application/x-ndjson"

Items = list[tuple[int, bytes]]  # line, or place in the array, from 1; and one JSON value
_array = msgspec.json.Decoder(list[msgspec.Raw])


async def read_body(request: web.Request, take: Callable[[int], None]) -> bytes:
    """The whole body, inflated. `take` hears of every byte kept, before it is, and may refuse.

    Raises Refused: 413 when it is too large, 415 for another encoding, 400 when it is cut or broken, 408.
    """
    if (request.content_length or 0) > BODY_MOST_BYTES:
        raise _too_large(f"more than {BODY_MOST_BYTES} bytes")
    expand = _expander(request.headers.get("Content-Encoding", "identity").strip().lower())
    parts: list[bytes] = []
    travelled = size = 0
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            while chunk := await request.content.readany():
                travelled += len(chunk)
                if travelled > BODY_MOST_BYTES:
                    raise _too_large(f"more than {BODY_MOST_BYTES} bytes")
                for part in expand(chunk):
                    size += len(part)
                    if size > EXPANDED_MOST_BYTES:
                        raise _too_large(f"more than {EXPANDED_MOST_BYTES} bytes when expanded")
                    take(len(part))
                    parts.append(part)
                    if len(part) == SLICE_BYTES:
                        await asyncio.sleep(0)
    except TimeoutError:
        raise Refused(408, "Too slow", f"the body did not come within {BODY_WITHIN_S:g} s") from None
    list(expand(b""))
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large(why: str) -> Refused:
    return Refused(413, "Too large", f"the body has {why}; send it in parts")


Expand = Callable[[bytes], Iterator[bytes]]


def _expander(encoding: str) -> Expand:
    if encoding == "identity":
        return lambda chunk: iter([chunk] if chunk else [])
    if encoding in ("gzip", "x-gzip"):
        return Gunzip()
    raise Refused(415, "Unknown encoding", "send the body plain or with `Content-Encoding: gzip`")


class Gunzip:
    """Inflates chunk by chunk, several members one after another; an empty chunk says that it is the end."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=31)
        self._began = False

    def __call__(self, chunk: bytes) -> Iterator[bytes]:
        """Parts of at most SLICE_BYTES. Raises Refused (400) for what is no gzip or ends too early."""
        if not chunk and (not self._inflate.eof or not self._began):
            raise Refused(400, "Unreadable", "the gzip ends too early")
        try:
            while chunk:
                if self._inflate.eof:
                    self._inflate = zlib.decompressobj(wbits=31)
                self._began = True
                if part := self._inflate.decompress(chunk, SLICE_BYTES):
                    yield part
                chunk = self._inflate.unconsumed_tail or self._inflate.unused_data
        except zlib.error as error:
            raise Refused(400, "Unreadable", f"the gzip is broken: {error}") from None


def items_of(body: bytes, media: str) -> Items:
    """The JSON values of a body: lines of NDJSON, members of an array, or the one that it is.

    Raises Refused: 400 when there is none or it cannot be read, 415 for another media type.
    """
    if media == NDJSON:
        items = [(number, line) for number, raw in enumerate(body.split(b"\n"), 1) if (line := raw.strip())]
    elif media == JSON:
        items = _json_items(body)
    else:
        raise Refused(415, "Unknown media type", f"send {JSON} (one or an array) or {NDJSON}")
    if not items:
        raise Refused(400, "Nothing sent", "there is no event in the body")
    return items


def _json_items(body: bytes) -> Items:
    if not body.lstrip().startswith(b"["):
        return [(1, body)] if body.strip() else []
    try:
        return [(number, bytes(raw)) for number, raw in enumerate(_array.decode(body), 1)]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(400, "Unreadable", f"the body is no JSON array: {error}") from None
