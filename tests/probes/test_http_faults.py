"""Every way an HTTP target can misbehave has its own reason, and an answer within the deadline."""

from __future__ import annotations

import asyncio
import gzip
import time
import zlib

import pytest

from probes import http
from probes.ask import Asker
from probes.contract import Answer, Outcome, Reason
from tests.probes.servers import (
    OK,
    Handler,
    answering,
    closed_port,
    head_of,
    moved,
    never,
    page,
    repeating,
    resetting,
    serving,
)

MARGIN_S = 0.5
ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
BOMB = gzip.compress(b"0" * 40_000_000, 9)


async def asked(url: str, *, within_s: float = 0.6, **settings: object) -> Answer:
    """Ask, and hold the promise of the deadline on the way."""
    began = time.perf_counter()
    async with Asker() as asker:
        answer = await asker.ask(http.Settings(url=url, **settings), within_s=within_s)  # type: ignore[arg-type]
    assert time.perf_counter() - began < within_s + MARGIN_S
    return answer


def chunked(*, broken: bool) -> bytes:
    body = b"2\r\nhi\r\n" + (b"zz\r\nho\r\n0\r\n\r\n" if broken else b"")
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body


FAULTS: dict[str, tuple[Handler, Reason]] = {
    "it resets before an answer": (resetting(), Reason.CONNECT_RESET),
    "it resets inside the body": (resetting(after=page(b"x" * 100)[:-50]), Reason.TRUNCATED),
    "it hangs up without a word": (answering(), Reason.CLOSED),
    "it hangs up inside its headers": (answering(b"HTTP/1.1 200 OK\r\nServer: x"), Reason.CLOSED),
    "it never answers": (never, Reason.TIMEOUT),
    "it drips its headers": (repeating(b"HTTP/1.1 200 OK\r\nX: ", b"a", pause_s=0.05), Reason.TIMEOUT),
    "it drips its body": (repeating(ENDLESS, b"a", pause_s=0.05), Reason.TIMEOUT),
    "its body never ends": (repeating(ENDLESS, b"a" * 65536), Reason.TOO_LARGE),
    "its body is shorter than it said": (answering(page(b"x" * 100)[:-50]), Reason.TRUNCATED),
    "its last chunk is missing": (answering(chunked(broken=False)), Reason.TRUNCATED),
    "its chunks are broken": (answering(chunked(broken=True)), Reason.PROTOCOL),
    "its chunks break later": (
        repeating(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", b"zz\r\n", pause_s=0.02
        ),
        Reason.PROTOCOL,
    ),
    "it does not speak HTTP": (answering(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), Reason.PROTOCOL),
    "one header is huge": (
        repeating(b"HTTP/1.1 200 OK\r\nX: ", b"a" * 65536, times=640),
        Reason.TOO_LARGE,
    ),
    "its headers are too many": (
        repeating(b"HTTP/1.1 200 OK\r\n", b"X-Pad: " + b"a" * 1000 + b"\r\n", times=40_000),
        Reason.TOO_LARGE,
    ),
    "its gzip is broken": (answering(page(b"not gzip at all", "Content-Encoding: gzip")), Reason.DECODE),
    "its gzip ends early": (
        answering(page(gzip.compress(b"hello" * 100)[:-8], "Content-Encoding: gzip")),
        Reason.DECODE,
    ),
    "its gzip is a bomb": (answering(page(BOMB, "Content-Encoding: gzip")), Reason.DECODE),
    "its encoding is unheard of": (answering(page(b"x", "Content-Encoding: rot13")), Reason.DECODE),
    "its redirects go in a circle": (answering(moved("/again")), Reason.REDIRECT),
    "it answers an error": (answering(page(b"", status="503 Service Unavailable")), Reason.STATUS),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_misbehaving_target_is_down_for_its_own_reason(fault: str) -> None:
    """T37: an endless, dripping or truncated body is a failure, ended by the one deadline or the cap."""
    handler, reason = FAULTS[fault]
    async with serving(handler) as port:
        answer = await asked(f"http://127.0.0.1:{port}/")
    assert (answer.outcome, answer.reason) == (Outcome.DOWN, reason), answer.sentence


async def test_a_refusing_port_is_down_at_once() -> None:
    answer = await asked(f"http://127.0.0.1:{closed_port()}/")
    assert (answer.outcome, answer.reason, answer.phases_ms) == (Outcome.DOWN, Reason.CONNECT_REFUSED, {})


@pytest.mark.parametrize(
    ("handler", "finished", "doing"),
    [
        (never, {"connect"}, "waiting for first byte"),
        (repeating(ENDLESS, b"a", pause_s=0.05), {"connect", "first_byte"}, "reading the answer"),
    ],
    ids=["it never answers", "it drips"],
)
async def test_a_failed_phase_is_absent_not_zero(handler: Handler, finished: set[str], doing: str) -> None:
    """T24: a phase that did not finish has no figure, and a time-out is no latency."""
    async with serving(handler) as port:
        answer = await asked(f"http://127.0.0.1:{port}/", within_s=0.3)
    assert set(answer.phases_ms) == finished
    assert answer.sentence == f"no answer within 0.3 s, {doing}"


async def test_a_server_that_speaks_before_it_is_asked_has_no_first_byte_to_time() -> None:
    async def hasty(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        await head_of(reader)

    async with serving(hasty) as port:
        answer = await asked(f"http://127.0.0.1:{port}/")
    assert answer.outcome is Outcome.UP
    assert sum(answer.phases_ms.values()) < 600


async def test_a_server_that_hangs_up_is_asked_only_once() -> None:
    seen: list[bytes] = []
    async with serving(answering(seen=seen)) as port:
        await asked(f"http://127.0.0.1:{port}/")
    assert len(seen) == 1


@pytest.mark.parametrize(
    "content_type",
    ["text/html", "text/html; charset=utf-8", "text/html; charset=nonsense", "text/html; charset=punycode"],
)
async def test_invalid_text_is_read_as_far_as_it_goes(content_type: str) -> None:
    body = b"\xff\xfe\xc3( ready \x80" * 3
    async with serving(answering(page(body, f"Content-Type: {content_type}"))) as port:
        answer = await asked(f"http://127.0.0.1:{port}/", text_present=("ready",))
    assert (answer.outcome, answer.size_bytes) == (Outcome.UP, len(body))


@pytest.mark.parametrize(
    ("encoding", "compressed"),
    [
        ("gzip", gzip.compress(b"ready" * 50_000)),
        ("gzip", gzip.compress(b"rea") + gzip.compress(b"dy") + b"\0" * 10),
        ("deflate", zlib.compress(b"ready" * 50_000)),
        ("deflate", zlib.compress(b"ready")[2:-4]),
        ("identity", b"ready"),
    ],
    ids=["gzip", "gzip in two members, padded", "deflate", "deflate without its wrapping", "identity"],
)
async def test_a_compressed_body_is_expanded(encoding: str, compressed: bytes) -> None:
    async with serving(answering(page(compressed, f"Content-Encoding: {encoding}"))) as port:
        answer = await asked(f"http://127.0.0.1:{port}/", text_present=("ready",))
    assert (answer.outcome, answer.size_bytes) == (Outcome.UP, len(compressed))


@pytest.mark.parametrize("size", [65536, 65537, 131072, 200_000])
async def test_a_body_that_expands_in_full_steps_is_whole(size: int) -> None:
    wire = page(gzip.compress(b"a" * size), "Content-Encoding: gzip")
    async with serving(answering(wire)) as port:
        answer = await asked(f"http://127.0.0.1:{port}/", text_present=("a" * size,))
    assert answer.outcome is Outcome.UP


async def test_hung_targets_do_not_delay_healthy_ones() -> None:
    """T38: six targets that never answer hold no slot that a hundred healthy ones need."""
    async with Asker() as asker, serving(never) as mute, serving(answering(OK)) as fine:

        async def ask(port: int) -> Answer:
            return await asker.ask(http.Settings(url=f"http://127.0.0.1:{port}/"), within_s=3)

        hung = [asyncio.create_task(ask(mute)) for _ in range(6)]
        answers = await asyncio.wait_for(asyncio.gather(*(ask(fine) for _ in range(100))), 2)
        still_hung = [task.done() for task in hung]
        for task in hung:
            task.cancel()
        await asyncio.gather(*hung, return_exceptions=True)
    assert {answer.outcome for answer in answers} == {Outcome.UP}
    assert still_hung == [False] * 6
