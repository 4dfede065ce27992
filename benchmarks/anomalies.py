"""The anomaly detector: points a second, false alarms on noise, and the NAB score of series that you have.

The score needs a folder, named by CONTINUITY_SERIES, with `data/<group>/<series>.csv` and `windows.json`
({series: [[first, last], …]}) as the Numenta Anomaly Benchmark lays them out; nothing of it is kept here.
"""

from __future__ import annotations

import json
import math
import os
import random
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.table import Row, spread
from monitor.cli.anomalies import Point, points
from monitor.judge.anomaly import FALSE_ALARMS_PER_1000, THRESHOLD, Detector

FOLDER = "CONTINUITY_SERIES"
GOAL, POINT_US = 60.0, 100.0
FALSE, MISSED = 0.11, 1.0  # what a false alarm and a missed window cost in the standard profile
STEP_MS = 300_000
WINDOW = 1000  # points of the baseline
Scorer = Callable[[], Callable[[int, float], float]]  # makes what scores one series


@dataclass(frozen=True)
class Scored:
    """A point after the probation: what an alarm here earns, and which window of its series it lies in."""

    series: str
    score: float
    earns: float
    window: int | None


def rows(quick: bool) -> list[Row]:
    """Speed and false alarms on generated noise, and the score where there are series."""
    folder = os.environ.get(FOLDER)
    return [*_noise_rows(quick), _score_row(Path(folder) if folder else None)]


