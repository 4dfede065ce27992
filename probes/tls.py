"""TLS: does this port complete a handshake with a certificate we trust, and how long is it valid?"""

from __future__ import annotations

import asyncio

from probes import certificates, network
from probes.contract import Answer, TargetFailed, Trace
from probes.resolve import resolve
from probes.tls_settings import Settings, target
from probes.trust import Trust

__all__ = ["Settings", "probe", "target"]


async def probe(settings: Settings, trace: Trace) -> Answer:
    """Shake hands once and hang up. Raises ProberFault."""
    trust = Trust(
        verify=settings.verify,
        ca=settings.ca,
        client_certificate=settings.client_certificate,
        client_key=settings.client_key,
    )
    context = certificates.context(trust)
    name = (settings.server_name or settings.host).rstrip(".")
    try:
        address = await resolve(
            settings.host, family=settings.address_family, resolver=settings.resolver, trace=trace
        )
        transport, protocol = await network.connect(
            asyncio.Protocol, address, port=settings.port, trace=trace
        )
        try:
            transport = await network.secure(
                transport, protocol, context=context, server_name=name, trace=trace
            )
        finally:
            transport.abort()
    except TargetFailed as failure:
        return trace.down(failure.reason, failure.sentence)
    days = certificates.days_left(
        trace, soft=settings.certificate_days_soft, hard=settings.certificate_days_hard
    )
    return certificates.verdict(trace, days=days)
