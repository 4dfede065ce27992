"""The scheduler keeps every beat, asks again at once when something fails, and lets nothing hold it up."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from monitor.lifetime import Stop
from monitor.metrics import ProbeMetrics
from monitor.model import Catalogue, Channel, ChannelKind, Check, Service, Version
from monitor.scheduler.beat import latest_due_ms, phase_ms
from monitor.scheduler.loop import Scheduler
from monitor.scheduler.shards import Shards
from monitor.stream.wire import Observation, Request
from probes.catalogue import Ask
from probes.contract import Answer, Outcome, Reason
from probes.tcp import Settings as Tcp

UP = Answer(Outcome.UP)
DOWN = Answer(Outcome.DOWN, Reason.CONNECT_REFUSED, "refused")


def check(name: str = "a", **settings: object) -> Check:
    defaults: dict[str, object] = {"every_s": 1.0, "within_s": 0.3, "ask": Tcp(host="127.0.0.1", port=1)}
    return Check(subject=f"service:{name}/web", **{**defaults, **settings})  # type: ignore[arg-type]


def version(*checks: Check, serial: int = 1, valid_from_ms: int = 0) -> Version:
    services = tuple(
        Service(
            slug=one.subject[8:-4],
            channels=(Channel(subject=one.subject, slug="web", kind=ChannelKind.WEB, checks=(one,)),),
        )
        for one in checks
    )
    catalogue = Catalogue(services=services)
    return Version(serial=serial, sha256="x", valid_from_ms=valid_from_ms, catalogue=catalogue)


class World:
    """A prober's surroundings: what targets answer, what was published, what other places were asked."""

    def __init__(self, vantage: str = "main") -> None:
        self.answer: Callable[[], Answer | Awaitable[Answer]] = lambda: UP
        self.answers: dict[int, Callable[[], Answer | Awaitable[Answer]]] = {}  # by port
        self.seen: list[Observation] = []
        self.requests: list[tuple[str, Request]] = []
        self.owned: Callable[[str], bool] = lambda _: True
        self.registry = CollectorRegistry()
        self.ahead_ms = 0.0  # of the machine's clock
        self.scheduler = Scheduler(
            vantage=vantage,
            asker=self,
            publish=self.seen.append,
            request=self._request,
            owns=lambda key: self.owned(key),
            metrics=ProbeMetrics(self.registry, vantage=vantage),
            now_ms=self.now_ms,
        )

    def now_ms(self) -> float:
        return time.time() * 1000 + self.ahead_ms

    async def ask(self, settings: Ask, *, within_s: float, objective_ms: float | None = None) -> Answer:
        assert isinstance(settings, Tcp)
        found = self.answers.get(settings.port, self.answer)()
        return found if isinstance(found, Answer) else await found

    async def _request(self, vantage: str, request: Request) -> bool:
        self.requests.append((vantage, request))
        return True

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        stop = Stop()
        task = asyncio.create_task(self.scheduler.run(stop))
        try:
            yield
        finally:
            stop.request()
            await asyncio.wait_for(task, 15)

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0


async def until(true: Callable[[], bool], within_s: float = 15.0) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        await asyncio.sleep(0.01)


async def forever() -> Answer:
    await asyncio.sleep(60)
    return UP


async def test_every_beat_leaves_one_observation_at_its_own_time() -> None:
    world, one = World(), check(every_s=0.2, within_s=0.1)
    world.scheduler.use(version(one, serial=7))
    async with world.running():
        await until(lambda: len(world.seen) >= 6)
    dues = [seen.due_ms for seen in world.seen]
    assert dues == list(range(dues[0], dues[0] + 200 * len(dues), 200))
    assert dues[0] == latest_due_ms(one.key, 200, dues[0])
    assert {(seen.check, seen.attempt, seen.serial, seen.every_ms) for seen in world.seen} == {
        (one.key, 0, 7, 200)
    }


