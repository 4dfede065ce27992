"""What people handle: open incidents and the troubles of a look make the incidents after it. Pure; Unix ms.

At most one incident of a subject is open. It opens with its trouble, is raised when the trouble grows worse,
and closes after so long without a failure; failing meanwhile makes it unstable, not new. An incident whose
trouble turns out to follow from another one is absorbed. A message goes out when people must know more than
they were told: first, raised, again after it was closed, resolved. Nobody is told of what they never heard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from monitor.judge.levels import BADNESS
from monitor.judge.troubles import Held, Seen, Sign, Trouble
from monitor.model import IncidentRules, Severity, Verdict

GRAVITY = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}
SENT = frozenset({Severity.WARNING, Severity.CRITICAL})
SEEN_STEP_MS = 5_000


class State(StrEnum):
    """Where an incident is."""

    FAILING = "failing"
    STEADYING = "steadying"  # well again, not yet long enough
    CLOSED = "closed"
    ABSORBED = "absorbed"  # it followed from another incident


class Kind(StrEnum):
    """What happened to an incident: one line of its timeline."""

    OPENED = "opened"
    RAISED = "raised"
    FAILED_AGAIN = "failed_again"
    STEADY = "steady"
    CLOSED = "closed"
    ABSORBED = "absorbed"
    REOPENED = "reopened"
    ASKED = "asked"  # the checks of systems that it may follow from
    CAUSE_CONFIRMED = "cause_confirmed"  # the suspected one, by a person
    CAUSE_REJECTED = "cause_rejected"
    UPDATE_MISSED = "update_missed"  # the public was promised one by then


class Ruling(StrEnum):
    """A person's word on a suspected cause."""

    CONFIRMED = "confirmed"
    REJECTED = "rejected"


class Topic(StrEnum):
    """What a message says."""

    FIRST = "first"
    RAISED = "raised"
    AGAIN = "again"  # it was closed, and fails again
    RESOLVED = "resolved"
    UPDATE_MISSED = "update_missed"  # the public was promised an update, and there is none


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One cause as people handle it. `channels` and `services`: everything it ever touched."""

    number: str
    subject: str
    sign: Sign
    verdict: Verdict  # the worst so far
    severity: Severity  # the gravest so far
    state: State = State.FAILING
    suspected: bool = False  # never confirmed by its own check
    since_ms: int  # when it was true
    opened_ms: int  # when we knew
    raised_ms: int  # when it last became graver: messages are held from here
    failing_ms: int = 0  # the last look at which the cause itself failed
    down_ms: int = 0  # the last one at which it was down
    well_ms: int = 0  # without a failure since
    closed_ms: int = 0
    failures: int = 1
    reopened: int = 0
    told: Severity | None = None  # since it was opened, or reopened
    heard: bool = False  # told, and resolved, before it was reopened
    absorbed_by: str = ""
    services: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    may_follow: bool = False
    by: str = ""  # who opened it by hand; empty is the monitor itself
    title: str = ""  # what they say is wrong
    ruling: Ruling | None = None
    ruled_by: str = ""

    @property
    def open(self) -> bool:
        return self.state in (State.FAILING, State.STEADYING)

    @property
    def named(self) -> bool:
        """Whether its cause may be named to the public and in a report."""
        return not self.suspected or self.ruling is Ruling.CONFIRMED

    def unstable(self, now_ms: int) -> tuple[int, int] | None:
        """(failures, minutes) of one that failed more than once; None for a single failure."""
        if self.failures < 2:
            return None
        return self.failures, -(-((self.closed_ms or now_ms) - self.since_ms) // 60_000)


class Entry(NamedTuple):
    """A line for an incident's timeline. `at_ms` is when it was true, as near as is known."""

    number: str
    kind: Kind
    at_ms: int
    text: str = ""  # of ASKED: the systems' paths
    author: str = ""  # of what people did


class Message(NamedTuple):
    """People must be told."""

    number: str
    topic: Topic
    severity: Severity


class Handled(NamedTuple):
    """After a look: the incidents that differ, their new lines, and what is to be told."""

    changed: list[Incident]
    entries: list[Entry]
    messages: list[Message]


class Numbers:
    """INC-2026-0001 and on, by the year (UTC) in which an incident was opened."""

    def __init__(self, last: Mapping[int, int]) -> None:
        self._last = dict(last)

    def take(self, now_ms: int) -> str:
        year = datetime.fromtimestamp(now_ms / 1000, UTC).year
        self._last[year] = self._last.get(year, 0) + 1
        return f"INC-{year}-{self._last[year]:04d}"


