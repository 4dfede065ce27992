"""What can be written in the files, key by key. The reference and the editors' schema are made from this."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from monitor.config.alerts import AlertsSettings
from monitor.config.incidents import IncidentsForm
from monitor.config.objectives import ClassForm, ClassName, Objectives
from monitor.config.public import PublicForm
from monitor.config.settings import (
    Data,
    KafkaSettings,
    LogLevel,
    PostgresSettings,
    ProbeSettings,
    PublicSettings,
    PulseSettings,
    ReportSettings,
    WebSettings,
)
from monitor.config.transactions import TransactionsSettings
from monitor.model import (
    Calendar,
    ChannelKind,
    DayName,
    Effect,
    Expecting,
    FindingLevel,
    Missing,
    Policy,
    SystemKind,
    Text,
)
from probes import dns_settings as dns
from probes import http_settings as http
from probes import icmp_settings as icmp
from probes import tcp_settings as tcp
from probes import tls_settings as tls

SLUG = r"^[a-z0-9][a-z0-9-]*$"
SLUG_CHARS_MAX = 63


def Meta(description: str, **rules: Any) -> msgspec.Meta:  # noqa: N802 - reads as the Meta it makes
    return msgspec.Meta(description=description, **rules)


Slug = Annotated[
    str,
    Meta(
        "A slug.",
        extra={"allowed": "lower-case letters, digits and hyphens, a letter or a digit first, at most 63"},
        pattern=SLUG,
        max_length=SLUG_CHARS_MAX,
        examples=["passport"],
    ),
]
"""Part of stored names, metric labels and addresses, for ever."""

DialUrl = Annotated[
    str, Meta("An address.", pattern=r"^[a-z][a-z0-9+.-]*:\S+$", examples=["https://a.example/"])
]
WebUrl = Annotated[
    str, Meta("An address, http or https.", pattern=r"^https?://\S+$", examples=["https://a.example/"])
]
Mail = Annotated[str, Meta("A mail address.", pattern=r"^\S+@\S+$", examples=["desk@a.example"])]
Name = Annotated[
    Text | str | None,
    Meta("The name people read: `{en: …, ar: …}`, or one text where one language is enough."),
]
ProfileName = Annotated[
    str | None, Meta("A profile whose settings every check in here takes, unless it says otherwise.")
]
Was = Annotated[
    tuple[Slug, ...],
    Meta("Former slugs, the first one first. A rename keeps everything stored: `was: [old]`."),
]
Runbook = Annotated[WebUrl | None, Meta("Where the instructions for a failure are.")]

Interval = Annotated[float, msgspec.Meta(ge=0.1, le=86_400)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Run = Annotated[int, msgspec.Meta(ge=1, le=100)]
Few = Annotated[int, msgspec.Meta(ge=0, le=100)]


class Tuning(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How often and how strictly. What is not written comes from the profile, then from the default."""

    every_s: Annotated[Interval | None, Meta("Seconds between two beats.")] = None
    within_s: Annotated[
        Positive | None,
        Meta("Seconds for a whole answer, less than `every_s`. Unset: 10, or 4/5 of a shorter interval."),
    ] = None
    objective_ms: Annotated[
        Positive | None, Meta("An answer that took more milliseconds than this is degraded.")
    ] = None
    count: Annotated[Run | None, Meta("Consecutive failed attempts that make it down.")] = None
    recover: Annotated[Run | None, Meta("Consecutive good attempts that end it.")] = None
    required: Annotated[
        bool | None, Meta("A check that is not required is shown, never judged into its subject.")
    ] = None
    vantages: Annotated[
        tuple[str, ...] | None, Meta("Vantage points that ask, of those the catalogue declares.")
    ] = None
    quorum: Annotated[
        Few | None, Meta("Live vantage points that must agree it is down; 0 is the majority of them.")
    ] = None
    minimum: Annotated[Run | None, Meta("With fewer live vantage points than this it is unknown.")] = None


TUNED = Tuning.__struct_fields__


class CheckForm(Tuning, frozen=True, kw_only=True, omit_defaults=True):
    """One question asked again and again: exactly one kind, and how often."""

    name: Annotated[
        Slug | None,
        Meta("Tells the checks of one subject apart. Unset: `main` for the first, then the kind's name."),
    ] = None
    profile: ProfileName = None
    http: Annotated[http.Settings | str | None, Meta("Ask by HTTP: settings, or just the address.")] = None
    tls: Annotated[tls.Settings | str | None, Meta("Shake hands by TLS: settings, or `host[:port]`.")] = None
    tcp: Annotated[tcp.Settings | str | None, Meta("Connect by TCP: the settings, or `host:port`.")] = None
    dns: Annotated[dns.Settings | str | None, Meta("Look a name up: the settings, or the name.")] = None
    icmp: Annotated[icmp.Settings | str | None, Meta("Send echoes: the settings, or the host.")] = None


