"""One HTTP request over one fresh connection, timed phase by phase.

aiohttp's protocol and parser (caps on lines and headers, chunking, flow control) read the answer. Its
session is left out: it does not split TCP from TLS, asks a second time by itself when a server hangs up, and
costs about as much again as the whole rest of a probe.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import msgspec
from aiohttp import ClientError
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from aiohttp.streams import StreamReader
from yarl import URL

from probes import certificates, network
from probes.contract import Reason, TargetFailed, Trace
from probes.http_settings import Settings
from probes.plain import Plain
from probes.resolve import resolve

HEADER_BYTES_MAX = 16 * 1024  # one line of the head
HEADERS_MAX = 200
READ_BYTES = 64 * 1024  # what may wait in memory before the peer is told to wait (twice this)
DEFAULT_PORTS = {"http": 80, "https": 443}


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent. `headers` may hold secrets: never shown, and left out of `repr`."""

    method: str
    url: URL
    headers: Mapping[str, str]
    body: bytes | None = None

    def __repr__(self) -> str:
        return f"Request({self.method})"

    def wire(self) -> bytes:
        lines = [f"{self.method} {self.url.raw_path_qs} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + (self.body or b"")


class Wire(ResponseHandler):
    """aiohttp's response protocol, which also notes when the first byte came and why the parser gave up."""

    def __init__(self, loop: asyncio.AbstractEventLoop, trace: Trace) -> None:
        super().__init__(loop)
        self._trace = trace
        self._sent_at = 0.0
        self.first_byte_at = self._last_byte_at = 0.0
        self.arrived_at: Callable[[], float] = time.perf_counter  # when what is handed to us had arrived
        self.unreadable: BaseException | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if isinstance(transport, Plain):
            self.arrived_at = transport.arrived_at

    def send(self, data: bytes) -> None:
        assert self.transport is not None
        self._trace.doing = "first_byte"
        self._sent_at = time.perf_counter()
        self.transport.write(data)

    def data_received(self, data: bytes) -> None:
        if data and self._sent_at:  # a server may speak before it is asked
            self._last_byte_at = self.arrived_at()
            if not self.first_byte_at:
                self.first_byte_at = self._last_byte_at
                self._trace.add("first_byte", (self.first_byte_at - self._sent_at) * 1000)
                self._trace.doing = "transfer"
        super().data_received(data)
        error = self.exception()
        if error is not None and self.unreadable is None:
            self.unreadable = error.__cause__ or error  # the parser gave up; what follows is only the echo

    def received_all(self) -> None:
        if self.first_byte_at:
            self._trace.add("transfer", (self._last_byte_at - self.first_byte_at) * 1000)
        self._trace.doing = ""


class Reply:
    """An answer whose head has arrived: status, headers, and the pieces of its body."""

    def __init__(self, status: int, headers: Mapping[str, str], *, wire: Wire, payload: StreamReader) -> None:
        self.status = status
        self.headers = headers
        self._wire = wire
        self._payload = payload

    def all_of(self, name: str) -> list[str]:
        """Every value of a header that may come more than once."""
        getall = getattr(self.headers, "getall", None)
        return list(getall(name, ())) if getall else []

    async def read(self, feed: Callable[[bytes], None]) -> None:
        """Feed the body as it arrives, as sent (compressed); phase `transfer`. Raises TargetFailed."""
        try:
            while piece := await self._payload.readany():
                feed(piece)
        except (ClientError, HttpProcessingError, OSError) as error:
            raise _body_failed(error, self._wire) from error
        self._wire.received_all()


@asynccontextmanager
async def exchange(settings: Settings, request: Request, trace: Trace) -> AsyncIterator[Reply]:
    """Connect, ask, and give the answer's head; the connection ends with the block.

    Raises TargetFailed with the reason, or ProberFault.
    """
    loop = asyncio.get_running_loop()
    url = request.url
    host = url.raw_host or ""
    address = await resolve(host, family=settings.address_family, resolver=settings.resolver, trace=trace)
    connect = network.connect if url.scheme == "https" else network.connect_plain
    transport, wire = await connect(
        lambda: Wire(loop, trace), address, port=url.port or DEFAULT_PORTS[url.scheme], trace=trace
    )
    try:
        if url.scheme == "https":
            context = certificates.context(settings.trust)
            name = (settings.server_name or host).rstrip(".")
            transport = await network.secure(transport, wire, context=context, server_name=name, trace=trace)
            wire.transport = transport
        yield await _ask(wire, request, trace)
    finally:
        transport.abort()  # a fresh connection a probe: nothing waits for a polite goodbye


async def _ask(wire: Wire, request: Request, trace: Trace) -> Reply:
    wire.set_response_params(
        skip_payload=request.method == "HEAD",
        read_until_eof=True,
        auto_decompress=False,  # probes/http_body.py expands, within a cap
        read_bufsize=READ_BYTES,
        max_line_size=HEADER_BYTES_MAX,
        max_field_size=HEADER_BYTES_MAX,
        max_headers=HEADERS_MAX,
    )
    try:
        wire.send(request.wire())
        while True:
            message, payload = await wire.read()
            if message.code >= 200 or message.code == 101:
                break  # what came before was "continue" and its kin
    except (ClientError, HttpProcessingError, OSError) as error:
        raise _head_failed(error, wire) from error
    trace.facts["status"] = message.code
    return Reply(message.code, message.headers, wire=wire, payload=payload)


def _head_failed(error: Exception, wire: Wire) -> TargetFailed:
    if wire.unreadable is not None:
        return _unreadable(wire.unreadable)
    if lost := _lost(error, "waiting for the answer"):
        return lost
    part = "in the middle of its headers" if wire.first_byte_at else "without an answer"
    return TargetFailed(Reason.CLOSED, f"the server closed the connection {part}")


def _body_failed(error: Exception, wire: Wire) -> TargetFailed:
    if wire.unreadable is not None:
        return _unreadable(wire.unreadable)
    if lost := _lost(error, "reading the body"):
        return lost
    return TargetFailed(Reason.TRUNCATED, "the body ended before all of it had come")


def _unreadable(cause: BaseException) -> TargetFailed:
    if isinstance(cause, LineTooLong) or "Too many headers" in str(cause):
        return TargetFailed(
            Reason.TOO_LARGE, f"the headers are over {HEADERS_MAX} or one is over {HEADER_BYTES_MAX:,} bytes"
        )
    return TargetFailed(Reason.PROTOCOL, f"the answer is not valid HTTP ({type(cause).__name__})")


def _lost(error: BaseException, doing: str) -> TargetFailed | None:
    """The connection's own failure under aiohttp's wrapping, if there is one."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, ssl.SSLError):
            return network.broken_tls(inner)
        if isinstance(inner, OSError) and inner.errno is not None:
            return network.broken(inner, doing)
        inner = inner.__cause__
    return None
