"""Charts as numbers for inline SVG: timelines with gaps, latency by phase, counts over a band. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from math import ceil
from typing import NamedTuple

from monitor.facts import Bucket, Gap, Standing
from monitor.judge.timeline import NOT_MEASURED
from monitor.model import Verdict

WIDTH = 1000.0  # of every chart's box, whatever its size on the page
TENTHS = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100)  # of a power of ten: tops of charts of counts
PHASES = ("dns", "connect", "tls", "first_byte", "transfer", "rtt")  # from below to above
STEPS_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 60_000)


class Segment(NamedTuple):
    """[from, to) of one verdict, and where it lies in the box."""

    from_ms: int
    to_ms: int
    verdict: Verdict
    reason: str
    cause: str
    x: float
    width: float


class Tick(NamedTuple):
    at_ms: int
    x: float


class Area(NamedTuple):
    """One phase's share: an SVG path."""

    phase: str
    path: str


class Latency(NamedTuple):
    """Stacked phases under `top_ms`; `last_ms` and `highest_ms` by phase for the table beside it."""

    areas: list[Area]
    top_ms: int
    objective_y: float | None
    last_ms: dict[str, float]
    highest_ms: dict[str, float]


def segments(steps: Sequence[Standing], *, from_ms: int, to_ms: int, known_ms: int) -> list[Segment]:
    """The timeline on [from, known): before the first step nothing was measured.

    `known_ms` is how far it has been judged; after it nothing is said.
    """
    end_ms = min(to_ms, known_ms)
    before = Standing("", "", from_ms, Verdict.UNKNOWN.value, NOT_MEASURED, "")
    starts = [before, *steps]
    ends = [step.at_ms for step in steps] + [end_ms]
    found = []
    for step, next_ms in zip(starts, ends, strict=True):
        start, end = max(step.at_ms, from_ms), min(next_ms, end_ms)
        if start < end:
            x, width = _place(start, end, from_ms, to_ms)
            found.append(Segment(start, end, Verdict(step.verdict), step.reason, step.cause, x, width))
    return found


def gap_boxes(
    gaps: Sequence[Gap], *, from_ms: int, to_ms: int, every_ms: int
) -> list[tuple[Gap, float, float]]:
    """Each gap with its place: from its first beat to the beat after its last."""
    found = []
    for gap in gaps:
        start, end = max(gap.first_ms, from_ms), min(gap.last_ms + every_ms, to_ms)
        if start < end:
            found.append((gap, *_place(start, end, from_ms, to_ms)))
    return found


def _place(start: int, end: int, from_ms: int, to_ms: int) -> tuple[float, float]:
    scale = WIDTH / (to_ms - from_ms)
    return round((start - from_ms) * scale, 2), max(round((end - start) * scale, 2), 1.0)


