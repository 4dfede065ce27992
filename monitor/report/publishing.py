"""Freezing reports: one version made and stored; and the role that does so for every week that ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from monitor.config.settings import ReportSettings
from monitor.judge.terms import Terms, terms_of
from monitor.lifetime import Stop
from monitor.log import Log
from monitor.model import GOVERNMENT, Catalogue
from monitor.report import document as documents
from monitor.report.comparing import differences
from monitor.report.delivery.plan import BY_ITSELF, plan, release_due
from monitor.report.document import Correction, Document
from monitor.report.due import Clocks, finished_weeks, missing, next_due_ms
from monitor.report.gather import Ask, gather
from monitor.report.metrics import ReportMetrics
from monitor.report.numbers import build
from monitor.report.replying import replied
from monitor.report.times import Stretch
from monitor.report.unreckoned import unreckoned
from monitor.store import counts, figures, read, report_drafts, reports, tallies
from monitor.store.lease import RENEW_S, Lease
from monitor.store.pool import Store
from monitor.store.report_deliveries import Which
from monitor.store.reports import Frozen
from monitor.store.times import millis

log = Log(__name__)
ROLE = "report"
LOOK_S = 5.0
SOON_S = 1.0  # while a report waits for what is not in yet
SHARE = 4  # then a look may take one part in so many of the time


class Why(NamedTuple):
    """Who corrects a report, and why."""

    by: str
    why: str


async def clocks(store: Store, catalogue: Catalogue, stretches: Sequence[Stretch], *, now_ms: int) -> Clocks:
    """How far everything is in that reports of these stretches need. Raises StoreUnavailable."""
    accounted = await figures.clock(store, catalogue.zone)
    unfolded_ms = await counts.first_unfolded(store)  # before the hours: what is folded meanwhile is in them
    from_ms, to_ms = min(each.start_ms for each in stretches), max(each.end_ms for each in stretches)
    return Clocks(
        judged_ms=await figures.judged_until(store),
        counts=unfolded_ms is not None or bool(await tallies.first_counted(store)),
        counted_ms=await tallies.counted_until(store),
        unfolded_ms=unfolded_ms,
        accounted_ms=accounted.until_ms if accounted else None,
        dirty=await figures.dirty(store),
        unreckoned_ms=await unreckoned(store, catalogue, from_ms=from_ms, to_ms=to_ms, now_ms=now_ms),
    )


async def freeze(
    store: Store,
    ask: Ask,
    settings: ReportSettings,
    *,
    software: str,
    why: Why | None = None,
    lease: Lease | None = None,
    review: bool = False,
) -> Document:
    """Make and store a version; with `why`, as a correction of the one before it; for `review`, as a draft.

    Raises UsageError when there was no catalogue then, BadRow when that version was published meanwhile,
    LeaseLost when `lease` is no longer ours.
    """
    facts = await gather(store, ask, settings, software=software)
    made = await asyncio.to_thread(build, facts)
    if why is not None:
        made = await _corrected(store, ask, made, why)
    async with store.transaction() as connection:
        if lease is not None:
            await lease.lock(connection)
        made = await replied(connection, made)
        text = await asyncio.to_thread(documents.encode, made)
        row = _row(ask, made, text)
        await _keep(connection, row, made, settings, by=why.by if why else BY_ITSELF, review=review)
    event = "report.drafted" if review else "report.published"
    log.info(event, scope=row.scope, label=row.label, version=row.version, sha256=row.sha256)
    return made


def _row(ask: Ask, made: Document, text: bytes) -> Frozen:
    return Frozen(
        scope=ask.scope,
        label=ask.stretch.label,
        version=ask.version,
        kind=ask.stretch.kind,
        from_ms=ask.stretch.start_ms,
        to_ms=ask.stretch.end_ms,
        as_of_ms=millis(made.about.as_of),
        complete=not ask.not_in,
        sample=made.about.sample,
        figures=documents.figures_json(made),
        sha256=documents.digest(text),
        document=text,
    )


async def _keep(
    connection: Any,
    row: Frozen,
    made: Document,
    settings: ReportSettings,
    *,
    by: str,
    review: bool,
) -> None:
    """Published, or kept back for its reviewers; and planned to be sent, all in one transaction."""
    if review:
        names = [one.name for one in settings.delivery.of(made.about.slug)]
        await report_drafts.add(connection, row, review_s=settings.review_s, recipients=names, by=by)
    else:
        await reports.add(connection, row, by=by)
    which = Which(row.scope, row.label, row.version, "draft" if review else "published")
    await plan(connection, settings.delivery, which, made.about.slug)


async def _corrected(store: Store, ask: Ask, made: Document, why: Why) -> Document:
    """The same, saying what it corrects."""
    text = await reports.document(store, scope=ask.scope, label=ask.stretch.label, version=ask.version - 1)
    assert text is not None, "a correction corrects something"
    correction = Correction(
        corrects=ask.version - 1,
        sha256=documents.digest(text),
        why=why.why,
        by=why.by,
        changed=differences(documents.decode(text), made),
    )
    return replace(made, correction=correction)


def scopes_of(catalogue: Catalogue, settings: ReportSettings) -> list[str]:
    """Whose reports there are: the government's, and by setting one of each entity that owns services."""
    if not settings.entities:
        return [GOVERNMENT]
    owners = {service.entity for service in catalogue.services}
    return [GOVERNMENT, *(each.subject for each in catalogue.entities if each.slug in owners)]


