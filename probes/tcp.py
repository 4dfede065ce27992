"""TCP: does this port accept a connection, and does it greet as expected?"""

from __future__ import annotations

import asyncio

from probes import network
from probes.contract import Answer, Failed, Reason, TargetFailed, Trace, found
from probes.resolve import resolve
from probes.tcp_settings import Settings, target

__all__ = ["Settings", "probe", "target"]


class Greeting(asyncio.Protocol):
    """Collects the first bytes until there are enough of them, one is wrong, or the peer hangs up."""

    def __init__(self, expected: bytes) -> None:
        self._expected = expected
        self.received = b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.received += data[: len(self._expected) - len(self.received)]
        if len(self.received) == len(self._expected) or not self._expected.startswith(self.received):
            self._finish(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish(exc)

    def _finish(self, error: Exception | None) -> None:
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)
            self.done.exception()  # seen, also when nobody waits for a banner


async def probe(settings: Settings, trace: Trace) -> Answer:
    """Connect once, send and compare what was asked for, hang up. Raises ProberFault."""
    try:
        address = await resolve(
            settings.host, family=settings.address_family, resolver=settings.resolver, trace=trace
        )
        expected = settings.banner.encode()
        transport, greeting = await network.connect(
            lambda: Greeting(expected), address, port=settings.port, trace=trace
        )
        try:
            if settings.send:
                transport.write(settings.send.encode())
            return await _greet(greeting, expected, trace) if expected else trace.up()
        finally:
            transport.abort()
    except TargetFailed as failure:
        return trace.down(failure.reason, failure.sentence)


async def _greet(greeting: Greeting, expected: bytes, trace: Trace) -> Answer:
    with trace.phase("first_byte"):
        try:
            await greeting.done
        except OSError as error:
            raise network.broken(error, "waiting for the banner") from error
        if not greeting.received:
            raise TargetFailed(Reason.CLOSED, "the server closed the connection without a banner")
    if greeting.received == expected:
        return trace.up()
    was = found(greeting.received.decode("utf-8", "replace"))
    failed = Failed(what="banner", expected=found(expected.decode()), found=was)
    return trace.down(Reason.ASSERTION, f"banner: expected {failed.expected}, found {was}", (failed,))
