"""One shift on one page: what was opened and closed, what goes on, what comes, what we do not know."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from monitor.facts import ExclusionRow
from monitor.judge.picture import Picture, Shown
from monitor.judge.timeline import NOT_MEASURED
from monitor.model import ExclusionKind, Verdict
from monitor.store import deliveries, exclusions, incidents
from monitor.store import shift as table
from monitor.store.deliveries import Told
from monitor.store.pool import Store
from monitor.store.shift import HandOver
from monitor.web import handled
from monitor.web.problems import Refused

HOUR_MS = 3_600_000
AHEAD_MS = 12 * HOUR_MS
USUAL_MS = 12 * HOUR_MS
BACK_MAX_MS = 7 * 24 * HOUR_MS


class Unknown(NamedTuple):
    """Something whose own checks say nothing now."""

    subject: str
    shown: Shown


class Shift(NamedTuple):
    """A shift from `since_ms` until now."""

    since_ms: int
    now_ms: int
    opened: list[str]
    still_open: list[handled.Shown]
    closed: list[handled.Shown]
    work: list[ExclusionRow]  # now, or within the next twelve hours
    unknown: list[Unknown]
    undelivered: list[Told]
    hand_overs: list[HandOver]


async def shift_of(store: Store, picture: Picture, *, since_ms: int, now_ms: int) -> Shift:
    """Raises StoreUnavailable."""
    planned = await exclusions.touching(store, from_ms=now_ms, to_ms=now_ms + AHEAD_MS)
    return Shift(
        since_ms=since_ms,
        now_ms=now_ms,
        opened=await table.opened_since(store, from_ms=since_ms),
        still_open=handled.all_shown(await incidents.open_ones(store)),
        closed=handled.all_shown(await table.closed_since(store, from_ms=since_ms)),
        work=[row for row in planned if _is_work(row)],
        unknown=unknown(picture),
        undelivered=await deliveries.not_delivered(store, from_ms=since_ms),
        hand_overs=await table.hand_overs(store, from_ms=since_ms),
    )


def _is_work(row: ExclusionRow) -> bool:
    return row.kind == ExclusionKind.MAINTENANCE and row.finished_at_ms is None


def unknown(picture: Picture) -> list[Unknown]:
    """Systems and channels that were measured and no longer are, the longest unknown first."""
    systems = [(one.system.subject, one.measured) for one in picture.systems.values()]
    channels = [
        (one.channel.subject, one.measured)
        for service in picture.services.values()
        for one in service.channels
    ]
    found = [
        Unknown(subject, shown)
        for subject, shown in (*systems, *channels)
        if shown is not None and shown.verdict is Verdict.UNKNOWN and shown.reason != NOT_MEASURED
    ]
    return sorted(found, key=lambda one: (one.shown.since_ms or 0, one.subject))


async def beginning(store: Store, asked: str, *, zone: str, now_ms: int) -> int:
    """When the shift began: what was asked for, or the last hand-over of a day, or twelve hours ago.

    Raises Refused (400), StoreUnavailable.
    """
    if asked:
        return since_of(asked, zone=zone, now_ms=now_ms)
    last_ms = await table.last_hand_over(store)
    if last_ms is not None and HOUR_MS < now_ms - last_ms < 2 * USUAL_MS:
        return last_ms
    return now_ms - USUAL_MS


def since_of(text: str, *, zone: str, now_ms: int) -> int:
    """The last 19:00 before now, or the instant said with its date. Raises Refused (400)."""
    where = ZoneInfo(zone)
    now = datetime.fromtimestamp(now_ms / 1000, where)
    try:
        at = _clock(text, now) or datetime.fromisoformat(text.replace(" ", "+"))
        since_ms = int((at if at.tzinfo else at.replace(tzinfo=where)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise Refused(400, "Bad parameter", "`since` must be such as 19:00 or 2026-11-25T19:00") from None
    if not now_ms - BACK_MAX_MS <= since_ms < now_ms:
        raise Refused(400, "Bad parameter", "`since` must lie within the last seven days")
    return since_ms


def _clock(text: str, now: datetime) -> datetime | None:
    """The last time a wall clock showed it; None when it is no hour alone."""
    if len(text) > len("19:00:00") or "-" in text:
        return None
    at = datetime.combine(now.date(), time.fromisoformat(text), tzinfo=now.tzinfo)
    return at if at < now else at - timedelta(days=1)