def reviewed(scope: str, catalogue: Catalogue, settings: ReportSettings) -> bool:
    """Whether somebody reads a weekly report before it is published."""
    slug = GOVERNMENT if scope == GOVERNMENT else catalogue.entities_by_subject[scope].slug
    return bool(settings.review_s and settings.delivery.of(slug, reviewers=True))


class Reporting:
    """Leads while it holds the lease; a stand-by only tries to take it."""

    def __init__(
        self,
        store: Store,
        *,
        lease: Lease,
        settings: ReportSettings,
        metrics: ReportMetrics,
        software: str,
        look_s: float = LOOK_S,
    ) -> None:
        self._store, self._lease, self._settings = store, lease, settings
        self._metrics, self._software, self._look_s = metrics, software, look_s
        self._first_look_ms: int | None = None
        self._look_at = 0.0
        self._left = 0  # reports that are due and may not be published yet

    async def run(self, stop: Stop) -> None:
        """Until `stop`."""
        await self._lease.lead(
            stop,
            lambda: self._turn(stop),
            afresh=self._forget,
            rest=lambda: stop.pause(self._pause_s()),
        )

    def _pause_s(self) -> float:
        if not self._lease.held:
            return RENEW_S
        return min(RENEW_S, max(0.0, self._look_at - time.monotonic()))

    async def _turn(self, stop: Stop) -> None:
        began = time.monotonic()
        if began >= self._look_at:
            made = await self.look(stop)
            rest_s = 0.0 if made and self._left else self._rest_s(time.monotonic() - began)
            self._look_at = time.monotonic() + rest_s

    def _forget(self) -> None:
        self._look_at = 0.0
        self._metrics.waiting.set(0)  # what waits is for the leader to say

    def _rest_s(self, took_s: float) -> float:
        """Until the next look: short while a report waits for what comes in."""
        soon_s = max(SOON_S, took_s * SHARE) if self._left else self._look_s
        return min(soon_s, self._look_s)

    async def look(self, stop: Stop) -> int:
        """Publish every weekly report that is due and may be; returns how many that were."""
        serial = await read.serial_in_force(self._store)
        began_ms = await figures.began(self._store)
        if not serial or began_ms is None:
            return 0
        catalogue = (await read.version(self._store, serial)).catalogue
        terms, now_ms = terms_of(catalogue), await reports.now(self._store)
        if self._first_look_ms is None:
            self._first_look_ms = now_ms
        await release_due(self._store, self._lease)
        waiting = await self._waiting(terms, catalogue, began_ms=began_ms, now_ms=now_ms)
        made = await self._publish(waiting, catalogue, now_ms, stop) if waiting else 0
        self._left = len(waiting) - made
        await self._measure(terms, now_ms, self._left)
        return made

    async def _waiting(
        self, terms: Terms, catalogue: Catalogue, *, began_ms: int, now_ms: int
    ) -> list[tuple[Stretch, str]]:
        """Finished weeks without a report: the government's, then each entity's, the oldest first."""
        grace_ms = round(self._settings.grace_s * 1000)
        weeks = list(
            finished_weeks(
                now_ms, terms.zone, week_start=terms.week_start, began_ms=began_ms, grace_ms=grace_ms
            )
        )
        there = await reports.published(self._store, kind="week") | await report_drafts.drafted(self._store)
        scopes = scopes_of(catalogue, self._settings)
        return [(week, scope) for scope in scopes for week in weeks if (scope, week.label) not in there]

    async def _publish(
        self, waiting: Sequence[tuple[Stretch, str]], catalogue: Catalogue, now_ms: int, stop: Stop
    ) -> int:
        made, until = 0, time.monotonic() + SOON_S
        waits = False
        found = await clocks(self._store, catalogue, [stretch for stretch, _ in waiting], now_ms=now_ms)
        for stretch, scope in waiting:
            if stop.requested or (waits and time.monotonic() > until):
                break  # what was not in may be by now, and the government comes first
            lacking = missing(stretch, found, grace_ms=round(self._settings.grace_s * 1000))
            if lacking and now_ms < self._deadline_ms(stretch):
                waits = True
                continue
            began = time.monotonic()
            ask = Ask(stretch, scope, 1, lacking)
            await freeze(
                self._store,
                ask,
                self._settings,
                software=self._software,
                lease=self._lease,
                review=reviewed(scope, catalogue, self._settings),
            )
            self._metrics.made_s.observe(time.monotonic() - began)
            self._metrics.published_s.set(time.time())
            await self._lease.take_or_renew()
            made += 1
        return made

    def _deadline_ms(self, stretch: Stretch) -> float:
        """Who starts after it, gives whatever is behind the grace to come in."""
        started_ms = self._first_look_ms or 0
        grace_ms, deadline_ms = self._settings.grace_s * 1000, self._settings.deadline_s * 1000
        return max(stretch.end_ms + deadline_ms, started_ms + grace_ms)

    async def _measure(self, terms: Terms, now_ms: int, waiting: int) -> None:
        grace_ms = round(self._settings.grace_s * 1000)
        due_ms = next_due_ms(now_ms, terms.zone, week_start=terms.week_start, grace_ms=grace_ms)
        self._metrics.due_s.set(due_ms / 1000)
        self._metrics.waiting.set(waiting)
        last_ms = await reports.last_published(self._store)
        self._metrics.published_s.set((last_ms or 0) / 1000)
