"""The sample fleet's sockets: HTTP with and without TLS, TLS alone, TCP banners, DNS over UDP and TCP.

They know addresses and checks, not faults: a `Play` says what happens to a check's target at this moment.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import msgspec

from monitor.demo import answers
from monitor.model import Check
from probes import dns_settings as dns_kind

HEAD_BYTES_MOST = 16 * 1024
IDLE_S = 30.0
TTL_S = 30
PHRASES = {200: "OK", 404: "Not Found", 503: "Service Unavailable"}


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """What one target does for one question."""

    delay_ms: float = 0.0
    broken: bool = False
    wrong_page: bool = False


Play = Callable[[Check], Now]


Pages = Mapping[str, tuple[Check, answers.Reply]]
"""Path and query → the check behind that address, and its answer when all is well."""


class HttpTarget(asyncio.Protocol):
    """One connection, one request, one answer, closed."""

    def __init__(self, pages: Pages, play: Play) -> None:
        self._pages, self._play = pages, play
        self._head = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._timer = asyncio.get_running_loop().call_later(IDLE_S, self._transport.abort)

    def data_received(self, data: bytes) -> None:
        if b"\r\n\r\n" in self._head:
            return  # a body: nothing here depends on it
        self._head += data
        if b"\r\n\r\n" in self._head:
            self._answer(self._head.split(b"\r\n", 1)[0])
        elif len(self._head) > HEAD_BYTES_MOST:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()

    def _answer(self, request: bytes) -> None:
        method, _, target = request.decode("latin-1").partition(" ")
        found = self._pages.get(target.rpartition(" ")[0])
        if found is None:
            self._send(answers.missing(), method)
            return
        check, reply = found
        now = self._play(check)
        if now.broken:
            reply = answers.broken()
        elif now.wrong_page:
            reply = answers.wrong_page()
        self._stop_timer()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(now.delay_ms / 1000, self._send, reply, method)

    def _send(self, reply: answers.Reply, method: str) -> None:
        lines = [f"HTTP/1.1 {reply.status} {PHRASES.get(reply.status, 'Sample')}"]
        lines += [f"{name}: {value}" for name, value in reply.headers]
        lines += [f"Content-Length: {len(reply.body)}", "X-Sample-Data: yes", "Connection: close", "", ""]
        self._transport.write(
            "\r\n".join(lines).encode("latin-1") + (b"" if method == "HEAD" else reply.body)
        )
        self._transport.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


class BannerTarget(asyncio.Protocol):
    """Greets as the check expects, or hangs up without a word."""

    def __init__(self, check: Check, banner: bytes, play: Play) -> None:
        self._check, self._banner, self._play = check, banner, play
        self._timers: list[asyncio.TimerHandle] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        now, loop = self._play(self._check), asyncio.get_running_loop()
        act = self._transport.abort if now.broken else self._greet
        self._timers = [
            loop.call_later(now.delay_ms / 1000, act),
            loop.call_later(IDLE_S, self._transport.abort),
        ]

    def _greet(self) -> None:
        self._transport.write(self._banner)

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in self._timers:
            timer.cancel()


class NameServer:
    """Knows the names that checks ask for, and fails for those that are broken."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self._records: dict[tuple[str, str], tuple[Check, tuple[str, ...]]] = {}

    def add(self, check: Check, ask: dns_kind.Settings) -> None:
        values = ask.expected or EXAMPLES[ask.record]
        name = ask.name.rstrip(".").lower()
        _, known = self._records.get((name, ask.record), (check, ()))
        more = tuple(f"192.0.2.{number}" for number in range(20, 20 + ask.answers_min - len(values)))
        together = tuple(dict.fromkeys((*known, *values, *(more if ask.record == "A" else ()))))
        self._records[(name, ask.record)] = (check, together)

    def answer(self, wire: bytes) -> tuple[bytes, float] | None:
        """The response and its delay in seconds; None for what is not DNS."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        if not query.question:
            return None
        response, delay_s = dns.message.make_response(query), 0.0
        response.flags |= dns.flags.AA
        asked = query.question[0]
        name, record = str(asked.name).rstrip(".").lower(), dns.rdatatype.to_text(asked.rdtype)
        if (found := self._records.get((name, record))) is not None:
            check, values = found
            now = self._play(check)
            delay_s = now.delay_ms / 1000
            if now.broken:
                response.set_rcode(dns.rcode.SERVFAIL)
            else:
                response.answer.append(dns.rrset.from_text(asked.name, TTL_S, "IN", record, *values))
        elif not any(known == name for known, _ in self._records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response.to_wire(), delay_s


EXAMPLES: dict[str, tuple[str, ...]] = {
    "A": ("192.0.2.10",),
    "AAAA": ("2001:db8::10",),
    "CAA": ('0 issue "authority.example"',),
    "CNAME": ("www.sample.example.",),
    "MX": ("10 mail.sample.example.",),
    "NS": ("ns.sample.example.",),
    "PTR": ("host.sample.example.",),
    "SOA": ("ns.sample.example. hostmaster.sample.example. 1 3600 600 86400 300",),
    "SRV": ("0 0 443 www.sample.example.",),
    "TXT": ('"sample"',),
}


class DnsOverUdp(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if (found := self._server.answer(data)) is not None:
            wire, delay_s = found
            asyncio.get_running_loop().call_later(delay_s, self._transport.sendto, wire, addr)


class DnsOverTcp(asyncio.Protocol):
    """One connection, one question with its length before it."""

    def __init__(self, server: NameServer) -> None:
        self._server, self._data = server, b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._timer = asyncio.get_running_loop().call_later(IDLE_S, self._transport.abort)

    def data_received(self, data: bytes) -> None:
        self._data += data
        length = int.from_bytes(self._data[:2], "big")
        if len(self._data) < 2 + length or length == 0:
            return
        found = self._server.answer(self._data[2 : 2 + length])
        if found is None:
            self._transport.abort()
            return
        wire, delay_s = found
        framed = len(wire).to_bytes(2, "big") + wire
        asyncio.get_running_loop().call_later(delay_s, self._transport.write, framed)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()


def server_side(certificate: Path, key: Path) -> ssl.SSLContext:
    """A server's TLS settings for these files."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context
