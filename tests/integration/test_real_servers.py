"""Real nginx, dnsmasq, PostgreSQL and Kafka, watched by the separate roles: right to the beat."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import msgspec
import pytest

from monitor.demo.embedded import Kafka, Postgres
from monitor.stream.check import connect_lines
from monitor.stream.kafka import ensure_topics
from tests.conftest import KAFKA_USERS
from tests.integration.monitor_process import (
    USERS,
    Monitor,
    Rule,
    create_database,
    monitor,
    rules,
    super_user,
    until,
)
from tests.integration.real_servers import (
    BLOCKED,
    FAULTS,
    WATCHED,
    Episode,
    Servers,
    Watched,
    first_beat,
    play,
    serving,
)
from tests.integration.reckoning import Facts, Said, Written, differences, facts, unaccounted

PLAY_WITHIN_S = 120.0
TELL_S = 2.0  # from the answer to a verdict that everybody can read
RETRY_MS = 300
TRACKS = (
    ("nginx is stopped", "the certificate expired", "an error page with status 200"),
    ("dnsmasq is stopped", "PostgreSQL is stopped"),
)


class Story(NamedTuple):
    """What was done, and what the monitor then knew."""

    episodes: dict[str, Episode]
    found: Facts


@pytest.fixture(scope="module")
def story(
    kafka_server: Kafka,
    postgres_server: Postgres,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Story]:
    """Two tracks of faults, played once, side by side."""
    dsn, folder = create_database(postgres_server, migrated_template), tmp_path_factory.mktemp("real")
    with (
        serving(folder / "servers", kafka_server) as servers,
        monitor(folder, kafka=kafka_server, dsn=dsn, prefix=f"real-{time.time_ns()}.") as made,
        ThreadPoolExecutor(1) as pool,
    ):
        made.catalogue(servers.catalogue())
        for role in ("derive", "ingest", "probe"):
            made.start(role)
        playing = asyncio.wait_for(told(made, servers), PLAY_WITHIN_S)
        yield pool.submit(asyncio.run, playing).result()


async def told(made: Monitor, servers: Servers) -> Story:
    await until(lambda: all_stand(made), what="not everything is up")
    episodes: dict[str, Episode] = {}

    async def stands(subject: str, verdict: str, since_ms: float) -> None:
        await until(lambda: made.stands(subject, verdict, since_ms), what=f"{subject} is not {verdict}")

    async def track(names: tuple[str, ...]) -> None:
        for name in names:
            episodes[name] = await play(FAULTS[name], servers, stands)

    await asyncio.gather(*map(track, TRACKS))
    for role in ("probe", "ingest", "derive"):
        if role == "ingest":
            await made.judged(time.time() * 1000)
        if role == "derive":
            await until(lambda: followed(made), what="derive did not follow")
        await made.started(role).stop()
    return Story(episodes, await facts(made.dsn))


async def all_stand(made: Monitor) -> bool:
    rows = await made.fetch(
        "select subject from change where layer = 'measured' and verdict = 'up' and withdrawn_at is null"
    )
    return {row["subject"] for row in rows} == {watched.subject for watched in WATCHED}


async def followed(made: Monitor) -> bool:
    return (await facts(made.dsn)).followed


def outages(story: Story, watched: Watched) -> list[tuple[int, int, str]]:
    """(first beat, beat of recovery, reason) of each outage this check should have had."""
    return sorted(
        (
            first_beat(story.found, watched, episode.done, failing=True),
            first_beat(story.found, watched, episode.undone, failing=False),
            episode.fault.reasons[watched],
        )
        for episode in story.episodes.values()
        if watched in episode.fault.reasons
    )


def expected(story: Story, watched: Watched) -> list[Said]:
    """The timeline of the check's subject: up from its first beat, and each outage to the beat."""
    steps: list[Said] = [(min(story.found.beats(watched.key)), "up", "ok", "")]
    for begin_ms, end_ms, reason in outages(story, watched):
        steps += [(begin_ms, "down", reason, ""), (end_ms, "up", "ok", "")]
    return steps


@pytest.mark.parametrize("watched", WATCHED, ids=lambda watched: watched.subject)
def test_each_verdict_reason_beginning_and_end_is_right_to_the_beat(story: Story, watched: Watched) -> None:
    last_ms = max(story.found.beats(watched.key))
    measured = [said for said in story.found.timeline("measured", watched.subject) if said[0] <= last_ms]
    assert measured == expected(story, watched)


@pytest.mark.parametrize("system", BLOCKED, ids=lambda watched: watched.subject)
def test_what_a_system_blocks_is_down_with_it_and_says_which(story: Story, system: Watched) -> None:
    for subject in BLOCKED[system]:
        timeline = [said for said in story.found.timeline("effective", subject) if said[1] == "down"]
        ends = [begin_ms for begin_ms, _, _ in outages(story, system)]
        assert timeline == [(begin_ms, "down", "dependency", system.subject) for begin_ms in ends]


@pytest.mark.parametrize("name", FAULTS)
def test_a_change_is_known_within_interval_confirmation_and_two_seconds(story: Story, name: str) -> None:
    episode = story.episodes[name]
    late = {
        f"{subject} {verdict}": (change.known_ms - act.done_ms, most_ms)
        for watched in episode.fault.reasons
        for subject in (watched.subject, *BLOCKED.get(watched, ()))
        for verdict, act, most_ms in (
            ("down", episode.done, watched.every_ms + 2 * watched.within_ms + RETRY_MS),
            ("up", episode.undone, 2 * watched.every_ms + watched.within_ms),
        )
        for change in [known(story.found, subject, verdict, act.began_ms)]
        if change.known_ms - act.done_ms > most_ms + TELL_S * 1000
    }
    assert late == {}


def known(found: Facts, subject: str, verdict: str, since_ms: float) -> Written:
    """The first effective change to that verdict since then."""
    changes = (w for w in found.written if (w.layer, w.subject, w.verdict) == ("effective", subject, verdict))
    return next(change for change in changes if change.at_ms >= since_ms - 2_000)


def test_every_beat_is_accounted_for_and_what_stands_is_what_one_fold_says(story: Story) -> None:
    assert (unaccounted(story.found), differences(story.found), story.found.letters) == ([], [], [])


@pytest.mark.parametrize("role", USERS)
async def test_the_rights_a_role_ran_with_are_those_that_the_check_names(
    kafka_server: Kafka, role: str
) -> None:
    """`check --connect` as somebody without any: its remedies grant what ours did."""
    prefix = f"rights-{time.time_ns()}."
    kafka = super_user(kafka_server, prefix)
    await ensure_topics(kafka, vantages=["main"])
    stranger = msgspec.structs.replace(kafka, user="stranger", password=KAFKA_USERS["stranger"])
    lines = await connect_lines(stranger, roles=[role])
    named = {granted(line.remedy.removeprefix("kafka-acls.sh "), prefix) for line in lines if not line.ok}
    assert named == set(rules()[role])


def granted(remedy: str, prefix: str) -> Rule:
    """The rule that a line of `kafka-acls.sh` makes; describing comes with reading and writing."""
    words = remedy.split()
    pairs = list(pairwise(words))
    operations = [word.lower() for option, word in pairs if option == "--operation" and word != "Describe"]
    kind, name = next((option[2:], word) for option, word in pairs if option in ("--topic", "--group"))
    return Rule(kind, name.removeprefix(prefix), tuple(operations))
