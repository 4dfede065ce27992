"""What a web process holds of people's transactions: read a few times a minute, whatever asks for it.

No page and no scrape asks PostgreSQL for the counts of many services: they read what is here, one snapshot
that is replaced as a whole.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.errors import StoreUnavailable
from monitor.facts import Ended, Finding, Missed, ServiceCounts
from monitor.judge.picture import Picture
from monitor.judge.surroundings import Surroundings
from monitor.judge.timeline import Step
from monitor.judge.uptake import NONE, Compared, Tally, compared_uptake, tally, together, total
from monitor.judge.weighted import Offer, Weighted, weighted
from monitor.lifetime import Stop
from monitor.log import Log
from monitor.model import Catalogue, Service, stream_key
from monitor.store import expected, tallies
from monitor.store.counts import HOUR_MS, MINUTE_MS
from monitor.store.pool import Store
from monitor.store.tallies import DAY_MS, Channels, Point, whole_minute
from monitor.web.state import Live
from monitor.web.times import rfc3339
from monitor.web.usual import Band, Usuals, band

log = Log(__name__)
EVERY_S = 3.0  # the running day and the totals
SELDOM_S = 10.0  # three weeks and the curve of a day
BEFORE_S = 300.0  # the three weeks before
REST = 20.0  # what took a second to read is not read again for twenty
WEEKS_DAYS = 21
STEP_MS = 15 * 60_000
BEHIND_MS = 60_000


@dataclass(frozen=True)
class Period:
    """Counts of [from, to) by the channel's path."""

    from_ms: int
    to_ms: int
    counted: Mapping[str, Ended] = field(default_factory=dict)

    def of(self, services: Iterable[Service], first: Mapping[str, int]) -> list[Tally]:
        return [tally(each, self.counted, known=first, to_ms=self.to_ms) for each in services]


@dataclass(frozen=True)
class Weeks:
    """The last three weeks, today among them, the three before as far into them, and today's curve."""

    now: Period
    before: Period
    first: Mapping[str, int]  # when each channel was first counted
    points: list[Point]  # of all channels together, by STEP_MS
    points_from_ms: int
    usual: list[Band | None]  # of each such step
    tallies: Mapping[str, tuple[Tally, Tally]]  # by the service's slug: now and before

    def sums(self, services: Iterable[Service]) -> tuple[Tally, Tally, Compared]:
        """Of these services together: now, before, and the uptake of both."""
        pairs = [self.tallies[each.slug] for each in services if each.slug in self.tallies]
        return (
            total(now for now, _ in pairs),
            total(before for _, before in pairs),
            compared_uptake(pairs),
        )


@dataclass(frozen=True)
class Seen:
    """One snapshot. `until_ms` is the counters' clock: everything that arrived by then is in it."""

    until_ms: int | None
    now_ms: int
    day: Period  # since the last midnight of the catalogue's zone
    ever: Mapping[str, Ended]
    weeks: Weeks
    expected: Mapping[str, Band]  # completed transactions a minute that are usual now, by the service's slug
    findings: Mapping[str, tuple[Finding, ...]]  # open ones, by the service's path
    missed: Mapping[str, Missed]  # outages of services that last, by the service's path

    @property
    def today(self) -> Ended:
        return together(self.day.counted.values())

    def told(self, service: Service) -> ServiceCounts:
        """What /metrics/state says of a service."""
        usual, lasting = self.expected.get(service.slug), self.missed.get(service.subject)
        return ServiceCounts(
            ended=tuple(self.ever.get(channel.subject, NONE) for channel in service.channels),
            expected=usual.mean if usual else None,
            missed=lasting.missed if lasting else None if usual is None else 0.0,
            findings=tuple(each.kind for each in self.findings.get(service.subject, ())),
            band=(usual.low, usual.high) if usual else None,
        )

    @property
    def any(self) -> bool:
        """Whether anything was ever counted."""
        return bool(self.ever)


