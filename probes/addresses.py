"""Addresses as they are written: literal ones, and a name server's with its port."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from probes.contract import ProberFault


@lru_cache(maxsize=4096)
def literal(host: str) -> str | None:
    """The IP address that `host` is, without brackets, or None when it is a name."""
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return None


@lru_cache(maxsize=256)
def split(address: str) -> tuple[str, int]:
    """A name server's `host`, `host:port` or `[v6]:port` as address and port; port 53 when left out.

    Raises ProberFault when the host is not a literal address: there would be nobody to look it up.
    """
    host, port = address, "53"
    if ":" in address and not literal(address):
        host, _, port = address.rpartition(":")
    found = literal(host)
    if found is None or not port.isdigit():
        raise ProberFault(f"the name server {address} must be an address such as 192.0.2.53:53")
    return found, int(port)
