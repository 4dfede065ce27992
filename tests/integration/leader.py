"""A leader of incidents that looks when told to, over a made-up world."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from monitor.judge.handling import Handling
from monitor.judge.prompter import Prompter
from monitor.metrics import HandlingMetrics
from monitor.model import Catalogue, IncidentRules, Policy
from monitor.store.lease import Lease
from monitor.store.listen import Bell
from monitor.store.pool import Store
from monitor.stream.wire import Request
from tests.world import World, government

RULES = IncidentRules(hold_s=0)
WEB = "service:s0001/web"


def small(rules: IncidentRules = RULES) -> Catalogue:
    """Twenty services of four entities; identity blocks every fifth. Nobody asks for the target."""
    return replace(government(entities=4, services=20), policy=Policy(target=0.01, incidents=rules))


class Watched(Lease):
    """A lease whose holder can be overtaken between its reading and its writing."""

    before: Callable[[], Awaitable[object]] | None = None

    async def lock(self, connection: Any) -> None:
        if self.before is not None:
            before, self.before = self.before, None
            await before()
        await super().lock(connection)


class Leader:
    """One process that keeps incidents, looking when told to."""

    def __init__(self, store: Store, *, holder: str = "one") -> None:
        self.store = store
        self.registry = CollectorRegistry()
        self.lease = Watched(store, role="derive", holder=holder)
        self.asked: list[Request] = []
        self.sent: Callable[[], None] = lambda: None
        metrics = HandlingMetrics(self.registry)
        self.prompter = Prompter(self._send, metrics=metrics)
        self.handling = Handling(
            store, lease=self.lease, metrics=metrics, bell=Bell(), prompter=self.prompter
        )

    async def _send(self, requests: Sequence[tuple[str, Request]]) -> None:
        self.asked += [request for _, request in requests]
        self.sent()

    async def look(self) -> None:
        await self.lease.take_or_renew()
        await self.handling.look()


async def fetch(store: Store, query: str) -> list[tuple[object, ...]]:
    async with store.connection() as connection:
        return [tuple(row) for row in await connection.fetch(query)]


async def incidents(store: Store) -> list[tuple[object, ...]]:
    return await fetch(store, "select number, subject, state, severity from incident order by number")


async def notices(store: Store) -> list[tuple[object, ...]]:
    return await fetch(store, "select incident, topic, severity from notice order by id")


async def began(store: Store, rules: IncidentRules = RULES) -> tuple[World, Leader]:
    world, leader = World(store, small(rules)), Leader(store)
    await world.begin()
    await leader.look()
    return world, leader


def year(world: World) -> int:
    return world.now.year
