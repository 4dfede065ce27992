"""What follows through dependencies: which subjects a change reaches, and their effective timelines anew."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import NamedTuple

from monitor.judge import levels
from monitor.judge.timeline import Step, moved, squeeze, value_at
from monitor.model import Catalogue, Channel, Dependency, Effect, System, SystemKind, Version

Timelines = Mapping[str, list[Step]]
FOR_EVER_MS = 2**62


class Needed(NamedTuple):
    """Paths whose standing timelines `rederive` reads, by layer."""

    measured: set[str]
    effective: set[str]


def channels(catalogue: Catalogue) -> Iterator[Channel]:
    """Every channel of every service."""
    for service in catalogue.services:
        yield from service.channels


def reached(catalogues: Iterable[Catalogue], changed: Iterable[str]) -> set[str]:
    """The changed subjects and all above them: systems, channels and services whose verdict may move."""
    found = set(changed)
    for catalogue in catalogues:
        for system in in_order(catalogue):
            if any(need.system in found for need in system.depends):
                found.add(system.subject)
        for channel in channels(catalogue):
            if any(need.system in found for need in channel.depends):
                found.add(channel.subject)
        for service in catalogue.services:
            if any(channel.subject in found for channel in service.channels):
                found.add(service.subject)
    return found


def everything(catalogue: Catalogue) -> set[str]:
    """Every subject that has an effective verdict."""
    return (
        {system.subject for system in catalogue.systems}
        | {channel.subject for channel in channels(catalogue)}
        | {service.subject for service in catalogue.services}
    )


def needed(catalogues: Iterable[Catalogue], subjects: set[str]) -> Needed:
    """What must be read to make `subjects` anew."""
    measured, effective = set(subjects), set(subjects)
    for catalogue in catalogues:
        owners: list[System | Channel] = [*catalogue.systems, *channels(catalogue)]
        for owner in owners:
            if owner.subject in subjects:
                effective.update(need.system for need in owner.depends)
        for service in catalogue.services:
            if service.subject in subjects:
                effective.update(channel.subject for channel in service.channels)
    return Needed(measured, effective)


def in_order(catalogue: Catalogue) -> list[System]:
    """Systems, each after those it depends on. The loader has refused circles."""
    known = catalogue.systems_by_subject
    graph = {
        subject: [need.system for need in system.depends if need.system in known]
        for subject, system in known.items()
    }
    return [known[subject] for subject in TopologicalSorter(graph).static_order()]


def rederive(
    versions: Sequence[Version],
    subjects: set[str],
    *,
    measured: Timelines,
    effective: Timelines,
    from_ms: int,
) -> dict[str, list[Step]]:
    """The effective timelines of `subjects` on [from_ms, ∞), each instant judged by the version in force.

    `versions` oldest first; `effective` holds the standing timelines of neighbours that are not made anew.
    """
    wanted: dict[str, list[Step]] = {subject: [] for subject in subjects}
    for start_ms, end_ms, catalogue in _segments(versions, from_ms):
        made = _under(catalogue, subjects, measured=measured, effective=effective, from_ms=start_ms)
        for subject, steps in wanted.items():
            segment = made.get(subject, [])
            steps.append(moved(value_at(segment, start_ms), start_ms))
            steps += [step for step in segment if start_ms < step.at_ms < end_ms]
    return {subject: squeeze(steps) for subject, steps in wanted.items()}


def _segments(versions: Sequence[Version], from_ms: int) -> Iterator[tuple[int, int, Catalogue]]:
    """(start, end, catalogue in force) over [from_ms, ∞); before the first version nothing was watched."""
    ends = [version.valid_from_ms for version in versions[1:]] + [FOR_EVER_MS]
    for version, end_ms in zip(versions, ends, strict=True):
        start_ms = max(version.valid_from_ms, from_ms)
        if start_ms < end_ms:
            yield start_ms, end_ms, version.catalogue


def _under(
    catalogue: Catalogue, subjects: set[str], *, measured: Timelines, effective: Timelines, from_ms: int
) -> dict[str, list[Step]]:
    made: dict[str, list[Step]] = {}

    def known(subject: str) -> list[Step]:
        return made[subject] if subject in made else effective.get(subject, [])

    def not_a_platform(need: Dependency) -> bool:
        """Of two as bad, a channel without a check of its own names its platform."""
        system = catalogue.systems_by_subject.get(need.system)
        return system is None or system.kind is not SystemKind.PLATFORM

    def derive(owner: System | Channel) -> list[Step]:
        own = measured.get(owner.subject, []) if any(check.required for check in owner.checks) else None
        needs = [
            (need.system, need.effect, known(need.system))
            for need in sorted(owner.depends, key=not_a_platform)
            if need.effect is not Effect.NONE
        ]
        return levels.effective(own, needs, from_ms=from_ms)

    for system in in_order(catalogue):
        if system.subject in subjects:
            made[system.subject] = derive(system)
    for channel in channels(catalogue):
        if channel.subject in subjects:
            made[channel.subject] = derive(channel)
    for service in catalogue.services:
        if service.subject in subjects:
            offers = [(channel, known(channel.subject)) for channel in service.channels]
            made[service.subject] = levels.service(offers, from_ms=from_ms)
    return made
