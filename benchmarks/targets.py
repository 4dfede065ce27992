"""The servers that are asked, in a process of their own so that their CPU is nobody's else.

Paths say how they answer: `/after/MS/NAME` (0: at once), `/never/NAME`, `/endless/NAME`, `/switch/GROUP/NAME`
(200, or 500 while `/set/GROUP/1` was the last word), `/seen` (what `/after` was asked since the last time:
name, Unix time when the request had come, and milliseconds until the answer was written). On the plain
ports that is when the kernel says it came: how late this server is let to read it is nobody's error.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
import ssl
import struct
import sys
import tempfile
import time
import urllib.request
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, Self

import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from benchmarks.processes import Tool, say

PORTS = 32  # so that connections in TIME_WAIT do not exhaust the addresses
SEEN_MOST = 200_000
PIECE = b"x" * 65_536
HOST = "127.0.0.1"
SO_TIMESTAMPNS = 35  # Linux: give with what is read when it came
STAMP = struct.Struct("@ll")  # seconds and nanoseconds of the wall clock


def answer(body: bytes = b"ok", *, status: str = "200 OK") -> bytes:
    """A whole HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + body


OK = answer()
ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"


class World:
    """What the listeners share."""

    def __init__(self) -> None:
        self.seen: deque[tuple[str, float, float]] = deque(maxlen=SEEN_MOST)
        self.bad: set[str] = set()


class Target(asyncio.Protocol):
    """Reads one request, answers as its path says, and closes."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._transport: Any = None
        self._writing = asyncio.Event()
        self._endless: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        read_ns, read_at = time.perf_counter_ns(), time.time()
        _, how, *rest = data.split(b" ", 2)[1].decode().split("/")
        match how:
            case "after" if rest[0] == "0":
                self._answer(OK)
            case "after":
                after_s = int(rest[0]) / 1000
                asyncio.get_running_loop().call_later(after_s, self._late, rest[1], read_ns, read_at)
            case "switch":
                bad = rest[0] in self._world.bad
                self._answer(answer(b"no", status="500 Internal Server Error") if bad else OK)
            case "set":
                (self._world.bad.add if rest[1] == "1" else self._world.bad.discard)(rest[0])
                self._answer(OK)
            case "seen":
                self._answer(answer(json.dumps(list(self._world.seen)).encode()))
                self._world.seen.clear()
            case "endless":
                self._transport.write(ENDLESS)
                self._writing.set()
                self._endless = asyncio.ensure_future(self._pour())

    def pause_writing(self) -> None:
        self._writing.clear()

    def resume_writing(self) -> None:
        self._writing.set()

    def connection_lost(self, error: Exception | None) -> None:
        if self._endless is not None:
            self._endless.cancel()

    def _late(self, name: str, read_ns: int, read_at: float) -> None:
        if not self._transport.is_closing():
            self._world.seen.append((name, read_at, (time.perf_counter_ns() - read_ns) / 1e6))
            self._answer(OK)

    def _answer(self, content: bytes) -> None:
        self._transport.write(content)
        self._transport.close()

    async def _pour(self) -> None:
        while True:
            await self._writing.wait()
            self._transport.write(PIECE)
            await asyncio.sleep(0)


class Door:
    """A plain port: answers `/after/…` by itself, to the moment, and hands everything else to a Target."""

    def __init__(self, world: World) -> None:
        self._loop, self._world = asyncio.get_running_loop(), world
        self._tasks: set[asyncio.Future[Any]] = set()
        self._listener = socket.create_server((HOST, 0), backlog=1024)
        self._listener.setblocking(False)
        self._listener.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)  # what it accepts inherits this
        self._loop.add_reader(self._listener, self._accept)

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def _accept(self) -> None:
        with suppress(BlockingIOError):
            while True:
                connection, _ = self._listener.accept()
                connection.setblocking(False)
                self._loop.add_reader(connection, self._asked, connection)

    def _asked(self, connection: socket.socket) -> None:
        self._loop.remove_reader(connection)
        try:
            data, stamps, _, _ = connection.recvmsg(65_536, 64)
        except OSError:
            data = b""
        path = data.split(b" ", 2)[1].decode().split("/") if data else []
        match path:
            case []:
                connection.close()
            case ["", "after", "0", _]:
                _send(connection)
            case ["", "after", after_ms, name]:
                seconds, nanoseconds = STAMP.unpack_from(stamps[0][2]) if stamps else (time.time(), 0)
                came_at = seconds + nanoseconds / 1e9
                self._loop.call_later(int(after_ms) / 1000, self._late, connection, name, came_at)
            case _:
                task = asyncio.ensure_future(self._hand_over(connection, data))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    def _late(self, connection: socket.socket, name: str, came_at: float) -> None:
        self._world.seen.append((name, came_at, (time.time() - came_at) * 1000))
        _send(connection)

    async def _hand_over(self, connection: socket.socket, data: bytes) -> None:
        _, target = await self._loop.connect_accepted_socket(lambda: Target(self._world), connection)
        target.data_received(data)


def _send(connection: socket.socket) -> None:
    with suppress(OSError):  # it hung up
        connection.send(OK)
    connection.close()


def certify(folder: Path) -> Path:
    """A certificate for the loopback address that signs itself, with its key, as one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "benchmark")])
    now, address = datetime.now(UTC), x509.IPAddress(ipaddress.ip_address(HOST))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "target.pem"
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


class Asked(NamedTuple):
    """One request as the server saw it: when its last byte was read, and how long until the answer left."""

    name: str
    read_at_s: float
    took_ms: float


class Targets:
    """The running servers: `with Targets() as targets: targets.url("after/0/x", number=7)`."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.certificate = certify(Path(self._folder.name))
        self._tool = Tool("targets", certificate=str(self.certificate))
        ports = self._tool.said()
        self._plain, self._tls = ports["plain"], ports["tls"]

    def url(self, path: str, *, number: int = 0, tls: bool = False) -> str:
        """The address of a path, on the port that is this target's."""
        ports = self._tls if tls else self._plain
        return f"http{'s' * tls}://{HOST}:{ports[number % len(ports)]}/{path}"

    def seen(self) -> list[Asked]:
        """What `/after/MS/…` was asked since the last call."""
        return [Asked(*one) for one in json.loads(self._get("seen"))]

    def set(self, group: str, *, bad: bool) -> None:
        """Whether `/switch/GROUP/…` fails from now on."""
        self._get(f"set/{group}/{int(bad)}")

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.url(path), timeout=5) as found:
            content: bytes = found.read()
            return content

    def close(self) -> None:
        self._tool.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


async def serve(certificate: str) -> None:
    """Listen, say where, and go on until the input ends."""
    loop, world = asyncio.get_running_loop(), World()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    doors = [Door(world) for _ in range(PORTS)]
    ports: dict[str, list[int]] = {"plain": [door.port for door in doors], "tls": []}
    for _ in range(PORTS):
        server = await loop.create_server(lambda: Target(world), HOST, 0, ssl=context, backlog=1024)
        ports["tls"].append(server.sockets[0].getsockname()[1])
    say(ports)
    await until_input_ends()


async def until_input_ends() -> None:
    """A tool lives as long as whoever started it holds its input."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ended.set)  # nobody writes: what can be read is the end
    await ended.wait()
    loop.remove_reader(sys.stdin.fileno())


if __name__ == "__main__":
    uvloop.run(serve(json.loads(sys.argv[1])["certificate"]))
