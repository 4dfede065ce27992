"""The look of a verdict: one colour, one shape and one word each, the same on pages, in PDF and in Grafana.

Colour never speaks alone: the shape and the word always stand beside it. The order is from worst to best.
"""

from __future__ import annotations

from typing import NamedTuple

from monitor.model import Text, Verdict


class Look(NamedTuple):
    """Colours are for marks (3:1 and better) and text (4.5:1 and better) on the surface of either theme."""

    light: str
    dark: str
    glyph: str  # one character, for plain text and Grafana
    path: str  # the same shape as an SVG path in a 16 × 16 box
    word: Text  # without a subject; sentences about one are messages, because Arabic has gender


LOOKS: dict[Verdict, Look] = {
    Verdict.DOWN: Look(
        light="#b3201b",
        dark="#ff8078",
        glyph="■",
        path="M2 2h12v12H2zM5.2 4 4 5.2 6.8 8 4 10.8 5.2 12 8 9.2 10.8 12 12 10.8 9.2 8 12 5.2 10.8 4 8 6.8z",
        word=Text(en="Down", ar="متوقفة"),
    ),
    Verdict.UNKNOWN: Look(
        light="#52606f",
        dark="#a9b8c8",
        glyph="◇",
        path="M8 .6 15.4 8 8 15.4.6 8zM8 3.4 3.4 8 8 12.6 12.6 8z",
        word=Text(en="Unknown", ar="غير معلوم"),
    ),
    Verdict.DEGRADED: Look(
        light="#8f5600",
        dark="#f2b84b",
        glyph="▲",
        path="M8 1.2 15.6 14.6H.4zM7.1 6v4.2h1.8V6zM7.1 11.3v1.8h1.8v-1.8z",
        word=Text(en="Degraded", ar="أداء منخفض"),
    ),
    Verdict.UP: Look(
        light="#19704a",
        dark="#4fce96",
        glyph="●",
        path="M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1zM11.2 4.9 7 9.1 4.9 7 3.7 8.2 7 11.5l5.4-5.4z",
        word=Text(en="Up", ar="متاحة"),
    ),
}

WORST_FIRST: tuple[Verdict, ...] = tuple(LOOKS)

EXCLUDED: dict[str, Look] = {
    "maintenance": Look(
        light="#5b4a9c",
        dark="#b6a6f0",
        glyph="◫",
        path="M2 2h12v12H2zM4 4v8h3V4zM9 4v8h3V4z",
        word=Text(en="Planned maintenance", ar="صيانة مجدولة"),
    ),
    "out_of_hours": Look(
        light="#4d6470",
        dark="#9db4c0",
        glyph="○",
        path="M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1zM8 3a5 5 0 1 0 0 10A5 5 0 0 0 8 3zM7.2 5h1.6v6H7.2z",
        word=Text(en="Out of service hours", ar="خارج أوقات الخدمة"),
    ),
}
"""What accounting adds to the verdicts."""
