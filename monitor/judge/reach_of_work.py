"""What work on some systems, services and channels takes from people, by the dependency graph. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from monitor.judge.surroundings import Surroundings
from monitor.model import Channel, Effect, Service, stream_key

QUIET_HOURS = 2


class Reach(NamedTuple):
    """What is taken. Everything is in the catalogue's order."""

    channels: tuple[str, ...]  # that cannot be used meanwhile
    services: tuple[str, ...]  # one of whose channels it is
    last: tuple[str, ...]  # services that then have no remote channel left to complete them on
    entities: tuple[str, ...]  # slugs of whose services these are


def reach(around: Surroundings, subjects: Collection[str]) -> Reach:
    """What follows when these are down: a service stands for its channels, a system for all it blocks."""
    named = set(subjects)
    blocked = {
        way.channel.subject
        for system in named & around.dependants.keys()
        for way in around.dependants[system]
        if way.effect is Effect.BLOCKS
    }
    taken = [
        (service, channel)
        for service in around.catalogue.services
        for channel in service.channels
        if named & {service.subject, channel.subject} or channel.subject in blocked
    ]
    channels = {channel.subject for _, channel in taken}
    owners = {service.entity for service, _ in taken}
    services = tuple(dict.fromkeys(service.subject for service, _ in taken))
    by_subject = around.catalogue.services_by_subject
    return Reach(
        tuple(channel.subject for _, channel in taken),
        services,
        tuple(subject for subject in services if _without(by_subject[subject], channels)),
        tuple(slug for slug in around.catalogue.entities_by_slug if slug in owners),
    )


def _without(service: Service, channels: Collection[str]) -> bool:
    """Whether it can be completed remotely on other channels no longer, and could before."""
    remote = [one.subject for one in service.channels if _counts(one)]
    return bool(remote) and all(path in channels for path in remote)


def _counts(channel: Channel) -> bool:
    return channel.remote and channel.completes


def covered(around: Surroundings, subjects: Collection[str]) -> tuple[str, ...]:
    """The subjects of the exclusion: what was named, what that takes, and services it takes altogether.

    A service of which another remote channel goes on is not excluded: people can still get it.
    """
    found = reach(around, subjects)
    return tuple(dict.fromkeys((*subjects, *found.last, *found.channels)))


def owner_of(around: Surroundings, subject: str) -> str:
    """Slug of the entity that a system, service or channel belongs to; empty where nobody owns it."""
    key = stream_key(subject)
    found = around.catalogue.systems_by_subject.get(key) or around.catalogue.services_by_subject.get(key)
    return found.entity if found else ""


def quietest(hourly: list[float | None], *, hours: int = QUIET_HOURS) -> int | None:
    """Where the quietest so many hours in a row begin: an index; the first of several. None: not known."""
    best: tuple[float, int] | None = None
    for start in range(len(hourly) - hours + 1):
        those = [each for each in hourly[start : start + hours] if each is not None]
        if len(those) == hours and (best is None or sum(those) < best[0]):
            best = sum(those), start
    return best[1] if best else None