class DependencyForm(msgspec.Struct, frozen=True, kw_only=True):
    """A need of a channel, service or system."""

    system: Annotated[str, Meta("Slug of the system needed.")]
    effect: Annotated[
        Effect, Meta("`blocks`: cannot be completed without it. `slows`: at most slower. `none`: only shown.")
    ] = Effect.BLOCKS


Checks = Annotated[
    tuple[CheckForm | str, ...] | None,
    Meta(
        "What is asked. An item may be just an address: http(s)://, tls://, tcp://, dns:// or icmp://. "
        "Unset: the `url` is asked; `[]`: nothing, its platform judges it."
    ),
]
Depends = Annotated[
    tuple[DependencyForm | str, ...], Meta("Systems it needs. A slug alone means that the system `blocks`.")
]


class ContactForm(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to call."""

    role: Annotated[
        Text | str, Meta("What this person or desk is there for: `{en: …, ar: …}`, or one text for both.")
    ]
    name: Name = None
    phone: Annotated[str, Meta("Telephone number.")] = ""
    mail: Annotated[Mail | None, Meta("Mail address.")] = None
    hours: Annotated[str, Meta("When somebody answers.")] = ""


Contacts = Annotated[tuple[ContactForm, ...], Meta("Whom to call, in this order.")]


class EntityForm(msgspec.Struct, frozen=True, kw_only=True):
    """A government body that owns services."""

    slug: Annotated[Slug, Meta("How it is stored and addressed, for ever.")]
    name: Name = None
    contacts: Contacts = ()
    runbook: Runbook = None
    was: Was = ()


class SystemForm(msgspec.Struct, frozen=True, kw_only=True):
    """A component that services share: a login, a payment gateway, or a whole site or app (`platform`)."""

    slug: Annotated[Slug, Meta("How it is stored and addressed, for ever.")]
    name: Name = None
    kind: Annotated[
        SystemKind, Meta("`platform` is a site or app that many services share; all else is `shared`.")
    ] = SystemKind.SHARED
    entity: Annotated[str | None, Meta("Slug of the entity that runs it.")] = None
    contacts: Contacts = ()
    runbook: Runbook = None
    url: Annotated[WebUrl | None, Meta("Short for one HTTP check of this address.")] = None
    profile: ProfileName = None
    checks: Checks = None
    depends: Depends = ()
    was: Was = ()


class ChannelForm(msgspec.Struct, frozen=True, kw_only=True):
    """One service's offer on one kind of channel."""

    kind: Annotated[ChannelKind, Meta("How people reach the service.")]
    slug: Annotated[
        Slug | None, Meta("Needed only where a service has two channels of a kind. Unset: the kind's name.")
    ] = None
    remote: Annotated[
        bool | None, Meta("Whether it saves a visit. Unset: true, but not for service centres and kiosks.")
    ] = None
    completes: Annotated[
        bool, Meta("Whether the whole service can be finished on it; one that only informs never helps.")
    ] = True
    url: Annotated[DialUrl | None, Meta("What a person opens or dials. An http(s) address is asked.")] = None
    profile: ProfileName = None
    checks: Checks = None
    depends: Depends = ()


Offered = Annotated[
    str,
    Meta(
        "`office` (the calendar's hours), HH:MM-HH:MM on working days, or `daily HH:MM-HH:MM`. Nothing is "
        "expected of the service outside them.",
        pattern=r"^(office|(daily )?[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2})$",
        examples=["office", "07:30-19:00", "daily 06:00-24:00"],
    ),
]


class ServiceForm(msgspec.Struct, frozen=True, kw_only=True):
    """Something people get from an entity. With `url` alone it is one web channel, remote and completing."""

    slug: Annotated[Slug, Meta("How it is stored and addressed, for ever.")]
    name: Name = None
    entity: Annotated[str | None, Meta("Slug of the entity that owns it. Unset: the file's `entity`.")] = None
    url: Annotated[WebUrl | None, Meta("Short for one web channel at this address, asked by HTTP.")] = None
    known_as: Annotated[
        tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=100)], ...],
        Meta("What people call it, in any language: the public search finds it by these names too."),
    ] = ()
    profile: ProfileName = None
    channels: Annotated[tuple[ChannelForm, ...] | None, Meta("Where people get it.")] = None
    checks: Annotated[Checks, Meta("Checks of the one web channel that `url` stands for.")] = None
    depends: Annotated[Depends, Meta("Systems that every remote channel of the service needs.")] = ()
    hours: Annotated[Offered | None, Meta("When it is offered. Unset: day and night.")] = None
    class_: ClassName = msgspec.field(default=None, name="class")
    objectives: Objectives = None
    runbook: Runbook = None
    was: Was = ()


