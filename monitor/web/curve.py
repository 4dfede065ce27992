"""Transactions of some services over a stretch of time: points, what is usual, sums; for pages and API."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from monitor.facts import Ended
from monitor.judge.uptake import NONE, Compared, Tally, compared_uptake, total
from monitor.model import Catalogue, Service
from monitor.store import tallies
from monitor.store.counts import HOUR_MS, MINUTE_MS
from monitor.store.pool import Store
from monitor.store.tallies import DAY_MS, Channels
from monitor.web.traffic import Period, Traffic
from monitor.web.usual import Band

STEPS = {"1m": MINUTE_MS, "5m": 5 * MINUTE_MS, "1h": HOUR_MS, "1d": DAY_MS}
POINTS_MAX = 1500


class Moment(NamedTuple):
    """One step [at, to). `ended` is None where nobody can know: before anything was counted, and after."""

    at_ms: int
    to_ms: int
    ended: Ended | None
    usual: Band | None
    complete: bool  # all that arrived for it is in


@dataclass(frozen=True)
class Curve:
    """Of [from, to). `before` is of as long a stretch, directly before it."""

    from_ms: int
    to_ms: int
    step_ms: int
    until_ms: int | None
    complete: bool
    moments: list[Moment]
    counted: Mapping[str, Ended]  # by the channel's path; one that is not in it has no count here
    tally: Tally
    before: Tally
    uptake: Compared


class Span(NamedTuple):
    """What is asked for: [from, to) by a step, widened to whole steps."""

    from_ms: int
    to_ms: int
    step_ms: int
    edges_ms: list[int]  # beginnings of the steps, and the end of the last

    @classmethod
    def of(cls, from_ms: int, to_ms: int, step_ms: int, zone: str) -> Span:
        """Days are the zone's; they have 23 or 25 hours where clocks are put on or back."""
        if step_ms < DAY_MS:
            edges = list(range(from_ms // step_ms * step_ms, to_ms + step_ms - 1, step_ms))
        else:
            edges = _midnights(from_ms, to_ms, ZoneInfo(zone))
        return cls(edges[0], edges[-1], step_ms, edges)


def _midnights(from_ms: int, to_ms: int, zone: ZoneInfo) -> list[int]:
    day = datetime.fromtimestamp(from_ms / 1000, zone).date()
    edges: list[int] = []
    while not edges or edges[-1] < to_ms:
        edges.append(round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000))
        day += timedelta(days=1)
    return edges


async def curve(
    store: Store,
    traffic: Traffic,
    services: Sequence[Service],
    span: Span,
    *,
    catalogue: Catalogue,
    now_ms: int,
) -> Curve:
    """Raises StoreUnavailable."""
    zone, asked = catalogue.zone, traffic.channels(services, catalogue)
    channels = [channel.subject for service in services for channel in service.channels]
    days_of_hours = tallies.whole_hours(zone, from_ms=span.from_ms, to_ms=span.to_ms)
    by_minute = span.step_ms < HOUR_MS or (span.step_ms == DAY_MS and not days_of_hours)
    over = tallies.stretch(span.from_ms, span.to_ms, now_ms=now_ms, by_minute=by_minute)
    until_ms = await tallies.counted_until(store)
    seen = traffic.seen
    first = seen.weeks.first if seen else await tallies.first_counted(store)
    found = await tallies.points(store, over, asked, step_ms=span.step_ms, zone=zone)
    whole = tallies.stretch(span.from_ms, span.to_ms, now_ms=now_ms)
    adding = await tallies.being_added(store, whole)
    now = await _period(store, asked, span.from_ms, span.to_ms, now_ms)
    before = await _period(store, asked, 2 * span.from_ms - span.to_ms, span.from_ms, now_ms)
    ranges = list(zip(span.edges_ms, span.edges_ms[1:], strict=False))
    known = channels if traffic.usuals.cover(now.counted) else []
    usual = await asyncio.to_thread(traffic.usuals.bands, known, ranges)
    began_ms = min((first[path] for path in channels if path in first), default=None)
    counted = {point.at_ms: point.ended for point in found}
    pairs = list(zip(now.of(services, first), before.of(services, first), strict=True))
    return Curve(
        from_ms=span.from_ms,
        to_ms=span.to_ms,
        step_ms=span.step_ms,
        until_ms=until_ms,
        complete=_complete(span.from_ms, span.to_ms, until_ms=until_ms, adding=adding),
        moments=[
            Moment(
                at_ms,
                to_ms,
                _known(counted.get(at_ms), at_ms, to_ms, began_ms=began_ms, until_ms=until_ms),
                band,
                _complete(at_ms, to_ms, until_ms=until_ms, adding=[] if by_minute else adding),
            )
            for (at_ms, to_ms), band in zip(ranges, usual, strict=True)
        ],
        counted=now.counted,
        tally=total(a for a, _ in pairs),
        before=total(b for _, b in pairs),
        uptake=compared_uptake(pairs),
    )


async def _period(store: Store, channels: Channels, from_ms: int, to_ms: int, now_ms: int) -> Period:
    over = tallies.stretch(from_ms, to_ms, now_ms=now_ms)
    return Period(from_ms, to_ms, await tallies.sums(store, over, channels))


def _known(
    ended: Ended | None, at_ms: int, to_ms: int, *, began_ms: int | None, until_ms: int | None
) -> Ended | None:
    """Nothing counted is 0 only where somebody counts (T2)."""
    if ended is not None:
        return ended
    counting = began_ms is not None and until_ms is not None and began_ms < to_ms and at_ms < until_ms
    return NONE if counting else None


def _complete(from_ms: int, to_ms: int, *, until_ms: int | None, adding: Sequence[int]) -> bool:
    inside = any(from_ms - HOUR_MS < hour_ms < to_ms for hour_ms in adding)
    return until_ms is not None and to_ms <= until_ms and not inside
