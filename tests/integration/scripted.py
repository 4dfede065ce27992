"""A web server whose answers are fixed beforehand, beat by beat, and twenty checks of it."""

from __future__ import annotations

import asyncio
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from monitor.scheduler.beat import latest_due_ms

EVERY_MS = 1_000
WITHIN_S = 0.5
SYSTEMS = ("identity", "payment", "registry", "archive")
SERVICES = tuple(f"service-{number:02d}" for number in range(16))


def check_of(slug: str) -> str:
    """The path of the one check of a system or service."""
    return f"system:{slug}/main" if slug in SYSTEMS else f"service:{slug}/web/main"


CHECKS = frozenset(map(check_of, (*SYSTEMS, *SERVICES)))


def catalogue(port: int, *, services: tuple[str, ...] = SERVICES, url: str = "") -> dict[str, Any]:
    """Four systems, one of them needed by another, and services that need them; all asked every second."""
    host = f"http://127.0.0.1:{port}"
    return {
        "profiles": {"default": {"every_s": EVERY_MS / 1000, "within_s": WITHIN_S, "count": 2, "recover": 2}},
        "policy": {"grace_s": 3},
        "systems": [
            {"slug": slug, "url": f"{host}/{slug}", "depends": ["registry"] if slug == "identity" else []}
            for slug in SYSTEMS
        ],
        "services": [
            {
                "slug": slug,
                "url": f"{host}/{slug}",
                "depends": [
                    {"system": SYSTEMS[place % 4], "effect": "slows" if place % 3 == 0 else "blocks"}
                ][: place % 5],
            }
            for place, slug in enumerate(services)
        ],
    }


def fails(check: str, due_ms: int) -> bool:
    """Whether this beat is to fail, whoever asks and however often: spells of some beats, and single ones."""
    salt = zlib.crc32(check.encode())
    beat = due_ms // EVERY_MS + salt
    cycle = 17 + salt % 7
    return beat % cycle in (3, 4, 5, 6, 11)


class Answered(NamedTuple):
    """One request that was answered in full."""

    check: str
    due_ms: int
    at_ms: float


class Target:
    """Answers each request as its beat's script says, and remembers that it did."""

    def __init__(self) -> None:
        self.answered: list[Answered] = []
        self.port = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(5):
                head = await reader.readuntil(b"\r\n\r\n")
            at_ms = time.time() * 1000
            check = check_of(head.split(b" ", 2)[1].decode().strip("/"))
            due_ms = latest_due_ms(check, EVERY_MS, int(at_ms))
            failed = fails(check, due_ms)
            status = b"500 Internal Server Error" if failed else b"200 OK"
            writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            await writer.drain()
            self.answered.append(Answered(check, due_ms, at_ms))
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@contextmanager
def serving() -> Iterator[Target]:
    """The server in a thread and a loop of its own: what the test waits for must not slow it down."""
    target, loop = Target(), asyncio.new_event_loop()

    async def start() -> asyncio.Server:
        return await asyncio.start_server(target.answer, "127.0.0.1", 0, backlog=1024)

    server = loop.run_until_complete(start())
    target.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, name="target")
    thread.start()

    async def stop() -> None:
        server.close()
        await server.wait_closed()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    try:
        yield target
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