class Traffic:
    """Keeps the snapshot fresh, and tells open pages the running total."""

    def __init__(self, store: Store, live: Live) -> None:
        self.seen: Seen | None = None
        self.usuals = Usuals()
        self._store, self._live = store, live
        self._weeks: Weeks | None = None
        self._ever: Mapping[str, Ended] = {}
        self._expected: dict[str, Band] = {}
        self._around: Surroundings | None = None  # what the weeks were read under
        self._reading, self._looking = asyncio.Lock(), asyncio.Lock()  # an older reading never comes last
        self._before, self._before_due = Period(0, 0), float("-inf")

    def behind(self, seen: Seen) -> bool:
        """Whether counting is so late that people should know."""
        return seen.until_ms is None or self._live.now_ms - seen.until_ms > BEHIND_MS

    def weighted(self, picture: Picture) -> Weighted | None:
        """The headline of `picture` by transactions: what is usual on remote channels in this hour.

        None while no such channel has a pattern.
        """
        from_ms = self._live.now_ms // HOUR_MS * HOUR_MS
        offers = [
            Offer([Step(0, one.effective.verdict)], self.usuals.remote(one.service))
            for one in picture.services.values()
        ]
        found = weighted(offers, self.usuals.hours, from_ms=from_ms, to_ms=from_ms + HOUR_MS)
        return None if found.coverage is None else found

    async def run(self, stop: Stop) -> None:
        """Read until `stop`. With PostgreSQL away the last snapshot stays, and says until when it is."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._look_back(stop), name="looking back")
            group.create_task(self._refresh(stop), name="counting on")

    async def _refresh(self, stop: Stop) -> None:
        while not stop.requested:
            with _store_may_be_away():
                await self.refresh()
            await stop.pause(EVERY_S)

    async def _look_back(self, stop: Stop) -> None:
        """Not sooner again than the reading deserves, but at once under another catalogue."""
        while not stop.requested:
            began = time.monotonic()
            with _store_may_be_away():
                await self.look_back()
            due = began + max(SELDOM_S, REST * (time.monotonic() - began))
            await stop.pause(EVERY_S)
            while not stop.requested and time.monotonic() < due and self._live.around is self._around:
                await stop.pause(1.0)

    def _of(self, catalogue: Catalogue) -> Channels:
        """Every channel of the catalogue: all that was ever counted, but what has left it."""
        return Channels(self._ever.keys() - catalogue.channels.keys(), all_but=True)

    def channels(self, services: Sequence[Service], catalogue: Catalogue) -> Channels:
        """Of these services."""
        if len(services) == len(catalogue.services):
            return self._of(catalogue)
        return Channels([channel.subject for service in services for channel in service.channels])

    async def refresh(self) -> None:
        """Read the running day, the totals and what is open. Raises StoreUnavailable."""
        async with self._reading:
            await self._read_on()

    async def _read_on(self) -> None:
        around, weeks, now_ms = self._around, self._weeks, self._live.now_ms
        if around is None or weeks is None:
            return
        zone, before = around.catalogue.zone, self.seen
        self._ever = await tallies.ever(self._store)
        self.seen = Seen(
            until_ms=await tallies.counted_until(self._store),
            now_ms=now_ms,
            day=await self._read(around.catalogue, midnight(now_ms, zone), _end(now_ms), now_ms),
            ever=self._ever,
            weeks=weeks,
            expected=self._expected,
            findings=_by_service(await expected.open_findings(self._store)),
            missed=_lasting(await expected.missed(self._store, from_ms=now_ms, to_ms=now_ms + 1)),
        )
        if before is None or before.today != self.seen.today:
            self._tell(self.seen)

    async def look_back(self) -> None:
        """Read three weeks, the curve and what is usual; then the rest. Raises StoreUnavailable."""
        async with self._looking:
            await self._read_back()
        await self.refresh()

    async def _read_back(self) -> None:
        around, now_ms = self._live.around, self._live.now_ms
        if around is None:
            return
        self._ever = await tallies.ever(self._store)
        await self.usuals.follow(self._store, around.catalogue)
        if self._around is not around or time.monotonic() >= self._before_due:
            self._before = await self._read_before(around.catalogue, now_ms)
            self._before_due = time.monotonic() + BEFORE_S
        self._weeks = await self._read_weeks(around.catalogue, now_ms)
        self._expected = await asyncio.to_thread(
            _a_minute, self.usuals, around.catalogue, self._weeks.now.counted, now_ms
        )
        self._around = around

    def _tell(self, seen: Seen) -> None:
        today = seen.today
        self._live.tell(
            "traffic", today=sum(today), completed=today.completed, counted_until=rfc3339(seen.until_ms)
        )

    async def _read(self, catalogue: Catalogue, from_ms: int, to_ms: int, now_ms: int) -> Period:
        over = tallies.stretch(from_ms, to_ms, now_ms=now_ms)
        counted = await tallies.sums(self._store, over, self._of(catalogue))
        return Period(from_ms, to_ms, counted)

    async def _read_before(self, catalogue: Catalogue, now_ms: int) -> Period:
        from_ms, to_ms = (
            earlier(ms, catalogue.zone, days=WEEKS_DAYS) for ms in weeks_at(now_ms, catalogue.zone)
        )
        return await self._read(catalogue, from_ms, to_ms, now_ms)

    async def _read_weeks(self, catalogue: Catalogue, now_ms: int) -> Weeks:
        from_ms, to_ms = weeks_at(now_ms, catalogue.zone)
        now = await self._read(catalogue, from_ms, to_ms, now_ms)
        before = self._before
        first = await tallies.first_counted(self._store)
        points_from_ms = (to_ms - DAY_MS) // STEP_MS * STEP_MS
        over = tallies.stretch(points_from_ms, to_ms, now_ms=now_ms, by_minute=True)
        points = await tallies.points(self._store, over, self._of(catalogue), step_ms=STEP_MS)
        steps = [(at_ms, at_ms + STEP_MS) for at_ms in range(points_from_ms, to_ms, STEP_MS)]
        usual: list[Band | None] = [None] * len(steps)
        if self.usuals.cover(now.counted):
            usual = await asyncio.to_thread(self.usuals.government, steps)
        told = await asyncio.to_thread(_tallies, catalogue.services, now, before, first)
        return Weeks(now, before, first, points, points_from_ms, usual, told)


def _a_minute(
    usuals: Usuals, catalogue: Catalogue, counted: Mapping[str, Ended], now_ms: int
) -> dict[str, Band]:
    """Completed transactions a minute that are usual now, by the service's slug; absent where unknown."""
    found = {}
    for service in catalogue.services:
        paths = [channel.subject for channel in service.channels]
        told = usuals.expected(paths, now_ms, now_ms + MINUTE_MS)
        if told is not None and usuals.cover({path: counted[path] for path in paths if path in counted}):
            found[service.slug] = band(told)
    return found


