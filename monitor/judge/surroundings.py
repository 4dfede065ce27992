"""A version of the catalogue, indexed for readers: who needs whom, what touches whom, which intervals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from monitor.judge.effective import channels, in_order
from monitor.model import Catalogue, Channel, Effect, Service, System, Version, stream_key

_STRENGTH = {Effect.BLOCKS: 2, Effect.SLOWS: 1, Effect.NONE: 0}


@dataclass(frozen=True, slots=True)
class Dependant:
    """A channel that needs a system, directly or through the systems in `via`; the weakest link's effect."""

    service: Service
    channel: Channel
    effect: Effect
    via: tuple[str, ...] = ()


class Surroundings:
    """Indexes of one version, each made when first asked for."""

    def __init__(self, version: Version) -> None:
        self.serial = version.serial
        self.catalogue: Catalogue = version.catalogue

    def services_of(self, entity: str) -> list[Service]:
        return self._services_by_entity.get(entity, [])

    @cached_property
    def _services_by_entity(self) -> dict[str, list[Service]]:
        found: dict[str, list[Service]] = {}
        for service in self.catalogue.services:
            found.setdefault(service.entity, []).append(service)
        return found

    def owners(self) -> Iterator[System | Channel]:
        """Everything that may have checks of its own."""
        yield from self.catalogue.systems
        for service in self.catalogue.services:
            yield from service.channels

    def measured(self, owner: System | Channel) -> bool:
        """True when a required check of its own judges it."""
        return any(check.required for check in owner.checks)

    def needs(self, owner: System | Channel) -> list[str]:
        """Systems that can do something to it."""
        return [need.system for need in owner.depends if need.effect is not Effect.NONE]

    @cached_property
    def every_ms(self) -> dict[str, int]:
        """The longest interval of each owner's required checks, in milliseconds; 0 without any."""
        return {
            owner.subject: max((check.every_ms for check in owner.checks if check.required), default=0)
            for owner in self.owners()
        }

    @cached_property
    def intervals(self) -> frozenset[tuple[str, int]]:
        """(key on the log, interval in milliseconds) of everything measured."""
        return frozenset(
            (stream_key(owner.subject), self.every_ms[owner.subject])
            for owner in self.owners()
            if self.measured(owner)
        )

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """(check, vantage) of every check of every channel."""
        return [
            (check.key, vantage)
            for service in self.catalogue.services
            for channel in service.channels
            for check in channel.checks
            for vantage in check.vantages
        ]

    @cached_property
    def touching(self) -> dict[str, frozenset[str]]:
        """Per service and system, the subjects whose change is seen on it."""
        found = {system.subject: frozenset({system.subject}) for system in self.catalogue.systems}
        for service in self.catalogue.services:
            channels = {channel.subject for channel in service.channels}
            found[service.subject] = frozenset(channels | {service.subject})
        return found

    @cached_property
    def subjects(self) -> list[str]:
        """Every path that has a verdict."""
        return [owner.subject for owner in self.owners()] + [s.subject for s in self.catalogue.services]

    @cached_property
    def dependants(self) -> dict[str, tuple[Dependant, ...]]:
        """Per system, every channel that needs it, however far away; the nearest first."""
        found: dict[str, list[Dependant]] = {system.subject: [] for system in self.catalogue.systems}
        for service in self.catalogue.services:
            for channel in service.channels:
                for subject, effect, via in self._reaching(channel):
                    found.setdefault(subject, []).append(Dependant(service, channel, effect, via))
        return {
            subject: tuple(sorted(those, key=lambda one: len(one.via))) for subject, those in found.items()
        }

    @cached_property
    def strongest(self) -> dict[str, dict[str, Effect]]:
        """Per channel and system, every system below it and the strongest effect of it, over whatever way."""
        found: dict[str, dict[str, Effect]] = {}
        owners: list[System | Channel] = [*in_order(self.catalogue), *channels(self.catalogue)]
        for owner in owners:
            below: dict[str, Effect] = {}
            for need in owner.depends:
                deeper = {
                    far: _weaker(need.effect, effect) for far, effect in found.get(need.system, {}).items()
                }
                for subject, effect in {**deeper, need.system: need.effect}.items():
                    below[subject] = max(below.get(subject, effect), effect, key=_STRENGTH.__getitem__)
            found[owner.subject] = {
                subject: effect for subject, effect in below.items() if effect is not Effect.NONE
            }
        return found

    def _reaching(self, channel: Channel) -> list[tuple[str, Effect, tuple[str, ...]]]:
        """(system, effect, via) for every system below the channel; the shortest way to each."""
        reached: dict[str, tuple[Effect, tuple[str, ...]]] = {}
        ways: list[tuple[str, Effect, tuple[str, ...]]] = [
            (need.system, need.effect, ()) for need in channel.depends
        ]
        while ways:
            further: list[tuple[str, Effect, tuple[str, ...]]] = []
            for subject, effect, via in ways:
                if subject in reached:
                    continue
                reached[subject] = (effect, via)
                system = self.catalogue.systems_by_subject.get(subject)
                further += [
                    (need.system, _weaker(effect, need.effect), (*via, subject))
                    for need in (system.depends if system else ())
                ]
            ways = further
        return [(subject, effect, via) for subject, (effect, via) in reached.items()]


def _weaker(one: Effect, other: Effect) -> Effect:
    return min(one, other, key=_STRENGTH.__getitem__)
