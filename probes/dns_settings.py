"""What can be set on a DNS check: the name, the records, and who is asked."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Meta = msgspec.Meta


class Settings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="dns", tag_field="kind"):
    """DNS: does this name server answer for this name, with the records that belong there?"""

    name: Annotated[str, Meta(description="The name to look up.", min_length=1, examples=["www.example"])]
    record: Annotated[
        Literal["A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"],
        Meta(description="The record type to ask for."),
    ] = "A"
    resolver: Annotated[
        str | None,
        Meta(description="The name server to ask. Unset: the system's first.", examples=["192.0.2.53:53"]),
    ] = None
    expected: Annotated[
        tuple[str, ...],
        Meta(description="Values that must be among the answers.", examples=[["192.0.2.10"]]),
    ] = ()
    answers_min: Annotated[
        int, Meta(description="How many records of the type must come back.", ge=0, le=1000)
    ] = 1
    tcp: Annotated[bool, Meta(description="Ask over TCP instead of UDP.")] = False


def target(settings: Settings) -> str:
    return f"{settings.record} {settings.name}" + (f" @{settings.resolver}" if settings.resolver else "")
