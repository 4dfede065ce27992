"""A client in its own process that asks for pages at a given rate, or as fast as answers come.

At a rate, an answer's time counts from when its request was due, so that a server that falls behind is seen.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import cast

import uvloop

from benchmarks.processes import say
from benchmarks.table import share_below

GET = "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\n\r\n"
GRACE_S = 20.0


class Connection(asyncio.Protocol):
    """One request at a time; knows an answer by its status and the length of its body."""

    def __init__(self, requests: list[bytes], *, first_at: float, every_s: float, deadline: float) -> None:
        self.took_ms: list[float] = []
        self.refused: list[bytes] = []
        self.done = asyncio.get_running_loop().create_future()
        self._requests, self._every_s, self._deadline = requests, every_s, deadline
        self._due_at, self._next, self._heard = first_at, 0, bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._wait()

    def _wait(self) -> None:
        now = time.perf_counter()
        if not self._every_s:
            self._due_at = now
        asyncio.get_running_loop().call_later(max(0.0, self._due_at - now), self._ask)

    def _ask(self) -> None:
        self._transport.write(self._requests[self._next % len(self._requests)])
        self._next += 1

    def data_received(self, data: bytes) -> None:
        self._heard += data
        end = self._heard.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._heard[:end]).lower()
        if len(self._heard) - end - 4 < int(head.partition(b"content-length: ")[2].split(b"\r\n")[0]):
            return
        if head[9:12] != b"200":
            self.refused.append(head[:40])
        self._heard.clear()
        now = time.perf_counter()
        self.took_ms.append((now - self._due_at) * 1000)
        self._due_at += self._every_s
        if now >= self._deadline:
            self._transport.close()
        else:
            self._wait()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def read(
    port: int, paths: list[str], *, connections: int, seconds: float, rate: float = 0.0
) -> dict[str, object]:
    """Ask for the paths in turn: `rate` requests a second over all connections; 0 is as fast as they come."""
    loop = asyncio.get_running_loop()
    requests = [GET.format(path=path).encode() for path in paths]
    began = time.perf_counter()
    every_s = connections / rate if rate else 0.0
    opened = [
        (
            await loop.create_connection(
                lambda number=number: Connection(
                    requests[number % len(requests) :] + requests[: number % len(requests)],
                    first_at=began + 0.2 + every_s * number / connections,
                    every_s=every_s,
                    deadline=began + 0.2 + seconds,
                ),
                "127.0.0.1",
                port,
            )
        )[1]
        for number in range(connections)
    ]
    async with asyncio.timeout(seconds + GRACE_S):
        await asyncio.gather(*(one.done for one in opened))
    took_s = time.perf_counter() - began - (0.2 if rate else 0.0)
    took_ms = [ms for one in opened for ms in one.took_ms]
    return {
        "requests_s": len(took_ms) / took_s,
        "p50_ms": share_below(took_ms, 0.5),
        "p99_ms": share_below(took_ms, 0.99),
        "refused": [text.decode() for one in opened for text in one.refused][:3],
    }


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    say(uvloop.run(read(given.pop("port"), given.pop("paths"), **given)))
