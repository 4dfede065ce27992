"""The separate roles over real servers for some minutes, while servers fail and roles, broker, database die.

`python -m benchmarks.soak [MINUTES]` prints what was asked, observed, missed, changed beside what was done.
It ends with 1 when a beat is not accounted for, or when other changes stand than one quiet fold would give.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from aiokafka import TopicPartition

from benchmarks.table import machine
from monitor.demo.embedded import Kafka, Postgres
from monitor.errors import BadMessage
from monitor.stream.kafka import open_consumer
from monitor.stream.wire import OBSERVATIONS, Observation, decode_observation
from tests.conftest import KAFKA_USERS
from tests.integration.monitor_process import PARTITIONS, Monitor, monitor, super_user, until
from tests.integration.real_servers import (
    BLOCKED,
    BROKER,
    FAULTS,
    LICENCE,
    RENEWAL,
    WATCHED,
    Act,
    Episode,
    Fault,
    Servers,
    Watched,
    first_beat,
    play,
    serving,
)
from tests.integration.reckoning import Facts, beats_due, differences, facts, unaccounted

MINUTES = 15.0
STANDS_WITHIN_S = 90.0
AWAY_S = 4.0  # how long broker or database stay away
ROLES = ("probe", "ingest", "derive")


class Done(NamedTuple):
    """One of our own faults."""

    what: str
    at_ms: float
    back_ms: float


class Run:
    """One soak: what is watched, what watches it, and what was done to both."""

    def __init__(self, made: Monitor, servers: Servers, postgres: Postgres) -> None:
        self.made, self.servers, self.postgres = made, servers, postgres
        self.episodes: list[Episode] = []
        self.done: list[Done] = []
        self._ours: Iterator[tuple[str, Callable[[], Awaitable[None]]]] = itertools.cycle(
            [
                *((f"kill -9 of {role}", self._killing(role)) for role in ROLES),
                ("PostgreSQL restarted, fast", self._restarting("fast")),
                ("PostgreSQL restarted, immediate", self._restarting("immediate")),
            ]
        )

    async def go_on_until(self, end: float) -> None:
        """Fault after fault of the servers, and one of our own in the middle of each."""
        for number, name in enumerate(itertools.cycle(FAULTS)):
            if time.monotonic() >= end:
                return
            episode = await play(FAULTS[name], self.servers, self._stands, meanwhile=self._one_of_ours)
            self._tell(episode)
            if number % 3 == 2:
                self._tell(await self._restart_the_broker())

    async def _stands(self, subject: str, verdict: str, since_ms: float) -> None:
        await until(
            lambda: self.made.stands(subject, verdict, since_ms),
            within_s=STANDS_WITHIN_S,
            what=f"{subject} is not {verdict}",
        )

    async def _one_of_ours(self) -> None:
        what, do = next(self._ours)
        began_ms = time.time() * 1000
        await do()
        self.done.append(Done(what, began_ms, time.time() * 1000))
        print(f"  {clock(began_ms)}  {what}", file=sys.stderr, flush=True)

    def _killing(self, role: str) -> Callable[[], Awaitable[None]]:
        async def kill() -> None:
            self.made.started(role).kill()
            await asyncio.sleep(1)
            self.made.start(role)

        return kill

    def _restarting(self, mode: str) -> Callable[[], Awaitable[None]]:
        async def restart() -> None:
            await asyncio.to_thread(self.postgres.stop, mode)
            await asyncio.sleep(AWAY_S)
            await asyncio.to_thread(self.postgres.start)

        return restart

    async def _restart_the_broker(self) -> Episode:
        """Kafka is watched as well: while it is away its own port refuses, and that is told afterwards."""
        watched = (BROKER, LICENCE, RENEWAL)
        reasons = dict.fromkeys(watched, "connect_refused")
        fault = Fault("Kafka is restarted", lambda s: s.kafka.stop(), lambda s: s.kafka.start(), reasons)
        began_ms = time.time() * 1000
        await asyncio.to_thread(fault.do, self.servers)
        done = Act(began_ms, time.time() * 1000)
        await asyncio.sleep(AWAY_S)
        began_ms = time.time() * 1000
        await asyncio.to_thread(fault.undo, self.servers)
        undone = Act(began_ms, time.time() * 1000)
        for each in watched:
            await self._stands(each.subject, "up", undone.began_ms)
        return Episode(fault, done, undone)

    def _tell(self, episode: Episode) -> None:
        self.episodes.append(episode)
        print(f"  {clock(episode.done.began_ms)}  {episode.fault.name}", file=sys.stderr, flush=True)


def clock(at_ms: float) -> str:
    """Time of day, UTC, to the hundredth."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%H:%M:%S.%f}"[:-4]


