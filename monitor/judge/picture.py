"""The world as readers show it now: stored verdicts under the catalogue in force, masked where we are behind.

A verdict is shown only as far as its clock goes. Past `judged_until` plus two intervals, or when derive has
been silent for more than 15 s, the verdict shown is *unknown (we are behind)*, never the old green.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from monitor.facts import Clocks, Refusal, Standing
from monitor.judge import levels
from monitor.judge.levels import Headline
from monitor.judge.seconds import State
from monitor.judge.surroundings import Dependant, Surroundings
from monitor.judge.timeline import NOT_MEASURED, Step
from monitor.model import Catalogue, Channel, Entity, Service, System, Verdict, stream_key

DERIVE_SILENT_MS = 15_000
BEHIND = "behind"  # we do not know what is true now, because we have not read that far

Partition = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Shown:
    """What is said of a subject, since when, why, and which system is behind it."""

    verdict: Verdict
    reason: str
    since_ms: int | None
    cause: str = ""

    @property
    def behind(self) -> bool:
        return self.reason == BEHIND


@dataclass(frozen=True, slots=True)
class ChannelShown:
    """A channel: what its own checks say (None without any), and what follows for people."""

    channel: Channel
    measured: Shown | None
    effective: Shown
    excluded: State | None = None  # not required now, and what it is in instead

    @property
    def state(self) -> State:
        """What is said of it: not required now, or its verdict."""
        return self.excluded or State(self.effective.verdict.value)

    @property
    def derived(self) -> bool:
        """True when what people meet does not come from the channel's own checks."""
        return self.measured is None or bool(self.effective.cause)


@dataclass(frozen=True, slots=True)
class ServiceShown:
    service: Service
    effective: Shown
    channels: tuple[ChannelShown, ...]
    excluded: State | None = None

    @property
    def state(self) -> State:
        """What is said of it: not required now, or its verdict."""
        return self.excluded or State(self.effective.verdict.value)

    @property
    def available(self) -> bool | None:
        """Remotely available; None when unknown."""
        if self.effective.verdict is Verdict.UNKNOWN:
            return None
        return self.effective.verdict is not Verdict.DOWN


@dataclass(frozen=True, slots=True)
class SystemShown:
    system: System
    measured: Shown | None
    effective: Shown
    dependants: tuple[Dependant, ...]
    excluded: State | None = None

    @property
    def state(self) -> State:
        """What is said of it: not required now, or its verdict."""
        return self.excluded or State(self.effective.verdict.value)


@dataclass(frozen=True)
class EntityShown:
    """An entity has no verdict, only its services; those required now are counted."""

    entity: Entity
    services: tuple[ServiceShown, ...]

    @cached_property
    def required(self) -> tuple[ServiceShown, ...]:
        return tuple(service for service in self.services if service.excluded is None)

    @cached_property
    def available(self) -> int:
        return sum(service.available is True for service in self.required)

    @cached_property
    def not_available(self) -> int:
        return sum(service.available is False for service in self.required)

    @cached_property
    def unknown(self) -> int:
        return sum(service.available is None for service in self.required)


@dataclass(frozen=True)
class Picture:
    """Everything shown at one instant. Services and systems by slug, in the catalogue's order."""

    serial: int
    catalogue: Catalogue
    as_of_ms: int | None  # everything is judged up to here; None before the first verdict
    derive_silent: bool
    headline: Headline
    services: Mapping[str, ServiceShown]
    systems: Mapping[str, SystemShown]
    entities: Mapping[str, EntityShown]
    refusal: Refusal | None
    late: frozenset[tuple[Partition | None, int]]

    @property
    def behind(self) -> bool:
        """True when something is unknown because we are behind."""
        return self.derive_silent or bool(self.late)

    def same_but_later(self, other: Picture) -> bool:
        """True when nothing but the hour differs."""
        return (
            self.serial == other.serial
            and self.late == other.late
            and self.derive_silent == other.derive_silent
            and self.refusal == other.refusal
            and all(service is other.services[slug] for slug, service in self.services.items())
            and all(system is other.systems[slug] for slug, system in self.systems.items())
        )


