"""Whatever dies, freezes, restarts or joins: every beat is accounted for, and the same changes stand.

One installation lives through it all: twenty checks a second of a server whose answers are fixed
beforehand, each role a process of its own. After each fault the database must say what an undisturbed run
would have said.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from monitor.demo.embedded import Kafka, Postgres
from monitor.stream.kafka import open_producer
from monitor.stream.wire import OBSERVATIONS
from tests.integration import scripted
from tests.integration.monitor_process import (
    PARTITIONS,
    Monitor,
    create_database,
    monitor,
    super_user,
    until,
)
from tests.integration.reckoning import Facts, differences, facts, unaccounted
from tests.integration.scripted import CHECKS, EVERY_MS, SERVICES, Answered, Target

FROZEN_S = 13.0  # longer than Kafka waits for a member, and derive's lease
BEFORE_MS = 5_000  # a fault's traces may reach back so far: runs, silence, what was in flight
IN_FLIGHT_MS = 2 * EVERY_MS  # around a kill, on a machine that is busy


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with scripted.serving() as made:
        yield made


@pytest.fixture(scope="module")
def installed(
    kafka_server: Kafka,
    postgres_server: Postgres,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
    target: Target,
) -> Iterator[Monitor]:
    """One of each role."""
    dsn, folder = create_database(postgres_server, migrated_template), tmp_path_factory.mktemp("faults")
    with monitor(folder, kafka=kafka_server, dsn=dsn, prefix=f"faults-{time.time_ns()}.") as made:
        made.catalogue(scripted.catalogue(target.port))
        for role in ("derive", "ingest", "probe"):
            made.start(role)
        yield made


@pytest.fixture
async def running(installed: Monitor) -> Monitor:
    """The installation, well: whatever the test before did to it is mended."""
    for name in ("derive", "ingest", "probe"):
        if not installed.started(name).running:
            installed.start(name)
    await until(lambda: well(installed), what="not every check is asked and judged")
    return installed


async def well(running: Monitor) -> bool:
    asked = await running.value(
        "select count(distinct check_key) from observation where due > now() - interval '5 s'"
    )
    return asked == len(CHECKS) and await running.judged_until_ms() > (time.time() - 7) * 1000


async def pass_time(seconds: float) -> None:
    """Let beats pass: time itself is what is waited for."""
    await asyncio.sleep(seconds)


async def settled(running: Monitor) -> Facts:
    """What is stored once everything up to now was judged and derived."""
    await running.judged(time.time() * 1000, within_s=40)
    found: list[Facts] = []

    async def followed() -> bool:
        found.append(await facts(running.dsn))
        return found[-1].followed

    await until(followed, within_s=20, what="derive did not follow")
    return found[-1]


def problems(found: Facts, began_ms: float) -> list[str]:
    """Everything that must hold after any fault."""
    since_ms = began_ms - BEFORE_MS
    return [
        *unaccounted(found, since_ms=since_ms),
        *differences(found, since_ms=since_ms),
        *contradictions(found),
    ]


def contradictions(found: Facts) -> list[str]:
    """Attempts whose outcome is not what the target answered."""
    return [
        f"{seen.check} {seen.due_ms} attempt {seen.attempt}: {seen.outcome} {seen.reason}"
        for seen in found.seen
        if seen.reason in ("ok", "status")
        and seen.late_ms + seen.took_ms < EVERY_MS / 2
        and scripted.fails(seen.check, seen.due_ms) != (seen.outcome == "down")
    ]


def gaps_between(found: Facts, from_ms: float, to_ms: float) -> list[str]:
    return [str(gap) for gap in found.gaps if gap.first_due_ms < to_ms and gap.last_due_ms > from_ms]


def shared(running: Monitor) -> bool:
    """Whether both members of both groups have a share."""
    owned = [running.started("probe", member).metrics().get("continuity_checks_owned", 0) for member in "ab"]
    assigned = [running.started("ingest", member).events("stream.assigned") for member in "ab"]
    shares = [len(events[-1]["partitions"]) if events else 0 for events in assigned]
    return all(owned) and sum(owned) == len(CHECKS) and all(shares) and sum(shares) == PARTITIONS


def alone(running: Monitor) -> bool:
    assigned = running.started("ingest").events("stream.assigned")[-1]["partitions"]
    owned = running.started("probe").metrics().get("continuity_checks_owned", 0)
    return len(assigned) == PARTITIONS and owned == len(CHECKS)


def buffered(running: Monitor) -> float:
    return running.started("probe").metrics().get("continuity_buffer_observations", 0)


async def test_kill_9_of_any_role_at_any_moment(running: Monitor) -> None:
    chance, began_ms = random.Random(3), time.time() * 1000
    for name in chance.sample(["probe", "ingest", "derive"] * 3, 9):
        await pass_time(chance.uniform(0.3, 2.5))
        running.started(name).kill()
        await pass_time(chance.uniform(0, 1))
        running.start(name)
    await pass_time(2)
    assert problems(await settled(running), began_ms) == []


async def test_second_members_join_and_leave_and_no_beat_is_lost(running: Monitor) -> None:
    began_ms = time.time() * 1000
    others = [running.start(name, member="b") for name in ("ingest", "probe", "derive")]
    await until(lambda: shared(running), what="the second members did not join")
    await pass_time(2)
    codes = [await role.stop() for role in others]
    await until(lambda: alone(running), what="the first did not take over again")
    ended_ms = time.time() * 1000
    found = await settled(running)
    assert (problems(found, began_ms), gaps_between(found, began_ms, ended_ms), codes) == ([], [], [0, 0, 0])


async def test_a_member_frozen_past_the_session_time_out_gives_way_and_comes_back(running: Monitor) -> None:
    """One of two ingests and one of two probers stand still for longer than Kafka waits for a member."""
    began_ms = time.time() * 1000
    ingest, probe = running.started("ingest"), running.started("probe")
    others = [running.start(name, member="b") for name in ("ingest", "probe")]
    await until(lambda: shared(running), what="the second members did not join")
    ingest.freeze()
    await pass_time(2)
    probe.freeze()
    await pass_time(FROZEN_S)
    ingest.wake()
    await pass_time(2)
    probe.wake()
    await until(lambda: shared(running), what="the woken ones did not come back")
    found = await settled(running)
    for role in others:
        await role.stop()
    assert problems(found, began_ms) == []


async def test_all_frozen_at_once_is_one_gap_each_and_nothing_else(running: Monitor) -> None:
    roles = [running.started(name) for name in ("probe", "ingest", "derive")]
    for role in roles:
        role.freeze()
    frozen_ms = time.time() * 1000
    await pass_time(FROZEN_S)
    for role in roles:
        role.wake()
    woken_ms = time.time() * 1000
    await pass_time(2)
    found = await settled(running)
    gaps = Counter(gap.check for gap in found.gaps if frozen_ms < gap.last_due_ms < woken_ms)
    assert (problems(found, frozen_ms), gaps) == ([], dict.fromkeys(CHECKS, 1))


async def test_a_restart_of_the_database_makes_nothing_unknown_t45(
    running: Monitor, postgres_server: Postgres
) -> None:
    began_ms = time.time() * 1000
    for mode in ("fast", "immediate"):
        await asyncio.to_thread(postgres_server.stop, mode)
        await pass_time(6)  # longer than two intervals and the grace: silence, if anybody called it so
        await asyncio.to_thread(postgres_server.start)
        await running.judged(time.time() * 1000)
    ended_ms = time.time() * 1000
    found = await settled(running)
    unknown = [w for w in found.written if w.verdict == "unknown" and began_ms < w.at_ms < ended_ms]
    assert (problems(found, began_ms), unknown, gaps_between(found, began_ms, ended_ms)) == ([], [], [])


async def test_what_was_measured_while_the_broker_was_away_outlives_kill_9_and_fills_its_gaps(
    running: Monitor, kafka_server: Kafka, target: Target
) -> None:
    began_ms = time.time() * 1000
    await asyncio.to_thread(kafka_server.stop)
    await until(lambda: buffered(running) > 8 * len(CHECKS), what="the buffer did not fill")
    first_killed_ms = time.time() * 1000
    running.started("probe").kill()
    running.start("probe")
    await until(lambda: buffered(running) > 12 * len(CHECKS), what="it did not go on without a broker")
    await pass_time(max(0.0, 20 - (time.time() - began_ms / 1000)))
    killed_ms = time.time() * 1000
    running.started("probe").kill()
    await asyncio.to_thread(kafka_server.start)
    await running.judged(killed_ms + 1_000)
    before = await facts(running.dsn)
    running.start("probe")
    await until(lambda: buffered(running) == 0 and alone(running), what="the buffer was not delivered")
    ended_ms = time.time() * 1000
    found = await settled(running)
    span = began_ms + EVERY_MS, first_killed_ms - EVERY_MS
    filled = bool(gaps_between(before, *span)), gaps_between(found, *span)
    answers = [answer for answer in target.answered if began_ms < answer.at_ms < ended_ms]
    lost = unstored(found, answers, killed_ms=(first_killed_ms, killed_ms))
    assert (problems(found, began_ms), filled, lost) == ([], (True, []), [])


def unstored(found: Facts, answers: list[Answered], *, killed_ms: tuple[float, ...]) -> list[tuple[str, int]]:
    """Answers given that have no observation, without those in flight when the prober was killed."""
    stored = Counter((seen.check, seen.due_ms) for seen in found.seen if seen.reason in ("ok", "status"))
    given = Counter(
        (answer.check, answer.due_ms)
        for answer in answers
        if all(abs(answer.at_ms - ms) > IN_FLIGHT_MS for ms in killed_ms)
    )
    return [beat for beat, times in given.items() if stored[beat] < times]


async def test_an_unreadable_message_is_set_aside_and_the_rest_goes_on(
    running: Monitor, kafka_server: Kafka
) -> None:
    began_ms = time.time() * 1000
    kafka = super_user(kafka_server, running.prefix)
    garbage = [b"", b"\xff\x00", b"{}", b'{"type":"observation","schema":9}', b'{"type":"unheard"}']
    async with open_producer(kafka) as producer:
        for partition in range(PARTITIONS):
            for value in garbage:
                await producer.send_and_wait(kafka.topic(OBSERVATIONS), value, b"service:x", partition)
    await pass_time(2)
    found = await settled(running)
    letters = await running.fetch("select value, count(*) from dead_letter group by value")
    ended_ms = time.time() * 1000
    assert (problems(found, began_ms), gaps_between(found, began_ms, ended_ms)) == ([], [])
    assert {bytes(row["value"]): row["count"] for row in letters} == dict.fromkeys(garbage, PARTITIONS)


async def test_a_configuration_that_breaks_changes_nothing_and_a_mended_one_is_taken(
    running: Monitor, target: Target
) -> None:
    """A check less and a check more; unchanged ones keep their beats through it all."""
    began_ms = time.time() * 1000
    gone, new = SERVICES[-1], "brought-in"
    mended = scripted.catalogue(target.port, services=(*SERVICES[:-1], new))
    serial = await newest(running)
    running.catalogue("services: [{slug: passport, ulr: 'http://127.0.0.1/'}]\n")
    await until(lambda: refused(running), what="the mistake is not told")
    told = await refused(running)
    kept = await newest(running)
    running.catalogue(mended)
    await until(lambda: asked_lately(running, new), what="the new check is not asked")
    ended_ms = time.time() * 1000
    await pass_time(2)
    found = await settled(running)
    before, after = found.versions[-2:]
    stopped = max(seen.due_ms for seen in found.seen if seen.check == f"service:{gone}/web/main")
    stands = found.timeline("effective", f"service:{gone}")[-1]
    assert "all.yaml:1:29: unknown key `ulr`" in told
    assert (kept, before.serial, await refused(running)) == (serial, serial, "")
    assert (problems(found, began_ms), gaps_between(found, began_ms, ended_ms)) == ([], [])
    assert stopped < after.valid_from_ms <= stopped + EVERY_MS
    assert stands == (after.valid_from_ms, "unknown", "not_measured", "")


async def newest(running: Monitor) -> int:
    return int(await running.value("select max(serial) from catalogue"))


async def refused(running: Monitor) -> str:
    return str(await running.value("select problems::text from refused") or "")


async def asked_lately(running: Monitor, slug: str) -> bool:
    return bool(
        await running.value(
            "select count(*) from observation where check_key = $1 and due > now() - interval '5 s'",
            f"service:{slug}/web/main",
        )
    )


async def test_sighup_reads_again_what_looks_unchanged(running: Monitor, target: Target) -> None:
    """The same length, times and inode as before: only somebody who says so makes it be read."""
    serial = await newest(running)
    file = running.config / "services" / "all.yaml"
    before, text = file.stat(), file.read_text()
    with file.open("r+") as open_file:
        open_file.write(text.replace("brought-in", "sent-away!"[:10].replace("!", "x")))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    await pass_time(2)  # twice as long as it takes to notice a change that shows
    unnoticed = await newest(running)
    running.started("derive").hang_up()
    await until(lambda: asked_lately(running, "sent-awayx"), what="SIGHUP was not heard")
    assert (unnoticed, await newest(running)) == (serial, serial + 1)


async def test_all_ends_in_order_and_the_whole_story_holds(running: Monitor) -> None:
    """From the first beat of the first check to the last, through all that was done above."""
    found = await settled(running)
    codes = await running.stop()
    assert (codes, problems(found, 0)) == ({"probe-a": 0, "ingest-a": 0, "derive-a": 0}, [])