# -- what came of it -----------------------------------------------------------------------------------------


def report(run: Run, found: Facts, sent: Counter[tuple[str, str, int, int]]) -> list[str]:
    """Print it all; returns the problems."""
    beats, zero = list(beats_due(found)), [seen for seen in found.seen if seen.attempt == 0]
    stored = {(seen.check, seen.vantage, seen.due_ms, seen.attempt) for seen in found.seen}
    missed = Counter[str]()
    for gap in found.gaps:
        missed[gap.why] += gap.beats
    unasked = sum(seen.reason == "missed" for seen in zero)
    print("\nasked")
    print(f"  {len(beats):,} beats of {len(WATCHED)} checks; {len(found.seen) - len(zero):,} attempts more")
    print("observed")
    print(f"  {len(zero):,} beats, {unasked} of them as missed by a busy prober; " + outcomes(found))
    print("missed")
    print(f"  {missed.total()} beats in {len(found.gaps)} gaps: {dict(missed) or 'none'}")
    print("log")
    print(f"  {sum(sent.values()):,} observations, {sum(sent.values()) - len(sent)} of them repeats")
    print(f"  {len(found.letters)} dead letters; {len(sent.keys() - stored)} in the log and not stored")
    print("changed")
    withdrawn = sum(not change.standing for change in found.written)
    print(f"  {len(found.written)} changes written, {withdrawn} of them withdrawn when late rows came")
    problems = [line for watched in WATCHED for line in outages(run, found, watched)]
    problems += derived(run, found)
    print("done to ourselves")
    for done in run.done:
        print(f"  {clock(done.at_ms)}  {done.what}, {(done.back_ms - done.at_ms) / 1000:.1f} s")
    problems += [*unaccounted(found), *differences(found)]
    problems += [f"{identity} is in the log and not stored" for identity in sent.keys() - stored]
    print("every beat has one observation or lies in one gap:", "yes" if not unaccounted(found) else "NO")
    print("what stands is what one quiet fold of the rows gives:", "yes" if not differences(found) else "NO")
    return problems


def outcomes(found: Facts) -> str:
    counted = Counter(seen.outcome for seen in found.seen)
    return ", ".join(f"{outcome} {count:,}" for outcome, count in counted.most_common())


def outages(run: Run, found: Facts, watched: Watched) -> list[str]:
    """Print each outage beside what was done; returns what does not fit."""
    stands = found.timeline("measured", watched.subject)
    was = [(at, verdict, reason) for at, verdict, reason, _ in stands if verdict in ("down", "degraded")]
    expected = [
        (measured_from(found, watched, episode.done, failing=True), episode)
        for episode in run.episodes
        if watched in episode.fault.reasons
    ]
    print(f"  {watched.subject}: {len(was)} outages, {len(expected)} to be expected")
    problems = []
    for begin_ms, episode in expected:
        end_ms = measured_from(found, watched, episode.undone, failing=False)
        reason = episode.fault.reasons[watched]
        ended = next((at for at, verdict, _, _ in stands if at > begin_ms and verdict == "up"), 0)
        right = (begin_ms, "down", reason) in was and ended == end_ms
        known = next(
            (c.known_ms for c in found.written if c.subject == watched.subject and c.at_ms == begin_ms), 0
        )
        print(
            f"    {'ok' if right else 'WRONG':5}  {clock(begin_ms)} to {clock(ended)}  {reason:16}"
            f"  {episode.fault.name}: {clock(episode.done.done_ms)} to {clock(episode.undone.done_ms)}"
            f"  (known {(known - episode.done.done_ms) / 1000:+.1f} s)"
        )
        if not right:
            problems.append(
                f"{watched.subject}: expected {reason} {clock(begin_ms)} to {clock(end_ms)}, is {was}"
            )
    if len(was) != len(expected):
        problems.append(f"{watched.subject}: {len(was)} outages, {len(expected)} to be expected")
    return problems


