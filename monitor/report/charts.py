"""The trend as a vector that prints in black and white: time from left to right in either language. Pure.

A week's mark is a full disc where the target was met and an open square where it was not; a week without a
figure is a dash on the axis. Colour says nothing that shape does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import floor
from typing import NamedTuple

from markupsafe import Markup

from monitor.report.document import Document, Part
from monitor.report.voice import Voice

WIDTH, HEIGHT = 1000, 330
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 44, 70
STEPS = (Fraction(1, 10), Fraction(1, 5), Fraction(1, 2), Fraction(1), Fraction(2), Fraction(5), Fraction(10))
TICKS_MAX = 6


class Point(NamedTuple):
    """A week: where it lies, and its figure as it is printed (None without one)."""

    x: float
    y: float
    label: str
    text: str | None
    met: bool


class Trend(NamedTuple):
    """Everything that is drawn; `ticks` are (y, percent)."""

    points: list[Point]
    ticks: list[tuple[float, str]]
    target_y: float
    line: str


def trend(weeks: Sequence[Part], target: str) -> Trend:
    """Where the weeks lie. The axis begins under the lowest figure and ends with 100."""
    said = [Fraction(text) for part in weeks if (text := part.figures["F01"].text)]
    bottom, step = _axis(min([*said, Fraction(target)]))
    wide = (WIDTH - LEFT - RIGHT) / max(1, len(weeks))
    points = []
    for index, part in enumerate(weeks):
        text = part.figures["F01"].text
        y = _height(Fraction(text), bottom) if text else float(HEIGHT - BOTTOM)
        met = part.figures["F03"].text == "yes"
        points.append(Point(LEFT + wide * (index + 0.5), y, part.label, text, met))
    ticks = [(_height(at, bottom), f"{float(at):g}") for at in _ticks(bottom, step)]
    return Trend(points, ticks, _height(Fraction(target), bottom), _line(points))


def _axis(lowest: Fraction) -> tuple[Fraction, Fraction]:
    """Where the axis begins and how far its ticks stand apart, in percent."""
    room = max(Fraction(1, 2), 100 - lowest)
    step = next((each for each in STEPS if room / each <= TICKS_MAX - 1), STEPS[-1])
    step = max(step, Fraction(20)) if room / step > TICKS_MAX else step
    return max(Fraction(0), floor(lowest / step) * step - (0 if lowest % step else step)), step


def _ticks(bottom: Fraction, step: Fraction) -> list[Fraction]:
    return [bottom + number * step for number in range(int((100 - bottom) / step) + 1)]


def _height(percent: Fraction, bottom: Fraction) -> float:
    share = (percent - bottom) / (100 - bottom)
    return round(HEIGHT - BOTTOM - float(share) * (HEIGHT - BOTTOM - TOP), 2)


def _line(points: Sequence[Point]) -> str:
    """An SVG path through neighbouring weeks; it breaks where there is no figure."""
    parts, pen = [], "M"
    for point in points:
        if point.text is None:
            pen = "M"
            continue
        parts.append(f"{pen}{point.x:g} {point.y:g}")
        pen = "L"
    return " ".join(parts)


def trend_svg(document: Document, voice: Voice) -> Markup:
    """The chart as one SVG; nothing where there are no weeks."""
    if not document.weeks:
        return Markup("")
    drawn = trend(document.weeks, document.terms.target)
    label = voice.plain("trend.label", weeks=len(document.weeks), target=voice.percent(document.terms.target))
    head = Markup(
        '<svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" role="img" '
        'direction="ltr" font-family="Plex, IBM Plex Sans Arabic, sans-serif" font-size="15" '
        'fill="#16222d" aria-label="{}">'
    ).format(WIDTH, HEIGHT, label)
    return head + _axes(drawn, voice) + _marks(drawn, voice) + Markup("</svg>")


def _axes(drawn: Trend, voice: Voice) -> Markup:
    found = Markup("")
    for y, percent in drawn.ticks:
        found += Markup('<path d="M{} {}H{}" stroke="#b9c2ca" stroke-width="1"/>').format(
            LEFT, y, WIDTH - RIGHT
        )
        found += _text(LEFT - 8, y + 5, voice.digits(percent), anchor="end")
    found += _text(LEFT, TOP - 22, voice.plain("trend.axis"), anchor="start")
    found += Markup(
        '<path d="M{} {}H{}" stroke="#16222d" stroke-width="1.5" stroke-dasharray="8 5"/>'
    ).format(LEFT, drawn.target_y, WIDTH - RIGHT)
    return found + _text(
        WIDTH - RIGHT, drawn.target_y - 6, voice.plain("trend.target"), anchor="end", weight="600"
    )


def _marks(drawn: Trend, voice: Voice) -> Markup:
    found = Markup('<path d="{}" fill="none" stroke="#16222d" stroke-width="1.5"/>').format(drawn.line)
    for point in drawn.points:
        found += _mark(point)
        found += _text(point.x, HEIGHT - BOTTOM + 22, voice.digits(point.label[-3:]), anchor="middle")
        if point.text is not None:
            found += _text(point.x, point.y - 12, voice.digits(point.text), anchor="middle", size=13)
        else:
            found += _text(point.x, HEIGHT - BOTTOM - 10, "—", anchor="middle")
    return found + _text((WIDTH + LEFT) / 2, HEIGHT - 14, voice.plain("trend.week"), anchor="middle")


def _mark(point: Point) -> Markup:
    if point.text is None:
        return Markup("")
    if point.met:
        return Markup('<circle cx="{}" cy="{}" r="6"/>').format(f"{point.x:g}", point.y)
    return Markup(
        '<rect x="{}" y="{}" width="12" height="12" fill="#fff" stroke="#16222d" stroke-width="2.5"/>'
    ).format(f"{point.x - 6:g}", f"{point.y - 6:g}")


def _text(x: float, y: float, text: str, *, anchor: str, size: int = 15, weight: str = "400") -> Markup:
    return Markup('<text x="{}" y="{}" text-anchor="{}" font-size="{}" font-weight="{}">{}</text>').format(
        f"{x:g}", f"{y:g}", anchor, size, weight, text
    )
