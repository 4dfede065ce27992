"""The role `probe`: follows the catalogue, keeps the beats of its shards, publishes what it found."""

from __future__ import annotations

import asyncio
import gc
import resource
import time
import uuid
from pathlib import Path

from monitor.lifetime import Stop
from monitor.log import Log
from monitor.metrics import ProbeMetrics
from monitor.scheduler.buffer import Buffer
from monitor.scheduler.loop import Asks, Scheduler
from monitor.scheduler.shards import Shards
from monitor.stream.catalogue import follow_catalogue
from monitor.stream.kafka import Kafka, partition_for
from monitor.stream.publish import Publisher
from monitor.stream.requests import Group
from monitor.stream.wire import Heartbeat

log = Log(__name__)

HEARTBEAT_S = 5.0
LEAVE_WITHIN_S = 5.0
LINGER_S = 2.0  # a leaver keeps asking while the others take over
SPARE_DESCRIPTORS = 128  # for Kafka, segments, files


async def probe_role(
    kafka: Kafka,
    *,
    vantage: str,
    folder: Path,
    asker: Asks,
    metrics: ProbeMetrics,
    stop: Stop,
    buffer_bytes: int = 256 * 1024 * 1024,
    session_s: float = 10.0,
) -> None:
    """Be a prober of `vantage` until asked to stop. Everything that must survive a restart is in `folder`.

    Ends within about 2 s + the last flights (10 s at most) + the last flush (5 s at most).
    Raises OSError when the folder cannot be written.
    """
    buffer = Buffer(folder / "buffer", most_bytes=buffer_bytes)
    try:
        prober = _Prober(kafka, vantage, folder, asker, metrics, buffer, session_s)
        await prober.run(stop)
    finally:
        buffer.close()


class _Prober:
    """The parts of one prober, wired."""

    def __init__(
        self,
        kafka: Kafka,
        vantage: str,
        folder: Path,
        asker: Asks,
        metrics: ProbeMetrics,
        buffer: Buffer,
        session_s: float,
    ) -> None:
        self._kafka, self._vantage, self._folder = kafka, vantage, folder
        self._metrics, self._session_s = metrics, session_s
        self._id = _prober_id(folder)
        self._publisher = Publisher(kafka, buffer, metrics=metrics)
        self._shards = Shards(folder, shard_of=partition_for, changed=self._shards_changed)
        self._scheduler = Scheduler(
            vantage=vantage,
            asker=asker,
            publish=self._publisher.publish,
            request=self._publisher.request,
            owns=self._shards.owns,
            metrics=metrics,
            woke=self._woke,
            flights_most=raise_descriptors() - SPARE_DESCRIPTORS,
        )
        self._group = Group(
            kafka,
            vantage=vantage,
            assigned=self._shards.assigned,
            asked=self._scheduler.asked,
            expired=metrics.requests.labels("expired").inc,
            session_s=session_s,
        )

    async def run(self, stop: Stop) -> None:
        """Leaving goes by steps: leave the group, ask 2 s more, land what flies, flush, end."""
        self._shards.resume(within_s=self._session_s)
        asking, delivering = Stop(), Stop()
        async with asyncio.TaskGroup() as group:
            leaving = [
                group.create_task(self._follow(stop), name="catalogue"),
                group.create_task(self._group.run(stop, away=self._shards.resume), name="group"),
            ]
            scheduling = group.create_task(self._scheduler.run(asking), name="scheduler")
            group.create_task(self._beat(asking), name="heartbeat")
            group.create_task(self._publisher.deliver(delivering), name="publisher")
            await stop.wait()
            await asyncio.wait(leaving, timeout=LEAVE_WITHIN_S)
            self._shards.given_up()
            await asyncio.sleep(LINGER_S)
            asking.request()
            await scheduling
            delivering.request()

    def _shards_changed(self) -> None:
        self._scheduler.shards_changed()

    async def _follow(self, stop: Stop) -> None:
        async for version in follow_catalogue(self._kafka, folder=self._folder, stop=stop):
            log.info("prober.catalogue", serial=version.serial, checks=len(version.catalogue.checks))
            self._scheduler.use(version)
            gc.freeze()  # a catalogue lives long: sweeping it again and again would delay beats

    async def _beat(self, stop: Stop) -> None:
        while not stop.requested:
            heartbeat = Heartbeat(
                vantage=self._vantage,
                prober=self._id,
                at_ms=int(time.time() * 1000),
                checks=self._scheduler.checks,
                skew_ms=self._scheduler.skew_ms,
            )
            skew_ms = await self._publisher.beat(heartbeat)
            if skew_ms is not None:
                self._shards.still_ours()
                self._scheduler.skew_ms = skew_ms
                self._metrics.skew_s.set(skew_ms / 1000)
            await stop.pause(HEARTBEAT_S if skew_ms is not None else 1.0)

    async def _woke(self, stood_still_s: float) -> None:
        """After a pause longer than the session our shards may be somebody else's: wait to be told."""
        if stood_still_s < self._session_s:
            return
        until = time.monotonic() + self._session_s
        while time.monotonic() < until:
            if await self._group.confirm():
                return
            await asyncio.sleep(0.2)
        log.warning("prober.not_confirmed", stood_still_s=round(stood_still_s, 1))


def raise_descriptors() -> int:
    """Lift the bound on open descriptors as far as this user may; returns the bound."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 1_048_576 if hard == resource.RLIM_INFINITY else hard
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def _prober_id(folder: Path) -> str:
    """A name of this prober that stays over restarts."""
    file = folder / "prober-id"
    if not file.exists():
        file.write_text(f"{uuid.uuid4().hex[:12]}\n", encoding="utf-8")
    return file.read_text(encoding="utf-8").strip()
