"""DNS: does this name server answer for this name, with the records that belong there?"""

from __future__ import annotations

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from probes import addresses, network, resolve
from probes.contract import Answer, Failed, ProberFault, Reason, TargetFailed, Trace, found
from probes.dns_settings import Settings, target

__all__ = ["Settings", "probe", "target"]


async def probe(settings: Settings, trace: Trace) -> Answer:
    """Ask one name server once. Raises ProberFault."""
    host, port = addresses.split(settings.resolver) if settings.resolver else resolve.system_server()
    try:
        query = dns.message.make_query(settings.name, settings.record)
    except dns.exception.DNSException as error:
        raise ProberFault(f"{found(settings.name)} is not a name that can be looked up") from error
    try:
        with trace.phase("dns"):
            response = await _ask(query, host, port=port, tcp=settings.tcp)
    except TargetFailed as failure:
        return trace.down(failure.reason, failure.sentence)
    return _judge(settings, response, trace)


async def _ask(query: dns.message.Message, host: str, *, port: int, tcp: bool) -> dns.message.Message:
    try:
        if tcp:
            return await dns.asyncquery.tcp(query, host, port=port)
        response, _ = await dns.asyncquery.udp_with_fallback(query, host, port=port)
        return response
    except (dns.exception.DNSException, EOFError) as error:
        sentence = f"the name server's answer is not valid DNS ({type(error).__name__})"
        raise TargetFailed(Reason.PROTOCOL, sentence) from error
    except OSError as error:
        raise network.broken(error, "asking the name server") from error


def _judge(settings: Settings, response: dns.message.Message, trace: Trace) -> Answer:
    code = response.rcode()
    if code == dns.rcode.NXDOMAIN:
        return trace.down(Reason.DNS_NXDOMAIN, f"the name {settings.name} does not exist")
    if code == dns.rcode.SERVFAIL:
        return trace.down(Reason.DNS_SERVFAIL, f"the name server failed for {settings.name} (SERVFAIL)")
    if code != dns.rcode.NOERROR:
        return trace.down(Reason.DNS, f"the name server answered {dns.rcode.to_text(code)}")
    failed = tuple(_missing(settings, _values(response, settings.record)))
    if failed:
        first = failed[0]
        sentence = f"{first.what}: expected {first.expected}, found {first.found}"
        return trace.down(Reason.ASSERTION, sentence, failed)
    return trace.up()


def _values(response: dns.message.Message, record: str) -> list[str]:
    wanted = dns.rdatatype.from_text(record)
    return sorted(item.to_text() for rrset in response.answer if rrset.rdtype == wanted for item in rrset)


def _missing(settings: Settings, values: list[str]) -> list[Failed]:
    shown = found(", ".join(values) or "nothing")
    what = f"{settings.record} {settings.name}"
    failed = [
        Failed(what=what, expected=value, found=shown)
        for value in settings.expected
        if _plain(value) not in {_plain(one) for one in values}
    ]
    if len(values) < settings.answers_min:
        failed.insert(0, Failed(what=what, expected=f"{settings.answers_min} or more records", found=shown))
    return failed


def _plain(value: str) -> str:
    """Names compare without their last dot and in any case; texts without their quotes."""
    return value.strip('"').rstrip(".").lower()
