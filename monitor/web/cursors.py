"""Cursors of the API: opaque to whoever holds one, exact to us."""

from __future__ import annotations

import base64
import binascii

from monitor.facts import Place
from monitor.store.history import Page


class BadCursor(ValueError):
    """What came is not a cursor of ours."""


def encode_place(place: Place) -> str:
    """A place among the changes."""
    return _encode(f"{place.tx}.{place.id}")


def decode_place(text: str) -> Place:
    """Raises BadCursor."""
    tx, row = _numbers(_decode(text), 2)
    return Place(tx, row)


def encode_page(page: Page) -> str:
    """A place in a listing of attempts."""
    return _encode(f"{page.due_ms}|{page.check}|{page.vantage}|{page.attempt}")


def decode_page(text: str) -> Page:
    """Raises BadCursor."""
    parts = _decode(text).split("|")
    if len(parts) != 4:
        raise BadCursor(text)
    due_ms, attempt = _numbers(f"{parts[0]}.{parts[3]}", 2)
    if attempt > 32_767:
        raise BadCursor(text)
    return Page(due_ms, parts[1], parts[2], attempt)


def _encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)).decode()
    except (binascii.Error, ValueError) as error:
        raise BadCursor(text) from error


def _numbers(text: str, count: int) -> list[int]:
    parts = text.split(".")
    if len(parts) != count or not all(part.isascii() and part.isdigit() and len(part) < 20 for part in parts):
        raise BadCursor(text)
    numbers = [int(part) for part in parts]
    if any(number >= 2**63 for number in numbers):
        raise BadCursor(text)
    return numbers
