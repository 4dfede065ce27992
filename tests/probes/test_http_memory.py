"""A hostile body or head costs a prober no more than 10 MB (T37)."""

from __future__ import annotations

import asyncio
import gzip
import json
import sys

import pytest

from tests.probes.servers import OK, Handler, answering, page, repeating, serving

GROWTH_BYTES_MAX = 10_000_000
HEAD = b"HTTP/1.1 200 OK\r\n"
COMPRESSED = "Content-Encoding: gzip"

PROBER = """
import asyncio, json, os, sys, threading, time
import uvloop
from probes import http
from probes.ask import Asker

PAGE = os.sysconf("SC_PAGE_SIZE")

def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * PAGE

async def main(warm, hostile, settings):
    async with Asker() as asker:
        for _ in range(20):
            await asker.ask(http.Settings(url=warm, text_present=("hi",)), within_s=5)
        before, most = resident(), 0
        asking = asyncio.create_task(asker.ask(http.Settings(url=hostile, **settings), within_s=1))
        stop = threading.Event()
        def watch():
            nonlocal most
            while not stop.wait(0.002):
                most = max(most, resident())
        watcher = threading.Thread(target=watch)
        watcher.start()
        answer = await asking
        stop.set()
        watcher.join()
    print(json.dumps({"grew": max(most, resident()) - before, "reason": answer.reason}))

uvloop.run(main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3])))
"""

HOSTILE: dict[str, tuple[Handler, dict[str, object], str]] = {
    "an endless body": (repeating(HEAD + b"\r\n", b"a" * 65536), {}, "too_large"),
    "an endless body under a cap it does not reach": (
        repeating(HEAD + b"\r\n", b"a" * 65536, pause_s=0.004),
        {"body_bytes_max": 64 * 1024 * 1024},
        "timeout",
    ),
    "40 MB in one header": (repeating(HEAD + b"X: ", b"a" * 65536, times=640), {}, "too_large"),
    "40 MB in 40,000 headers": (
        repeating(HEAD, b"X-Pad: " + b"a" * 1000 + b"\r\n", times=40_000),
        {},
        "too_large",
    ),
    "a gzip bomb that is read": (
        answering(page(gzip.compress(b"0" * 100_000_000, 9), COMPRESSED)),
        {"text_present": ["x"]},
        "decode",
    ),
}


@pytest.mark.asyncio(loop_factories=["asyncio"])  # the loop under test is the other process's
@pytest.mark.parametrize("kind", HOSTILE)
async def test_a_hostile_answer_costs_little_memory(kind: str) -> None:
    """T37: memory while a target sends without end."""
    handler, settings, reason = HOSTILE[kind]
    async with serving(answering(OK)) as fine, serving(handler) as hostile:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROBER,
            f"http://127.0.0.1:{fine}/", f"http://127.0.0.1:{hostile}/", json.dumps(settings),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, _ = await asyncio.wait_for(process.communicate(), 15)
    report = json.loads(output)
    assert report["reason"] == reason
    assert report["grew"] <= GROWTH_BYTES_MAX, report
