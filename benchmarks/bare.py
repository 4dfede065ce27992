"""The baseline of a prober: the same beats, targets and connections by a bare protocol that keeps nothing.

Run as a Tool with `checks` (a file: [[key, url], …]), `every_ms`, `warm_s`, `runs`, `seconds` and `ca`: it
says, for each run, how many probes it made, what CPU time they cost and how late they began.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import resource
import ssl
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvloop

from benchmarks.processes import say
from benchmarks.table import share_below
from monitor.scheduler.beat import next_due_ms

WITHIN_S = 3.0


class Once(asyncio.Protocol):
    """Sends a request and reads as much as its answer announces."""

    def __init__(self, request: bytes, done: asyncio.Future[bool]) -> None:
        self._request, self._done, self._answer = request, done, b""

    def connection_made(self, transport: Any) -> None:
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, end, body = self._answer.partition(b"\r\n\r\n")
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0]) if end else None
        if length is not None and len(body) >= length and not self._done.done():
            self._done.set_result(head.split(b" ", 2)[1] == b"200")

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(False)


class Bare:
    """Beats from a heap, each a task."""

    def __init__(self, checks: list[list[str]], every_ms: int, ca: str | None) -> None:
        self._every_ms = every_ms
        self._context = ssl.create_default_context(cafile=ca) if ca else None
        if self._context is not None:
            self._context.options |= ssl.OP_NO_TICKET
        now_ms = int(time.time() * 1000)
        self._heap = [(next_due_ms(key, every_ms, now_ms), number) for number, (key, _) in enumerate(checks)]
        heapq.heapify(self._heap)
        self._targets = [_target(url) for _, url in checks]
        self._flights: set[asyncio.Task[None]] = set()
        self.made = self.failed = 0
        self.late_ms: list[float] = []

    async def run(self, seconds: float) -> dict[str, float]:
        """Keep the beats for a while; what it took."""
        self.made, self.failed, self.late_ms = 0, 0, []
        until, began_s = time.time() + seconds, time.process_time()
        while time.time() < until:
            now_ms = time.time() * 1000
            while self._heap[0][0] <= now_ms:
                due_ms, number = self._heap[0]
                heapq.heapreplace(self._heap, (due_ms + self._every_ms, number))
                self.late_ms.append(now_ms - due_ms)
                flight = asyncio.ensure_future(self._ask(number))
                self._flights.add(flight)
                flight.add_done_callback(self._flights.discard)
            await asyncio.sleep(max(0.0, self._heap[0][0] / 1000 - time.time()))
        cpu_s = time.process_time() - began_s
        late_ms = share_below(self.late_ms, 0.99)
        return {"made": self.made, "failed": self.failed, "cpu_s": cpu_s, "late_ms": late_ms}

    async def _ask(self, number: int) -> None:
        loop = asyncio.get_running_loop()
        host, port, request = self._targets[number]
        done: asyncio.Future[bool] = loop.create_future()
        try:
            async with asyncio.timeout(WITHIN_S):
                transport, _ = await loop.create_connection(
                    lambda: Once(request, done), host, port, ssl=self._context
                )
                fine = await done
            transport.abort()
        except (OSError, TimeoutError):
            fine = False
        self.made += fine
        self.failed += not fine


def _target(url: str) -> tuple[str, int, bytes]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    request = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
    return parts.hostname, parts.port, request.encode()


async def main(given: dict[str, Any], checks: list[list[str]]) -> None:
    """Warm up, then each run in turn."""
    bare = Bare(checks, given["every_ms"], given["ca"])
    await bare.run(given["warm_s"])
    for _ in range(given["runs"]):
        say(await bare.run(given["seconds"]))


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    settings = json.loads(sys.argv[1])
    uvloop.run(main(settings, json.loads(Path(settings["checks"]).read_text())))
