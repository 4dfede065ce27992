"""TLS: does this port complete a handshake with a certificate we trust, and how long is it valid?"""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import msgspec

from probes import certificates, network
from probes.certificates import Days, Trust
from probes.contract import Answer, TargetFailed, Trace
from probes.resolve import resolve

Meta = msgspec.Meta


class Settings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="tls", tag_field="kind"):
    """TLS: does this port complete a handshake with a certificate we trust?"""

    host: Annotated[str, Meta(description="Name or address.", min_length=1, examples=["pay.example"])]
    port: Annotated[int, Meta(description="Port.", ge=1, le=65535)] = 443
    server_name: Annotated[
        str | None, Meta(description="The name the certificate must bear, when not the host.")
    ] = None
    verify: Annotated[bool, Meta(description="Whether the certificate must be trusted and fit the name.")] = (
        True
    )
    ca: Annotated[
        str | None, Meta(description="PEM file of the authorities to trust instead of the system's.")
    ] = None
    client_certificate: Annotated[str | None, Meta(description="PEM file of our own certificate.")] = None
    client_key: Annotated[str | None, Meta(description="PEM file of its key, when not in the same file.")] = (
        None
    )
    certificate_days_soft: Annotated[
        Days | None, Meta(description="Fewer days left on the certificate than this: degraded.")
    ] = None
    certificate_days_hard: Annotated[
        Days | None, Meta(description="Fewer days left on the certificate than this: down.")
    ] = None
    address_family: Annotated[
        Literal[4, 6] | None,
        Meta(description="Connect by IPv4 or IPv6 only. Unset: IPv4 where the name has one, else IPv6."),
    ] = None
    resolver: Annotated[
        str | None,
        Meta(description="Name server to ask, instead of the system's.", examples=["192.0.2.53:53"]),
    ] = None


def target(settings: Settings) -> str:
    return f"{settings.host}:{settings.port}"


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
