"""A client in its own process that posts as fast as answers come, and a handler that only says 202."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from typing import cast

import uvloop
from aiohttp import web

from benchmarks.processes import say
from benchmarks.table import share_below

HEAD = (
    "POST /api/v1/transactions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {media}\r\n"
    "Authorization: Bearer {secret}\r\nContent-Length: {length}\r\n\r\n"
)
EVENT = (
    '{{"schema":1,"id":"{id}","service":"service-{service:04d}","channel":"web","outcome":"completed",'
    '"at":"{at}","duration_ms":184000}}'
)
SERVICES = 180
GRACE_S = 20.0


class Connection(asyncio.Protocol):
    """One request at a time; knows an answer by its status and the length of its body."""

    def __init__(self, requests: list[bytes], deadline: float) -> None:
        self.took_ms: list[float] = []
        self.refused: list[bytes] = []
        self.done = asyncio.get_running_loop().create_future()
        self._requests, self._deadline, self._heard = requests, deadline, b""
        self._next = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._post()

    def _post(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(self._requests[self._next % len(self._requests)])
        self._next += 1

    def data_received(self, data: bytes) -> None:
        self._heard += data
        head, end, body = self._heard.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]):
            return
        self._heard = b""
        now = time.perf_counter()
        self.took_ms.append((now - self._began) * 1000)
        if head[9:12] != b"202" or b'"refused":0' not in body:
            self.refused.append(head[:12] + b" " + body[:200])
        if now >= self._deadline:
            self._transport.close()
        else:
            self._post()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


def requests_of(secret: str, events: int, number: int) -> list[bytes]:
    """Some whole requests, each of so many events with ids of their own."""
    made, at = [], datetime.now(UTC).isoformat()
    for batch in range(64 if events == 1 else 2):
        lines = [
            EVENT.format(id=f"{number}-{batch}-{event}", service=(number + batch + event) % SERVICES, at=at)
            for event in range(events)
        ]
        body = "\n".join(lines).encode()
        media = "application/json" if events == 1 else "application/x-ndjson"
        made.append(HEAD.format(media=media, secret=secret, length=len(body)).encode() + body)
    return made


async def post(port: int, secret: str, *, connections: int, events: int, seconds: float) -> dict[str, object]:
    """Keep `connections` busy for so long; a request under way at the end is waited for."""
    loop = asyncio.get_running_loop()
    prepared = [requests_of(secret, events, number) for number in range(connections)]
    began = time.perf_counter()
    opened = [
        (
            await loop.create_connection(
                lambda made=made: Connection(made, began + seconds), "127.0.0.1", port
            )
        )[1]
        for made in prepared
    ]
    async with asyncio.timeout(seconds + GRACE_S):
        await asyncio.gather(*(one.done for one in opened))
    took_s = time.perf_counter() - began
    took_ms = [ms for one in opened for ms in one.took_ms]
    refused = [text.decode() for one in opened for text in one.refused]
    return {
        "took_s": took_s,
        "requests_s": len(took_ms) / took_s,
        "events_s": len(took_ms) * events / took_s,
        "p50_ms": share_below(took_ms, 0.5),
        "p99_ms": share_below(took_ms, 0.99),
        "refused": refused[:3],
    }


async def answer(port: int) -> None:
    """Read the body, say 202, and nothing else."""

    async def handle(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(
            status=202, body=b'{"accepted":1,"refused":0,"failed":[]}', content_type="application/json"
        )

    app = web.Application(client_max_size=1 << 26)
    app.add_routes([web.post("/api/v1/transactions", handle)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    say("ready")
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    if "answer" in given:
        uvloop.run(answer(given["answer"]))
    else:
        say(uvloop.run(post(given.pop("port"), given.pop("secret"), **given)))
