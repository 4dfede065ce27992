"""What can be set on a TCP check: the port, and what it must greet with."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Meta = msgspec.Meta


class Settings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="tcp", tag_field="kind"):
    """TCP: does this port accept a connection, and does it greet as expected?"""

    host: Annotated[str, Meta(description="Name or address.", min_length=1, examples=["mail.example"])]
    port: Annotated[int, Meta(description="Port.", ge=1, le=65535, examples=[25])]
    send: Annotated[
        str, Meta(description="What to send once connected, as UTF-8; empty sends nothing.", max_length=4096)
    ] = ""
    banner: Annotated[
        str,
        Meta(
            description="The first characters the server must send; empty waits for none.",
            max_length=1024,
            examples=["220 "],
        ),
    ] = ""
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
