"""The past of a service or system for its page: timelines with gaps, latency by phase, failed attempts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.facts import Attempt, Gap
from monitor.model import Channel, Check, System
from monitor.store import history
from monitor.store.pool import Store
from monitor.web.charts import Latency, Segment, Tick, gap_boxes, latency, segments, ticks
from monitor.web.language import Speaker

HOURS = (1, 6, 24)
BUCKETS = 72
FAILED_SHOWN = 15
FAILED = ("down", "degraded", "unknown")


@dataclass(frozen=True)
class Past:
    """What a page draws. Timelines by (layer, subject), latency and gaps by the check's path."""

    from_ms: int
    to_ms: int
    ticks: list[Tick]
    timelines: dict[tuple[str, str], list[Segment]]
    latency: dict[str, Latency | None]
    gaps: dict[str, list[tuple[Gap, float, float]]]
    failed: list[Attempt]


def hours_of(text: str | None) -> int:
    """One of the offered ranges."""
    return int(text) if text in {str(hours) for hours in HOURS} else HOURS[1]


async def past(
    store: Store,
    owners: Sequence[System | Channel],
    *,
    service: str | None,
    now_ms: int,
    known_ms: int,
    hours: int,
    speaker: Speaker,
) -> Past:
    """Read and lay out the last hours of `owners` and of their service. Raises StoreUnavailable."""
    from_ms, to_ms = now_ms - hours * 3_600_000, now_ms
    checks = {check.key: check for owner in owners for check in owner.checks}
    subjects = [owner.subject for owner in owners] + ([service] if service else [])
    steps = {
        (layer, subject): found
        for layer in ("measured", "effective")
        for subject, found in (
            await history.timelines(store, layer=layer, subjects=subjects, from_ms=from_ms, to_ms=to_ms)
        ).items()
    }
    width_ms = (to_ms - from_ms) // BUCKETS
    buckets = await history.latency(store, checks=checks, width_ms=width_ms, from_ms=from_ms, to_ms=to_ms)
    gaps = await history.gaps(store, checks=checks, from_ms=from_ms, to_ms=to_ms)
    failed = await history.attempts(
        store, checks=checks, outcomes=FAILED, limit=FAILED_SHOWN, from_ms=from_ms, to_ms=to_ms
    )
    offset = speaker.local(now_ms).utcoffset()
    return Past(
        from_ms=from_ms,
        to_ms=to_ms,
        ticks=ticks(from_ms, to_ms, offset_ms=int(offset.total_seconds() * 1000) if offset else 0),
        timelines={
            (layer, subject): segments(
                steps.get((layer, subject), ()), known_ms=known_ms, from_ms=from_ms, to_ms=to_ms
            )
            for layer in ("measured", "effective")
            for subject in subjects
        },
        latency={
            key: latency(
                buckets.get(key, ()),
                width_ms=width_ms,
                objective_ms=check.objective_ms,
                from_ms=from_ms,
                to_ms=to_ms,
            )
            for key, check in checks.items()
        },
        gaps={key: _gaps(gaps, check, from_ms, to_ms) for key, check in checks.items()},
        failed=failed,
    )


def _gaps(gaps: Sequence[Gap], check: Check, from_ms: int, to_ms: int) -> list[tuple[Gap, float, float]]:
    own = [gap for gap in gaps if gap.check == check.key]
    return gap_boxes(own, from_ms=from_ms, to_ms=to_ms, every_ms=check.every_ms)