async def test_T40_every_check_is_asked_once_within_its_own_interval() -> None:  # noqa: N802
    world = World()
    world.scheduler.use(version(*(check(f"s{i}", every_s=2.0) for i in range(400))))
    async with world.running():
        began = time.monotonic()
        await until(lambda: len({seen.check for seen in world.seen}) == 400)
    assert time.monotonic() - began <= 2.5


async def test_a_failure_is_asked_again_at_once_until_it_is_certain() -> None:
    world, one = World(), check(count=3, every_s=1.5)
    world.answer = lambda: DOWN
    world.scheduler.use(version(one, valid_from_ms=int(time.time() * 1000)))
    async with world.running():
        await until(lambda: len({seen.due_ms for seen in world.seen}) >= 3, 20)
    first, *later = sorted({seen.due_ms for seen in world.seen})
    attempts = [(seen.due_ms, seen.attempt) for seen in world.seen]
    assert attempts == [(first, 0), (first, 1), (first, 2), *((due, 0) for due in later)]


async def test_one_success_ends_the_asking_again() -> None:
    world = World()
    said = iter([DOWN, UP])
    world.answer = lambda: next(said, UP)
    world.scheduler.use(version(check(count=5, every_s=1.5), valid_from_ms=int(time.time() * 1000)))
    async with world.running():
        await until(lambda: len(world.seen) >= 3)
    assert [(seen.attempt, seen.outcome) for seen in world.seen[:3]] == [(0, "down"), (1, "up"), (0, "up")]


async def test_asking_again_stops_before_the_next_beat() -> None:
    world = World()
    world.answer = lambda: DOWN
    world.scheduler.use(version(check(count=9, every_s=1.0, within_s=0.9)))
    async with world.running():
        await until(lambda: len({seen.due_ms for seen in world.seen}) >= 3)
    assert {seen.attempt for seen in world.seen} == {0}  # no second attempt could have ended in time


async def test_the_first_failure_asks_each_other_vantage_point_once() -> None:
    world, one = World("main"), check(vantages=("main", "dubai", "manama"), count=2, every_s=3.0)
    world.answer = lambda: DOWN
    world.scheduler.use(version(one))
    async with world.running():
        await until(lambda: len({seen.due_ms for seen in world.seen}) >= 2)
    due_ms = world.seen[0].due_ms
    request = Request(check=one.key, due_ms=due_ms, attempt=1, expires_ms=due_ms + 3000)
    assert world.requests == [("dubai", request), ("manama", request)]


async def test_a_request_is_answered_at_once_under_an_attempt_of_its_own() -> None:
    world, one = World(), check(every_s=4.0)
    world.scheduler.use(version(one))
    async with world.running():
        await until(lambda: len(world.seen) == 1)
        due_ms = world.seen[0].due_ms
        world.scheduler.asked(Request(check=one.key, due_ms=due_ms, attempt=1, expires_ms=due_ms + 4000))
        await until(lambda: len(world.seen) >= 2)
    assert (world.seen[1].due_ms, world.seen[1].attempt) == (due_ms, 1)


async def test_a_request_that_expired_or_is_not_ours_is_dropped_and_counted() -> None:
    world, one = World(), check(every_s=4.0)
    world.scheduler.use(version(one))
    async with world.running():
        await until(lambda: len(world.seen) == 1)
        due_ms = world.seen[0].due_ms
        world.scheduler.asked(Request(check=one.key, due_ms=due_ms - 4000, attempt=1, expires_ms=due_ms))
        world.scheduler.asked(Request(check="service:b/web/main", due_ms=1, attempt=1, expires_ms=2**50))
    fates = {
        fate: world.metric("continuity_probe_requests_total", fate=fate)
        for fate in ("asked", "expired", "not_ours")
    }
    assert fates == {"asked": 0, "expired": 1, "not_ours": 1}