_CALENDAR = Calendar()

Day = Annotated[
    str,
    Meta("A date, YYYY-MM-DD.", pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2026-12-02"]),
]
Hours = Annotated[
    str,
    Meta(
        "From and to, HH:MM-HH:MM.",
        pattern=r"^[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}$",
        examples=["08:00-15:00"],
    ),
]


class CalendarForm(msgspec.Struct, frozen=True, kw_only=True):
    """The country's week. Dates are in `holidays` and `ramadan`, which may stand in files of their own."""

    week_start: Annotated[DayName, Meta("First day of the week in periods and reports.")] = (
        _CALENDAR.week_start
    )
    weekend: Annotated[tuple[DayName, ...], Meta("Days of rest, the main one first.")] = _CALENDAR.weekend
    half_days: Annotated[tuple[DayName, ...], Meta("Working days that end at noon.")] = _CALENDAR.half_days
    hours: Annotated[Hours, Meta("Office hours of a usual working day.")] = _CALENDAR.hours


class HolidayForm(msgspec.Struct, frozen=True, kw_only=True):
    """Days on which the government rests. What is usual on them is what is usual at the weekend."""

    date: Annotated[Day, Meta("The day, or the first of several, in the catalogue's time zone.")]
    until: Annotated[Day | None, Meta("The last day, itself included.")] = None
    name: Name = None


class RamadanForm(msgspec.Struct, frozen=True, kw_only=True):
    """One year's Ramadan. Its days have a shape of their own once there are enough of them."""

    date: Annotated[Day, Meta("Its first day.")]
    until: Annotated[Day, Meta("Its last day, itself included.")]
    hours: Annotated[
        Hours | None, Meta("Office hours in it; until it has a shape, usual hours are scaled to them.")
    ] = None


_EXPECTED = Expecting()
Highest = Annotated[FindingLevel, Meta("The highest level such a finding may reach.")]


class ExpectingForm(msgspec.Struct, frozen=True, kw_only=True):
    """How counts of transactions are held against what is usual: one setting for every service."""

    weeks: Annotated[int, Meta("Weeks of history that a pattern is made from.", ge=2, le=52)] = (
        _EXPECTED.weeks
    )
    advisory_probability: Annotated[
        float, Meta("Something as rare as this is shown as an advisory.", gt=0, le=0.1)
    ] = _EXPECTED.advisory_probability
    false_alarms_per_week: Annotated[
        float, Meta("Findings of incident grade per service and week, were all as usual.", gt=0, le=10)
    ] = _EXPECTED.false_alarms_per_week
    least: Annotated[float, Meta("Fewer expected transactions than this are no evidence.", ge=3, le=1000)] = (
        _EXPECTED.least
    )
    longest_silence_s: Annotated[
        float,
        Meta("`least` must be usual within so many seconds, or silence says nothing.", ge=60, le=7 * 86_400),
    ] = _EXPECTED.longest_silence_s
    material_share: Annotated[
        float,
        Meta("A drop is at most this share of what is expected; a surge at least its inverse.", gt=0, lt=1),
    ] = _EXPECTED.material_share
    material_rise: Annotated[
        float, Meta("The failure rate has risen when it is over the usual one by this.", gt=0, lt=1)
    ] = _EXPECTED.material_rise
    silence: Highest = _EXPECTED.silence
    drop: Highest = _EXPECTED.drop
    failure_rate: Highest = _EXPECTED.failure_rate


_POLICY = Policy()


class PolicyForm(msgspec.Struct, frozen=True, kw_only=True):
    """Rules of judging. They belong to a version of the catalogue."""

    target: Annotated[
        float, Meta("The share of services that must be remotely available.", gt=0, lt=1, examples=[0.95])
    ] = _POLICY.target
    coverage_gate: Annotated[
        float, Meta("Under this share of measured services there is no figure.", ge=0, le=1, examples=[0.9])
    ] = _POLICY.coverage_gate
    missing: Annotated[
        Missing,
        Meta(
            "What unknown services count as in the headline's ratio: left out, not available, available. "
            "The page says so beside the figure."
        ),
    ] = _POLICY.missing
    grace_s: Annotated[float, Meta("Seconds that judging stays behind the wall clock.", ge=0, le=600)] = (
        _POLICY.grace_s
    )
    late_horizon_s: Annotated[
        float, Meta("Observations later than this many seconds are not judged.", ge=60, le=30 * 86_400)
    ] = _POLICY.late_horizon_s
    skew_max_s: Annotated[
        float, Meta("Observations of a prober whose clock is off by more seconds are marked.", gt=0, le=3600)
    ] = _POLICY.skew_max_s
    expected: Annotated[ExpectingForm | None, Meta("How counts are held against what is usual.")] = None
    degraded_counts: Annotated[
        bool, Meta("Whether degraded time counts as available. The page says so beside the figure.")
    ] = _POLICY.degraded_counts
    decimals: Annotated[
        int, Meta("Decimals of an availability; what is beyond them is cut off, never rounded.", ge=0, le=6)
    ] = _POLICY.decimals
    notice_s: Annotated[
        float,
        Meta(
            "Work that is announced less than this many seconds before it begins counts as downtime until "
            "the committee approves it.",
            ge=0,
            le=30 * 86_400,
        ),
    ] = _POLICY.notice_s
    incidents: Annotated[IncidentsForm | None, Meta("When people are told.")] = None
    public: Annotated[PublicForm | None, Meta("When the public is told.")] = None


class File(msgspec.Struct, frozen=True, kw_only=True):
    """One file. Any key may stand in any file; lists are joined in the order of the files' names."""

    sample: Annotated[bool | None, Meta("True says that this is sample data, wherever it shows.")] = None
    government: Annotated[Name | None, Meta("The name at the top of every page.")] = None
    languages: Annotated[
        tuple[Literal["en", "ar"], ...] | None,
        Meta("Languages every name must be given in. With `[en]` a missing name is made from the slug."),
    ] = None
    zone: Annotated[str | None, Meta("Time zone of pages and periods.", examples=["Asia/Dubai"])] = None
    vantages: Annotated[
        tuple[Slug, ...] | None,
        Meta("The vantage points there are, `[main]` unless given; a check that names none is asked by all."),
    ] = None
    policy: Annotated[PolicyForm | None, Meta("Rules of judging.")] = None
    calendar: Annotated[CalendarForm | None, Meta("The country's week.")] = None
    classes: Annotated[tuple[ClassForm, ...], Meta("Classes of services that promise the same.")] = ()
    holidays: Annotated[tuple[HolidayForm, ...], Meta("Days on which the government rests.")] = ()
    ramadan: Annotated[tuple[RamadanForm, ...], Meta("Ramadan of each year.")] = ()
    profiles: Annotated[
        dict[str, Tuning],
        Meta("Settings of checks under a name. The profile called `default` is for checks that name none."),
    ] = {}
    entity: Annotated[str | None, Meta("Slug of the entity of all in this file that names none.")] = None
    profile: ProfileName = None
    entities: Annotated[tuple[EntityForm, ...], Meta("Government bodies.")] = ()
    systems: Annotated[tuple[SystemForm, ...], Meta("Shared systems and platforms.")] = ()
    services: Annotated[tuple[ServiceForm, ...], Meta("What people get.")] = ()
    kafka: Annotated[KafkaSettings | None, Meta("How to reach Kafka.")] = None
    postgres: Annotated[PostgresSettings | None, Meta("How to reach PostgreSQL.")] = None
    web: Annotated[WebSettings | None, Meta("Pages and API.")] = None
    public: Annotated[PublicSettings | None, Meta("The public pages.")] = None
    probe: Annotated[ProbeSettings | None, Meta("The prober.")] = None
    pulse: Annotated[PulseSettings | None, Meta("Where each role tells how it is.")] = None
    transactions: Annotated[
        TransactionsSettings | None, Meta("What is counted of people's transactions.")
    ] = None
    report: Annotated[
        ReportSettings | None, Meta("When the report is published, and to whom it is sent.")
    ] = None
    alerts: Annotated[AlertsSettings | None, Meta("Who is told of incidents, and by which way.")] = None
    data: Annotated[Data | None, Meta("Folder of what must outlive a restart.")] = None
    log_level: Annotated[LogLevel | None, Meta("The least important line that is logged.")] = None


SETTINGS_KEYS = (
    "kafka",
    "postgres",
    "web",
    "public",
    "probe",
    "pulse",
    "transactions",
    "report",
    "alerts",
    "data",
    "log_level",
)
CATALOGUE_KEYS = ("sample", "government", "languages", "zone", "vantages", "policy", "calendar")
KIND_KEYS = ("http", "tls", "tcp", "dns", "icmp")


def advise(owner: type, key: str) -> str:
    """What to say of an unknown key that is right one level up, or under another name."""
    if owner in (http.Settings, tls.Settings, tcp.Settings, dns.Settings, icmp.Settings):
        if key in CheckForm.__struct_fields__ and key not in KIND_KEYS:
            return " of a kind: it belongs to the check, beside the kind"
        if key == "kind":
            return ": the kind is the key above"
    if key == "kind" and owner is CheckForm:
        return f": write the kind as a key, such as `http: {{url: …}}`; allowed are {', '.join(KIND_KEYS)}"
    if owner is CheckForm and key in http.Settings.__struct_fields__:
        return f": it belongs under the kind, such as `http: {{{key}: …}}`"
    return ""