@dataclass(frozen=True, slots=True)
class Facts:
    """What a picture is drawn from."""

    standing: Mapping[tuple[str, str], Standing]
    partitions: Mapping[str, Partition]
    clocks: Clocks
    refusal: Refusal | None = None
    excluded: Mapping[str, State] = field(default_factory=dict)  # by path: who is not required now


def draw(
    around: Surroundings,
    facts: Facts,
    *,
    now_ms: int,
    before: Picture | None = None,
    touched: frozenset[str] = frozenset(),
) -> Picture:
    """The picture at `now_ms`. With `before`, only what is `touched` is drawn anew; all when we fell behind.

    `before` must be of the same catalogue. Subjects that did not change are the same objects as before.
    """
    brush = _Brush(around, facts, now_ms)
    late, silent = brush.late(), brush.derive_silent
    keep = before if before is not None and (before.late, before.derive_silent) == (late, silent) else None
    services = {
        service.slug: brush.service_required(
            keep.services[service.slug]
            if keep is not None and touched.isdisjoint(around.touching[service.subject])
            else brush.service(service)
        )
        for service in around.catalogue.services
    }
    systems = {
        system.slug: brush.system_required(
            keep.systems[system.slug]
            if keep is not None and touched.isdisjoint(around.touching[system.subject])
            else brush.system(system)
        )
        for system in around.catalogue.systems
    }
    by_entity = {
        slug: EntityShown(entity, tuple(services[service.slug] for service in around.services_of(slug)))
        for slug, entity in around.catalogue.entities_by_slug.items()
    }
    return Picture(
        serial=around.serial,
        catalogue=around.catalogue,
        as_of_ms=brush.as_of_ms(),
        derive_silent=silent,
        headline=levels.headline(
            [service.effective.verdict for service in services.values() if service.excluded is None],
            around.catalogue.policy,
        ),
        services=services,
        systems=systems,
        entities=by_entity,
        refusal=facts.refusal,
        late=late,
    )