async def test_T38_targets_that_hang_delay_no_other() -> None:  # noqa: N802
    world = World()
    world.answers = {2: forever}
    hung = [check(f"h{i}", every_s=0.5, within_s=0.4, ask=Tcp(host="127.0.0.1", port=2)) for i in range(50)]
    world.scheduler.use(version(*hung, check("good", every_s=0.5)))

    def good() -> list[Observation]:
        return [seen for seen in world.seen if seen.check.startswith("service:good/")]

    stop = Stop()
    task = asyncio.create_task(world.scheduler.run(stop))
    await until(lambda: len(good()) >= 5)
    task.cancel()
    await asyncio.wait([task])
    assert max(seen.late_ms for seen in good()[1:]) < 100


async def test_a_beat_that_finds_the_last_one_still_out_waits_for_it() -> None:
    world = World()
    flying = most = 0

    async def slow() -> Answer:
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(0.3)
        flying -= 1
        return UP

    world.answer = slow
    world.scheduler.use(version(check(every_s=0.2, within_s=0.1)))
    async with world.running():
        await until(lambda: len({seen.due_ms for seen in world.seen}) >= 5)
    dues = [seen.due_ms for seen in world.seen]
    assert most == 1
    assert len(dues) == len(set(dues))
    assert sorted(dues) == list(range(min(dues), max(dues) + 200, 200))  # asked late, or said to be missed
    assert "missed" in {seen.reason for seen in world.seen}


async def test_a_new_catalogue_takes_force_at_its_time_and_what_is_unchanged_keeps_its_run() -> None:
    world = World()
    world.answer = lambda: DOWN
    same, changed = check("same", every_s=1.0), check("changed", every_s=1.0)
    world.scheduler.use(version(same, changed))
    async with world.running():
        await until(lambda: len(world.seen) >= 4)
        at_ms = int(time.time() * 1000) + 1_500
        slower = msgspec.structs.replace(changed, every_s=2.0)
        world.scheduler.use(version(same, slower, serial=2, valid_from_ms=at_ms))
        await until(lambda: sum(seen.serial == 2 for seen in world.seen) >= 6, 20)
    old = [seen for seen in world.seen if seen.serial == 1]
    new = [seen for seen in world.seen if seen.serial == 2]
    assert max(seen.due_ms for seen in old) < at_ms <= min(seen.due_ms for seen in new)
    assert {seen.attempt for seen in new if seen.check == same.key} == {0}  # it was known to fail
    assert {seen.attempt for seen in new if seen.check == changed.key} == {0, 1}  # a new question, a new run
    assert {seen.every_ms for seen in new if seen.check == changed.key} == {2000}


async def test_a_check_that_goes_is_asked_no_more() -> None:
    world = World()
    world.scheduler.use(version(check("a", every_s=0.2), check("b", every_s=0.2)))
    async with world.running():
        await until(lambda: len(world.seen) >= 4)
        world.scheduler.use(version(check("a", every_s=0.2), serial=2))
        await until(lambda: sum(seen.serial == 2 for seen in world.seen) >= 5)
    assert {seen.check for seen in world.seen if seen.serial == 2} == {"service:a/web/main"}
    assert world.scheduler.checks == 1


async def test_a_shard_gained_begins_with_the_latest_beat_and_a_shard_lost_ends() -> None:
    world, one = World(), check(every_s=60.0)
    world.owned = lambda _: False
    world.scheduler.use(version(one))
    async with world.running():
        await asyncio.sleep(0.1)
        unowned = list(world.seen)
        world.owned = lambda _: True
        world.scheduler.shards_changed()
        await until(lambda: len(world.seen) == 1)
        world.owned = lambda _: False
        world.scheduler.shards_changed()
    assert (unowned, world.scheduler.checks) == ([], 0)
    assert world.seen[0].due_ms == latest_due_ms(one.key, 60_000, int(time.time() * 1000))


async def test_a_bug_in_a_flight_is_not_swallowed() -> None:
    world = World()

    def bug() -> Answer:
        raise ZeroDivisionError

    world.answer = bug
    world.scheduler.use(version(check(every_s=0.2)))
    try:
        await asyncio.wait_for(world.scheduler.run(Stop()), 10)
    except ZeroDivisionError:
        return
    raise AssertionError("the scheduler went on over a bug")


