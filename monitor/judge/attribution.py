"""Whose the downtime of others is, in the time of work or of a fault on a system they need. Pure; Unix ms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from monitor.judge.accounts import Accounts
from monitor.judge.figures import When
from monitor.judge.ranges import Range
from monitor.judge.surroundings import Surroundings
from monitor.model import Effect


class Attributed(NamedTuple):
    """A service that was down in that time, whose it is, and the owner of the system behind it."""

    service: str
    entity: str  # slug; empty where nobody owns the service
    down_ms: int
    owner: str  # slug


def of_others(around: Surroundings, systems: Iterable[str]) -> dict[str, str]:
    """Services of other entities that these systems block, each with the slug of the system's owner.

    What two of them block is the first one's. A system that nobody owns is nobody's fault.
    """
    found: dict[str, str] = {}
    for path in systems:
        system = around.catalogue.systems_by_subject.get(path)
        if system is None or not system.entity:
            continue
        for one in around.dependants[path]:
            if one.effect is Effect.BLOCKS and one.service.entity != system.entity:
                found.setdefault(one.service.subject, system.entity)
    return found


def attributed(
    accounts: Accounts, around: Surroundings, others: Mapping[str, str], window: Range, *, as_of_ms: int
) -> list[Attributed]:
    """How long each was down in the window, whether or not that counts; the longest first."""
    services, when = around.catalogue.services_by_subject, When(*window, as_of_ms)
    found = [
        Attributed(path, services[path].entity, accounts.leaf(path, when).whole.spent.down_ms, owner)
        for path, owner in others.items()
    ]
    return sorted((one for one in found if one.down_ms), key=lambda one: (-one.down_ms, one.service))
