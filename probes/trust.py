"""Whom a TLS connection trusts and what it shows of itself, as settings say it: paths, no contents."""

from __future__ import annotations

from typing import Annotated

import msgspec

Days = Annotated[int, msgspec.Meta(ge=0, le=3650)]


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """What a TLS context depends on."""

    verify: bool = True
    ca: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    protocols: tuple[str, ...] = ()
