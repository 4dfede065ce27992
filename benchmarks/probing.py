"""A whole prober under test: the role as a process, its catalogue swapped, its observations read back."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from aiokafka import TopicPartition

from benchmarks import parts
from benchmarks.processes import ROOT, Tool, cpu_s, quiet
from benchmarks.table import share_below
from benchmarks.targets import Targets
from monitor.demo.child import Child
from monitor.errors import BadMessage
from monitor.model import Catalogue, Channel, ChannelKind, Check, Service, Version
from monitor.scheduler.beat import beats_between
from monitor.stream.catalogue import publish_version
from monitor.stream.kafka import Kafka, ensure_topics, open_consumer
from monitor.stream.wire import OBSERVATIONS, Observation, decode_observation
from probes.contract import Outcome, Reason
from probes.http import Settings as Http

READY_S = 30.0
READ_WITHIN_S = 12.0  # what was found is in Kafka within that
LATER_MS = 500  # so much later that every answer of before has been sent
ON_THE_BEAT_MS = 100  # a beat that begins later than this after it was due was not kept


@dataclass
class Window:
    """What happened between two moments. Only beats (attempt 0) are in `seen`."""

    from_ms: int
    until_ms: int
    cpu_s: float
    due: int  # beats that lay in it
    seen: list[Observation]

    @property
    def asked(self) -> list[Observation]:
        """Those that were asked, whatever the answer."""
        return [one for one in self.seen if one.reason is not Reason.MISSED]

    @property
    def rate(self) -> float:
        """Beats asked a second."""
        return len(self.asked) / (self.until_ms - self.from_ms) * 1000

    @property
    def cpu_ms(self) -> float:
        """CPU per beat asked."""
        return self.cpu_s / len(self.asked) * 1000 if self.asked else float("inf")

    @property
    def late_p99_ms(self) -> float:
        return share_below([one.late_ms for one in self.asked], 0.99)

    @property
    def kept(self) -> float:
        """The share of beats that began on time and were answered up."""
        fine = [one for one in self.asked if one.late_ms <= ON_THE_BEAT_MS and one.outcome is Outcome.UP]
        return len(fine) / self.due if self.due else 0.0


class Prober:
    """`with Prober() as prober: prober.use(checks); prober.window(5)`."""

    def __init__(self) -> None:
        self._name = parts.fresh("prober")
        self._kafka: Kafka = parts.kafka(self._name)
        self._checks: Sequence[Check] = ()
        self._serial = 0
        self._folder = parts.folder() / self._name
        self._folder.mkdir()
        asyncio.run(ensure_topics(self._kafka, vantages=[parts.VANTAGE]))
        self._role = role("probe", self._kafka, folder=self._folder)

    @property
    def pid(self) -> int:
        return self._role.pid

    def use(self, checks: Sequence[Check], *, settle_s: float = 2.0) -> None:
        """Ask these from now on, each from its next beat, so that the rate is there at once; then settle."""
        self._checks, self._serial = checks, self._serial + 1
        asyncio.run(publish_version(self._kafka, version(checks, serial=self._serial)))
        self._role.wait_until(self._has_it, within_s=READY_S)
        quiet(settle_s)

    def _has_it(self) -> bool:
        """Whether the prober says that it has the version and its share of the checks."""
        text = self._role.log.read_text(errors="replace")
        return "group.assigned" in text and f'"serial":{self._serial},' in text

    def window(self, seconds: float, *, later_ms: int = LATER_MS) -> Window:
        """Let it run, touching nothing, and read back what it found."""
        return self.windows(1, seconds, later_ms=later_ms)[0]

    def windows(self, runs: int, seconds: float, *, later_ms: int = LATER_MS) -> list[Window]:
        """Several, one after the other. Answers take up to `later_ms` to come."""
        taken = []
        for _ in range(runs):
            began_ms, used_s = time.time() * 1000, cpu_s(self.pid)
            quiet(seconds)
            taken.append((int(began_ms), int(time.time() * 1000), cpu_s(self.pid) - used_s))
        seen = asyncio.run(_beats(self._kafka, from_ms=taken[0][0], until_ms=taken[-1][1] + later_ms))
        return [
            Window(
                from_ms,
                until_ms,
                used,
                self._due(from_ms, until_ms),
                [one for one in seen if from_ms < one.due_ms <= until_ms],
            )
            for from_ms, until_ms, used in taken
        ]

    def _due(self, from_ms: int, until_ms: int) -> int:
        return sum(
            len(list(beats_between(check.key, check.every_ms, after_ms=from_ms, until_ms=until_ms)))
            for check in self._checks
        )

    def close(self) -> None:
        self._role.kill()  # nobody takes over its checks; leaving in order would take seconds

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def role(
    name: str, kafka: Kafka, *, folder: Path, dsn: str = "", config: Path | None = None, **more: str
) -> Child:
    """One role as it is run: `continuity run NAME`, with its settings in the environment."""
    if config is None:
        config = folder / "config"
        config.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "monitor", "run", name, "--config", str(config)]
    kept = {key: value for key, value in os.environ.items() if not key.startswith("CONTINUITY_")}
    env = kept | parts.environment(kafka, dsn=dsn, data=folder / "data") | more
    return Child(command, folder / f"{name}.log", name=name, cwd=ROOT, env=env)


def check(number: int, url: str, *, every_s: float, within_s: float = 3.0, **settings: Any) -> Check:
    """The check of service number so-and-so."""
    subject = f"service:s{number:05d}/web"
    return Check(subject=subject, ask=Http(url=url, **settings), every_s=every_s, within_s=within_s)


def catalogue(checks: Sequence[Check]) -> Catalogue:
    """A service with one channel for each check."""
    return Catalogue(
        services=tuple(
            Service(
                slug=one.subject.removeprefix("service:").removesuffix("/web"),
                channels=(Channel(subject=one.subject, slug="web", kind=ChannelKind.WEB, checks=(one,)),),
            )
            for one in checks
        )
    )


def version(checks: Sequence[Check], *, serial: int) -> Version:
    """In force from now on: nothing of before has to be caught up with."""
    digest = hashlib.sha256(repr(serial).encode()).hexdigest()
    return Version(
        serial=serial, sha256=digest, valid_from_ms=int(time.time() * 1000), catalogue=catalogue(checks)
    )


def bare(
    checks: Sequence[Check], *, runs: int, seconds: float, ca: Path | None = None
) -> list[dict[str, float]]:
    """The same checks asked by a bare protocol (benchmarks/bare.py), run by run."""
    pairs = [[one.key, one.ask.url] for one in checks if isinstance(one.ask, Http)]
    file = parts.folder() / f"{parts.fresh('bare')}.json"
    file.write_text(json.dumps(pairs))
    with Tool(
        "bare",
        checks=str(file),
        every_ms=checks[0].every_ms,
        warm_s=1.0,
        runs=runs,
        seconds=seconds,
        ca=str(ca) if ca else None,
    ) as tool:
        return [tool.said() for _ in range(runs)]


def targets_of(
    targets: Targets, count: int, *, every_s: float, delays_ms: Sequence[int] = (0,), tls: bool = False
) -> list[Check]:
    """`count` checks of targets that answer after one of the delays each; 0: at once."""
    trust: dict[str, Any] = {"ca": str(targets.certificate)} if tls else {}
    return [
        check(
            number,
            targets.url(f"after/{delays_ms[number % len(delays_ms)]}/s{number:05d}", number=number, tls=tls),
            every_s=every_s,
            **trust,
        )
        for number in range(count)
    ]


async def _beats(kafka: Kafka, *, from_ms: int, until_ms: int) -> list[Observation]:
    """Every beat due in between that reaches Kafka, which is over once later ones have come, or after 12 s.

    A prober sends in the order in which it found; a beat is not appended before it is due.
    """
    found: list[Observation] = []
    newest_ms, deadline = 0, time.monotonic() + READ_WITHIN_S
    async with open_consumer(kafka) as consumer:
        tps = [TopicPartition(kafka.topic(OBSERVATIONS), number) for number in range(kafka.partitions)]
        starts = await consumer.offsets_for_times(dict.fromkeys(tps, from_ms))
        ends = await consumer.end_offsets(tps)
        consumer.assign(tps)
        for tp, start in starts.items():
            consumer.seek(tp, ends[tp] if start is None else start.offset)
        while newest_ms < until_ms and time.monotonic() < deadline:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += [one for record in records if (one := _read(record.value)) is not None]
            newest_ms = max((one.due_ms for one in found), default=0)
    return [one for one in found if one.attempt == 0]


def _read(value: bytes) -> Observation | None:
    try:
        message = decode_observation(value)
    except BadMessage:
        return None
    return message if isinstance(message, Observation) else None
