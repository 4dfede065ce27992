"""Real servers on loopback that behave, or misbehave, exactly as a test wants; and certificates for them."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi"


@contextlib.asynccontextmanager
async def serving(
    handler: Handler, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """A TCP server on a free port of loopback; gives the port, ends every connection with the block."""
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await handler(reader, writer)
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, host, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def head_of(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


def answering(*pieces: bytes, seen: list[bytes] | None = None) -> Handler:
    """Read a request's head, write the pieces, hang up."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await head_of(reader)
        if seen is not None:
            seen.append(head)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return handler


def page(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def moved(location: str, *headers: str, status: str = "302 Found") -> bytes:
    return page(b"", f"Location: {location}", *headers, status=status)


async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


def repeating(head: bytes, piece: bytes, *, times: int | None = None, pause_s: float = 0.0) -> Handler:
    """A head, and then the same piece again and again."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader)
        writer.write(head)
        sent = 0
        while times is None or sent < times:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)
            sent += 1

    return handler


def resetting(*, after: bytes = b"") -> Handler:
    """Read a request, write what is given, and end with RST."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader)
        if after:
            writer.write(after)
            await writer.drain()
            await asyncio.sleep(0.05)  # let it be read first: a reset discards what waits
        raw: socket.socket = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return handler


def closed_port() -> int:
    """A port of loopback where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@dataclass
class NameServer(asyncio.DatagramProtocol):
    """A name server of one answer: records by name and type, a response code for the rest, or silence."""

    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    code: dns.rcode.Rcode = dns.rcode.NXDOMAIN
    mute: bool = False
    truncates: bool = False  # says over UDP that the answer does not fit
    raw: bytes | None = None
    asked: list[str] = field(default_factory=list)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        self.asked.append(query.question[0].to_text())
        if self.mute:
            return
        answer = self.answer(query)
        if self.truncates:
            answer.answer.clear()
            answer.flags |= dns.flags.TC
        transport = cast(asyncio.DatagramTransport, self.transport)
        transport.sendto(self.raw or answer.to_wire(), addr)

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
        response = dns.message.make_response(query)
        if values := self.records.get((name, kind)):
            response.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *values))
        elif not any(known == name for known, _ in self.records):
            response.set_rcode(self.code)
        return response

    async def over_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (size,) = struct.unpack("!H", await reader.readexactly(2))
        query = dns.message.from_wire(await reader.readexactly(size))
        self.asked.append(query.question[0].to_text() + " over TCP")
        wire = self.answer(query).to_wire()
        writer.write(struct.pack("!H", len(wire)) + wire)
        await writer.drain()


@contextlib.asynccontextmanager
async def resolving(server: NameServer, *, port: int = 0) -> AsyncIterator[str]:
    """Serve it over UDP; gives its `host:port`."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: server, local_addr=("127.0.0.1", port))
    try:
        host, port = transport.get_extra_info("sockname")[:2]
        yield f"{host}:{port}"
    finally:
        transport.close()


@dataclass(frozen=True)
class Authority:
    """A certificate authority of one test run, and what it issued, as files in one folder."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def ca(self) -> str:
        return str(self.folder / "ca.pem")

    @classmethod
    def create(cls, folder: Path) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate("Test authority", key=key, days=(-1, 30), names=[], issuer=None)
        (folder / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return cls(folder, key, certificate)

    def issue(self, label: str, *, names: list[str], days: tuple[float, float], own: bool = False) -> str:
        """One PEM file: a certificate valid between `days` from now (self-signed if `own`), and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = None if own else (self.certificate.subject, self.key)
        made = _certificate(label, key=key, days=days, names=names, issuer=issuer)
        path = self.folder / f"{label.replace(' ', '-')}.pem"
        path.write_bytes(
            made.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return str(path)

    def server(
        self,
        label: str,
        *,
        names: list[str],
        days: tuple[float, float] = (-1, 20),
        own: bool = False,
        wants_client: bool = False,
    ) -> ssl.SSLContext:
        """A server's TLS context with such a certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.issue(label, names=names, days=days, own=own))
        if wants_client:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.ca)
        return context


def _certificate(
    label: str,
    *,
    key: ec.EllipticCurvePrivateKey,
    days: tuple[float, float],
    names: list[str],
    issuer: tuple[x509.Name, ec.EllipticCurvePrivateKey] | None,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, label)])
    now = datetime.datetime.now(datetime.UTC)
    issuer_name, issuer_key = issuer or (subject, key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=days[0]))
        .not_valid_after(now + datetime.timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_name(n) for n in names]), critical=False
        )
    return builder.sign(issuer_key, hashes.SHA256())


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
