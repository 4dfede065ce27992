"""What the public is told of every service: its state, since when, where else to get it. Pure; Unix ms.

A failure is published some minutes after it was confirmed; until then the service is neither called available
nor said to fail, but *being checked*. What is behind a failure is not part of what is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from monitor.facts import Day, Said
from monitor.judge.exclusions import Exclusion
from monitor.judge.incidents import Incident, State
from monitor.judge.opening import opened_ms, opens_ms, opens_within
from monitor.judge.picture import ChannelShown, Picture, ServiceShown
from monitor.judge.promises import promised_ms, published_ms
from monitor.judge.seconds import State as Spent
from monitor.model import Channel, PublicRules, Service, Verdict
from monitor.public.notes import FAILING, GRAVITY, Note, Saying, Work
from monitor.public.works import Works

UNDER_WORK = frozenset({Saying.MAINTENANCE, Saying.OVERRUN})


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
        self._works = Works(given.exclusions, given.now_ms)
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
        closed = shown.excluded is Spent.OUT_OF_HOURS
        notes = (self._closed(service),) if closed else tuple(self._notes(shown, completing))
        mine = [one for one in self._published if _touches(one.incident, service)]
        return Told(
            service=service,
            state=min((note.saying for note in notes), key=GRAVITY.__getitem__, default=Saying.AVAILABLE),
            available=False if closed else shown.available,
            notes=notes,
            ways=() if closed else _that_are(Verdict.UP, completing),
            slowly=() if closed else _that_are(Verdict.DEGRADED, completing),
            said=tuple(self._said(service, notes, mine)),
            work=tuple(self._works.planned(service)),
            past=tuple(_past(one, service) for one in mine if self._met(one.incident, service)),
        )

    def _met(self, incident: Incident, service: Service) -> bool:
        """Whether somebody could meet it: not when all of it lay outside the service's hours."""
        until_ms = self._now_ms if incident.open else ended_ms(incident)
        if not service.hours or incident.since_ms >= until_ms:
            return True
        return opens_within(self._given.picture.catalogue, service.hours, incident.since_ms, until_ms)

    def _said(self, service: Service, notes: Sequence[Note], mine: Sequence[Published]) -> list[Said]:
        """What people added to what is said now, the newest first."""
        sayings = {note.saying for note in notes}
        words: list[Said] = []
        if sayings & FAILING:
            words = [word for one in mine if one.incident.open for word in one.said]
        if sayings & UNDER_WORK:
            words += self._works.said([service.subject, *(one.subject for one in service.channels)])
        return sorted(words, key=lambda word: -word.said_ms)

    # -- what fails now ----------------------------------------------------------------------------------

    def _closed(self, service: Service) -> Note:
        catalogue = self._given.picture.catalogue
        opens = opens_ms(catalogue, service.hours, self._now_ms) if service.hours else None
        return Note(Saying.CLOSED, None, until_ms=opens)

    def _notes(self, shown: ServiceShown, completing: Sequence[ChannelShown]) -> Iterable[Note]:
        verdict = shown.effective.verdict
        if verdict is Verdict.DOWN:
            yield self._whole(shown, completing)
            return
        for one in completing:
            if one.effective.verdict is Verdict.DOWN:
                yield from self._channel(shown, one)
        if verdict is Verdict.DEGRADED and self._may_say(shown, completing):
            yield Note(Saying.SLOW, shown.effective.since_ms)
        if verdict is Verdict.UNKNOWN:
            yield Note(Saying.UNKNOWN, None)

    def _whole(self, shown: ServiceShown, completing: Sequence[ChannelShown]) -> Note:
        """The service cannot be got remotely."""
        subject, since_ms = shown.service.subject, shown.effective.since_ms
        remote = [one.channel.subject for one in completing if one.channel.remote]
        if work := self._works.note(remote or [subject], since_ms):
            return work
        if not self._may_say(shown, completing):
            return Note(Saying.CHECKING, None)
        return Note(Saying.UNAVAILABLE, since_ms, until_ms=self._promise([subject, *remote]))

    def _channel(self, shown: ServiceShown, one: ChannelShown) -> Iterable[Note]:
        """A channel is down, the service is not: said once it may be."""
        path, since_ms = one.channel.subject, one.effective.since_ms
        if work := self._works.note([path], since_ms):
            yield work._replace(channel=one.channel)
        elif self._known(path, shown.service, since_ms):
            yield Note(Saying.PARTLY, since_ms, one.channel)

    def _may_say(self, shown: ServiceShown, completing: Sequence[ChannelShown]) -> bool:
        service = shown.service
        if any(self._known(one.channel.subject, service, None) for one in completing):
            return True
        return self._known(service.subject, service, shown.effective.since_ms)

    def _known(self, path: str, service: Service, since_ms: int | None) -> bool:
        """Whether a failure of this path may be told: with its incident, or by the same delay without one.

        What failed while the service was closed is looked at anew when it opens.
        """
        incidents = self._touching.get(path, [])
        if incidents:
            return any(one.number in self._numbers for one in incidents)
        rules = self._given.rules
        if since_ms is None or rules.by_hand:
            return False
        if service.hours:
            since_ms = max(since_ms, opened_ms(self._given.picture.catalogue, service.hours, self._now_ms))
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


def _that_are(verdict: Verdict, shown: Iterable[ChannelShown]) -> tuple[Channel, ...]:
    return tuple(one.channel for one in shown if one.effective.verdict is verdict)


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
