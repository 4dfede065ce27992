"""Ninety days of a service as one SVG: each day a bar, filled from below by how long it was down. Pure.

Height says what colour says: a day without data is an empty outline, never a full bar, and one outside the
service's hours a line along the ground.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from markupsafe import Markup

from monitor.facts import Day
from monitor.judge.seconds import Says

DAYS = 90
WIDTH, STEP, HEIGHT = 6, 8, 40
LEAST = 4  # a short outage is seen all the same
FLAT = 3  # a day on which it was not offered: a line along the ground


class Look(StrEnum):
    """What a day looks like; the word is also the class in the style sheet."""

    NONE = "none"
    CLOSED = "closed"
    WORK = "work"
    UP = "up"
    SLOW = "slow"
    DOWN = "down"


class Bar(NamedTuple):
    """One day; `filled` of the height is coloured."""

    look: Look
    filled: int


def bar(day: Day | None) -> Bar:
    """A day's bar. Not measured, or not measured enough, is *no data*."""
    if day is None or day.says in (Says.NO_DATA.value, Says.INSUFFICIENT.value):
        return Bar(Look.NONE, HEIGHT)
    counted_ms = day.up_ms + day.degraded_ms + day.down_ms
    if counted_ms == 0:
        if day.out_of_hours_ms and not day.maintenance_ms:
            return Bar(Look.CLOSED, FLAT)
        return Bar(Look.WORK if day.maintenance_ms else Look.NONE, HEIGHT)
    if day.down_ms:
        return Bar(Look.DOWN, max(LEAST, -(-HEIGHT * day.down_ms // counted_ms)))
    if day.degraded_ms:
        return Bar(Look.SLOW, max(LEAST, -(-HEIGHT * day.degraded_ms // counted_ms)))
    return Bar(Look.UP, HEIGHT)


def svg(days: Sequence[Day | None], *, label: str) -> Markup:
    """The bars, the oldest on the left in either language. One path per look keeps it small."""
    bars = [bar(day) for day in days]
    grounds = [index for index, one in enumerate(bars) if one.look in (Look.DOWN, Look.SLOW)]
    paths = [
        _path("up", ((index, Bar(Look.UP, HEIGHT)) for index in grounds)),
        *(_path(look.value, ((i, one) for i, one in enumerate(bars) if one.look is look)) for look in Look),
    ]
    width = max(len(bars) * STEP - (STEP - WIDTH), WIDTH)
    return Markup(
        '<svg class="bars" viewBox="-1 -1 {} {}" role="img" aria-label="{}" '
        'preserveAspectRatio="none">{}</svg>'
    ).format(width + 2, HEIGHT + 2, label, Markup("").join(paths))


def _path(name: str, bars: Iterable[tuple[int, Bar]]) -> Markup:
    drawn = "".join(f"M{i * STEP} {HEIGHT}h{WIDTH}v-{one.filled}h-{WIDTH}z" for i, one in bars)
    return Markup('<path class="{}" d="{}"/>').format(name, drawn) if drawn else Markup("")
