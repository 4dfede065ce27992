"""The leader's second loop: holds counts against what is usual, keeps findings, and reckons outages.

It works under derive's lease and never past the clock of the counts: what we have not read is not silent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from monitor.errors import LeaseLost, StoreUnavailable
from monitor.judge import findings, reckon
from monitor.judge.findings import GOVERNMENT, SILENCE, Judged, Range, Vote, Watched
from monitor.judge.hours import HOUR_MS
from monitor.judge.pattern import decode
from monitor.judge.refit import Refit
from monitor.judge.watched import Channels
from monitor.judge.windows import MINUTE_MS
from monitor.lifetime import Backoff, Stop
from monitor.log import Log
from monitor.metrics import WatchMetrics
from monitor.model import FindingLevel
from monitor.store import changes, counts, expected, read, seen
from monitor.store.expected import Found
from monitor.store.lease import Lease
from monitor.store.pool import Store
from monitor.store.seen import Outage, Sum

log = Log(__name__)
LOOK_S = 15.0
KEPT_MS = 6 * HOUR_MS  # minutes that are held, and read again now and then, for late events
READ_MS = ((240, KEPT_MS), (20, HOUR_MS), (1, 10 * MINUTE_MS))  # every so many looks, so far back
TELL_S = 60.0  # a finding that lasts is written again as often
RECKON_S = 300.0  # outages that are over are reckoned again as often, for late events and what is made up
SLICE = 100  # channels looked at before others have the event loop
DAY_MS = 24 * HOUR_MS


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
        self._refit = Refit(store, lease=lease)
        self._epoch = 0
        self._forget()

    async def run(self, stop: Stop) -> None:
        """Until `stop`. Database away: wait and try again. Without the lease: wait for it."""
        backoff = Backoff()
        while not stop.requested:
            wait_s = LOOK_S
            try:
                if self._lease.held:
                    await self.turn()
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

    async def turn(self) -> None:
        """Look, reckon, and make some patterns anew."""
        if self._epoch != self._lease.epoch:
            self._forget()
            self._epoch = self._lease.epoch
        channels = await self._in_force()
        if channels is None:
            return
        clocks = await self._clocks(channels)
        if not clocks:
            return
        await self._read(channels, clocks)
        outages = await self._outages(channels)
        await self._look(channels, clocks, outages)
        await self._reckon(channels, clocks, outages)
        waiting = await self._refit.some(channels, until_ms=min(clocks.values()))
        self._metrics.patterns.set(len(channels.watched))
        self._metrics.waiting.set(waiting)

    def _forget(self) -> None:
        self._channels: Channels | None = None
        self._open: dict[tuple[str, str], Open] | None = None
        self._looked: dict[str, int] = {}  # how far each service was looked at
        self._looks, self._reckon_at = 0, 0.0
        self._refit.forget()

    # -- what is read -------------------------------------------------------------------------------------

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

    async def _read(self, channels: Channels, clocks: Mapping[str, int]) -> None:
        """The minutes since the last look and some before; now and then the hours before, for late events."""
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
        rows = await counts.minutes(self._store, from_ms=from_ms, to_ms=self._now_ms() + HOUR_MS)
        channels.counted(
            ((row.channel, row.outcome, row.at_ms, row.events) for row in rows),
            from_ms=from_ms,
            looked=self._looked,
        )
        channels.forget_before(self._now_ms() - KEPT_MS)
        self._looked, self._looks = dict(clocks), self._looks + 1

    async def _outages(self, channels: Channels) -> list[Outage]:
        now_ms = self._now_ms()
        return await seen.outages(
            self._store,
            subjects=channels.subjects,
            from_ms=now_ms - DAY_MS - channels.late_horizon_ms,
            to_ms=now_ms,
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
        votes: list[Vote] = []
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
                votes.append(_vote(watched, looked.judged))
        over += self._gone(channels, clocks)
        over += self._government(judged, votes, clocks)
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
        self, judged: dict[str, list[Judged]], votes: Iterable[Vote], clocks: Mapping[str, int]
    ) -> list[tuple[str, str, int]]:
        """When most fall silent at once that is one finding, and theirs never were."""
        assert self._open is not None
        most = findings.most_silent(votes)
        if most is None:
            return (
                [(GOVERNMENT, SILENCE, min(clocks.values()))] if (GOVERNMENT, SILENCE) in self._open else []
            )
        for subject, found in judged.items():
            judged[subject] = [each for each in found if each.kind != SILENCE]
        judged[GOVERNMENT] = [most]
        return [
            (subject, kind, each.began_ms)
            for (subject, kind), each in self._open.items()
            if kind == SILENCE and subject != GOVERNMENT and each.began_ms >= most.began_ms - HOUR_MS // 4
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

    # -- missed transactions ------------------------------------------------------------------------------

    async def _reckon(self, channels: Channels, clocks: Mapping[str, int], outages: Sequence[Outage]) -> None:
        """Outages that last at every look; all of the last days now and then."""
        whole = time.monotonic() >= self._reckon_at

        def as_of_ms(subject: str) -> int | None:
            paths = [path for path in self._reckoned_over(channels, subject) if path in channels.watched]
            found = [clocks.get(channels.services[path]) for path in paths]
            late_s = max((channels.lateness[path].late_s for path in paths), default=0.0)
            known = [each for each in found if each is not None]
            return min(known) - round(late_s * 1000) if known else None

        rows = [each for each in reckon.reckoned(outages, as_of_ms) if whole or each.ended_ms is None]
        paths = [self._reckoned_over(channels, each.subject) for each in rows]
        sums = [Sum(path, *each.during) for path, each in zip(paths, rows, strict=True)]
        sums += [Sum(path, *each.after) for path, each in zip(paths, rows, strict=True)]
        completed = await seen.completed(self._store, sums)
        made = [
            reckon.row(
                each,
                [channels.watched[path].pattern.completed for path in of if path in channels.watched],
                channels.hours,
                seen=completed[number],
                seen_after=completed[len(rows) + number],
            )
            for number, (each, of) in enumerate(zip(rows, paths, strict=True))
        ]
        stale = await self._stale(channels, outages) if whole else []
        if made or stale:
            async with self._store.transaction() as connection:
                await self._lease.lock(connection)
                await expected.drop_missed(connection, stale)
                await expected.keep_missed(connection, made)
        if whole:
            self._reckon_at = time.monotonic() + RECKON_S

    @staticmethod
    def _reckoned_over(channels: Channels, subject: str) -> Sequence[str]:
        return reckon.channels_of(subject, channels.remote)

    async def _stale(self, channels: Channels, outages: Sequence[Outage]) -> list[tuple[str, int]]:
        """Rows of the last days whose outage no longer stands."""
        now_ms = self._now_ms()
        standing = {(each.subject, each.began_ms) for each in outages}
        stored = await expected.missed(
            self._store,
            from_ms=now_ms - DAY_MS - channels.late_horizon_ms,
            to_ms=now_ms,
            subjects=channels.subjects,
        )
        return [
            (each.subject, each.began_ms) for each in stored if (each.subject, each.began_ms) not in standing
        ]


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


def _vote(watched: Watched, judged: Sequence[Judged]) -> Vote:
    silent = next((each for each in judged if each.kind == SILENCE), None)
    return Vote(watched.service, silent, max(watched.minutes, default=0))
