"""Whose checks are asked at once when something fails: those of the systems that may be its cause."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from monitor.errors import StreamUnavailable
from monitor.judge.prompter import WAITING_MOST, Prompter
from monitor.judge.questions import QUESTIONS_MOST, Question, below, questions, unexplained
from monitor.lifetime import Stop
from monitor.metrics import HandlingMetrics
from monitor.model import Effect
from monitor.stream.wire import Request
from tests.monitor.scene import BEGAN_MS, DOWN, Scene, catalogue, service, system
from tests.world import check

NONE = Effect.NONE


def scene() -> Scene:
    """Two services of which one needs identity, which needs the network."""
    return Scene(
        catalogue(
            system("network"),
            system("identity", "network"),
            system("archive"),
            service("licence", "identity", ("archive", NONE)),
            service("news"),
        )
    )


def test_the_systems_below_are_asked_however_far_away_and_no_other() -> None:
    drawn = scene()
    drawn.says("service:licence/web", DOWN, at_s=100)
    failing = unexplained(drawn.see(at_s=110).troubles)
    assert failing == {"service:licence/web": "service:licence"}
    assert below(drawn.around, failing) == ["system:network", "system:identity"]


def test_what_needs_nothing_asks_nothing() -> None:
    drawn = scene()
    drawn.says("service:news/web", DOWN, at_s=100)
    assert unexplained(drawn.see(at_s=110).troubles) == {}


def test_what_a_failing_system_explains_asks_only_for_what_that_system_needs() -> None:
    drawn = scene()
    drawn.says("system:identity", DOWN, at_s=100)
    drawn.says("service:licence/web", DOWN, at_s=101)
    failing = unexplained(drawn.see(at_s=110).troubles)
    assert below(drawn.around, failing) == ["system:network"]


def test_a_question_is_a_retry_of_the_last_beat_at_every_vantage_point() -> None:
    drawn = scene()
    asked = check("system:network", every_s=60)
    catalogued = drawn.version.catalogue
    far = replace(asked, vantages=("main", "dubai"))
    systems = tuple(
        replace(each, checks=(far,)) if each.slug == "network" else each for each in catalogued.systems
    )
    around = Scene(replace(catalogued, systems=systems)).around
    found = questions(around, ["system:network", "system:network"], now_ms=BEGAN_MS)
    assert [one.vantage for one in found] == ["main", "dubai"]
    assert all(one.due_ms <= BEGAN_MS < one.expires_ms == one.due_ms + 60_000 for one in found)


def test_a_check_that_judges_nothing_is_not_asked_and_the_questions_of_a_look_are_bounded() -> None:
    shown = replace(check("system:wide"), required=False)
    wide = replace(
        system("wide"), checks=(shown, *(replace(check("system:wide"), name=f"n{i}") for i in range(600)))
    )
    found = questions(Scene(catalogue(wide)).around, ["system:wide"], now_ms=BEGAN_MS)
    assert (len(found), "system:wide/main" in {one.check for one in found}) == (QUESTIONS_MOST, False)


class Sent:
    """Takes requests, or says that Kafka is away."""

    def __init__(self, *, away: bool = False) -> None:
        self.away = away
        self.requests: list[tuple[str, Request]] = []
        self.tried = asyncio.Event()

    async def __call__(self, requests: Sequence[tuple[str, Request]]) -> None:
        self.tried.set()
        if self.away:
            raise StreamUnavailable("Kafka: away")
        self.requests += requests


QUESTION = Question("system:network/main", "dubai", 1_000, 31_000)


async def passed_on(sent: Sent, *, times: int = 1) -> dict[str, float]:
    """Ask so many times before the loop runs; how it went, by result."""
    registry, stop = CollectorRegistry(), Stop()
    prompter = Prompter(sent, metrics=HandlingMetrics(registry))
    for _ in range(times):
        prompter.ask([QUESTION])
    running = asyncio.create_task(prompter.run(stop))
    async with asyncio.timeout(10):
        await sent.tried.wait()
    stop.request()
    await running
    name = "continuity_dependency_requests_total"
    results = ("sent", "failed", "dropped")
    return {result: registry.get_sample_value(name, {"result": result}) or 0.0 for result in results}


async def test_questions_go_to_their_vantage_point() -> None:
    sent = Sent()
    await passed_on(sent)
    request = Request(check="system:network/main", due_ms=1_000, attempt=1, expires_ms=31_000)
    assert sent.requests == [("dubai", request)]


async def test_kafka_away_is_counted_and_stops_nothing() -> None:
    assert await passed_on(Sent(away=True)) == {"sent": 0, "failed": 1, "dropped": 0}


async def test_more_than_may_wait_is_dropped() -> None:
    found = await passed_on(Sent(), times=WAITING_MOST + 3)
    assert found["dropped"] == 3
