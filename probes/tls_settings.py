"""What can be set on a TLS check: the port, whom to trust, and the days a certificate must have left."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from probes.trust import Days

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
