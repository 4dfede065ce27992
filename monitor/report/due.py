"""Whether a report may be published: all is in, or its deadline has come. Pure; Unix ms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from monitor.facts import Dirty
from monitor.judge.periods import Kind, day_of
from monitor.report.document import Missing
from monitor.report.times import Stretch, before, stretch_of, utc

WEEKS_BACK = 13  # finished weeks that are still published when nobody did


class Clocks(NamedTuple):
    """How far everything is in: measurements judged, transactions counted, time accounted.

    `counts`: somebody sends transactions; `unfolded_ms` is the first hour of them that is not summed yet;
    `dirty` are stretches of time to be accounted again; `unreckoned_ms` are beginnings of outages whose
    missed transactions are still to be estimated.
    """

    judged_ms: int | None
    counts: bool
    counted_ms: int | None
    unfolded_ms: int | None
    accounted_ms: int | None
    dirty: Sequence[Dirty]
    unreckoned_ms: Sequence[int] = ()


def missing(stretch: Stretch, clocks: Clocks, *, grace_ms: int) -> tuple[Missing, ...]:
    """What is not in yet of a stretch and the grace after it."""
    wanted_ms = stretch.end_ms + grace_ms
    found = []
    if clocks.judged_ms is None or clocks.judged_ms < wanted_ms:
        found.append(Missing(what="judged", until=_utc(clocks.judged_ms)))
    counted_ms = clocks.counted_ms
    if clocks.unfolded_ms is not None and clocks.unfolded_ms < stretch.end_ms:
        counted_ms = clocks.unfolded_ms
    if clocks.counts and (counted_ms is None or counted_ms < wanted_ms):
        found.append(Missing(what="counted", until=_utc(counted_ms)))
    accounted_ms = _accounted_ms(stretch, clocks)
    if accounted_ms is None or accounted_ms < stretch.end_ms:
        found.append(Missing(what="accounted", until=_utc(accounted_ms)))
    began = [ms for ms in clocks.unreckoned_ms if stretch.start_ms <= ms < stretch.end_ms]
    if began:
        found.append(Missing(what="estimated", until=utc(min(began))))
    return tuple(found)


def _accounted_ms(stretch: Stretch, clocks: Clocks) -> int | None:
    """How far the sums of the stretch hold: up to what must be made anew."""
    if clocks.accounted_ms is None:
        return None
    touching = [
        max(mark.since_ms, stretch.start_ms)
        for mark in clocks.dirty
        if mark.since_ms < stretch.end_ms and (mark.until_ms is None or mark.until_ms > stretch.start_ms)
    ]
    return min([clocks.accounted_ms, *touching])


def _utc(ms: int | None) -> datetime | None:
    return None if ms is None else utc(ms)


def finished_weeks(
    now_ms: int, zone: ZoneInfo, *, week_start: int, began_ms: int, grace_ms: int
) -> Iterator[Stretch]:
    """Weeks that are over with their grace and in which somebody existed, the oldest first."""
    week = stretch_of(Kind.WEEK, day_of(now_ms, zone), zone, week_start=week_start)
    found = []
    for _ in range(WEEKS_BACK):
        week = before(week, zone, week_start=week_start)
        if week.end_ms <= began_ms:
            break
        if week.end_ms + grace_ms <= now_ms:
            found.append(week)
    yield from reversed(found)


def next_due_ms(now_ms: int, zone: ZoneInfo, *, week_start: int, grace_ms: int) -> int:
    """When the next weekly report may be published at the earliest."""
    week = stretch_of(Kind.WEEK, day_of(now_ms - grace_ms, zone), zone, week_start=week_start)
    return week.end_ms + grace_ms
