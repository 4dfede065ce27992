"""What the public is told of every service: its state, since when, where else to get it. Pure; Unix ms.

A failure is published some minutes after it was confirmed; until then the service is neither called available
nor said to fail, but *being checked*. What is behind a failure is not part of what is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from monitor.facts import Day, Said
from monitor.judge.exclusions import Exclusion
from monitor.judge.incidents import Incident, State
from monitor.judge.picture import ChannelShown, Picture, ServiceShown
from monitor.judge.promises import promised_ms, published_ms
from monitor.model import Channel, ExclusionKind, PublicRules, Service, Verdict

AHEAD_MS = 30 * 86_400_000  # planned work further away is not shown yet
OVERRUN_MS = 24 * 3_600_000  # a failure that began in a maintenance is called its overrun for so long


class Saying(StrEnum):
    """One fixed sentence, and the state of a service that it is the gravest sentence of; worst first."""

    UNAVAILABLE = "unavailable"  # on all remote channels
    OVERRUN = "overrun"  # maintenance took longer than announced
    MAINTENANCE = "maintenance"
    PARTLY = "partly"  # unavailable on one channel
    SLOW = "slow"
    CHECKING = "checking"  # something was found, and is not published yet
    UNKNOWN = "unknown"  # no fresh information
    AVAILABLE = "available"


GRAVITY = {saying: number for number, saying in enumerate(Saying)}
FAILING = frozenset(
    {Saying.UNAVAILABLE, Saying.OVERRUN, Saying.MAINTENANCE, Saying.PARTLY, Saying.SLOW, Saying.CHECKING}
)


class Note(NamedTuple):
    """A sentence about a service, or about one channel of it.

    `until_ms`: by when more is promised, or when the maintenance is expected to end; None: nothing is said.
    """

    saying: Saying
    since_ms: int | None
    channel: Channel | None = None
    until_ms: int | None = None


class Work(NamedTuple):
    """Planned work that touches a service; no channels: all of them."""

    from_ms: int
    to_ms: int
    channels: tuple[Channel, ...]


class Past(NamedTuple):
    """A published incident as far as it touched one service."""

    since_ms: int
    until_ms: int | None  # None while it lasts
    whole: bool  # the service could not be got remotely
    slow: bool  # nothing of it was ever down
    channels: tuple[Channel, ...]
    said: tuple[Said, ...]


class Told(NamedTuple):
    """Everything said of one service."""

    service: Service
    state: Saying
    available: bool | None  # remotely; None when unknown
    notes: tuple[Note, ...]
    ways: tuple[Channel, ...]  # complete the service and are up
    slowly: tuple[Channel, ...]  # complete it too, and are degraded: said on its page, offered nowhere else
    said: tuple[Said, ...]  # of what lasts, the newest first
    work: tuple[Work, ...]
    past: tuple[Past, ...]  # the newest first


@dataclass(frozen=True)
class Given:
    """What the public pages are made of: the picture, and what is known beside it."""

    picture: Picture
    now_ms: int
    incidents: Sequence[Incident] = ()  # open, or closed within the days that are shown
    exclusions: Sequence[Exclusion] = ()
    said: Sequence[Said] = ()  # the oldest first
    days: Mapping[str, Sequence[Day]] = field(default_factory=dict)  # by service, the oldest first

    @property
    def rules(self) -> PublicRules:
        return self.picture.catalogue.policy.public

    @property
    def work(self) -> list[Exclusion]:
        return [each for each in self.exclusions if each.kind is ExclusionKind.MAINTENANCE]


class Published(NamedTuple):
    """An incident that the public may be told of."""

    incident: Incident
    at_ms: int
    promised_ms: int | None
    said: tuple[Said, ...]


def published(given: Given) -> list[Published]:
    """Incidents that were published by now, the newest first; those that followed from another are not."""
    said: dict[str, list[Said]] = {}
    for one in given.said:
        said.setdefault(one.incident, []).append(one)
    found = []
    for incident in given.incidents:
        words = said.get(incident.number, [])
        at_ms = published_ms(incident, words, given.rules)
        over_ms = None if incident.open else ended_ms(incident)
        if incident.state is State.ABSORBED or at_ms is None or at_ms > given.now_ms:
            continue
        if over_ms is not None and at_ms >= over_ms and not words:
            continue  # it was over before it was published
        due_ms = promised_ms(incident, words, given.rules)
        found.append(Published(incident, at_ms, due_ms, tuple(words)))
    return sorted(found, key=lambda one: (-one.incident.since_ms, one.incident.number))


def ended_ms(incident: Incident) -> int:
    """When what a closed incident took was well again."""
    return incident.well_ms or incident.closed_ms


def tell(given: Given) -> list[Told]:
    """What is said of each service, in the catalogue's order."""
    teller = _Teller(given)
    return [teller.told(shown) for shown in given.picture.services.values()]