def _by_service(findings: Iterable[Finding]) -> dict[str, tuple[Finding, ...]]:
    found: dict[str, tuple[Finding, ...]] = {}
    for each in findings:
        service = stream_key(each.subject)
        found[service] = (*found.get(service, ()), each)
    return found


def _lasting(rows: Iterable[Missed]) -> dict[str, Missed]:
    return {row.subject: row for row in rows if row.ended_ms is None}


def _tallies(
    services: tuple[Service, ...], now: Period, before: Period, first: Mapping[str, int]
) -> dict[str, tuple[Tally, Tally]]:
    pairs = zip(services, now.of(services, first), before.of(services, first), strict=True)
    return {service.slug: (a, b) for service, a, b in pairs}


@contextmanager
def _store_may_be_away() -> Iterator[None]:
    try:
        yield
    except StoreUnavailable as error:
        log.warning("web.traffic_away", why=str(error))


def weeks_at(now_ms: int, zone: str) -> tuple[int, int]:
    """The three weeks that `now_ms` ends: from a local midnight, today among them."""
    return midnight(now_ms, zone, days_ago=WEEKS_DAYS - 1), _end(now_ms)


def _end(now_ms: int) -> int:
    return whole_minute(now_ms) + MINUTE_MS  # the running minute too


def midnight(ms: int, zone: str, *, days_ago: int = 0) -> int:
    """The local midnight before `ms`, or one so many days earlier, in Unix ms."""
    day = datetime.fromtimestamp(ms / 1000, ZoneInfo(zone)).date() - timedelta(days=days_ago)
    return round(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def earlier(ms: int, zone: str, *, days: int) -> int:
    """The same local hour so many days earlier, in Unix ms."""
    local = datetime.fromtimestamp(ms / 1000, ZoneInfo(zone))
    return round((local - timedelta(days=days)).timestamp() * 1000)