class _Brush:
    """One drawing: facts, clocks and the hour in one place."""

    def __init__(self, around: Surroundings, facts: Facts, now_ms: int) -> None:
        self._around, self._facts, self._now_ms = around, facts, now_ms
        self._systems_behind: dict[str, int | None] = {}
        derive_at_ms = facts.clocks.derive_at_ms
        self.derive_silent = derive_at_ms is None or now_ms - derive_at_ms > DERIVE_SILENT_MS

    def late(self) -> frozenset[tuple[Partition | None, int]]:
        """Which (partition, interval) pairs of the catalogue are past their clock."""
        pairs = {(self._facts.partitions.get(key), every_ms) for key, every_ms in self._around.intervals}
        return frozenset(pair for pair in pairs if self._behind(*pair) is not None)

    def as_of_ms(self) -> int | None:
        """The oldest clock that a subject of the catalogue goes by, and no later than derive was heard."""
        used = {self._facts.partitions.get(key) for key, _ in self._around.intervals} - {None}
        clocks = [self._facts.clocks.judged_until_ms.get(partition) for partition in used if partition]
        known = [clock for clock in [*clocks, self._facts.clocks.derive_at_ms] if clock is not None]
        return min(known) if known and clocks else None

    def _behind(self, partition: Partition | None, every_ms: int) -> int | None:
        """Since when we do not know, or None while the clock is fresh (or nothing was ever judged)."""
        if partition is None:
            return None
        until_ms = self._facts.clocks.judged_until_ms.get(partition)
        if until_ms is None:
            return 0
        return until_ms if self._now_ms > until_ms + 2 * every_ms else None

    def _own_behind(self, owner: System | Channel) -> int | None:
        every_ms = self._around.every_ms[owner.subject]
        return self._behind(self._facts.partitions.get(stream_key(owner.subject)), every_ms)

    def _system_behind(self, subject: str) -> int | None:
        """Since when a system is unknown to us, its own clock or, without checks, that of what it needs."""
        if subject not in self._systems_behind:
            system = self._around.catalogue.systems_by_subject.get(subject)
            self._systems_behind[subject] = None if system is None else self._any_behind(system)
        return self._systems_behind[subject]

    def _any_behind(self, owner: System | Channel) -> int | None:
        if self._around.measured(owner):
            return self._own_behind(owner)
        needs = [self._system_behind(need) for need in self._around.needs(owner)]
        return min((since for since in needs if since is not None), default=None)

    def _stored(self, layer: str, subject: str) -> Shown:
        row = self._facts.standing.get((layer, subject))
        if row is None:
            return Shown(Verdict.UNKNOWN, NOT_MEASURED, None)
        return Shown(Verdict(row.verdict), row.reason, row.at_ms, row.cause)

    def _measured(self, owner: System | Channel) -> Shown | None:
        if not self._around.measured(owner):
            return None
        since_ms = self._own_behind(owner)
        return self._stored("measured", owner.subject) if since_ms is None else _unknown(since_ms)

    def _effective(self, owner: System | Channel, measured: Shown | None) -> Shown:
        if self.derive_silent:
            return _unknown(self._facts.clocks.derive_at_ms)
        stored = self._stored("effective", owner.subject)
        cause_behind = self._system_behind(stored.cause) if stored.cause else None
        if measured is None:
            since_ms = self._any_behind(owner)
            return stored if since_ms is None else _unknown(since_ms)
        if cause_behind is not None:
            return measured  # a system's unknown never overrules a channel's own evidence
        if measured.behind and not (stored.cause and stored.verdict is Verdict.DOWN):
            return measured
        return stored

    def channel(self, channel: Channel) -> ChannelShown:
        measured = self._measured(channel)
        return ChannelShown(channel, measured, self._effective(channel, measured))

    def system(self, system: System) -> SystemShown:
        measured = self._measured(system)
        effective = self._effective(system, measured)
        return SystemShown(system, measured, effective, self._around.dependants[system.subject])

    def service(self, service: Service) -> ServiceShown:
        channels = tuple(self.channel(channel) for channel in service.channels)
        if self.derive_silent:
            return ServiceShown(service, _unknown(self._facts.clocks.derive_at_ms), channels)
        stored = self._stored("effective", service.subject)
        if any(shown.effective != self._stored("effective", shown.channel.subject) for shown in channels):
            stored = _judged_again(stored, channels)
        return ServiceShown(service, stored, channels)

    def service_required(self, shown: ServiceShown) -> ServiceShown:
        """Whether it and its channels are required now; the same object where nothing differs."""
        excluded = self._facts.excluded
        of_service = excluded.get(shown.service.subject)
        of_channels = [excluded.get(one.channel.subject) for one in shown.channels]
        if shown.excluded is of_service and [one.excluded for one in shown.channels] == of_channels:
            return shown
        channels = tuple(
            replace(one, excluded=state) for one, state in zip(shown.channels, of_channels, strict=True)
        )
        return replace(shown, excluded=of_service, channels=channels)

    def system_required(self, shown: SystemShown) -> SystemShown:
        """The same of a system."""
        state = self._facts.excluded.get(shown.system.subject)
        return shown if shown.excluded is state else replace(shown, excluded=state)


def _unknown(since_ms: int | None) -> Shown:
    return Shown(Verdict.UNKNOWN, BEHIND, since_ms or None)


def _judged_again(stored: Shown, channels: tuple[ChannelShown, ...]) -> Shown:
    """The service's verdict over what is shown of its channels; as stored where the verdict is the same."""
    offers = [
        (shown.channel, [Step(0, shown.effective.verdict, shown.effective.reason, shown.effective.cause)])
        for shown in channels
    ]
    said = levels.service(offers, from_ms=0)[0]
    if said.verdict is stored.verdict and said.verdict is not Verdict.UNKNOWN:
        return stored
    deciding = [
        shown.effective
        for shown in channels
        if (shown.effective.verdict, shown.effective.reason) == (said.verdict, said.reason)
    ]
    return deciding[0] if deciding else Shown(said.verdict, said.reason, stored.since_ms, said.cause)