class _Teller:
    """One telling: published incidents and planned work by the services they touch."""

    def __init__(self, given: Given) -> None:
        self._given, self._now_ms = given, given.now_ms
        self._published = published(given)
        self._numbers = {one.incident.number for one in self._published}
        self._touching: dict[str, list[Incident]] = {}
        for incident in given.incidents:
            if incident.open:
                for path in (*incident.services, *incident.channels):
                    self._touching.setdefault(path, []).append(incident)

    def told(self, shown: ServiceShown) -> Told:
        service = shown.service
        completing = [one for one in shown.channels if one.channel.completes]
        notes = tuple(self._notes(shown, completing))
        mine = [one for one in self._published if _touches(one.incident, service)]
        open_words = [word for one in mine if one.incident.open for word in one.said]
        failing = any(note.saying in FAILING for note in notes)
        return Told(
            service=service,
            state=min((note.saying for note in notes), key=GRAVITY.__getitem__, default=Saying.AVAILABLE),
            available=shown.available,
            notes=notes,
            ways=tuple(one.channel for one in completing if one.effective.verdict is Verdict.UP),
            slowly=tuple(one.channel for one in completing if one.effective.verdict is Verdict.DEGRADED),
            said=tuple(sorted(open_words, key=lambda word: -word.said_ms)) if failing else (),
            work=tuple(self._planned(service)),
            past=tuple(_past(one, service) for one in mine),
        )

    # -- what fails now ----------------------------------------------------------------------------------

    def _notes(self, shown: ServiceShown, completing: Sequence[ChannelShown]) -> Iterable[Note]:
        verdict = shown.effective.verdict
        if verdict is Verdict.DOWN:
            yield self._whole(shown, completing)
            return
        for one in completing:
            if one.effective.verdict is Verdict.DOWN:
                yield from self._channel(one)
        if verdict is Verdict.DEGRADED and self._may_say(shown.service.subject, shown, completing):
            yield Note(Saying.SLOW, shown.effective.since_ms)
        if verdict is Verdict.UNKNOWN:
            yield Note(Saying.UNKNOWN, None)

    def _whole(self, shown: ServiceShown, completing: Sequence[ChannelShown]) -> Note:
        """The service cannot be got remotely."""
        subject, since_ms = shown.service.subject, shown.effective.since_ms
        remote = [one.channel.subject for one in completing if one.channel.remote]
        if work := self._under_work(remote or [subject], since_ms):
            return work
        if not self._may_say(subject, shown, completing):
            return Note(Saying.CHECKING, None)
        return Note(Saying.UNAVAILABLE, since_ms, until_ms=self._promise([subject, *remote]))

    def _channel(self, one: ChannelShown) -> Iterable[Note]:
        """A channel is down, the service is not: said once it may be."""
        path, since_ms = one.channel.subject, one.effective.since_ms
        if work := self._under_work([path], since_ms):
            yield work._replace(channel=one.channel)
        elif self._known(path, since_ms):
            yield Note(Saying.PARTLY, since_ms, one.channel)

    def _may_say(self, subject: str, shown: ServiceShown, completing: Sequence[ChannelShown]) -> bool:
        paths = [subject, *(one.channel.subject for one in completing)]
        return any(self._known(path, None) for path in paths) or self._known(
            subject, shown.effective.since_ms
        )

    def _known(self, path: str, since_ms: int | None) -> bool:
        """Whether a failure of this path may be told: with its incident, or by the same delay without one."""
        incidents = self._touching.get(path, [])
        if incidents:
            return any(one.number in self._numbers for one in incidents)
        rules = self._given.rules
        if since_ms is None or rules.by_hand:
            return False
        return since_ms + rules.delay_s * 1000 <= self._now_ms

    def _promise(self, paths: Sequence[str]) -> int | None:
        """The next update that was promised and is still to come."""
        numbers = {one.number for path in paths for one in self._touching.get(path, [])}
        due = [
            one.promised_ms
            for one in self._published
            if one.incident.number in numbers and one.promised_ms and one.promised_ms > self._now_ms
        ]
        return min(due, default=None)

    # -- planned work ------------------------------------------------------------------------------------

    def _under_work(self, paths: Sequence[str], since_ms: int | None) -> Note | None:
        """Maintenance that holds now on all of these, or that their failure outlasted."""
        covering = [
            each
            for each in self._given.work
            if all(each.covers(path) for path in paths) and each.range[0] < self._now_ms
        ]
        now_on = [each for each in covering if self._now_ms < each.range[1]]
        if now_on:
            last = max(now_on, key=lambda each: each.range[1])
            saying = Saying.OVERRUN if self._prolonged(last) else Saying.MAINTENANCE
            return Note(saying, last.range[0], until_ms=last.range[1])
        for each in covering:
            ended = each.range[1]
            late_ms = self._now_ms - ended
            if (
                each.finished_at_ms is None
                and late_ms < OVERRUN_MS
                and since_ms is not None
                and since_ms < ended
            ):
                return Note(Saying.OVERRUN, each.range[0])
        return None

    def _prolonged(self, work: Exclusion) -> bool:
        """Whether what was announced first is over, and this goes on from it."""
        first = next((each for each in self._given.exclusions if each.id == work.extends), None)
        return first is not None and first.to_ms <= self._now_ms

    def _planned(self, service: Service) -> Iterable[Work]:
        for each in sorted(self._given.work, key=lambda each: each.range):
            from_ms, to_ms = each.range
            if not self._now_ms < to_ms or from_ms > self._now_ms + AHEAD_MS or from_ms == to_ms:
                continue
            if each.covers(service.subject):
                yield Work(from_ms, to_ms, ())
            elif channels := tuple(one for one in service.channels if each.covers(one.subject)):
                yield Work(from_ms, to_ms, channels)


def _touches(incident: Incident, service: Service) -> bool:
    return service.subject in incident.services or any(
        one.subject in incident.channels for one in service.channels
    )


def _past(one: Published, service: Service) -> Past:
    incident = one.incident
    return Past(
        since_ms=incident.since_ms,
        until_ms=None if incident.open else ended_ms(incident),
        whole=service.subject in incident.services,
        slow=incident.verdict is Verdict.DEGRADED,
        channels=tuple(each for each in service.channels if each.subject in incident.channels),
        said=one.said,
    )
