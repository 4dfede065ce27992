"""Transactions on pages: figures of three weeks, the curve over what is usual, and what outages cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from monitor.facts import Ended, Finding, Missed
from monitor.judge.picture import Picture
from monitor.judge.uptake import NONE, Compared, Tally, abandonment, compared, completion, failure
from monitor.model import Catalogue, Service, Verdict
from monitor.store import expected
from monitor.store.counts import MINUTE_MS
from monitor.store.pool import Store
from monitor.store.tallies import DAY_MS
from monitor.web.charts import Flow, Mark, Segment, Step, Tick, flow, marks, ticks
from monitor.web.curve import Span, curve
from monitor.web.language import Speaker
from monitor.web.site import Site
from monitor.web.traffic import STEP_MS, Seen
from monitor.web.usual import Band

STEPS_MIN = {1: 1, 6: 5, 24: 15}  # by the hours shown
LATELY_MS = 7 * DAY_MS
FINDINGS_SHOWN = 8


class Figures(NamedTuple):
    """Of some services over three weeks, beside the three before."""

    tally: Tally
    uptake: Compared
    completion: Compared
    failure: Compared
    abandonment: Compared


class Row(NamedTuple):
    """A step as the table beside a chart says it."""

    at_ms: int
    ended: Ended | None
    usual: Band | None


class Chart(NamedTuple):
    """Completed transactions over what is usual; `rows` say the same as a table, the newest first."""

    flow: Flow | None
    step_ms: int
    ticks: list[Tick]
    down: list[Mark]
    unusual: list[Mark]
    rows: list[Row]
    ended: Ended


def figures(seen: Seen, services: Iterable[Service]) -> Figures:
    """One function for every page (T10)."""
    now, before, uptake = seen.weeks.sums(services)
    return Figures(
        now, uptake, *(compared(share, now, before) for share in (completion, failure, abandonment))
    )


def government(site: Site, picture: Picture, speaker: Speaker) -> dict[str, Any]:
    """The overview's own: nothing of it asks PostgreSQL."""
    seen = site.traffic.seen
    if seen is None or not seen.any:
        return {"seen": None}
    weeks = seen.weeks
    counted = {point.at_ms: point.ended for point in weeks.points}
    began_ms = min(weeks.first.values(), default=None)
    steps = range(weeks.points_from_ms, weeks.now.to_ms, STEP_MS)
    rows = [
        Row(at_ms, counted.get(at_ms, NONE) if _is_known(at_ms, began_ms, seen.until_ms) else None, band)
        for at_ms, band in zip(steps, weeks.usual, strict=True)
    ]
    to_ms = weeks.points_from_ms + len(rows) * STEP_MS
    open_findings = [each for those in seen.findings.values() for each in those]
    return {
        "seen": seen,
        "counting_behind": site.traffic.behind(seen),
        "figures": figures(seen, picture.catalogue.services),
        "chart": _chart(rows, STEP_MS, to_ms, speaker, down=[], unusual=[]),
        "unusual": sorted(open_findings, key=lambda each: each.began_ms),
        "unusual_shown": FINDINGS_SHOWN,
    }


class Told(NamedTuple):
    """A service's transactions as its page shows them."""

    chart: Chart
    counted: dict[str, Ended | None]  # of the stretch shown, by the channel's path; None without data
    findings: list[Finding]
    missed: list[Missed]


async def of_service(
    site: Site,
    service: Service,
    *,
    catalogue: Catalogue,
    hours: int,
    speaker: Speaker,
    lane: Sequence[Segment],
) -> Told:
    """Read for the last `hours`; `lane` is the service's own timeline. Raises StoreUnavailable."""
    now_ms, step_ms = site.live.now_ms, STEPS_MIN[hours] * MINUTE_MS
    span = Span.of(now_ms - hours * 60 * MINUTE_MS, now_ms, step_ms, catalogue.zone)
    told = await curve(site.store, site.traffic, [service], span, catalogue=catalogue, now_ms=now_ms)
    findings = await _findings(site.store, service, span)
    rows = [Row(each.at_ms, each.ended if each.complete else None, each.usual) for each in told.moments]
    down = [(part.from_ms, part.to_ms) for part in lane if part.verdict is Verdict.DOWN]
    chart = _chart(
        rows,
        step_ms,
        span.to_ms,
        speaker,
        down=down,
        unusual=[(each.began_ms, each.ended_ms or now_ms) for each in findings],
    )
    without = set(told.tally.without)
    return Told(
        chart=chart._replace(ended=told.tally.ended),
        counted={
            channel.subject: None if channel.subject in without else told.counted.get(channel.subject, NONE)
            for channel in service.channels
        },
        findings=findings,
        missed=await expected.missed(
            site.store, from_ms=now_ms - LATELY_MS, to_ms=now_ms + 1, subjects=[service.subject]
        ),
    )


async def _findings(store: Store, service: Service, span: Span) -> list[Finding]:
    channels = [channel.subject for channel in service.channels]
    return await expected.findings(store, from_ms=span.from_ms, to_ms=span.to_ms, subjects=channels)


def _chart(
    rows: list[Row],
    step_ms: int,
    to_ms: int,
    speaker: Speaker,
    *,
    down: Sequence[tuple[int, int]],
    unusual: Sequence[tuple[int, int]],
) -> Chart:
    from_ms = rows[0].at_ms
    steps = [
        Step(
            row.at_ms,
            row.at_ms + step_ms,
            None if row.ended is None else row.ended.completed,
            None if row.usual is None else row.usual.low,
            None if row.usual is None else row.usual.high,
        )
        for row in rows
    ]
    offset = speaker.local(to_ms).utcoffset()
    return Chart(
        flow=flow(steps, from_ms=from_ms, to_ms=to_ms),
        step_ms=step_ms,
        ticks=ticks(from_ms, to_ms, offset_ms=int(offset.total_seconds() * 1000) if offset else 0),
        down=marks(down, from_ms=from_ms, to_ms=to_ms),
        unusual=marks(unusual, from_ms=from_ms, to_ms=to_ms),
        rows=[row for row in reversed(rows) if row.ended is not None],
        ended=Ended(*map(sum, zip(NONE, *(row.ended for row in rows if row.ended), strict=True))),
    )


def _is_known(at_ms: int, began_ms: int | None, until_ms: int | None) -> bool:
    """Whether all of the step is counted, and anything was counted by then (T2)."""
    if began_ms is None or until_ms is None:
        return False
    return began_ms < at_ms + STEP_MS <= until_ms
