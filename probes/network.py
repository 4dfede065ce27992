"""The way to a target: one address, one connection, one TLS handshake, each timed and each failure named."""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections.abc import Callable
from typing import TypeVar

from probes import certificates, plain
from probes.contract import ProberFault, Reason, TargetFailed, Trace

HANDSHAKE_S_MAX = 600.0  # the caller's deadline ends a handshake; this only lifts the loop's own 60 s
SECOND_LOOK_S = 1.0  # how long a refused certificate may take to be fetched for its dates

OURS = frozenset(
    {
        errno.EMFILE,
        errno.ENFILE,
        errno.EPERM,
        errno.EACCES,
        errno.ENOBUFS,
        errno.ENOMEM,
        errno.EADDRNOTAVAIL,  # every local port is taken
    }
)
UNREACHABLE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN})
RESET = frozenset({errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED})

ProtocolT = TypeVar("ProtocolT", bound=asyncio.Protocol)


def broken(error: OSError, doing: str) -> TargetFailed:
    """What an operating system's error says about the target.

    Raises ProberFault when it says something about this machine instead.
    """
    if error.errno in OURS:
        raise ProberFault(f"this machine cannot open the connection: {error.strerror}") from error
    if error.errno == errno.ECONNREFUSED:
        return TargetFailed(Reason.CONNECT_REFUSED, "the connection was refused")
    if error.errno in UNREACHABLE:
        return TargetFailed(Reason.CONNECT_UNREACHABLE, "no route leads to the address")
    if error.errno in RESET or isinstance(error, ConnectionResetError | BrokenPipeError):
        return TargetFailed(Reason.CONNECT_RESET, f"the connection was reset while {doing}")
    if error.errno == errno.ETIMEDOUT:
        return TargetFailed(Reason.TIMEOUT, f"the system gave up while {doing}")
    name = errno.errorcode.get(error.errno or 0, type(error).__name__)
    return TargetFailed(Reason.CONNECT, f"the connection failed with {name} while {doing}")


async def connect(
    factory: Callable[[], ProtocolT], address: str, *, port: int, trace: Trace
) -> tuple[asyncio.Transport, ProtocolT]:
    """A connection to one IP address; phase `connect`. Raises TargetFailed or ProberFault."""
    loop = asyncio.get_running_loop()
    with trace.phase("connect"):
        try:
            return await loop.create_connection(factory, address, port)
        except OSError as error:
            raise broken(error, "connecting") from error


async def connect_plain(
    factory: Callable[[], ProtocolT], address: str, *, port: int, trace: Trace
) -> tuple[asyncio.Transport, ProtocolT]:
    """The same, by a transport that knows when bytes arrived and cannot become TLS."""
    with trace.phase("connect"):
        try:
            return await plain.connect(factory, address, port)
        except OSError as error:
            raise broken(error, "connecting") from error


async def secure(
    transport: asyncio.Transport,
    protocol: asyncio.Protocol,
    *,
    context: ssl.SSLContext,
    server_name: str,
    trace: Trace,
) -> asyncio.Transport:
    """TLS over an open connection; phase `tls`, and when the certificate ends. Raises TargetFailed.

    A refused certificate is fetched once more, without trust and without sending anything, for its dates.
    """
    peer = transport.get_extra_info("peername")
    try:
        with trace.phase("tls"):
            secured = await _handshake(transport, protocol, context=context, server_name=server_name)
    except ssl.SSLCertVerificationError as error:
        failure = certificates.refused(error, server_name)
        trace.known = failure
        await _second_look(peer, server_name=server_name, trace=trace)
        raise failure from error
    except ssl.SSLError as error:
        raise TargetFailed(Reason.TLS, f"the TLS handshake failed: {_words(error)}") from error
    except OSError as error:
        if error.errno in OURS:
            raise broken(error, "in the TLS handshake") from error
        raise TargetFailed(Reason.TLS, "the peer closed during the TLS handshake") from error
    _note_certificate(secured, trace)
    return secured


async def _handshake(
    transport: asyncio.Transport, protocol: asyncio.Protocol, *, context: ssl.SSLContext, server_name: str
) -> asyncio.Transport:
    secured = await asyncio.get_running_loop().start_tls(
        transport,
        protocol,
        context,
        server_hostname=server_name,
        ssl_handshake_timeout=HANDSHAKE_S_MAX,
    )
    if secured is None:  # what the loop answers when the peer was gone before the handshake began
        raise ConnectionResetError(errno.ECONNRESET, "closed before the handshake")
    return secured


async def _second_look(peer: tuple[str, int] | None, *, server_name: str, trace: Trace) -> None:
    if peer is None:
        return
    transport: asyncio.Transport | None = None
    try:
        async with asyncio.timeout(SECOND_LOOK_S):
            loop = asyncio.get_running_loop()
            transport, protocol = await loop.create_connection(asyncio.Protocol, peer[0], peer[1])
            secured = await _handshake(
                transport, protocol, context=certificates.blind_context(), server_name=server_name
            )
        _note_certificate(secured, trace)
    except OSError:  # its dates stay unknown, also after a TimeoutError, which is an OSError
        return
    finally:
        if transport is not None:
            transport.abort()


def _note_certificate(secured: asyncio.Transport, trace: Trace) -> None:
    expires_ms = certificates.expires_ms(secured.get_extra_info("ssl_object"))
    if expires_ms is not None:
        known_ms = trace.facts.get("certificate_expires_ms", expires_ms)
        trace.facts["certificate_expires_ms"] = min(known_ms, expires_ms)


def _words(error: ssl.SSLError) -> str:
    reason = error.reason or type(error).__name__
    return reason.replace("_", " ").lower()


def broken_tls(error: ssl.SSLError) -> TargetFailed:
    """TLS that failed after the handshake: a server refuses our certificate only then (TLS 1.3)."""
    return TargetFailed(Reason.TLS, f"the peer ended TLS: {_words(error)}")
