"""Keeps the beats: one heap of what is due, at most one flight per check, and nothing that waits for another.

There is no shared slot that a hung probe could hold (T38); the only bound is the number of descriptors.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Protocol

from monitor.lifetime import Stop
from monitor.log import Log
from monitor.metrics import ProbeMetrics
from monitor.model import Check, Version
from monitor.scheduler.beat import latest_due_ms
from monitor.scheduler.watch import Watch
from monitor.stream.wire import Observation, Request
from probes.catalogue import Ask
from probes.contract import Answer, Outcome, Reason

log = Log(__name__)

TICK_MOST_S = 0.25  # look at the wall clock at least this often: it may be set
STALL_S = 0.5  # waking this much later than asked is standing still: what was in flight then proves nothing
CATCH_UP_SPACING_MS = 4  # many checks that begin at once are spread, so that they do not delay one another
STARTS_MOST = 64  # a turn; when we are behind, answers that came are read before more is asked
MISSED_MOST = 3  # a longer pause is a gap; the judge writes that as one row
RETRY_S = 0.3
LAND_WITHIN_S = 10.0


class Asks(Protocol):
    """Asks one target once; see probes/ask.py."""

    async def ask(self, settings: Ask, *, within_s: float, objective_ms: float | None = None) -> Answer: ...


def wall_ms() -> float:
    """Unix milliseconds, with their fraction."""
    return time.time() * 1000


class Scheduler:
    """The beats of one prober. `use` gives it a catalogue, `owns` says which of its checks are ours."""

    def __init__(
        self,
        *,
        vantage: str,
        asker: Asks,
        publish: Callable[[Observation], None],
        request: Callable[[str, Request], Awaitable[bool]],
        owns: Callable[[str], bool],
        metrics: ProbeMetrics,
        woke: Callable[[float], Awaitable[None]] | None = None,
        flights_most: int = 100_000,
        now_ms: Callable[[], float] = wall_ms,
    ) -> None:
        self._vantage, self._asker, self._publish, self._request = vantage, asker, publish, request
        self._owns, self._metrics, self._woke, self._now_ms = owns, metrics, woke, now_ms
        self._flights_most = flights_most
        self._version: Version | None = None
        self._coming: list[Version] = []
        self._watches: dict[str, Watch] = {}
        self._heap: list[tuple[int, int, Watch, int]] = []  # start, tie, watch, beat
        self._tie = itertools.count()
        self._changed = asyncio.Event()
        self._flights: set[asyncio.Task[None]] = set()
        self._errands: set[asyncio.Task[bool]] = set()
        self._stopping: Stop | None = None
        self._last_ms = 0.0
        self._failed: BaseException | None = None
        self._wakes_at = float("inf")
        self._stalled_at = float("-inf")
        self.skew_ms = 0

    @property
    def checks(self) -> int:
        """How many checks are ours now."""
        return len(self._watches)

    @property
    def _serial(self) -> int:
        return 0 if self._version is None else self._version.serial

    def use(self, version: Version) -> None:
        """Takes force at its `valid_from_ms`; checks that stay the same keep beat, flight and failure run."""
        self._coming = [*(v for v in self._coming if v.serial < version.serial), version]
        self._changed.set()

    def shards_changed(self) -> None:
        """`owns` answers differently: begin what is new with its latest beat, let go of what is not ours."""
        if self._version is not None:
            self._take(self._version, self._version.valid_from_ms)
        self._changed.set()

    def asked(self, request: Request) -> None:
        """Another vantage point saw a failure: ask now, unless an answer is already on its way."""
        watch, now_ms = self._watches.get(request.check), self._now_ms()
        if watch is None:
            self._metrics.requests.labels("not_ours").inc()
        elif (
            request.expires_ms <= now_ms
            or request.due_ms != latest_due_ms(watch.key, watch.check.every_ms, int(now_ms))
            or self._stopping is None
        ):
            self._metrics.requests.labels("expired").inc()
        elif watch.flight is None:
            self._metrics.requests.labels("asked").inc()
            attempt = request.attempt
            if watch.asked_ms == request.due_ms:
                attempt = max(attempt, watch.asked_attempt + 1)
            self._fly(watch, request.due_ms, attempt)

    async def run(self, stop: Stop) -> None:
        """Keep the beats until asked to stop, then land what flies. Bugs in flights come out here."""
        self._stopping, self._last_ms = stop, self._now_ms()
        self._metrics.in_flight.set_function(lambda: len(self._flights))
        stopper = asyncio.ensure_future(self._wake_on(stop))
        try:
            while not stop.requested:
                await self._sleep()
                self._tick(int(self._now_ms()))
                if self._failed is not None:
                    raise self._failed
        finally:
            stopper.cancel()
            await self._land(LAND_WITHIN_S if stop.requested else 0.0)

    async def _wake_on(self, stop: Stop) -> None:
        await stop.wait()
        self._changed.set()

    async def _sleep(self) -> None:
        """Until the next start, a change, or 0.25 s; notices when it was much longer than that."""
        self._changed.clear()
        next_s = (self._heap[0][0] - self._now_ms()) / 1000 if self._heap else TICK_MOST_S
        asked_s = min(max(next_s, 0.0), TICK_MOST_S)
        began = time.perf_counter()
        self._wakes_at = began + asked_s
        with suppress(TimeoutError):
            async with asyncio.timeout(asked_s):
                await self._changed.wait()
        now = time.perf_counter()
        if now - self._wakes_at > STALL_S:
            self._stalled_at = now
            log.warning("scheduler.stood_still", seconds=round(now - began, 3))
            if self._woke is not None:
                await self._woke(now - began)
                self._wakes_at = float("inf")

    def _stalled_since(self, began: float) -> bool:
        """Whether this process stood still after `began` (perf_counter), also if it has not noticed yet."""
        return self._stalled_at > began or time.perf_counter() - self._wakes_at > STALL_S

    def _tick(self, now_ms: int) -> None:
        if now_ms < self._last_ms - 1000:
            self._clock_set_back(now_ms)
        self._last_ms = float(now_ms)
        while self._coming and self._coming[0].valid_from_ms <= now_ms:
            version = self._coming.pop(0)
            self._start_due(min(now_ms, version.valid_from_ms - 1), most=len(self._heap))
            self._take(version, version.valid_from_ms)
        self._start_due(now_ms)

    def _clock_set_back(self, now_ms: int) -> None:
        log.warning("scheduler.clock_set_back", by_ms=int(self._last_ms - now_ms))
        self._heap.clear()
        for watch in self._watches.values():
            self._next(watch, watch.beat_after(now_ms))

    def _take(self, version: Version, valid_from_ms: int) -> None:
        """Make the watches those of this version that are ours."""
        now_ms = int(self._now_ms())
        wanted = {key: check for key, check in version.catalogue.checks.items() if self._is_ours(check)}
        ended = [watch for watch in self._watches.values() if wanted.get(watch.key) != watch.check]
        out = {watch.key: watch for watch in ended if watch.flight is not None}
        for watch in ended:
            watch.ended = True
            del self._watches[watch.key]
        self._version = version
        new = (check for key, check in wanted.items() if key not in self._watches)
        for place, check in enumerate(new):
            watch = self._watches[check.key] = Watch(check, 0)
            if check.key in out:  # the old question is still out; at most one flight per check
                watch.flight = out[check.key].flight
            self._begin(watch, now_ms, valid_from_ms, place)
        self._heap = [entry for entry in self._heap if not entry[2].ended]
        heapq.heapify(self._heap)
        self._metrics.checks.set(len(self._watches))

    def _is_ours(self, check: Check) -> bool:
        return self._vantage in check.vantages and self._owns(check.key)

    def _begin(self, watch: Watch, now_ms: int, valid_from_ms: int, place: int) -> None:
        """With the latest beat of this catalogue, spread; with the next one where that comes sooner (T40)."""
        every_ms = watch.check.every_ms
        latest_ms = latest_due_ms(watch.key, every_ms, now_ms)
        start_ms = now_ms + place * CATCH_UP_SPACING_MS
        if latest_ms < valid_from_ms or start_ms >= latest_ms + every_ms:
            self._next(watch, latest_ms + every_ms)
        else:
            self._next(watch, latest_ms, start_ms=start_ms)

    def _next(self, watch: Watch, due_ms: int, *, start_ms: int | None = None) -> None:
        watch.due_ms = due_ms
        start_ms = due_ms if start_ms is None else start_ms
        heapq.heappush(self._heap, (start_ms, next(self._tie), watch, due_ms))

    def _start_due(self, now_ms: int, *, most: int = STARTS_MOST) -> None:
        heap = self._heap
        while heap and heap[0][0] <= now_ms and most:
            most -= 1
            start_ms, _, watch, due_ms = heapq.heappop(heap)
            if not watch.ended and watch.due_ms == due_ms:
                self._beat(watch, now_ms, catching_up=start_ms > due_ms)

    def _beat(self, watch: Watch, now_ms: int, *, catching_up: bool) -> None:
        due_ms = latest_due_ms(watch.key, watch.check.every_ms, now_ms)
        self._miss(watch, range(watch.due_ms, due_ms, watch.check.every_ms))
        self._next(watch, due_ms + watch.check.every_ms)
        if watch.flight is None:
            self._fly(watch, due_ms, 0, timed=not catching_up)
            return
        if watch.waiting_ms is not None:
            self._miss(watch, [watch.waiting_ms])
        watch.waiting_ms = due_ms

    def _miss(self, watch: Watch, dues_ms: Iterable[int]) -> None:
        """Say which beats passed unasked; of a long pause nothing, which the judge records as one gap."""
        missed = list(dues_ms)
        self._metrics.missed.inc(len(missed))
        if len(missed) <= MISSED_MOST:
            for due_ms in missed:
                answer = Answer(Outcome.UNKNOWN, Reason.MISSED, "this prober was busy or stopped")
                self._publish(self._observed(watch, due_ms, 0, answer, serial=self._serial))

    def _fly(self, watch: Watch, due_ms: int, attempt: int, *, timed: bool = False) -> None:
        watch.flight = asyncio.get_running_loop().create_task(self._flight(watch, due_ms, attempt, timed))
        self._flights.add(watch.flight)
        watch.flight.add_done_callback(lambda done: self._landed(watch, done))

    def _landed(self, watch: Watch, flight: asyncio.Task[None]) -> None:
        self._flights.discard(flight)
        current = self._watches.get(watch.key)
        for one in (watch, current):
            if one is not None and one.flight is flight:
                one.flight = None
        if not flight.cancelled() and (error := flight.exception()) is not None:
            self._crash(error)
        if current is not None and (due_ms := current.waiting_ms) is not None and current.flight is None:
            current.waiting_ms = None
            if self._stopping is not None and not self._stopping.requested:
                self._fly(current, due_ms, 0, timed=True)

    def _crash(self, error: BaseException) -> None:
        log.error("scheduler.flight_crashed", exc_info=error)
        if self._failed is None:
            self._failed = error
        self._changed.set()

    async def _flight(self, watch: Watch, due_ms: int, attempt: int, timed: bool) -> None:
        """One beat: the first attempt, and while it fails and that is news, the next ones at once."""
        if self._passed(watch, due_ms):  # this process stood still before it got here
            self._miss(watch, [due_ms] if attempt == 0 else [])
            return
        known = watch.run >= watch.check.count
        outcome = await self._attempt(watch, due_ms, attempt, timed=timed)
        if outcome is not Outcome.DOWN or known:
            return
        if attempt == 0:
            self._ask_the_others(watch, due_ms)
        while (
            outcome is Outcome.DOWN and watch.run < watch.check.count and self._time_to_retry(watch, due_ms)
        ):
            assert self._stopping is not None
            await self._stopping.pause(RETRY_S * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
            if self._stopping.requested or watch.ended or not self._time_to_retry(watch, due_ms, in_s=0.0):
                return
            attempt += 1
            outcome = await self._attempt(watch, due_ms, attempt)

    def _time_to_retry(self, watch: Watch, due_ms: int, *, in_s: float = RETRY_S) -> bool:
        """Retries stop at the next beat: one begins only where its whole deadline fits before that."""
        until_ms = due_ms + watch.check.every_ms
        return self._now_ms() + in_s * 1000 + watch.check.within_ms <= until_ms

    def _passed(self, watch: Watch, due_ms: int) -> bool:
        """Whether the next beat has come: what is found now says nothing of this one."""
        return self._now_ms() >= due_ms + watch.check.every_ms

    async def _attempt(self, watch: Watch, due_ms: int, attempt: int, *, timed: bool = False) -> Outcome:
        check, metrics = watch.check, self._metrics
        serial = self._serial
        watch.asked_ms, watch.asked_attempt = due_ms, attempt
        late_ms = max(0.0, self._now_ms() - due_ms) if attempt == 0 else 0.0
        if timed:
            metrics.late_s.observe(late_ms / 1000)
        began = time.perf_counter()
        if len(self._flights) > self._flights_most:
            answer = Answer(Outcome.UNKNOWN, Reason.FAULT, "this prober has no descriptors left")
        else:
            answer = await self._asker.ask(
                check.ask, within_s=check.within_s, objective_ms=check.objective_ms
            )
        took_s = time.perf_counter() - began
        failed = answer.outcome in (Outcome.DOWN, Outcome.DEGRADED)
        if (failed or self._passed(watch, due_ms)) and self._stalled_since(began):
            answer = Answer(Outcome.UNKNOWN, Reason.FAULT, "this prober stood still while it asked")
        found = self._observed(watch, due_ms, attempt, answer, late_ms=late_ms, took_s=took_s, serial=serial)
        self._publish(found)
        metrics.attempts.labels(watch.kind, self._vantage).inc()
        metrics.duration_s.labels(watch.kind).observe(took_s)
        if answer.outcome is not Outcome.UP:
            metrics.failures.labels(watch.kind, self._vantage, answer.reason.value).inc()
        if answer.outcome is Outcome.DOWN:
            watch.run += 1
        elif answer.outcome is not Outcome.UNKNOWN:
            watch.run = 0
        return answer.outcome

    def _ask_the_others(self, watch: Watch, due_ms: int) -> None:
        expires_ms = due_ms + watch.check.every_ms
        for vantage in watch.check.vantages:
            if vantage != self._vantage:
                asking = Request(check=watch.key, due_ms=due_ms, attempt=1, expires_ms=expires_ms)
                errand = asyncio.ensure_future(self._request(vantage, asking))
                self._errands.add(errand)
                errand.add_done_callback(self._errands.discard)

    def _observed(
        self,
        watch: Watch,
        due_ms: int,
        attempt: int,
        answer: Answer,
        *,
        serial: int,
        late_ms: float = 0.0,
        took_s: float = 0.0,
    ) -> Observation:
        return Observation(
            check=watch.key,
            vantage=self._vantage,
            due_ms=due_ms,
            attempt=attempt,
            every_ms=watch.check.every_ms,
            late_ms=int(late_ms),
            took_ms=round(took_s * 1000, 3),
            outcome=answer.outcome,
            reason=answer.reason,
            sentence=answer.sentence,
            phases_ms={phase: round(ms, 3) for phase, ms in answer.phases_ms.items()},
            status=answer.status,
            size_bytes=answer.size_bytes,
            certificate_expires_ms=answer.certificate_expires_ms,
            failed=answer.failed,
            serial=serial,
            skew_ms=self.skew_ms,
        )

    async def _land(self, within_s: float) -> None:
        """What flies at the end may finish; what does not in time is cut off and becomes a gap."""
        if self._flights and within_s:
            await asyncio.wait(list(self._flights), timeout=within_s)
        for flight in [*self._flights, *self._errands]:
            flight.cancel()
        await asyncio.gather(*self._flights, *self._errands, return_exceptions=True)
