"""A plain TCP connection of our own: what arrives carries the moment the system received it, not read it.

An event loop comes to a socket when it has time, and a busy machine lets the whole process wait; both would
be counted as the target's first byte. Linux stamps what arrives, and this transport reports that moment;
where nothing is stamped, the moment of reading.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
import time
from collections.abc import Callable
from typing import TypeVar

READ_BYTES = 64 * 1024
STAMP = struct.Struct("@ll")  # seconds and nanoseconds of the wall clock
SO_TIMESTAMPNS = 35
STAMPS = sys.platform == "linux"

ProtocolT = TypeVar("ProtocolT", bound=asyncio.Protocol)


class Plain(asyncio.Transport):
    """What a protocol needs of an open connection. `abort` is silent: whoever hangs up is not told of it."""

    def __init__(self, connection: socket.socket, protocol: asyncio.Protocol) -> None:
        super().__init__({"socket": connection})
        self._loop = asyncio.get_running_loop()
        self._connection, self._protocol = connection, protocol
        self._unsent = b""
        self._closed = self._reading = False
        self._arrived_at = self._looked_at = time.perf_counter()
        protocol.connection_made(self)
        self.resume_reading()

    def arrived_at(self) -> float:
        """When what was last handed to the protocol had arrived (perf_counter)."""
        return self._arrived_at

    def is_closing(self) -> bool:
        return self._closed

    def pause_reading(self) -> None:
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._connection.fileno())

    def resume_reading(self) -> None:
        if not self._reading and not self._closed:
            self._reading = True
            self._loop.add_reader(self._connection.fileno(), self._read)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        waiting, self._unsent = bool(self._unsent), self._unsent + data
        self._looked_at = time.perf_counter()
        if not waiting and not self._closed:
            self._send()

    def close(self) -> None:
        self.abort()

    def abort(self) -> None:
        if self._closed:
            return
        self.pause_reading()
        self._closed = True
        if self._unsent:
            self._loop.remove_writer(self._connection.fileno())
        self._connection.close()

    def _read(self) -> None:
        try:
            data, stamps, _, _ = self._connection.recvmsg(READ_BYTES, 64)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(error)
            return
        if not data:
            self._protocol.eof_received()
            self._lose(None)
            return
        self._arrived_at = self._when(stamps)
        self._protocol.data_received(data)

    def _when(self, stamps: list[tuple[int, int, bytes]]) -> float:
        """Since we last looked, or now: a clock that was set meanwhile says nothing."""
        now, now_s = time.perf_counter(), time.time()
        for _, kind, content in stamps:
            if kind == SO_TIMESTAMPNS and len(content) >= STAMP.size:
                seconds, nanoseconds = STAMP.unpack_from(content)
                waited_s: float = now_s - seconds - nanoseconds / 1e9
                if 0 <= waited_s <= now - self._looked_at:
                    return now - waited_s
        return now

    def _send(self) -> None:
        try:
            sent = self._connection.send(self._unsent)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self._unsent = b""
            self._loop.call_soon(self._lose, error)
            return
        self._unsent = self._unsent[sent:]
        if self._unsent:
            self._loop.add_writer(self._connection.fileno(), self._send_more)

    def _send_more(self) -> None:
        self._loop.remove_writer(self._connection.fileno())
        self._send()

    def _lose(self, error: OSError | None) -> None:
        if not self._closed:
            self.abort()
            self._protocol.connection_lost(error)


async def connect(
    factory: Callable[[], ProtocolT], address: str, port: int
) -> tuple[asyncio.Transport, ProtocolT]:
    """A connection to one IP address. Raises OSError."""
    connection = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        if STAMPS:
            connection.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        try:
            connection.connect((address, port))
        except BlockingIOError:
            await _connected(connection)
        protocol = factory()
        return Plain(connection, protocol), protocol
    except BaseException:
        connection.close()
        raise


async def _connected(connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    writable = asyncio.Event()
    loop.add_writer(connection.fileno(), writable.set)
    try:
        await writable.wait()
    finally:
        loop.remove_writer(connection.fileno())
    if code := connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise OSError(code, "the connection failed")


def stamping() -> socket.socket:
    """Open for as long as probes are made: the system begins to stamp some time after the first socket that
    wants it and ends with the last, and each beginning costs more than a probe."""
    wanting = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    if STAMPS:
        wanting.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    return wanting
