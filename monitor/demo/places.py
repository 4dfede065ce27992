"""Where the demo listens: ports that are busy move to free ones, and everyone is told."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
from yarl import URL

from monitor.config.load import load
from monitor.demo.kafka import free_port, is_free
from monitor.demo.plan import AUTHORITY, CERTIFICATES, PLAN, Plan
from monitor.model import Catalogue
from probes import addresses
from probes import dns_settings as dns
from probes import http_settings as http
from probes import tcp_settings as tcp
from probes import tls_settings as tls

LOOPBACK = "127.0.0.1"

Tell = Callable[[str], None]


def stage(config: Path, data: Path, *, script: bool, tell: Tell, taken: set[int]) -> Plan | None:
    """What the fleet plays; None when the catalogue is no sample data: its targets are real ones.

    Swapped in the catalogue's values are its authority's file, and each address that is busy. The fleet's
    ports join `taken`. Raises ConfigError with every mistake in the files.
    """
    swaps = {AUTHORITY: str(_authority(data / CERTIFICATES))}
    catalogue = load(config, replace=swaps).catalogue
    if not catalogue.sample:
        return None
    wished = sorted(ports(catalogue))
    moved = _moves(wished, _last_moves(data), taken)
    if moved:
        pairs = ", ".join(f"{port} → {other}" for port, other in moved.items())
        tell(f"busy ports of the sample fleet move to free ones: {pairs}")
    swaps |= {f"{LOOPBACK}:{port}": f"{LOOPBACK}:{other}" for port, other in moved.items()}
    return Plan(config=str(config), replace=swaps, script=script)


def _moves(wished: Sequence[int], last: Mapping[int, int], taken: set[int]) -> dict[int, int]:
    """Where each port moves that moved the last time or is busy; all that is used joins `taken`."""
    moved = {port: last[port] for port in wished if port in last}
    left = [port for port in wished if port not in last]
    busy = [port for port in left if not _free(port)]
    taken.update(moved.values(), set(left).difference(busy))
    for port in busy:
        moved[port] = free_port(taken)
        taken.add(moved[port])
    return dict(sorted(moved.items()))


def _authority(folder: Path) -> Path:
    """The authority's file; the fleet renews it when its time is nearly over."""
    if (file := folder / AUTHORITY).exists():
        return file
    from monitor.demo import authority  # only now: loading it takes longer than the rest of this module

    return authority.ensure(folder)


def ports(catalogue: Catalogue) -> set[int]:
    """The loopback ports that a catalogue's checks ask."""
    found: set[int] = set()
    for check in catalogue.checks.values():
        match check.ask:
            case http.Settings():
                url = URL(check.ask.url)
                place = url.host or "", url.port or 0
            case tcp.Settings() | tls.Settings():
                place = check.ask.host, check.ask.port
            case dns.Settings(resolver=str() as server):
                place = addresses.split(server)
            case _:
                continue
        if place[0] == LOOPBACK:
            found.add(place[1])
    return found


def choose(wish: int, *, what: str, tell: Tell, taken: set[int]) -> int:
    """The wished port (0: any), or a free one with a word about it; never one of `taken`, which it joins."""
    port = wish = wish or free_port()
    while port in taken or not is_free(port):
        port = free_port(taken)
    taken.add(port)
    if port != wish:
        tell(f"port {wish} for {what} is busy, using {port}")
    return port


def _last_moves(data: Path) -> dict[int, int]:
    """Port → where it moved in the last run over this folder and is still free: what was measured goes on."""
    try:
        plan = msgspec.json.decode((data / PLAN).read_bytes(), type=Plan)
    except (FileNotFoundError, msgspec.DecodeError):
        return {}
    pairs = (pair for pair in plan.replace.items() if pair[0].startswith(f"{LOOPBACK}:"))
    moved = {int(old.rpartition(":")[2]): int(new.rpartition(":")[2]) for old, new in pairs}
    return {port: other for port, other in moved.items() if _free(other)}


def _free(port: int) -> bool:
    return is_free(port) and _is_free_for_datagrams(port)


def _is_free_for_datagrams(port: int) -> bool:
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
