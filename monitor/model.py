"""The nouns: entities, services, channels, systems, checks, verdicts, and the names they are stored under.

Stored names are paths. `service:passport` is a service, `service:passport/web` its channel,
`service:passport/web/main` a check of that channel, `system:identity` a system, `system:identity/main` a
check of it, `system:identity/main@dubai` that check seen from one vantage point. The part before the first
`/` is the key on Kafka. Paths are built from `key`, the first slug a thing ever had, so that a rename
(`was: [old]`) moves no stored row; pages and metric labels show `slug`.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property

import msgspec

from monitor.objectives import Objective
from probes.catalogue import Ask

GOVERNMENT = "government"
"""The subject that every entity sums into."""

SYSTEMS = "systems"
"""What every shared system belongs to; nothing is summed there."""


class Verdict(StrEnum):
    """What the judge says of a subject at an instant. (`Outcome` is one probe's: probes/contract.py.)"""

    UP = "up"
    DEGRADED = "degraded"
    UNKNOWN = "unknown"
    DOWN = "down"


class Effect(StrEnum):
    """What a dependency does to whoever declares it."""

    BLOCKS = "blocks"  # cannot be completed without it
    SLOWS = "slows"
    NONE = "none"


class ChannelKind(StrEnum):
    """How people reach a service."""

    WEB = "web"
    APP = "app"
    CALL_CENTRE = "call_centre"
    KIOSK = "kiosk"
    SERVICE_CENTRE = "service_centre"
    PARTNER = "partner"


IN_PERSON = frozenset({ChannelKind.SERVICE_CENTRE, ChannelKind.KIOSK})
"""Kinds that are in person unless the catalogue says `remote: true`."""


class SystemKind(StrEnum):
    """A shared component, or a site or app that many services share."""

    SHARED = "shared"
    PLATFORM = "platform"


class TransactionOutcome(StrEnum):
    """How a transaction of a person with a service ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    ABANDONED = "abandoned"


class Text(msgspec.Struct, frozen=True, omit_defaults=True):
    """A name or sentence in both languages; `languages` of the catalogue says which must be there."""

    en: str = ""
    ar: str = ""

    def get(self, language: str) -> str:
        """The text in `language`, or in the other one where it is missing."""
        return (self.ar or self.en) if language == "ar" else (self.en or self.ar)


class Contact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whom to call."""

    role: Text
    name: Text = Text()
    phone: str = ""
    mail: str = ""
    hours: str = ""


class Check(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, dict=True):
    """One question asked again and again. `subject` is the path of the channel or system it belongs to."""

    subject: str
    name: str = "main"
    ask: Ask
    every_s: float = 30.0
    within_s: float = 10.0
    objective_ms: float | None = None  # latency over this is degraded
    count: int = 2  # consecutive failed attempts that make it down
    recover: int = 2  # consecutive good attempts that end it
    required: bool = True  # a check that is not required is shown, never judged into its subject
    vantages: tuple[str, ...] = ("main",)
    quorum: int = 0  # live vantage points that must agree; 0 is the majority of the live ones
    minimum: int = 1  # fewer live vantage points than this is unknown

    @cached_property
    def key(self) -> str:
        return f"{self.subject}/{self.name}"

    @cached_property
    def every_ms(self) -> int:
        return round(self.every_s * 1000)

    @cached_property
    def within_ms(self) -> int:
        return round(self.within_s * 1000)


class Dependency(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A need of a channel or system; `system` is the path of the system needed."""

    system: str
    effect: Effect = Effect.BLOCKS


class System(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, dict=True):
    """A shared component with checks of its own."""

    slug: str
    name: Text = Text()
    kind: SystemKind = SystemKind.SHARED
    entity: str = ""  # slug of the owner; empty where nobody in the catalogue owns it
    contacts: tuple[Contact, ...] = ()
    runbook: str = ""
    checks: tuple[Check, ...] = ()
    depends: tuple[Dependency, ...] = ()
    was: tuple[str, ...] = ()

    @cached_property
    def subject(self) -> str:
        return f"system:{self.was[0] if self.was else self.slug}"


class Channel(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One service's offer on one kind. `subject` is its path."""

    subject: str
    slug: str  # within the service; the kind's name unless there are two of a kind
    kind: ChannelKind
    remote: bool = True
    completes: bool = True  # the whole service can be finished on it
    url: str = ""  # what a person opens or dials
    checks: tuple[Check, ...] = ()
    depends: tuple[Dependency, ...] = ()


class Service(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, dict=True):
    """Something people get from an entity."""

    slug: str
    name: Text = Text()
    entity: str = ""
    known_as: tuple[str, ...] = ()  # what people call it; found by these, never shown
    channels: tuple[Channel, ...] = ()
    objectives: tuple[Objective, ...] = ()  # its class's, or its own
    hours: str = ""  # office | HH:MM-HH:MM on working days | daily HH:MM-HH:MM; empty is day and night
    runbook: str = ""
    was: tuple[str, ...] = ()

    @cached_property
    def subject(self) -> str:
        return f"service:{self.was[0] if self.was else self.slug}"


class Entity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, dict=True):
    """A government body that owns services."""

    slug: str
    name: Text = Text()
    contacts: tuple[Contact, ...] = ()
    runbook: str = ""
    was: tuple[str, ...] = ()

    @cached_property
    def subject(self) -> str:
        return f"entity:{self.was[0] if self.was else self.slug}"


class Missing(StrEnum):
    """How what is unknown enters a ratio. The choice is shown beside the figure (T4)."""

    EXCLUDE = "exclude"
    BAD = "bad"
    GOOD = "good"


class DayName(StrEnum):
    """A day of the week; the first is Python's weekday 0."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class Holiday(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Days on which the government rests; local dates, YYYY-MM-DD, the last one included."""

    first: str
    last: str
    name: Text = Text()


class Ramadan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One year's Ramadan; local dates, the last one included. `hours` of work, HH:MM-HH:MM, or empty."""

    first: str
    last: str
    hours: str = ""


class Calendar(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When the country works: its week, its hours, its holidays."""

    week_start: DayName = DayName.MONDAY
    weekend: tuple[DayName, ...] = (DayName.SATURDAY, DayName.SUNDAY)
    half_days: tuple[DayName, ...] = ()
    hours: str = "08:00-15:00"  # of a usual working day
    holidays: tuple[Holiday, ...] = ()
    ramadan: tuple[Ramadan, ...] = ()


class FindingLevel(StrEnum):
    """What a finding may become, the mildest first."""

    SHOWN = "shown"
    ADVISORY = "advisory"
    INCIDENT = "incident"


class Expecting(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How counts are held against what is usual. One setting for every service."""

    weeks: int = 8  # of history a pattern is made from
    advisory_probability: float = 0.003  # something as rare is an advisory
    false_alarms_per_week: float = 0.02  # of incident grade, per service, were all as usual
    least: float = 5.0  # fewer expected transactions than this are no evidence
    longest_silence_s: float = 6 * 3600.0  # `least` must be usual within this, or silence says nothing
    material_share: float = 0.5  # a drop is at most this share of what is expected, a surge the inverse
    material_rise: float = 0.1  # a failure rate has risen when it is over the usual one by this
    silence: FindingLevel = FindingLevel.INCIDENT  # the highest level each kind may reach
    drop: FindingLevel = FindingLevel.INCIDENT
    failure_rate: FindingLevel = FindingLevel.INCIDENT


class ExclusionKind(StrEnum):
    """Why a stretch of time is not counted."""

    MAINTENANCE = "maintenance"
    OUT_OF_HOURS = "out_of_hours"


class Severity(StrEnum):
    """What an incident asks of people."""

    INFO = "info"  # shown, never sent
    WARNING = "warning"  # in working hours
    CRITICAL = "critical"  # wakes somebody


class IncidentRules(msgspec.Struct, frozen=True, kw_only=True):
    """When a trouble becomes an incident that is told, and when it is over."""

    steady_s: float = 600.0  # closed after so long without a failure
    hold_s: float = 10.0  # a message waits so long for the cause of what needs other systems to show
    reopen_s: float = 1800.0  # failing again so soon after closing is the same incident
    degraded_s: float = 900.0  # shorter is shown and not told
    certificate_s: float = 7 * 86_400.0  # a certificate that ends sooner is an incident
    unavailable: Severity = Severity.CRITICAL  # services cannot be got remotely
    headline: Severity = Severity.CRITICAL  # under the target
    down: Severity = Severity.WARNING  # and what it takes can be got otherwise
    degraded: Severity = Severity.WARNING
    certificate: Severity = Severity.WARNING


class PublicRules(msgspec.Struct, frozen=True, kw_only=True):
    """When the public is told of what fails, and by when it hears more."""

    delay_s: float = 300.0  # after a failure was confirmed; shorter ones are never published
    by_hand: bool = False  # only what an operator says is published
    update_s: float = 1800.0  # the next update is promised so long after the last word
    language: str = ""  # of the page at the root; empty is the catalogue's first


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Rules of judging that belong to a version of the catalogue."""

    target: float = 0.95  # share of services remotely available
    coverage_gate: float = 0.9  # under this share of measured services: insufficient data
    missing: Missing = Missing.EXCLUDE  # what unknown services count as in the headline's ratio
    grace_s: float = 5.0  # the clock of a partition runs this far behind the wall
    late_horizon_s: float = 48 * 3600.0  # older rows are stored and marked, not judged
    skew_max_s: float = 2.0  # rows of a prober whose clock is off by more are marked
    expected: Expecting = Expecting()
    degraded_counts: bool = True  # whether degraded time counts as available
    decimals: int = 2  # of a percentage over a period; the rest is cut off
    notice_s: float = 24 * 3600.0  # work announced later than this before it begins counts
    incidents: IncidentRules = IncidentRules()
    public: PublicRules = PublicRules()


class Catalogue(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Everything watched and how it hangs together, with profiles and short forms already expanded."""

    schema: int = 1
    sample: bool = False  # sample data says so wherever it shows
    government: Text = Text(en="Government", ar="الحكومة")
    languages: tuple[str, ...] = ("en",)
    zone: str = "UTC"
    calendar: Calendar = Calendar()
    policy: Policy = Policy()
    entities: tuple[Entity, ...] = ()
    systems: tuple[System, ...] = ()
    services: tuple[Service, ...] = ()

    @cached_property
    def checks(self) -> dict[str, Check]:
        """Every check by its path."""
        owners: list[System | Channel] = [*self.systems]
        owners += [channel for service in self.services for channel in service.channels]
        return {check.key: check for owner in owners for check in owner.checks}

    @cached_property
    def channels(self) -> dict[str, Channel]:
        """Every channel by its path."""
        return {channel.subject: channel for service in self.services for channel in service.channels}

    @cached_property
    def services_by_subject(self) -> dict[str, Service]:
        return {service.subject: service for service in self.services}

    @cached_property
    def systems_by_subject(self) -> dict[str, System]:
        return {system.subject: system for system in self.systems}

    @cached_property
    def entities_by_slug(self) -> dict[str, Entity]:
        return {entity.slug: entity for entity in self.entities}

    @cached_property
    def entities_by_subject(self) -> dict[str, Entity]:
        return {entity.subject: entity for entity in self.entities}


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A catalogue as published: in force from `valid_from_ms` (Unix milliseconds) until the next one is."""

    schema: int = 1
    serial: int
    sha256: str
    valid_from_ms: int
    catalogue: Catalogue


def stream_key(path: str) -> str:
    """The Kafka key of a subject, check or check@vantage: the part before the first `/`."""
    return path.split("/", 1)[0]


def at_vantage(check: str, vantage: str) -> str:
    """The path of a check as seen from one vantage point."""
    return f"{check}@{vantage}"
