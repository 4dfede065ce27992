"""From a confirmed failure to an answer of the system it may follow from, within one beat: the whole way."""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry

from monitor.demo import embedded
from monitor.judge.handling import Handling
from monitor.judge.prompter import Prompter
from monitor.lifetime import Stop
from monitor.metrics import HandlingMetrics
from monitor.model import Catalogue, Check, Policy, System, Version
from monitor.store.lease import Lease
from monitor.store.listen import Bell
from monitor.store.pool import open_store
from monitor.stream.catalogue import publish_version
from monitor.stream.kafka import Kafka, ensure_topics
from monitor.stream.requests import send_requests
from monitor.stream.wire import Observation
from probes.contract import Outcome
from probes.tcp import Settings as Tcp
from tests.integration.probing import prober, until, watching
from tests.monitor.scene import service
from tests.world import World

EVERY_S = 600.0


def catalogue(port: int) -> Catalogue:
    """A service that needs identity, whose check connects to a port of this machine every ten minutes."""
    asked = Check(
        subject="system:identity",
        ask=Tcp(host="127.0.0.1", port=port),
        every_s=EVERY_S,
        within_s=0.5,
    )
    licence = service("licence", "identity")
    return Catalogue(
        policy=Policy(target=0.01),
        systems=(System(slug="identity", checks=(asked,)),),
        services=(licence,),
    )


async def test_the_system_below_answers_long_before_its_next_beat(
    database: str, kafka_server: embedded.Kafka, topic_prefix: str, tmp_path: Path
) -> None:
    kafka = Kafka(
        bootstrap=kafka_server.bootstrap,
        security=kafka_server.protocol,
        mechanism=kafka_server.mechanism,
        user=kafka_server.user,
        password=kafka_server.password,
        topic_prefix=topic_prefix,
        group_prefix=topic_prefix,
    )
    await ensure_topics(kafka, vantages=["main"])
    metrics, stop = HandlingMetrics(CollectorRegistry()), Stop()
    prompter = Prompter(partial(send_requests, kafka), metrics=metrics)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        world_catalogue = catalogue(listener.getsockname()[1])
        version = Version(serial=1, sha256="x", valid_from_ms=0, catalogue=world_catalogue)
        await publish_version(kafka, version)
        async with open_store(database) as store, watching(kafka) as seen, prober(kafka, tmp_path):
            world, lease = World(store, world_catalogue), Lease(store, role="derive", holder="one")
            await world.begin()
            await lease.take_or_renew()
            handling = Handling(store, lease=lease, metrics=metrics, bell=Bell(), prompter=prompter)
            await handling.look()
            await until(lambda: any(one.check == "system:identity/main" for one in seen.observations))
            asking = asyncio.create_task(prompter.run(stop))
            listener.close()
            await world.channel_falls("service:licence/web", ago_s=1)
            await handling.look()
            await until(lambda: any(one.outcome is Outcome.DOWN for one in identity(seen.observations)))
            stop.request()
            await asking
    answers = identity(seen.observations)
    assert answers[0].outcome is Outcome.UP
    assert {one.due_ms for one in answers} == {answers[0].due_ms}


def identity(observations: list[Observation]) -> list[Observation]:
    return [one for one in observations if one.check == "system:identity/main"]
