"""The door: who may come in from where, how often, and what a browser may do with what it gets."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

from aiohttp import web

from monitor.web.problems import Refused

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
WRITES_A_MINUTE = 20
ADDRESSES_MAX = 10_000
LIVE_MAX = 512
LIVE_MAX_EACH = 64


def is_loopback(host: str) -> bool:
    """True for an address or name that only this machine reaches."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def refuse_open_door(host: str, has_token: bool) -> str | None:
    """Why the pages may not be served on `host`, with the remedy; None when they may."""
    if is_loopback(host) or has_token:
        return None
    return (
        f"{host} can be reached from other machines, and there is no token yet. Make one with "
        "`continuity token create NAME --role viewer` (it is shown once), or listen on 127.0.0.1."
    )


def check_host(request: web.Request) -> None:
    """Where reads are open, answer only to names of this machine: no other site's name may lead here."""
    name = request.url.host or ""
    if name.lower() not in LOCAL_NAMES and not is_loopback(name):
        raise Refused(421, "Misdirected request", f"this listener answers to localhost, not to {name!r}")


class Writes:
    """At most so many writes a minute from one address; what is over waits."""

    def __init__(self, a_minute: int = WRITES_A_MINUTE) -> None:
        self._a_minute = a_minute
        self._minute, self._seen = 0, Counter[str]()

    def take(self, address: str) -> None:
        """Raises Refused (429) with Retry-After."""
        minute, into_s = divmod(time.monotonic(), 60)
        if minute != self._minute or len(self._seen) > ADDRESSES_MAX:
            self._minute, self._seen = int(minute), Counter()
        self._seen[address] += 1
        if self._seen[address] > self._a_minute:
            raise Refused(
                429, "Too many requests", "try again shortly", headers={"Retry-After": str(60 - int(into_s))}
            )


class Lives:
    """Open live connections, bounded in all and from one address."""

    def __init__(self, most: int = LIVE_MAX, most_each: int = LIVE_MAX_EACH) -> None:
        self._most, self._most_each = most, most_each
        self._open = Counter[str]()

    @contextmanager
    def one(self, address: str) -> Iterator[None]:
        """Holds a place while the block runs. Raises Refused (503 or 429) with Retry-After."""
        if self._open.total() >= self._most:
            raise Refused(503, "No place left", "too many live pages", headers={"Retry-After": "10"})
        if self._open[address] >= self._most_each:
            raise Refused(429, "Too many requests", "too many live pages", headers={"Retry-After": "10"})
        self._open[address] += 1
        try:
            yield
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]
