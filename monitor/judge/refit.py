"""Makes usual patterns anew, a bounded number at a time, and off the event loop."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from monitor.judge.findings import Watched
from monitor.judge.fitting import FLAT, Counts, Span, burst_of, fit, fit_shape
from monitor.judge.hours import HOUR_MS, Hours
from monitor.judge.lateness import Lateness
from monitor.judge.missed import Range
from monitor.judge.pattern import Pattern, encode
from monitor.judge.watched import Channels
from monitor.log import Log
from monitor.model import GOVERNMENT, FindingLevel
from monitor.store import expected, seen
from monitor.store.lease import Lease
from monitor.store.pool import Store

log = Log(__name__)
CHUNK = 25  # channels fitted in one go, a quarter of a second of CPU
BUDGET_S = 5.0  # of one turn; the rest waits for the next, so that looks are never far apart
SETTLED_MS = 120_000  # after an hour, until its minutes are folded
DAY_MS = 24 * HOUR_MS
GREW, GREW_MIN = 0.05, 20  # by so much more is counted than a pattern knows, and it is made anew at once
YOUNG_DAYS = 10  # of history; a younger pattern is made anew whenever that grew by a tenth
BURST_MS = 6 * HOUR_MS


class Work(NamedTuple):
    """What one channel's fit needs, read before it leaves the event loop."""

    channel: str
    counts: Counts
    bad: set[int]
    prior: Sequence[float]
    burst: float


