"""Everybody's figures over a stretch: leaves from their timelines, parents as sums over membership. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from monitor.facts import Membership
from monitor.judge.exclusions import Exclusion, excluded
from monitor.judge.figures import NOTHING, Excluded, Figure, When, account, summed
from monitor.judge.ranges import Range, clip, shared, union
from monitor.judge.timeline import Step
from monitor.model import GOVERNMENT

FAR_MS = 2**62


@dataclass(frozen=True)
class Belonging:
    """When each subject existed, and which services were summed into each parent when."""

    exists: Mapping[str, list[Range]]
    services: Mapping[str, Mapping[str, list[Range]]]


def belonging(memberships: Iterable[Membership]) -> Belonging:
    """Services of an entity are the government's while the entity is."""
    pairs: dict[tuple[str, str], list[Range]] = {}
    for one in memberships:
        end_ms = FAR_MS if one.to_ms is None else one.to_ms
        pairs.setdefault((one.subject, one.parent), []).append((one.from_ms, end_ms))
    exists: dict[str, list[Range]] = {}
    services: dict[str, dict[str, list[Range]]] = {}
    for (subject, parent), ranges in pairs.items():
        exists[subject] = union([*exists.get(subject, []), *ranges])
        if subject.startswith("entity:"):
            services.setdefault(subject, {})  # a sum of nothing is still a sum
        if parent == GOVERNMENT or parent.startswith("entity:"):
            under = services.setdefault(parent, {})
            if not subject.startswith("entity:"):
                under[subject] = union(ranges)
    of_all = services.setdefault(GOVERNMENT, {})
    for (entity, parent), ranges in pairs.items():
        if parent == GOVERNMENT and entity.startswith("entity:"):
            for service, own in services.get(entity, {}).items():
                of_all[service] = union([*of_all.get(service, []), *shared(own, union(ranges))])
    return Belonging(exists, services)


@dataclass(frozen=True)
class Accounts:
    """What is known of a stretch of time: effective timelines, membership, exclusions, service hours."""

    timelines: Mapping[str, Sequence[Step]]
    belonging: Belonging
    exclusions: Sequence[Exclusion] = ()
    notice_ms: int = 0
    closed: Mapping[str, Sequence[Range]] = field(default_factory=dict)

    def excluded(self, subject: str) -> Excluded:
        """When the subject is not counted."""
        closed = self.closed.get(subject, ())
        if not self.exclusions and not closed:
            return NOTHING
        return excluded(subject, self.exclusions, notice_ms=self.notice_ms, closed=closed)

    def leaves(self) -> list[str]:
        """Every subject that has a timeline of its own, by membership."""
        return [subject for subject in self.belonging.exists if not subject.startswith("entity:")]

    def leaf(self, subject: str, when: When, *, within: Sequence[Range] | None = None) -> Figure:
        """The figure of one subject, while it existed or, if given, `within` these stretches alone."""
        return account(
            subject,
            self.timelines.get(subject, ()),
            when,
            exists=self.belonging.exists.get(subject, ()) if within is None else within,
            excluded=self.excluded(subject),
        )

    def figure(self, subject: str, when: When) -> Figure:
        """The figure of any subject."""
        if subject not in self.belonging.services:
            return self.leaf(subject, when)
        services = self.belonging.services[subject]
        return summed([self.leaf(each, when, within=ranges) for each, ranges in services.items()], when)

    def figures(self, when: When, *, only: Collection[str] | None = None) -> dict[str, Figure]:
        """The figures of everybody who existed at some instant of the stretch.

        `only`: of these services alone and of what they are summed into.
        """
        leaves = {
            subject: self.leaf(subject, when)
            for subject in self.leaves()
            if (only is None or subject in only)
            and clip(self.belonging.exists[subject], when.start_ms, when.end_ms)
        }
        made = dict(leaves)
        for parent, services in self.belonging.services.items():
            parts = [
                self._part(leaves[service], service, ranges, when)
                for service, ranges in services.items()
                if service in leaves and clip(ranges, when.start_ms, when.end_ms)
            ]
            if parts:
                made[parent] = summed(parts, when)
        return made

    def shares(self, parent: str, when: When) -> dict[str, Figure]:
        """Of services that were the parent's for a part of their time: the figures of that part."""
        shared_services = self.shared_with_others(parent, when.start_ms, when.end_ms)
        return {each: self.leaf(each, when, within=ranges) for each, ranges in shared_services.items()}

    def shared_with_others(self, parent: str, start_ms: int, end_ms: int) -> dict[str, list[Range]]:
        """Services that were the parent's, and somebody else's, in [start, end): when they were its."""
        found = {}
        for service, ranges in self.belonging.services.get(parent, {}).items():
            own = clip(ranges, start_ms, end_ms)
            if own and own != clip(self.belonging.exists[service], start_ms, end_ms):
                found[service] = list(own)
        return found

    def _part(self, leaf: Figure, service: str, ranges: Sequence[Range], when: When) -> Figure:
        """What of a service is its parent's: nearly always all that there is of it."""
        exists = self.belonging.exists[service]
        if clip(ranges, when.start_ms, when.end_ms) == clip(exists, when.start_ms, when.end_ms):
            return leaf
        return self.leaf(service, when, within=ranges)
