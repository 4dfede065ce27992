"""The plain connection of our own: arrival is timed by the system, and nothing is lost on the way."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from probes import http, plain
from probes.ask import ask
from probes.contract import Outcome, Reason
from tests.probes.servers import OK, answering, page, serving


@contextlib.contextmanager
def stamping() -> Iterator[None]:
    """Until the system stamps what arrives: it begins in its own time."""
    with plain.stamping(), socket.create_server(("127.0.0.1", 0)) as listener:
        reading = socket.create_connection(listener.getsockname())
        writing, _ = listener.accept()
        with reading, writing:
            reading.setsockopt(socket.SOL_SOCKET, plain.SO_TIMESTAMPNS, 1)
            stamped, until = False, time.monotonic() + 10
            while not stamped and time.monotonic() < until:
                writing.sendall(b"x")
                stamped = bool(reading.recvmsg(1, 64)[1])
        assert stamped, "the system stamps nothing"
        yield


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux stamps what arrives over TCP")
async def test_an_answer_that_waits_for_a_busy_loop_is_timed_when_it_arrived() -> None:
    loop, sent, sent_at = asyncio.get_running_loop(), threading.Event(), 0.0

    def serve(listener: socket.socket) -> None:
        nonlocal sent_at
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            loop.call_soon_threadsafe(keep_the_loop_busy)
            connection.sendall(OK)
            sent_at = time.perf_counter()
            sent.set()

    def keep_the_loop_busy() -> None:
        sent.wait(10)
        time.sleep(0.3)

    with stamping(), socket.create_server(("127.0.0.1", 0)) as listener:
        serving_it = asyncio.create_task(asyncio.to_thread(serve, listener))
        began = time.perf_counter()
        port = listener.getsockname()[1]
        answer = await ask(http.Settings(url=f"http://127.0.0.1:{port}/"), within_s=10)
        await serving_it
    assert answer.outcome is Outcome.UP
    assert answer.phases_ms["first_byte"] <= (sent_at - began) * 1000


async def test_a_body_larger_than_the_systems_buffers_is_sent_whole() -> None:
    sent, received = "x" * 8_000_000, 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal received
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.1)  # what cannot be sent at once has to wait
        while received < len(sent):
            received += len(await reader.read(1_000_000))
        writer.write(OK)

    async with serving(count) as port:
        settings = http.Settings(url=f"http://127.0.0.1:{port}/", method="POST", body=sent)
        answer = await ask(settings, within_s=10)
    assert (answer.outcome, received) == (Outcome.UP, len(sent))


async def test_a_peer_that_resets_while_a_request_is_sent_is_a_reset() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.transport.abort()

    async with serving(hang_up) as port:
        settings = http.Settings(url=f"http://127.0.0.1:{port}/", method="POST", body="x" * 8_000_000)
        answer = await ask(settings, within_s=10)
    assert (answer.outcome, answer.reason) == (Outcome.DOWN, Reason.CONNECT_RESET)


async def test_an_ipv6_target_answers() -> None:
    async with serving(answering(page(b"six")), host="::1") as port:
        answer = await ask(http.Settings(url=f"http://[::1]:{port}/", address_family=6), within_s=5)
    assert (answer.outcome, answer.size_bytes) == (Outcome.UP, 3)


async def test_a_port_where_nobody_listens_refuses() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    answer = await ask(http.Settings(url=f"http://127.0.0.1:{port}/"), within_s=5)
    assert (answer.outcome, answer.reason) == (Outcome.DOWN, Reason.CONNECT_REFUSED)
