"""Text with Unicode's isolates as runs of one direction each, so that no control character reaches the file.

A reader who copies from the PDF, or has it read aloud, gets letters and digits alone. Pure.
"""

from __future__ import annotations

import re
import unicodedata

Runs = str | list[tuple[str, str]]
"""Text of the paragraph's own direction, or runs of (`ltr`, `rtl` or "" for the paragraph's, text)."""

_LRI, _RLI, _FSI, _PDI = "\u2066", "\u2067", "\u2068", "\u2069"
_STRONG = {"L": "ltr", "R": "rtl", "AL": "rtl"}
_ISOLATES = re.compile("([\u2066-\u2069])")
_PERCENT = re.compile(r"(\d[\d.,]*%)")
_OVERRIDES = re.compile("[\u200e\u200f\u202a-\u202e]")  # a name must not turn its surroundings


def runs(text: str, base: str) -> Runs:
    """The runs of a text in a paragraph that reads `base`; an isolate of the other direction stays whole."""
    found: list[tuple[str, str]] = []
    stack, whole, at = [""], False, 0
    text = _OVERRIDES.sub("", text)
    for part in _ISOLATES.split(text):
        at += len(part)
        if part in (_LRI, _RLI, _FSI):
            way = _opened(text, at - 1, base)
            whole = whole and way == stack[-1] != ""
            stack.append(way)
        elif part == _PDI:
            stack = stack[:-1] or [""]
            whole = whole and stack[-1] != ""
        elif whole and part:
            found[-1] = (found[-1][0], found[-1][1] + part)
        elif part:
            found += _percents(stack[-1], part, base)
            whole = stack[-1] != ""
    return _joined(found)


def name(text: str) -> str:
    """A name of whatever language, isolated by its own first letter."""
    return f"{_FSI}{text}{_PDI}"


def number(text: str) -> str:
    """Digits with their sign, isolated."""
    return f"{_LRI}{text}{_PDI}"


def plain(text: str) -> str:
    """Without any control character, for what only machines order: titles, what a picture shows."""
    return _ISOLATES.sub("", _OVERRIDES.sub("", text))


def _opened(text: str, index: int, base: str) -> str:
    """The direction of the isolate that begins there; "" where it is the paragraph's."""
    letter = text[index]
    way = "ltr" if letter == _LRI else "rtl" if letter == _RLI else _first_strong(text[index + 1 :])
    return "" if way in ("", base) else way


def _first_strong(text: str) -> str:
    """The direction of the first letter before the isolate ends, not looking into others within it."""
    depth = 0
    for letter in text:
        depth += (letter in (_LRI, _RLI, _FSI)) - (letter == _PDI)
        if depth < 0:
            break
        if not depth and (way := _STRONG.get(unicodedata.bidirectional(letter))):
            return way
    return ""


def _percents(way: str, text: str, base: str) -> list[tuple[str, str]]:
    """A percentage in words of our own: after an Arabic letter its sign would move to the other side."""
    if way or base == "ltr" or "%" not in text:
        return [(way, text)]
    return [
        ("ltr" if part.endswith("%") and part[0].isdigit() else "", part) for part in _PERCENT.split(text)
    ]


def _joined(found: list[tuple[str, str]]) -> Runs:
    """Without empty runs; neighbours of the paragraph's own direction are one."""
    joined: list[tuple[str, str]] = []
    for way, text in found:
        if text and joined and not way and not joined[-1][0]:
            joined[-1] = ("", joined[-1][1] + text)
        elif text:
            joined.append((way, text))
    if all(not way for way, _ in joined):
        return joined[0][1] if joined else ""
    return joined