def measured_from(found: Facts, watched: Watched, act: Act, *, failing: bool) -> int:
    """The first beat after the act that was measured: a prober that was killed asks none."""
    due_ms = first_beat(found, watched, act, failing=failing)
    measured = (s.due_ms for s in found.beats(watched.key).values() if s.outcome != "unknown")
    return min((due for due in measured if due >= due_ms), default=0)


def derived(run: Run, found: Facts) -> list[str]:
    """Print what followed through dependencies; returns outages that did not follow."""
    problems = []
    for system, subjects in BLOCKED.items():
        downs = [step[0] for step in found.timeline("effective", system.subject) if step[1] == "down"]
        for subject in subjects:
            timeline = found.timeline("effective", subject)
            caused = [step[0] for step in timeline if step[1:] == ("down", "dependency", system.subject)]
            print(
                f"  {subject}: down {len(caused)} times because of {system.subject}, down {len(downs)} times"
            )
            problems += [
                f"{subject} did not follow {system.subject} at {clock(at)}"
                for at in downs
                if at not in caused
            ]
    return problems


async def sent_to(kafka: Kafka, prefix: str) -> Counter[tuple[str, str, int, int]]:
    """How often each observation is in the log, by identity."""
    counted: Counter[tuple[str, str, int, int]] = Counter()
    reach = super_user(kafka, prefix)
    async with open_consumer(reach) as consumer:
        partitions = [TopicPartition(reach.topic(OBSERVATIONS), number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        for partition in partitions:
            consumer.seek(partition, 0)
        while any([await consumer.position(partition) < ends[partition] for partition in partitions]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    try:
                        seen = decode_observation(record.value)
                    except BadMessage:
                        continue
                    if isinstance(seen, Observation):
                        counted[seen.check, seen.vantage, seen.due_ms, seen.attempt] += 1
    return counted


async def soak(made: Monitor, servers: Servers, postgres: Postgres, *, minutes: float) -> int:
    made.catalogue(servers.catalogue())
    for role in ("derive", "ingest", "probe"):
        made.start(role)
    run = Run(made, servers, postgres)
    for watched in WATCHED:
        await run._stands(watched.subject, "up", time.time() * 1000 - 60_000)
    began = time.monotonic()
    await run.go_on_until(began + minutes * 60)
    took_s = time.monotonic() - began
    crashed = [role.log.name for role in made.roles if role.crashed]
    await made.started("probe").stop()
    await made.judged(time.time() * 1000, within_s=60)
    await made.started("ingest").stop()

    async def followed() -> bool:
        return (await facts(made.dsn)).followed

    await until(followed, what="derive did not follow")
    codes = {**await made.stop()}
    found = await facts(made.dsn)
    print(f"{took_s / 60:.1f} minutes, {len(run.episodes)} faults of servers, {len(run.done)} of our own")
    problems = report(run, found, await sent_to(servers.kafka, made.prefix))
    problems += [f"{name} crashed" for name in crashed]
    problems += [f"{name} ended with {code}" for name, code in codes.items() if code]
    print("problems:", "none" if not problems else "", *problems, sep="\n  ")
    return 1 if problems else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("minutes", nargs="?", type=float, default=MINUTES, help=f"{MINUTES:g} without one")
    minutes = parser.parse_args().minutes
    print(machine(), flush=True)
    folder = Path(tempfile.mkdtemp(prefix="continuity-soak-"))
    print(f"logs: {folder}", flush=True)
    kafka = Kafka(folder / "kafka", users=KAFKA_USERS, tell=print)
    postgres = Postgres(folder / "postgres")
    try:
        kafka.start()
        postgres.start()
        with (
            serving(folder / "servers", kafka) as servers,
            monitor(folder / "monitor", kafka=kafka, dsn=postgres.dsn, prefix="soak.") as made,
        ):
            code = asyncio.run(soak(made, servers, postgres, minutes=minutes))
    finally:
        kafka.close()
        postgres.close()
    if code == 0:
        shutil.rmtree(folder, ignore_errors=True)  # after a problem what every role said is kept in it
    return code


if __name__ == "__main__":
    sys.exit(main())
