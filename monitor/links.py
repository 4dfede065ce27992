"""Signed links that let whoever holds one do one thing, for a while. Pure; Unix seconds.

A link names its purpose, what it is about, who holds it and when it expires; the signature covers all of it,
so that a link for one incident, or for one purpose, opens no other. Nothing is stored for it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import NamedTuple

import msgspec

KEY_BYTES = 32
ACKNOWLEDGE = "acknowledge"
ACKNOWLEDGE_S = 24 * 3600
LONGEST = 600


class Link(NamedTuple):
    """What a link allows: `turn` makes one of an incident before it was opened again worthless."""

    purpose: str
    about: str
    holder: str
    turn: int
    expires_s: int


def signed(link: Link, key: bytes) -> str:
    """The link as a piece of an address."""
    body = msgspec.json.encode(tuple(link))
    return f"{_text(body)}.{_text(_mac(body, key))}"


def opened(token: str, key: bytes, *, purpose: str, now_s: int) -> Link | None:
    """What the token allows; None when it is not ours, for another purpose, or has expired."""
    body_text, dot, mac_text = token.partition(".")
    if not dot or len(token) > LONGEST:
        return None
    try:
        body, mac = _bytes(body_text), _bytes(mac_text)
    except ValueError:
        return None
    if not hmac.compare_digest(mac, _mac(body, key)):
        return None
    link = msgspec.json.decode(body, type=Link)
    return link if link.purpose == purpose and now_s < link.expires_s else None


def _mac(body: bytes, key: bytes) -> bytes:
    return hmac.new(key, body, hashlib.sha256).digest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
