"""What can be set on an ICMP check: the host, the echoes, and how many may be lost."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Meta = msgspec.Meta


class Settings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="icmp", tag_field="kind"):
    """ICMP: does this host answer an echo, how fast, and how many are lost?"""

    host: Annotated[str, Meta(description="Name or address.", min_length=1, examples=["vpn.example"])]
    count: Annotated[int, Meta(description="How many echoes to send.", ge=1, le=20)] = 3
    lost_max: Annotated[
        int, Meta(description="How many of them may be lost before the check is degraded.", ge=0, le=20)
    ] = 0
    wait_ms: Annotated[int, Meta(description="How long to wait for each echo.", ge=10, le=10_000)] = 800
    pause_ms: Annotated[int, Meta(description="Pause between two echoes.", ge=0, le=5_000)] = 100
    address_family: Annotated[
        Literal[4, 6] | None,
        Meta(description="IPv4 or IPv6 only. Unset: IPv4 where the name has one, else IPv6."),
    ] = None
    resolver: Annotated[
        str | None,
        Meta(description="Name server to ask, instead of the system's.", examples=["192.0.2.53:53"]),
    ] = None


def target(settings: Settings) -> str:
    return settings.host
