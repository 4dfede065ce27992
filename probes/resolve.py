"""From a host's name to one address: literal, the hosts file, or a name server asked directly.

The system's own resolver call is not used: it blocks a thread (a few mute name servers would hold up every
other probe) and tells a name that does not exist from a server that fails by nothing.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from pathlib import Path

import dns.asyncresolver
import dns.exception
import dns.rcode
import dns.resolver

from probes.addresses import literal, split
from probes.contract import ProberFault, Reason, TargetFailed, Trace

HOSTS = Path("/etc/hosts")
SERVERS = Path("/etc/resolv.conf")
LIFETIME_S = 120.0  # beyond any sensible deadline; the caller's ends the wait
RETRY_S = 1.0  # one lost datagram costs this much, not the probe
RECORDS = {4: "A", 6: "AAAA"}


async def resolve(host: str, *, family: int | None, resolver: str | None, trace: Trace) -> str:
    """One IP address of `host`, in `family` 4 or 6, or IPv4 before IPv6 when it is None.

    Phase `dns`, absent for a literal address. Raises TargetFailed with the DNS reason, or ProberFault.
    """
    if address := literal(host):
        if family not in (None, ipaddress.ip_address(address).version):
            raise TargetFailed(Reason.DNS, f"{host} is not an IPv{family} address")
        return address
    with trace.phase("dns"):
        known = None if resolver else _from_hosts(host, family)
        return known or await _ask(host, family, resolver)


def _from_hosts(host: str, family: int | None) -> str | None:
    table = _hosts(_changed_ns(HOSTS))
    addresses = table.get(host.rstrip(".").lower(), ())
    of_family = {4: [a for a in addresses if ":" not in a], 6: [a for a in addresses if ":" in a]}
    usable = of_family[family] if family else of_family[4] + of_family[6]
    return usable[0] if usable else None


@lru_cache(maxsize=1)
def _hosts(changed_ns: int) -> dict[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    text = HOSTS.read_text(encoding="utf-8", errors="replace") if changed_ns else ""
    for line in text.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        if literal(address):
            for name in names:
                table[name.lower()] = (*table.get(name.lower(), ()), address)
    return table


async def _ask(host: str, family: int | None, resolver: str | None) -> str:
    asker = _resolver(resolver)
    for wanted in [family] if family else [4, 6]:
        try:
            answer = await asker.resolve(host, RECORDS[wanted], search=resolver is None)
        except dns.resolver.NoAnswer:
            continue
        except (dns.exception.DNSException, OSError) as error:
            raise failed(error, host) from error
        return str(answer[0].to_text())
    wanted_records = RECORDS[family] if family else "A or AAAA"
    raise TargetFailed(Reason.DNS, f"{host} has no {wanted_records} record")


def failed(error: Exception, name: str) -> TargetFailed:
    """What a failed look-up says, as a reason and a sentence."""
    if isinstance(error, dns.resolver.NXDOMAIN):
        return TargetFailed(Reason.DNS_NXDOMAIN, f"the name {name} does not exist")
    if isinstance(error, dns.exception.Timeout):
        return TargetFailed(Reason.DNS_TIMEOUT, f"no name server answered for {name}")
    if isinstance(error, dns.resolver.NoNameservers):
        responses = [entry[4] for entry in error.kwargs.get("errors", ())]
        codes = {response.rcode() for response in responses if response is not None}
        if dns.rcode.SERVFAIL in codes:
            return TargetFailed(Reason.DNS_SERVFAIL, f"the name server failed for {name} (SERVFAIL)")
        words = ", ".join(sorted(dns.rcode.to_text(code) for code in codes)) or "no usable answer"
        return TargetFailed(Reason.DNS, f"the name server answered {words} for {name}")
    return TargetFailed(Reason.DNS, f"{name} cannot be looked up: {type(error).__name__}")


def _resolver(address: str | None) -> dns.asyncresolver.Resolver:
    """Who is asked: this name server, or the system's as they are configured now."""
    return _made(address, 0 if address else _changed_ns(SERVERS))


def _changed_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=256)
def _made(address: str | None, changed_ns: int) -> dns.asyncresolver.Resolver:
    try:
        made = dns.asyncresolver.Resolver(configure=address is None)
    except dns.resolver.NoResolverConfiguration as error:
        raise ProberFault("this machine has no name server configured") from error
    if address is not None:
        host, port = split(address)
        made.nameservers = [host]
        made.port = port
    made.lifetime = LIFETIME_S
    made.timeout = RETRY_S
    return made


def system_server() -> tuple[str, int]:
    """Address and port of this machine's first name server. Raises ProberFault when there is none."""
    servers = _resolver(None).nameservers
    if not servers:
        raise ProberFault("this machine has no name server configured")
    return str(servers[0]), 53