def severity_of(trouble: Trouble, rules: IncidentRules, *, now_ms: int) -> Severity:
    """What the table says of it; degraded not long enough is only shown."""
    if trouble.sign is Sign.DEGRADED and now_ms - trouble.since_ms < rules.degraded_s * 1000:
        return Severity.INFO
    table = {
        Sign.UNAVAILABLE: rules.unavailable,
        Sign.HEADLINE: rules.headline,
        Sign.DOWN: rules.down,
        Sign.DEGRADED: rules.degraded,
        Sign.CERTIFICATE: rules.certificate,
    }
    return table[trouble.sign]


def held_by(incidents: Iterable[Incident]) -> dict[str, Held]:
    """What each open incident keeps, for the next look."""
    return {
        one.subject: Held(frozenset(one.channels), one.since_ms, one.down_ms, one.failing_ms)
        for one in incidents
        if one.open
    }


def handle(
    incidents: Iterable[Incident], seen: Seen, *, now_ms: int, rules: IncidentRules, numbers: Numbers
) -> Handled:
    """The look at `now_ms`. `incidents`: all that are open, and those closed within `rules.reopen_s`."""
    desk = _Desk(incidents, seen, now_ms=now_ms, rules=rules, numbers=numbers)
    return desk.handled()


class _Desk:
    """One look's work."""

    def __init__(
        self,
        incidents: Iterable[Incident],
        seen: Seen,
        *,
        now_ms: int,
        rules: IncidentRules,
        numbers: Numbers,
    ) -> None:
        self._seen, self._now_ms, self._rules, self._numbers = seen, now_ms, rules, numbers
        self._before = {one.number: one for one in incidents}
        self._after = dict(self._before)
        self._open = {one.subject: one for one in self._before.values() if one.open}
        self._entries: list[Entry] = []
        self._messages: list[Message] = []

    def handled(self) -> Handled:
        for trouble in self._seen.troubles:
            self._take(trouble)
        troubled = {trouble.subject for trouble in self._seen.troubles}
        for subject, incident in self._open.items():
            if subject not in troubled:
                self._settle(incident)
        for incident in list(self._after.values()):
            self._tell(incident)
        changed = [one for number, one in self._after.items() if one != self._before.get(number)]
        return Handled(changed, self._entries, self._messages)

    def _write(self, incident: Incident, kind: Kind | None = None, at_ms: int = 0) -> Incident:
        self._after[incident.number] = incident
        if kind is not None:
            self._entries.append(Entry(incident.number, kind, at_ms))
        return incident

    # -- a trouble ---------------------------------------------------------------------------------------

    def _take(self, trouble: Trouble) -> None:
        if trouble.subject in self._seen.silent:
            return  # nothing opens or grows; what was open stays so, and is not well by that (T28)
        incident = self._open.get(trouble.subject) or self._reopened(trouble) or self._opened(trouble)
        if incident.state is State.STEADYING:
            again = replace(incident, state=State.FAILING, failures=incident.failures + 1, well_ms=0)
            incident = self._write(again, Kind.FAILED_AGAIN, trouble.since_ms)
        self._grow(incident, trouble)

    def _opened(self, trouble: Trouble) -> Incident:
        incident = Incident(
            number=self._numbers.take(self._now_ms),
            subject=trouble.subject,
            sign=trouble.sign,
            verdict=trouble.verdict,
            severity=severity_of(trouble, self._rules, now_ms=self._now_ms),
            suspected=trouble.suspected,
            since_ms=trouble.since_ms,
            opened_ms=self._now_ms,
            raised_ms=self._now_ms,
        )
        return self._write(incident, Kind.OPENED, trouble.since_ms)

    def _reopened(self, trouble: Trouble) -> Incident | None:
        """The same subject's incident, closed only just now, begun again."""
        since_ms = self._now_ms - self._rules.reopen_s * 1000
        closed = [
            one
            for one in self._before.values()
            if one.subject == trouble.subject and one.state is State.CLOSED and one.closed_ms >= since_ms
            if not one.by
        ]
        if not closed:
            return None
        last = max(closed, key=lambda one: one.closed_ms)
        incident = replace(
            last,
            state=State.FAILING,
            severity=severity_of(trouble, self._rules, now_ms=self._now_ms),
            sign=trouble.sign,
            verdict=trouble.verdict,
            suspected=trouble.suspected,
            ruling=None,
            ruled_by="",
            raised_ms=self._now_ms,
            well_ms=0,
            closed_ms=0,
            failures=last.failures + 1,
            reopened=last.reopened + 1,
            told=None,
            heard=last.heard or last.told is not None,
        )
        return self._write(incident, Kind.REOPENED, trouble.since_ms)

    def _grow(self, incident: Incident, trouble: Trouble) -> None:
        """What it touches, and how grave it is, only ever grow while it is open."""
        severity = severity_of(trouble, self._rules, now_ms=self._now_ms)
        graver = GRAVITY[severity] > GRAVITY[incident.severity]
        worse = BADNESS[trouble.verdict] > BADNESS[incident.verdict]
        grown = replace(
            incident,
            severity=severity if graver else incident.severity,
            sign=trouble.sign if graver or worse or incident.sign is Sign.REPORTED else incident.sign,
            raised_ms=self._now_ms if graver else incident.raised_ms,
            verdict=trouble.verdict if worse else incident.verdict,
            suspected=incident.suspected and trouble.suspected,
            failing_ms=self._later(incident.failing_ms, not trouble.lingering),
            down_ms=self._later(incident.down_ms, trouble.verdict is Verdict.DOWN and not trouble.lingering),
            services=_union(incident.services, trouble.services),
            channels=_union(incident.channels, trouble.channels),
            systems=_union(incident.systems, trouble.systems),
            may_follow=trouble.may_follow,
        )
        self._write(grown, Kind.RAISED if graver or worse else None, self._now_ms)

    def _later(self, last_ms: int, holds: bool) -> int:
        """When something was last seen to hold; in steps, so that not every look has something to store."""
        return self._now_ms if holds and self._now_ms - last_ms >= SEEN_STEP_MS else last_ms

    # -- no trouble any more -----------------------------------------------------------------------------

    def _settle(self, incident: Incident) -> None:
        if incident.by and not incident.failing_ms:
            return  # no check ever saw it: a person knows when it is over
        absorber = self._absorber(incident)
        if absorber is not None:
            absorbed = replace(
                incident, state=State.ABSORBED, closed_ms=self._now_ms, absorbed_by=absorber.number
            )
            self._write(absorbed, Kind.ABSORBED, self._now_ms)
        elif not self._seen.unsure.intersection((incident.subject, *incident.channels)):
            self._steady(incident)

    def _absorber(self, incident: Incident) -> Incident | None:
        """The incident whose trouble explains what made this one fail, when it still fails."""
        if incident.state is not State.FAILING or incident.by:
            return None
        for trouble in self._seen.troubles:
            touched = not set(incident.channels).isdisjoint(trouble.channels)
            if touched or incident.subject in trouble.systems:
                return next(
                    one for one in self._after.values() if one.open and one.subject == trouble.subject
                )
        return None

    def _steady(self, incident: Incident) -> None:
        """Well since the last of what it touched is; closed after long enough."""
        paths = (incident.subject, *incident.channels)
        since = [self._seen.well[path] for path in paths if path in self._seen.well]
        well_ms = max(since, default=incident.well_ms or self._now_ms)
        began = incident.state is State.FAILING
        steady = replace(incident, state=State.STEADYING, well_ms=well_ms)
        steady = self._write(steady, Kind.STEADY if began else None, well_ms)
        if self._now_ms - well_ms >= self._rules.steady_s * 1000 and not incident.by:
            closed = replace(steady, state=State.CLOSED, closed_ms=self._now_ms)
            self._write(closed, Kind.CLOSED, self._now_ms)
            if closed.told is not None:
                self._messages.append(Message(closed.number, Topic.RESOLVED, closed.told))

    # -- people ------------------------------------------------------------------------------------------

    def _tell(self, incident: Incident) -> None:
        """Tell what is graver than what was told, once its cause has had time to show."""
        if incident.state is not State.FAILING or incident.severity not in SENT:
            return
        if incident.told is not None and GRAVITY[incident.told] >= GRAVITY[incident.severity]:
            return
        hold_ms = self._rules.hold_s * 1000 if incident.may_follow else 0
        if self._now_ms - incident.raised_ms >= hold_ms:
            self._write(replace(incident, told=incident.severity))
            self._messages.append(Message(incident.number, _topic(incident), incident.severity))


def _topic(incident: Incident) -> Topic:
    if incident.told is not None:
        return Topic.RAISED
    return Topic.AGAIN if incident.heard else Topic.FIRST


def _union(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return one if set(other) <= set(one) else tuple(dict.fromkeys((*one, *other)))