def ticks(from_ms: int, to_ms: int, *, offset_ms: int) -> list[Tick]:
    """Round hours of the local clock inside the range, at most about six."""
    step_ms = next(
        step * 60_000 for step in (5, 10, 15, 30, 60, 120, 240, 360, 720, 1440)
        if (to_ms - from_ms) / (step * 60_000) <= 7 or step == 1440
    )  # fmt: skip
    first_ms = -(-(from_ms + offset_ms) // step_ms) * step_ms - offset_ms
    return [
        Tick(at_ms, round((at_ms - from_ms) * WIDTH / (to_ms - from_ms), 2))
        for at_ms in range(first_ms, to_ms, step_ms)
    ]


def latency(
    buckets: Sequence[Bucket], *, from_ms: int, to_ms: int, width_ms: int, objective_ms: float | None
) -> Latency | None:
    """Phases stacked in a box of 1000 × 100; a bucket without a phase has none of it. None without data."""
    if not buckets:
        return None
    present = [phase for phase in PHASES if any(phase in bucket.phases_ms for bucket in buckets)]
    highest = max(sum(bucket.phases_ms.values()) for bucket in buckets)
    top_ms = next((step for step in STEPS_MS if step >= highest), STEPS_MS[-1])
    areas = [
        Area(phase, _columns(buckets, present, phase, from_ms, to_ms, width_ms, top_ms)) for phase in present
    ]
    return Latency(
        areas=areas,
        top_ms=top_ms,
        objective_y=None if objective_ms is None or objective_ms > top_ms else _y(objective_ms, top_ms),
        last_ms={phase: _last(buckets, phase) for phase in present},
        highest_ms={phase: _highest(buckets, phase) for phase in present},
    )


def _columns(
    buckets: Sequence[Bucket], present: Sequence[str], phase: str, from_ms: int, to_ms: int, width_ms: int,
    top_ms: int,
) -> str:  # fmt: skip
    """One column a bucket: a hole in the data stays a hole."""
    below = present[: present.index(phase)]
    parts = []
    for bucket in buckets:
        if phase not in bucket.phases_ms:
            continue
        base = sum(bucket.phases_ms.get(name, 0.0) for name in below)
        x, width = _place(max(bucket.at_ms, from_ms), min(bucket.at_ms + width_ms, to_ms), from_ms, to_ms)
        low, high = _y(base, top_ms), _y(base + bucket.phases_ms[phase], top_ms)
        parts.append(f"M{x:g} {low:g}V{high:g}h{width:g}V{low:g}z")
    return "".join(parts)


def _y(ms: float, top_ms: float) -> float:
    return round(100 - min(ms, top_ms) / top_ms * 100, 2)


def _last(buckets: Sequence[Bucket], phase: str) -> float:
    return next(bucket.phases_ms[phase] for bucket in reversed(buckets) if phase in bucket.phases_ms)


def _highest(buckets: Sequence[Bucket], phase: str) -> float:
    return max(bucket.phases_ms.get(phase, 0.0) for bucket in buckets)


class Step(NamedTuple):
    """A count in [at, to), and the interval of what is usual; each None where it is not known."""

    at_ms: int
    to_ms: int
    seen: int | None
    low: float | None
    high: float | None


class Flow(NamedTuple):
    """A line of counts over a band of what is usual, as SVG paths in a box of 1000 × 100 under `top`."""

    line: str
    band: str
    top: int


class Mark(NamedTuple):
    """A stretch to be pointed at, and where it lies in the box."""

    from_ms: int
    to_ms: int
    x: float
    width: float


def flow(steps: Sequence[Step], *, from_ms: int, to_ms: int) -> Flow | None:
    """None where nothing is known. A step that is not known is a hole, in the line and in the band."""
    highest = max((max(step.seen or 0, step.high or 0) for step in steps), default=0)
    if not any(step.seen is not None or step.high is not None for step in steps):
        return None
    top = _round_up(highest)
    return Flow(
        line="".join(_line(run, from_ms, to_ms, top) for run in _runs(steps, lambda s: s.seen is not None)),
        band="".join(_band(run, from_ms, to_ms, top) for run in _runs(steps, lambda s: s.high is not None)),
        top=top,
    )


def marks(stretches: Sequence[tuple[int, int]], *, from_ms: int, to_ms: int) -> list[Mark]:
    """Those that touch [from, to), cut to it."""
    found = []
    for start_ms, end_ms in stretches:
        start, end = max(start_ms, from_ms), min(end_ms, to_ms)
        if start < end:
            found.append(Mark(start_ms, end_ms, *_place(start, end, from_ms, to_ms)))
    return found


def _runs(steps: Sequence[Step], known: Callable[[Step], bool]) -> list[list[Step]]:
    return [list(run) for is_known, run in groupby(steps, known) if is_known]


def _line(run: Sequence[Step], from_ms: int, to_ms: int, top: int) -> str:
    """Through the middle of each step; a lone step is a short dash."""
    if len(run) == 1:
        x, width = _place(run[0].at_ms, run[0].to_ms, from_ms, to_ms)
        return f"M{x:g} {_height(run[0].seen, top):g}h{width:g}"
    points = (f"{_middle(step, from_ms, to_ms):g} {_height(step.seen, top):g}" for step in run)
    return "M" + "L".join(points)


def _band(run: Sequence[Step], from_ms: int, to_ms: int, top: int) -> str:
    """Step by step, because what is usual is known by the hour: along the top, and back along the bottom."""
    edges = [(*_place(step.at_ms, step.to_ms, from_ms, to_ms), step) for step in run]
    there = [f"{x:g} {_height(s.high, top):g}h{width:g}" for x, width, s in edges]
    back = [f"{x + width:g} {_height(s.low, top):g}h{-width:g}" for x, width, s in reversed(edges)]
    return "M" + "L".join(there + back) + "z"


def _middle(step: Step, from_ms: int, to_ms: int) -> float:
    return round(((step.at_ms + step.to_ms) / 2 - from_ms) * WIDTH / (to_ms - from_ms), 2)


def _height(count: float | None, top: int) -> float:
    return round(100 - (count or 0) / top * 100, 2)


def _round_up(highest: float) -> int:
    """A round number that is not much higher."""
    if highest <= 10:
        return max(1, ceil(highest))
    scale = int("1" + "0" * (len(str(ceil(highest))) - 1))
    return next(step for tenths in TENTHS if (step := tenths * scale // 10) >= highest)