STANDING_STILL = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from tests.monitor.test_scheduler import *

async def main():
    world = World()
    async def slow():
        print("asking", flush=True)
        await asyncio.sleep(0.2)
        return Answer(Outcome.DOWN, Reason.TIMEOUT, "no answer")
    world.answer = slow
    world.scheduler.use(version(check(every_s=0.5, within_s=0.3)))
    def show(seen):
        print(seen.outcome, seen.reason, seen.due_ms, seen.attempt, flush=True)
    world.scheduler._publish = show
    await world.scheduler.run(Stop())

asyncio.run(main())
"""


async def stopped_in_flight_for(seconds: float) -> list[tuple[str, str, int]]:
    """What a scheduler in a process of its own publishes: stopped (SIGSTOP) while its third probe is out.

    A beat every 500 ms; read until five probes after it was woken. Outcome, reason, beat.
    """
    root, lines = str(Path(__file__).parents[2]), list[bytes]()
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STANDING_STILL, root, stdout=subprocess.PIPE, cwd=root
    )
    assert child.stdout is not None
    try:
        while lines.count(b"asking\n") < 3:
            lines.append(await asyncio.wait_for(child.stdout.readline(), 20))
        os.kill(child.pid, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        os.kill(child.pid, signal.SIGCONT)
        while lines.count(b"asking\n") < 8:
            lines.append(await asyncio.wait_for(child.stdout.readline(), 20))
    finally:
        child.kill()
        await child.wait()
    words = [line.decode().split() for line in lines if line != b"asking\n"]
    return [(outcome, reason, int(due)) for outcome, reason, due, _ in words]


async def test_what_flew_while_we_stood_still_is_our_fault_and_not_the_targets() -> None:
    lines = await stopped_in_flight_for(1.2)
    assert [line[:2] for line in lines].count(("unknown", "fault")) == 1
    assert {line[:2] for line in lines} == {("down", "timeout"), ("unknown", "fault"), ("unknown", "missed")}


async def test_a_short_pause_says_missed_for_each_beat_and_leaves_no_hole() -> None:
    lines = await stopped_in_flight_for(1.3)
    dues = sorted({due for *_, due in lines})
    assert 1 <= sum(reason == "missed" for _, reason, _ in lines) <= 3
    assert dues == list(range(dues[0], dues[-1] + 500, 500))


async def test_a_long_pause_says_nothing_of_its_beats() -> None:
    lines = await stopped_in_flight_for(3.5)
    dues = sorted({due for *_, due in lines})
    assert "missed" not in {reason for _, reason, _ in lines}
    assert max(after - before for before, after in pairwise(dues)) >= 2500


async def test_a_retry_is_not_asked_once_its_beat_has_passed() -> None:
    """Standing still between a failure and the retry: what is found afterwards is the next beat's."""
    world, one = World(), check(count=2)
    world.answer = lambda: DOWN
    world.scheduler.use(version(one, valid_from_ms=int(time.time() * 1000)))
    async with world.running():
        await until(lambda: bool(world.seen))
        time.sleep(1.5)  # noqa: ASYNC251 - the whole process stands still
        await until(lambda: world.seen[-1].due_ms > world.seen[0].due_ms + 2_000)
    assert [seen.attempt for seen in world.seen if seen.due_ms == world.seen[0].due_ms] == [0]


async def test_an_answer_that_came_after_we_stood_still_past_the_next_beat_proves_nothing() -> None:
    world, one, asked = World(), check(), asyncio.Event()

    async def slowly() -> Answer:
        asked.set()
        await asyncio.sleep(0.05)
        return UP

    world.answer = slowly
    world.scheduler.use(version(one, valid_from_ms=int(time.time() * 1000)))
    async with world.running():
        await asyncio.wait_for(asked.wait(), 5)
        time.sleep(1.5)  # noqa: ASYNC251 - the whole process stands still
        await until(lambda: len(world.seen) >= 3)
    assert (world.seen[0].outcome, world.seen[0].reason) == ("unknown", "fault")