def due_ms(pattern: Pattern, channel: str) -> int:
    """Up to when its history must reach before it is fitted again; a young pattern sooner than an old one."""
    if pattern.days < YOUNG_DAYS:
        return pattern.to_ms + max(HOUR_MS, round(pattern.days * DAY_MS / 10) // HOUR_MS * HOUR_MS)
    turn_ms = zlib.crc32(channel.encode()) % 24 * HOUR_MS  # so that they do not all come at the same hour
    return (pattern.to_ms - turn_ms) // DAY_MS * DAY_MS + DAY_MS + turn_ms


class Refit:
    """Keeps the patterns of all channels young enough."""

    def __init__(self, store: Store, *, lease: Lease) -> None:
        self._store, self._lease = store, lease
        self._without: dict[str, int] = {}  # transactions counted of channels that could not be fitted
        self._shapes: dict[str, list[float]] = {}
        self._shapes_to_ms = 0
        self._shape_days = 0.0
        self._again: set[str] = set()  # to be made anew whatever their age
        self._span: Span | None = None

    def forget(self) -> None:
        """Begin anew: another calendar, or another leader."""
        self._without, self._shapes, self._shapes_to_ms, self._span = {}, {}, 0, None
        self._again = set()

    def again(self, channels: Channels) -> None:
        """Make every pattern anew, and the shapes they lean on."""
        self._again, self._shapes_to_ms = set(channels.paths), 0

    async def some(self, channels: Channels, *, until_ms: int, totals: Mapping[str, int]) -> int:
        """Fit what is due for at most BUDGET_S seconds; returns how many still wait. Raises LeaseLost.

        `totals` are the transactions ever counted: a pattern that knows too few of them is due at once.
        """
        to_ms = (until_ms - SETTLED_MS) // HOUR_MS * HOUR_MS
        wait = [
            path
            for path in channels.paths
            if path in totals and self._due_ms(channels, path, total=totals[path]) <= to_ms
        ]
        if not wait:
            return 0
        span = self._span_to(channels.hours, to_ms, channels.expecting.weeks)
        await self._shape(channels, span)
        bad = await self._bad(channels, span)
        began = time.monotonic()
        while wait and time.monotonic() - began < BUDGET_S:
            some, wait = wait[:CHUNK], wait[CHUNK:]
            await self._fit(channels, some, span=span, bad=bad, totals=totals)
        return len(wait)

    def _due_ms(self, channels: Channels, path: str, *, total: int) -> int:
        watched = channels.watched.get(path)
        known = self._without.get(path, 0) if watched is None else watched.pattern.counted
        if path in self._again:
            return 0
        if total - known > max(GREW * known, GREW_MIN):
            return 0  # history came in, or it is new
        return 2**62 if watched is None else due_ms(watched.pattern, path)

    def _span_to(self, hours: Hours, to_ms: int, weeks: int) -> Span:
        if self._span is None or self._span.to_ms != to_ms:
            self._span = Span(hours, to_ms=to_ms, weeks=weeks)
        return self._span

    async def _shape(self, channels: Channels, span: Span) -> None:
        """The shapes of the whole and of each entity, remote and in person; once a day, at first hourly."""
        wait_ms = HOUR_MS if self._shape_days < YOUNG_DAYS else DAY_MS
        if span.to_ms - self._shapes_to_ms < wait_ms:
            return
        whole, *parts = [
            await seen.series_of_groups(self._store, groups, from_ms=span.from_ms, to_ms=span.to_ms)
            for groups in (
                dict.fromkeys(channels.paths, ""),
                channels.ways,
                {path: channels.shape_of(path) for path in channels.paths},
            )
        ]
        self._shapes = await asyncio.to_thread(_shapes, span, [whole, *parts])
        self._shapes_to_ms = span.to_ms
        first = min((hour for each in whole for hour in each.hours), default=span.to_ms // HOUR_MS)
        self._shape_days = (span.to_ms // HOUR_MS - first) / 24

    async def _bad(self, channels: Channels, span: Span) -> Mapping[str, list[Range]]:
        """Stretches that say nothing of what is usual: outages, and findings of incident grade."""
        outages = await seen.outages(
            self._store, subjects=channels.subjects, from_ms=span.from_ms, to_ms=span.to_ms
        )
        findings = await expected.findings(self._store, from_ms=span.from_ms, to_ms=span.to_ms)
        found: dict[str, list[Range]] = {}
        for outage in outages:
            end_ms = span.to_ms if outage.ended_ms is None else outage.ended_ms
            found.setdefault(outage.subject, []).append((outage.began_ms, end_ms))
        for finding in findings:
            if finding.level == FindingLevel.INCIDENT:
                end_ms = span.to_ms if finding.ended_ms is None else finding.ended_ms
                found.setdefault(finding.subject, []).append((finding.began_ms, end_ms))
        return found

    async def _fit(
        self,
        channels: Channels,
        paths: Sequence[str],
        *,
        span: Span,
        bad: Mapping[str, list[Range]],
        totals: Mapping[str, int],
    ) -> None:
        series = await seen.series(self._store, channels=paths, from_ms=span.from_ms, to_ms=span.to_ms)
        work = _work(channels, paths, series, span=span, bad=bad, prior=self._prior)
        fitted = await asyncio.to_thread(_fit_all, span, work)
        rows = []
        for path, pattern in fitted.items():
            known = channels.lateness.setdefault(path, Lateness())
            pattern = msgspec.structs.replace(pattern, late_s=known.late_s, counted=totals[path])
            rows.append((path, channels.services[path], encode(pattern)))
            channels.fitted(path, pattern)
        async with self._store.transaction() as connection:
            await self._lease.lock(connection)
            await expected.keep_patterns(connection, rows)
        self._again.difference_update(paths)
        self._without |= {path: totals[path] for path in paths if path not in fitted}

    def _prior(self, name: str) -> Sequence[float]:
        return self._shapes.get(name) or FLAT


def _work(
    channels: Channels,
    paths: Sequence[str],
    series: Sequence[seen.Series],
    *,
    span: Span,
    bad: Mapping[str, list[Range]],
    prior: Callable[[str], Sequence[float]],
) -> list[Work]:
    counts: dict[str, Counts] = {}
    first = span.from_ms // HOUR_MS
    for each in series:
        into = counts.setdefault(each.channel, Counts(span))
        for hour, events in zip(each.hours, each.events, strict=True):
            into.add(each.outcome, hour - first, events)
    return [
        Work(
            path,
            counts[path],
            {
                index
                for subject in (path, channels.services[path], GOVERNMENT)
                for from_ms, to_ms in bad.get(subject, [])
                for index in span.hours_of(from_ms, to_ms)
            },
            prior(channels.shape_of(path)),
            _burst(channels.watched.get(path), span),
        )
        for path in paths
        if path in counts
    ]


def _burst(watched: Watched | None, span: Span) -> float:
    if watched is None:
        return 1.0
    from_ms = max(watched.since_ms, span.to_ms - BURST_MS)
    from_ms = -(-from_ms // 60_000) * 60_000
    return burst_of(watched.minutes, from_ms=from_ms, to_ms=span.to_ms, before=watched.pattern.every.burst)


def _fit_all(span: Span, work: Sequence[Work]) -> dict[str, Pattern]:
    found = {
        each.channel: fit(span, each.counts, bad=each.bad, prior=each.prior, burst=each.burst)
        for each in work
    }
    return {channel: pattern for channel, pattern in found.items() if pattern is not None}


def _shapes(span: Span, levels: Sequence[Sequence[seen.Series]]) -> dict[str, list[float]]:
    """By name, from the whole to the parts; a part leans on what stands behind the last `/` of its name."""
    found: dict[str, list[float]] = {}
    first = span.from_ms // HOUR_MS
    for groups in levels:
        made = {}
        for group in groups:
            counts = [0] * span.length
            for hour, events in zip(group.hours, group.events, strict=True):
                counts[hour - first] += events
            way = "/" + group.channel.rpartition("/")[2] if "/" in group.channel else ""
            prior = found.get(way) or found.get("") or FLAT
            made[group.channel] = fit_shape(span, counts, prior)
        found |= made
    return found
