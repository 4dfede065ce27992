"""The client that hoards: keeps a body for `seconds`, at most 512 MB, and says how many MB it grew."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from urllib.parse import urlsplit

from benchmarks.processes import memory_mb, say

BYTES_MOST = 512 * 1024 * 1024


def main(url: str, seconds: float) -> None:
    """Ask once and keep everything."""
    before_mb, body = memory_mb(os.getpid()), bytearray()
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
        connection.sendall(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        until = time.monotonic() + seconds
        while time.monotonic() < until and len(body) < BYTES_MOST:
            body += connection.recv(65_536)
        say(memory_mb(os.getpid()) - before_mb)


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