def _noise_rows(quick: bool) -> list[Row]:
    count, runs = (10_000, 1) if quick else (50_000, 3)
    chance = random.Random(1)
    values = [chance.gauss(0, 1) for _ in range(count)]
    took_us, alarms = [], 0
    for _ in range(runs):
        score, began = Detector().score, time.process_time()
        alarms = sum(score(at * STEP_MS, value) >= THRESHOLD for at, value in enumerate(values))
        took_us.append((time.process_time() - began) / count * 1e6)
    middle_us = sorted(took_us)[len(took_us) // 2]
    per_1000 = 1000 * alarms / count
    return [
        Row(
            what="anomaly detector, CPU a point",
            budget=f"≤ {POINT_US:g} µs",
            measured=f"{spread(took_us, 'µs', digits=1)}, {1e6 / middle_us:,.0f} points a second",
            within=middle_us <= POINT_US,
        ),
        Row(
            what="anomaly detector, false alarms on normal noise every 5 minutes",
            budget=f"≤ {FALSE_ALARMS_PER_1000:g} in 1,000 points",
            measured=f"{per_1000:.2f}",
            within=per_1000 <= FALSE_ALARMS_PER_1000,
        ),
    ]


def _score_row(folder: Path | None) -> Row:
    what, budget = "anomaly detector, NAB score, standard profile", f"≥ {GOAL:g}"
    if folder is None:
        return Row(
            what=what, budget=budget, measured="not measured", note=f"{FOLDER} names no folder of series"
        )
    windows: dict[str, list[list[str]]] = json.loads((folder / "windows.json").read_text(encoding="utf-8"))
    known = {name: _series(folder / "data" / name) for name in windows}
    expected = sum(map(len, windows.values()))
    ours, plain = (_scored(known, windows, maker) for maker in (lambda: Detector().score, _windowed_gaussian))
    best, at = best_score(ours, expected)
    as_shipped = score_at(ours, expected, THRESHOLD)
    by_group = ", ".join(f"{group} {value}" for group, value in _groups(ours, windows, at))
    return Row(
        what=what,
        budget=budget,
        measured=f"{best:.1f} at threshold {at:.2f}; {as_shipped:.1f} at {THRESHOLD:g}",
        baseline=f"windowed Gaussian {best_score(plain, expected)[0]:.1f}",
        within=best >= GOAL,
        note=f"{len(known)} series, {expected} windows; {by_group}",
    )


def _series(path: Path) -> list[Point]:
    with path.open(encoding="utf-8-sig") as file:
        return list(points(file, str(path)))


def _scored(
    known: dict[str, list[Point]], windows: dict[str, list[list[str]]], maker: Scorer
) -> list[Scored]:
    found: list[Scored] = []
    for name, series in known.items():
        score = maker()
        scores = [score(point.at_ms, point.value) for point in series]
        stamps = [point.stamp for point in series]
        spans = [(stamps.index(first[:19]), stamps.index(last[:19])) for first, last in windows[name]]
        found += earnings(name, scores, spans)
    return found


def earnings(name: str, scores: Sequence[float], spans: Sequence[tuple[int, int]]) -> Iterator[Scored]:
    """In a window the more the earlier; outside a loss that grows with the distance from the last window."""
    probation = int(0.15 * min(len(scores), 5000))
    for at in range(probation, len(scores)):
        inside = next((n for n, (first, last) in enumerate(spans) if first <= at <= last), None)
        if inside is not None:
            first, last = spans[inside]
            earns = _sigmoid((at - last - 1) / (last - first + 1)) / _sigmoid(-1)
            yield Scored(name, scores[at], earns, inside)
            continue
        before = max(((last, last - first) for first, last in spans if last < at), default=None)
        late = FALSE * _sigmoid((at - before[0]) / before[1]) if before else -FALSE
        yield Scored(name, scores[at], late, None)


def _sigmoid(position: float) -> float:
    """1 at a window's left edge (−1), 0 at its right edge (0), −1 far behind it."""
    return -1.0 if position > 3 else 2 / (1 + math.exp(5 * position)) - 1


def best_score(scored: Sequence[Scored], expected: int) -> tuple[float, float]:
    """The score at the one threshold that is best over all series, and that threshold."""
    best, best_at, total = 0.0, math.inf, 0.0
    found: dict[tuple[str, int], float] = {}
    ordered = sorted(scored, key=lambda row: -row.score)
    for number, row in enumerate(ordered):
        total += _gain(row, found)
        last = number + 1 == len(ordered) or ordered[number + 1].score < row.score
        if last and total > best:
            best, best_at = total, row.score
    return 100 * best / ((1 + MISSED) * expected), best_at


def score_at(scored: Sequence[Scored], expected: int, threshold: float) -> float:
    """The score at a given threshold: 0 for saying nothing, 100 for every window at its beginning."""
    found: dict[tuple[str, int], float] = {}
    total = sum(_gain(row, found) for row in scored if row.score >= threshold)
    return 100 * total / ((1 + MISSED) * expected)


def _gain(row: Scored, found: dict[tuple[str, int], float]) -> float:
    """What this alarm adds: of a window only the best counts, and the first spares what a miss costs."""
    if row.window is None:
        return row.earns
    window = (row.series, row.window)
    before = found.get(window)
    found[window] = row.earns if before is None else max(before, row.earns)
    return found[window] + MISSED if before is None else found[window] - before


def _groups(
    scored: Sequence[Scored], windows: dict[str, list[list[str]]], threshold: float
) -> Iterator[tuple[str, str]]:
    """The score of each group of series that has windows, at the threshold of all."""
    for group in sorted({name.partition("/")[0] for name in windows}):
        names = {name for name in windows if name.startswith(f"{group}/")}
        expected = sum(len(windows[name]) for name in names)
        own = [row for row in scored if row.series in names]
        if expected:
            yield group, f"{score_at(own, expected, threshold):.1f}"


def _windowed_gaussian() -> Callable[[int, float], float]:
    """The baseline: how far out in the tail of the last points' normal distribution."""
    last: deque[float] = deque(maxlen=WINDOW)
    sums = [0.0, 0.0]

    def score(_: int, value: float) -> float:
        count = len(last)
        mean = sums[0] / count if count else value
        deviation = math.sqrt(max(sums[1] / count - mean * mean, 0.0)) if count else 0.0
        tail = math.erfc(abs(value - mean) / (deviation * math.sqrt(2))) if deviation else 1.0
        if count == WINDOW:
            sums[0] -= last[0]
            sums[1] -= last[0] ** 2
        last.append(value)
        sums[0] += value
        sums[1] += value**2
        return 1 - tail

    return score
