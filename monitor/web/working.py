"""Work as pages and API show it: where each stands, and what an announcement takes before it is sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web

from monitor.judge.attribution import Attributed, attributed, of_others
from monitor.judge.exclusions import APPLIED, Exclusion, Standing, standing, waits
from monitor.judge.ranges import Range
from monitor.judge.reach_of_work import QUIET_HOURS, Reach, quietest, reach
from monitor.judge.reading import exclusion_of, open_accounts
from monitor.judge.work import Details, Phase, asks, phase
from monitor.judge.work_desk import Announcement
from monitor.store import exclusions as table
from monitor.store import figures
from monitor.store.tokens import Holder, Role
from monitor.web import auth
from monitor.web.api.handlers import picture_of
from monitor.web.api.openapi_work import LISTED_MAX
from monitor.web.problems import Refused
from monitor.web.site import HOLDER, SITE, Site

MAY_ANNOUNCE = frozenset({Role.COORDINATOR, Role.OPERATOR})
MAY_RULE = frozenset({Role.COMMITTEE})
HOUR_MS = 3_600_000


_details = msgspec.json.Decoder(Details)


class Shown(NamedTuple):
    """An exclusion as filed, where it is, and whether it counts."""

    exclusion: Exclusion
    details: Details
    phase: Phase
    standing: Standing
    asks: bool
    waits: bool

    @property
    def applied(self) -> bool:
        return self.standing in APPLIED


class Preview(NamedTuple):
    """What an announcement takes. `expected`: completed transactions that are usual; None: not known."""

    reach: Reach
    expected: float | None
    overlaps: list[Exclusion]
    quietest: Range | None
    late: bool  # announced too late to be left out by itself


def all_shown(
    found: Iterable[Exclusion], extended: frozenset[int], *, now_ms: int, notice_ms: int
) -> list[Shown]:
    return [
        Shown(
            one,
            _details.decode(one.document),
            phase(one, now_ms=now_ms, extended=extended),
            standing(one, notice_ms=notice_ms),
            asks(one, now_ms=now_ms, extended=extended),
            waits(one, notice_ms=notice_ms),
        )
        for one in found
    ]


async def shown_of(request: web.Request, rows: Sequence[Exclusion]) -> list[Shown]:
    """Exclusions under the catalogue in force. Raises Refused before there is one, StoreUnavailable."""
    site = request.app[SITE]
    extended = await table.extended(site.store, [one.id for one in rows])
    return all_shown(rows, extended, now_ms=site.live.now_ms, notice_ms=notice_ms(request))


def notice_ms(request: web.Request) -> int:
    return round(picture_of(request).catalogue.policy.notice_s * 1000)


async def listed(request: web.Request, *, limit: int = LISTED_MAX) -> list[Shown]:
    """Those that begin last, the last first."""
    rows = await table.latest(request.app[SITE].store, limit=limit)
    return await shown_of(request, [exclusion_of(row) for row in rows])


async def found_of(request: web.Request) -> Shown:
    """The one whose number the address names. Raises Refused (404)."""
    text = request.match_info["number"]
    row = await table.one(request.app[SITE].store, int(text)) if _is_number(text) else None
    if row is None:
        raise Refused(404, "Not found", f"no exclusion {text!r}")
    [found] = await shown_of(request, [exclusion_of(row)])
    return found


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 15


def coordinator(request: web.Request) -> Holder:
    """Who announces. Raises Refused: 401 without a token, 403 for one that may not."""
    how = "sign in with a token of `coordinator` or `operator`"
    what = "announce work; a token of `coordinator` or `operator` may"
    return auth.allowed(request, request.get(HOLDER), MAY_ANNOUNCE, how=how, what=what)


def committee(request: web.Request) -> Holder:
    """Who rules. Raises Refused: 401 without a token, 403 for one that may not."""
    how, what = "sign in with a token of `committee`", "rule on this; a token of `committee` may"
    return auth.allowed(request, request.get(HOLDER), MAY_RULE, how=how, what=what)


def may_act(holder: Holder | None, shown: Shown) -> bool:
    """Whether this person may finish or extend it: their own, or that of their entities' services."""
    if holder is None or holder.role not in MAY_ANNOUNCE:
        return False
    return not holder.entities or holder.name == shown.exclusion.announced_by


def acting(request: web.Request, shown: Shown) -> Holder:
    """Who acts on it. Raises Refused (401, 403)."""
    holder = coordinator(request)
    if not may_act(holder, shown):
        raise Refused(403, "Not allowed", f"{shown.exclusion.announced_by} announced it")
    return holder


async def attribution(request: web.Request, shown: Shown) -> list[Attributed]:
    """Downtime of others in the time of it, up to what is judged. Raises StoreUnavailable."""
    site, window = request.app[SITE], shown.exclusion.range
    around = site.live.around
    assert around is not None, "there is a picture"
    others = of_others(around, [shown.details.system] if shown.details.system else shown.exclusion.subjects)
    as_of_ms = await figures.judged_until(site.store)
    if not others or as_of_ms is None or min(window[1], as_of_ms) <= window[0]:
        return []
    policy, (from_ms, to_ms) = around.catalogue.policy, window
    accounts = await open_accounts(
        site.store, from_ms=from_ms, to_ms=to_ms, policy=policy, subjects=[*others]
    )
    return attributed(accounts, around, others, window, as_of_ms=as_of_ms)


async def preview(request: web.Request, filed: Announcement) -> Preview:
    """What it takes, reckoned from the graph and from what is usual. Raises StoreUnavailable."""
    site = request.app[SITE]
    around = site.live.around
    assert around is not None, "there is a picture"
    from_ms, to_ms = filed.ranges[0]
    found = reach(around, filed.subjects)
    rows = await table.touching(site.store, from_ms=from_ms, to_ms=to_ms)
    others = [exclusion_of(row) for row in rows]
    usual = site.traffic.usuals.expected(found.channels, from_ms, to_ms)
    return Preview(
        reach=found,
        expected=None if usual is None else usual.mean,
        overlaps=[one for one in others if one.range[0] < to_ms and from_ms < one.range[1]],
        quietest=_quietest(site, found.channels, from_ms),
        late=from_ms - site.live.now_ms < notice_ms(request),
    )


def _quietest(site: Site, channels: Sequence[str], at_ms: int) -> Range | None:
    """The quietest two hours of the local week of `at_ms` that are still to come."""
    assert site.live.around is not None, "there is a picture"
    zone = ZoneInfo(site.live.around.catalogue.zone)
    midnight = datetime.fromtimestamp(at_ms / 1000, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight - timedelta(days=midnight.weekday())
    start_ms = round(first.timestamp() * 1000)
    hours = [(start_ms + i * HOUR_MS, start_ms + (i + 1) * HOUR_MS) for i in range(168)]
    bands = site.traffic.usuals.bands(channels, hours)
    to_come = [hour[0] >= site.live.now_ms for hour in hours]
    means = [band.mean if band and ahead else None for band, ahead in zip(bands, to_come, strict=True)]
    found = quietest(means)
    return None if found is None else (hours[found][0], hours[found + QUIET_HOURS - 1][1])
