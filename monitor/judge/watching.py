"""The leader's second loop: holds counts against what is usual, keeps findings, and reckons outages.

It works under derive's lease and never past the clock of the counts: what we have not read is not silent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from monitor.errors import LeaseLost, StoreUnavailable
from monitor.judge import findings
from monitor.judge.findings import DROP, SILENCE, Judged, Range, Vote, Watched
from monitor.judge.hours import HOUR_MS
from monitor.judge.overdue import Overdue
from monitor.judge.pattern import decode
from monitor.judge.reckoner import Reckoner, outages_of_late
from monitor.judge.refit import SETTLED_MS, Refit
from monitor.judge.watched import Channels
from monitor.judge.windows import MINUTE_MS
from monitor.lifetime import Backoff, Stop
from monitor.log import Log
from monitor.metrics import WatchMetrics
from monitor.model import GOVERNMENT, FindingLevel
from monitor.store import changes, counts, expected, read, seen
from monitor.store.expected import Found
from monitor.store.lease import Lease
from monitor.store.pool import Store
from monitor.store.seen import Outage

log = Log(__name__)
LOOK_S = 15.0
WORK_S = 1.0  # between turns while patterns or outages of long ago wait, or a history is not whole yet
KEPT_MS = 6 * HOUR_MS  # minutes that are held, and read again now and then, for late events
READ_MS = ((240, KEPT_MS), (20, HOUR_MS), (1, 10 * MINUTE_MS))  # every so many looks, so far back
MISSING_SHARE, MISSING_MIN = 0.5, 200  # new transactions that are not of the minutes just read
PAUSE_MS = 30_000  # without any more of them, before anything is judged again
CAME_SHARE = 0.02  # after so much history of all that is counted, every pattern is made anew
UNFOLDED_MAX, WAIT_S = 3, 600.0  # more hours to fold than that: a history comes in; waited for so long
TELL_S = 60.0  # a finding that lasts is written again as often
TOGETHER_MS = 15 * MINUTE_MS  # what began so long before is still part of what most do
SLICE = 100  # channels looked at before others have the event loop


class Open(NamedTuple):
    """A finding that lasts, as last written."""

    began_ms: int
    level: FindingLevel
    told_at: float


def nowhere(_: str) -> Sequence[Range]:
    """No exclusions."""
    return ()


class Watching:
    """Looks every 15 s while its lease is held."""

    def __init__(
        self,
        store: Store,
        *,
        lease: Lease,
        topic: str,
        owner: Callable[[str], int],
        metrics: WatchMetrics,
        others: Sequence[str] = (),
        excluded: Callable[[str], Sequence[Range]] = nowhere,
        now_ms: Callable[[], int] = lambda: int(time.time() * 1000),
    ) -> None:
        """`topic` has a service's counts in partition `owner(path)`; any partition of `others` may have some.

        `excluded` are stretches of a service or channel without judgement: maintenance, out of hours.
        """
        self._store, self._lease, self._metrics = store, lease, metrics
        self._topic, self._owner, self._others = topic, owner, tuple(others)
        self._excluded, self._now_ms = excluded, now_ms
        self._refit, self._reckoner = Refit(store, lease=lease), Reckoner(store, lease=lease, now_ms=now_ms)
        self._overdue = Overdue(store, lease=lease, now_ms=now_ms)
        self._epoch = 0
        self._came = self._came_at_ms = 0  # transactions for hours past, and when they were last met
        self._forget()

    async def run(self, stop: Stop) -> None:
        """Until `stop`. Database away: wait and try again. Without the lease: wait for it."""
        backoff = Backoff()
        while not stop.requested:
            wait_s = LOOK_S
            try:
                if self._lease.held:
                    wait_s = WORK_S if await self.turn() else LOOK_S
                    backoff.reset()
                else:
                    self._forget()
                    wait_s = 1.0
            except LeaseLost as error:
                log.warning("watching.lease_lost", why=str(error))
                self._forget()
            except StoreUnavailable as error:
                log.warning("watching.store_away", why=str(error))
                wait_s = backoff.next_s()
            await stop.pause(wait_s)

    async def turn(self) -> int:
        """Look, reckon, and make some patterns anew; returns how many of them or of old outages wait.

        While nothing can be told yet, because not all is counted or folded, that is 1.
        """
        if self._epoch != self._lease.epoch:
            self._forget()
            self._epoch = self._lease.epoch
        channels = await self._in_force()
        if channels is None:
            return 0
        clocks = await self._clocks(channels)
        if not clocks or (len(clocks) < len(channels.entities) and self._may_wait()):
            return 1
        totals = await seen.totals(self._store)
        await self._read(channels, clocks, counted=sum(totals.values()))
        outages = await outages_of_late(self._store, channels, now_ms=self._now_ms())
        await self._reckoner.some(channels, clocks, outages)
        if await self._history_is_coming(min(clocks.values())):
            return 1
        if self._came > CAME_SHARE * self._counted:
            self._refit.again(channels)
        self._came = 0
        await self._look(channels, clocks, outages)
        waiting = await self._refit.some(channels, until_ms=min(clocks.values()), totals=totals)
        self._metrics.patterns.set(len(channels.watched))
        self._metrics.waiting.set(waiting)
        if waiting:  # an outage of a service is reckoned once all its channels have what is usual on them
            return waiting
        if self._reckoner.lacks(channels):
            await self._reckoner.some(channels, clocks, outages)
        return await self._overdue.some(channels, clocks)

    def _forget(self) -> None:
        self._channels: Channels | None = None
        self._open: dict[tuple[str, str], Open] | None = None
        self._looked: dict[str, int] = {}  # how far each service was looked at
        self._looks, self._counted = 0, 0
        self._waits_since: float | None = None
        self._came = self._came_at_ms = 0
        self._refit.forget()
        self._reckoner.forget()
        self._overdue.forget()

    # -- what is read -------------------------------------------------------------------------------------

    async def _history_is_coming(self, until_ms: int) -> bool:
        """Whether so much comes for hours past that nothing can be told yet; not for ever."""
        came = self._came > MISSING_MIN and self._now_ms() < self._came_at_ms + PAUSE_MS
        unfolded = await seen.unfolded(self._store, before_ms=until_ms - SETTLED_MS)
        if not came and unfolded <= UNFOLDED_MAX:
            self._waits_since = None
            return False
        return self._may_wait()

    def _may_wait(self) -> bool:
        """Whether what is not there yet is waited for: WAIT_S at most."""
        if self._waits_since is None:
            self._waits_since = time.monotonic()
            log.info("watching.waits_for_history")
        return time.monotonic() < self._waits_since + WAIT_S

    async def _in_force(self) -> Channels | None:
        """The channels of the version in force, with the patterns that are stored."""
        serial = await read.serial_in_force(self._store)
        if serial == 0 or (self._channels is not None and self._channels.serial == serial):
            return self._channels
        version = await read.version(self._store, serial)
        new = Channels(version, since_ms=(self._now_ms() - KEPT_MS) // MINUTE_MS * MINUTE_MS)
        for each in await expected.patterns(self._store):
            if each.channel in new.services:
                new.fitted(each.channel, decode(each.document))
        if self._channels is not None and self._channels.rules != new.rules:
            self._refit.forget()
        self._channels, self._looks, self._looked = new, 0, {}
        return new

    async def _clocks(self, channels: Channels) -> dict[str, int]:
        """Per service, how far its transactions are counted; absent where that is not known."""
        found = await seen.clocks(self._store, [self._topic, *self._others])
        others = min((at_ms for (topic, _), at_ms in found.items() if topic != self._topic), default=None)
        clocks: dict[str, int] = {}
        for service in channels.entities:
            until_ms = found.get((self._topic, self._owner(service)))
            if until_ms is not None:
                clocks[service] = until_ms if others is None else min(until_ms, others)
        return clocks

    async def _read(self, channels: Channels, clocks: Mapping[str, int], *, counted: int) -> None:
        """The minutes since the last look and some before; now and then the hours before, for late events.

        `counted` is the total before this read: what is missing in the minutes read came for earlier ones.
        """
        far_ms = next(back_ms for every, back_ms in READ_MS if self._looks % every == 0)
        moved = [self._looked.get(service, at_ms) for service, at_ms in clocks.items()]
        since_ms = min(
            (
                before_ms
                for before_ms, at_ms in zip(moved, clocks.values(), strict=True)
                if at_ms > before_ms or not self._looked
            ),
            default=max(clocks.values()),
        )
        from_ms = max(since_ms - far_ms, self._now_ms() - KEPT_MS) // MINUTE_MS * MINUTE_MS
        more = await self._take(channels, from_ms)
        missing = counted - self._counted - more
        if self._looks and missing > max(MISSING_SHARE * more, MISSING_MIN):
            self._came += missing
            self._came_at_ms = self._now_ms()
            await self._take(channels, (self._now_ms() - KEPT_MS) // MINUTE_MS * MINUTE_MS)
        self._counted = max(counted, self._counted + more)
        channels.forget_before(self._now_ms() - KEPT_MS)
        self._looked, self._looks = dict(clocks), self._looks + 1

    async def _take(self, channels: Channels, from_ms: int) -> int:
        rows = await counts.minutes(self._store, from_ms=from_ms, to_ms=self._now_ms() + HOUR_MS)
        return channels.counted(
            ((row.channel, row.outcome, row.at_ms, row.events) for row in rows),
            looked=self._looked,
        )

    # -- findings -----------------------------------------------------------------------------------------

    async def _look(self, channels: Channels, clocks: Mapping[str, int], outages: Sequence[Outage]) -> None:
        began = time.perf_counter()
        if self._open is None:
            self._open = {
                (each.subject, each.kind): Open(each.began_ms, FindingLevel(each.level), 0.0)
                for each in await expected.open_findings(self._store)
            }
        bad = _ranges(outages)
        judged: dict[str, list[Judged]] = {}
        over: list[tuple[str, str, int]] = []
        votes: dict[str, list[Vote]] = {SILENCE: [], DROP: []}
        open_by_subject = _by_subject(self._open)
        for number, watched in enumerate(channels.watched.values()):
            if number % SLICE == SLICE - 1:
                await asyncio.sleep(0)
            if watched.service not in clocks:
                continue
            until_ms = clocks[watched.service] - round(channels.lateness[watched.channel].late_s * 1000)
            shut = self._shut(channels, watched, bad)
            looked = findings.look(
                watched,
                channels.hours,
                channels.expecting,
                until_ms=until_ms,
                bad=shut,
                began=open_by_subject.get(watched.channel, findings.NONE_OPEN),
            )
            judged[watched.channel] = looked.judged
            over += [(watched.channel, kind, ended_ms) for kind, ended_ms in looked.over]
            if not any(from_ms <= until_ms < to_ms for from_ms, to_ms in shut):
                for kind, cast in votes.items():
                    cast.append(
                        findings.vote(watched, looked.judged, channels.hours, kind, until_ms=until_ms)
                    )
        over += self._gone(channels, clocks)
        for kind, cast in votes.items():
            over += self._government(judged, kind, cast, clocks)
        await self._write(judged, over)
        self._metrics.look_s.observe(time.perf_counter() - began)

    def _shut(self, channels: Channels, watched: Watched, bad: dict[str, list[Range]]) -> list[Range]:
        excluded = [*self._excluded(watched.channel), *self._excluded(watched.service)]
        return sorted([*channels.bad(watched.channel, bad), *excluded])

    def _gone(self, channels: Channels, clocks: Mapping[str, int]) -> list[tuple[str, str, int]]:
        """Open findings of channels that the catalogue no longer has."""
        assert self._open is not None
        return [
            (subject, kind, max(clocks.values(), default=each.began_ms + 1))
            for (subject, kind), each in self._open.items()
            if subject != GOVERNMENT and subject not in channels.watched
        ]

    def _government(
        self, judged: dict[str, list[Judged]], kind: str, votes: Iterable[Vote], clocks: Mapping[str, int]
    ) -> list[tuple[str, str, int]]:
        """When most fall silent or drop at once that is one finding, and theirs never were."""
        assert self._open is not None
        found = findings.most(votes)
        if found is None:
            return [(GOVERNMENT, kind, max(clocks.values()))] if (GOVERNMENT, kind) in self._open else []
        for subject, each in judged.items():
            if subject != GOVERNMENT:
                judged[subject] = [one for one in each if one.kind != kind]
        judged.setdefault(GOVERNMENT, []).append(found)
        return [
            (*name, each.began_ms)
            for name, each in self._open.items()
            if name[1] == kind and name[0] != GOVERNMENT and each.began_ms >= found.began_ms - TOGETHER_MS
        ]

    async def _write(self, judged: Mapping[str, list[Judged]], over: Sequence[tuple[str, str, int]]) -> None:
        assert self._open is not None
        at = time.monotonic()
        ended = {(subject, kind) for subject, kind, _ in over}
        new = [
            (subject, each)
            for subject, found in judged.items()
            for each in found
            if (subject, each.kind) not in ended and self._tells(subject, each, at)
        ]
        over = [
            (*name, ended_ms)
            for name, ended_ms in {(each[0], each[1]): each[2] for each in over}.items()
            if name in self._open
        ]
        if not new and not over:
            return
        rows = [
            Found(subject, each.kind, each.level, each.began_ms, each.probability, each.expected, each.seen)
            for subject, each in new
        ]
        async with self._store.transaction() as connection:
            await self._lease.lock(connection)
            await expected.end_findings(connection, over)
            await expected.keep_findings(connection, rows)
            await changes.wake(connection)
        for subject, kind, _ in over:
            del self._open[subject, kind]
        for subject, each in new:
            self._remember(subject, each, at)

    def _tells(self, subject: str, each: Judged, at: float) -> bool:
        assert self._open is not None
        known = self._open.get((subject, each.kind))
        return known is None or _higher(each.level, known.level) or at >= known.told_at + TELL_S

    def _remember(self, subject: str, each: Judged, at: float) -> None:
        assert self._open is not None
        known = self._open.get((subject, each.kind))
        if known is None:
            log.info("watching.found", subject=subject, kind=each.kind, level=each.level.value)
            self._metrics.findings.labels(each.kind, each.level.value).inc()
            self._open[subject, each.kind] = Open(each.began_ms, each.level, at)
            return
        level = each.level if _higher(each.level, known.level) else known.level
        if level is not known.level:
            self._metrics.findings.labels(each.kind, level.value).inc()
        self._open[subject, each.kind] = Open(min(known.began_ms, each.began_ms), level, at)


def _higher(one: FindingLevel, other: FindingLevel) -> bool:
    return one is not findings.at_most(one, other)


def _by_subject(found: Mapping[tuple[str, str], Open]) -> dict[str, dict[str, int]]:
    by_subject: dict[str, dict[str, int]] = {}
    for (subject, kind), each in found.items():
        by_subject.setdefault(subject, {})[kind] = each.began_ms
    return by_subject


def _ranges(outages: Iterable[Outage]) -> dict[str, list[Range]]:
    """By subject; one that lasts has no end."""
    found: dict[str, list[Range]] = {}
    for each in outages:
        end_ms = 2**62 if each.ended_ms is None else each.ended_ms
        found.setdefault(each.subject, []).append((each.began_ms, end_ms))
    return found