async def test_a_clock_set_back_is_followed_from_its_next_beat_on() -> None:
    world = World()
    world.scheduler.use(version(check(every_s=0.2, within_s=0.1)))
    async with world.running():
        await until(lambda: len(world.seen) >= 3)
        before_ms, asked = world.now_ms(), len(world.seen)
        world.ahead_ms = -3_600_000.0
        set_to_ms = world.now_ms()
        await until(lambda: len([one for one in world.seen if one.due_ms < before_ms - 1_800_000]) >= 4)
    again = [one for one in world.seen[asked:] if one.due_ms < before_ms - 1_800_000]
    assert all(one.outcome is Outcome.UP and one.due_ms > set_to_ms for one in again)
    assert {later.due_ms - earlier.due_ms for earlier, later in pairwise(again)} == {200}


async def test_a_beat_that_could_not_begin_within_its_own_interval_is_missed() -> None:
    """Two checks of one beat; the first one's probe holds up the whole process."""
    phase = phase_ms(check("a").key, 1_000)
    twin = next(f"b{n}" for n in itertools.count() if phase_ms(check(f"b{n}").key, 1_000) == phase)
    world, blocked = World(), list[int]()

    def blocking() -> Answer:
        if not blocked:
            blocked.append(1)
            time.sleep(1.5)
        return UP

    world.answer = blocking
    world.scheduler.use(version(check("a"), check(twin), valid_from_ms=int(time.time() * 1000)))
    async with world.running():
        await until(lambda: len(world.seen) >= 6)
    first_ms = min(seen.due_ms for seen in world.seen)
    found = [(seen.outcome, seen.reason) for seen in world.seen if seen.due_ms == first_ms]
    assert sorted(found) == [("unknown", "fault"), ("unknown", "missed")]


def test_shards_are_kept_until_an_assignment_without_them(tmp_path: Path) -> None:
    shards = Shards(tmp_path, shard_of=lambda key, of: len(key) % of, changed=lambda: None)
    shards.assigned(frozenset({1, 2}), 4)
    before = [shards.owns("a" * length) for length in range(4)]
    shards.assigned(frozenset({2}), 4)
    assert (before, shards.owns("a"), shards.owns("aa")) == ([False, True, True, False], False, True)


@pytest.mark.parametrize(("seconds_ago", "resumed"), [(3, True), (30, False)])
def test_shards_are_resumed_at_once_while_the_group_still_waits_for_us(
    tmp_path: Path, seconds_ago: float, resumed: bool
) -> None:
    """A prober that was killed and started again goes on at once; after the session they may be another's."""
    died = Shards(tmp_path, shard_of=lambda *_: 1, changed=lambda: None)
    died.assigned(frozenset({1}), 4)
    died.still_ours()
    at = time.time() - seconds_ago
    os.utime(tmp_path / "shards.json", (at, at))
    shards = Shards(tmp_path, shard_of=lambda *_: 1, changed=lambda: None)
    shards.resume(within_s=10.0)
    assert shards.owns("x") is resumed


def test_shards_that_were_given_up_are_not_resumed(tmp_path: Path) -> None:
    left = Shards(tmp_path, shard_of=lambda *_: 1, changed=lambda: None)
    left.assigned(frozenset({1}), 4)
    left.given_up()
    shards = Shards(tmp_path, shard_of=lambda *_: 1, changed=lambda: None)
    shards.resume(within_s=10.0)
    assert not shards.owns("x")


def test_shards_are_resumed_from_disk_when_kafka_is_away(tmp_path: Path) -> None:
    changes: list[int] = []
    Shards(tmp_path, shard_of=lambda *_: 1, changed=lambda: None).assigned(frozenset({1}), 4)
    shards = Shards(tmp_path, shard_of=lambda *_: 1, changed=lambda: changes.append(1))
    before = shards.owns("x")
    shards.resume()
    shards.resume()
    assert (before, shards.owns("x"), changes) == (False, True, [1])
