"""All channels that are looked at: their patterns, minutes and clocks, under the catalogue in force. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from monitor.judge.findings import Range, Watched
from monitor.judge.hours import Hours
from monitor.judge.lateness import Lateness
from monitor.judge.pattern import Pattern
from monitor.judge.windows import MINUTE_MS
from monitor.model import Version, stream_key

Minute = tuple[str, str, int, int]
"""Channel, outcome, beginning of the minute, transactions."""


NONE = (0, 0, 0)
REMOTE, IN_PERSON = "/remote", "/in-person"  # which are alike: an office closes at night


class Channels:
    """Every channel of one version of the catalogue; those with a pattern are watched."""

    def __init__(self, version: Version, *, since_ms: int) -> None:
        catalogue = version.catalogue
        self.serial, self.expecting = version.serial, catalogue.policy.expected
        self.hours = Hours.of(catalogue)
        self.rules = (catalogue.zone, catalogue.calendar, self.expecting.weeks)
        self.late_horizon_ms = round(catalogue.policy.late_horizon_s * 1000)
        self.entities = {service.subject: service.entity for service in catalogue.services}
        self.services = {
            channel.subject: service.subject for service in catalogue.services for channel in service.channels
        }
        self.remote = {
            service.subject: tuple(channel.subject for channel in service.channels if channel.remote)
            for service in catalogue.services
        }
        self.ways = {
            channel.subject: REMOTE if channel.remote else IN_PERSON
            for service in catalogue.services
            for channel in service.channels
        }
        self.paths = list(self.services)
        self.subjects = [*self.entities, *self.paths]
        self._of_service: dict[str, int] = {}
        for service in self.services.values():
            self._of_service[service] = self._of_service.get(service, 0) + 1
        self.since_ms = since_ms  # minutes are known from here on
        self.watched: dict[str, Watched] = {}
        self.lateness: dict[str, Lateness] = {}
        self._early: dict[str, dict[int, tuple[int, int, int]]] = {}  # of channels without a pattern

    def shape_of(self, path: str) -> str:
        """Name of the shape that the channel leans on: that of its entity's remote or in-person channels."""
        return self.entities[self.services[path]] + self.ways[path]

    def fitted(self, path: str, pattern: Pattern) -> None:
        """From now on this is usual on the channel."""
        self.lateness.setdefault(path, Lateness(pattern.late_s))
        known = self.watched.get(path)
        if known is not None:
            known.pattern = pattern
            return
        service = self.services[path]
        self.watched[path] = Watched(
            path, service, self._of_service[service], pattern, self.since_ms, self._early.pop(path, {})
        )

    def counted(self, minutes: Iterable[Minute], *, looked: Mapping[str, int]) -> int:
        """What is counted now of some minutes; `looked` is how far each service was looked at before.

        Returns how many transactions are new among them.
        """
        more = 0
        now: dict[str, dict[int, tuple[int, int, int]]] = {}
        for channel, outcome, minute, events in minutes:
            if channel in self.services:
                of_channel = now.setdefault(channel, {})
                every, completed, failed = of_channel.get(minute, (0, 0, 0))
                of_channel[minute] = (
                    every + events,
                    completed + events * (outcome == "completed"),
                    failed + events * (outcome == "failed"),
                )
        for channel in self.services:
            known = self.watched.get(channel)
            held = known.minutes if known is not None else self._early.setdefault(channel, {})
            new = now.get(channel, {})
            looked_ms = looked.get(self.services[channel])
            if looked_ms is not None and new:
                self.lateness.setdefault(channel, Lateness()).learn(held, new, looked_ms=looked_ms)
            more += sum(seen[0] - held.get(minute, NONE)[0] for minute, seen in new.items())
            held.update(new)
        return more

    def forget_before(self, at_ms: int) -> None:
        """Minutes before `at_ms` are no longer needed."""
        at_ms = at_ms // MINUTE_MS * MINUTE_MS
        self.since_ms = max(self.since_ms, at_ms)
        for watched in self.watched.values():
            watched.forget_before(at_ms)
        for minutes in self._early.values():
            for minute in [each for each in minutes if each < at_ms]:
                del minutes[minute]

    def bad(self, path: str, ranges: Mapping[str, list[Range]]) -> list[Range]:
        """Stretches of the channel and of its service, in order."""
        service = stream_key(path)
        return sorted([*ranges.get(path, []), *ranges.get(service, [])])
