"""The frozen report as it is stored and read: what each view is made from, and nothing else. Pure.

Times are UTC instants, days are local dates, durations are milliseconds, percentages are texts that were cut
once. A view prints `Value.text` as it stands; nothing in this document is ever computed again.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from typing import Any, Literal

import msgspec

from monitor.judge.seconds import Says, State
from monitor.judge.uptake import Compared
from monitor.judge.weighted import Weighted
from monitor.model import Text

SCHEMA = "continuity-report/1"
METHOD = "1"  # raised when a figure is counted otherwise; docs/report.md says what each means

Kind = Literal["week", "month", "quarter", "range"]
"""What stretch of time a report is about."""


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A figure: its digits, what it was divided from, and the interval of an estimate.

    `text` is `96.41` (percent), `+0.12` (points), `5400` (seconds), `1234`, or `yes` and `no`; unset where
    `says` is not `figure`.
    """

    says: Says = Says.FIGURE
    text: str | None = None
    part: int | None = None
    whole: int | None = None
    low: str | None = None
    high: str | None = None


class Time(msgspec.Struct, frozen=True, kw_only=True):
    """How long a subject, or all subjects of a sum, were in each state, and the outages among it."""

    up_ms: int = 0
    degraded_ms: int = 0
    unknown_ms: int = 0
    down_ms: int = 0
    maintenance_ms: int = 0
    out_of_hours_ms: int = 0
    outages: int = 0
    longest_ms: int = 0
    restored: int = 0
    restored_ms: int = 0


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Transactions of the period. `services` of them are counted, `whole` on every channel they have."""

    completed: int = 0
    failed: int = 0
    abandoned: int = 0
    services: int = 0
    whole: int = 0


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """What outages cost: transactions expected with their spread, seen, and made up within 24 hours."""

    expected: float
    own: float
    shared: float
    seen: int
    made_up: float | None = None
    made_up_low: float | None = None
    made_up_high: float | None = None
    made_up_done: bool = False


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's numbers over the period: of everybody, an entity, a service, or a week of the trend."""

    kind: Literal["total", "entity", "service", "week"]
    subject: str
    slug: str
    name: Text
    entity: str = ""  # of a service: the subject of its owner at the end of the period
    first: date | None = None  # of a week: its first day
    label: str = ""  # of a week: 2026-W47
    existed_from: datetime | None = None  # of a service that was not there for all of the period
    existed_to: datetime | None = None
    counted: Time = Time()
    all_counted: Time = Time()  # without exclusions
    before: Time | None = None  # the period before
    earlier: Value | None = None  # its availability
    services: int = 0  # of a sum: how many there were
    met: int = 0  # of them: met their objective
    judged: int = 0  # of them: there is a figure to hold against it
    objective: str = ""  # percent
    counts: Counts | None = None
    uptake: Compared | None = None
    completion: Compared | None = None
    lost: Lost | None = None
    by_transactions: Weighted | None = None  # what is usual, by what the services were at the time
    figures: dict[str, Value] = {}
    otherwise: dict[str, Value] = {}  # those that would differ without exclusions; of F05, with them


class Interval(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """[began, ended) in which services counted as one thing and were not simply up.

    Identical ones of many services are one. Of every service they sum to its `Time` by the millisecond: by
    `state` to what counts, by `was` where it is set to what would count without exclusions. A service's own
    closing hours are none.
    """

    state: State
    was: State | None = None  # what is left out would have counted as
    began: datetime
    ended: datetime
    before: bool = False  # it was so already when the period began
    after: bool = False  # it was so still when counting stopped
    reason: str = ""
    cause: str = ""  # the shared system, where it was one
    name: Text | None = None  # of the cause
    work: tuple[int, ...] = ()  # numbers of the announcements for which it is left out
    services: tuple[str, ...]


class Belonged(msgspec.Struct, frozen=True, kw_only=True):
    """[began, ended) in which a service that moved in the period, or came late, was an entity's."""

    service: str
    entity: str
    began: datetime
    ended: datetime


class Outage(msgspec.Struct, frozen=True, kw_only=True):
    """One cause and all the services it took, as far as it lies in the period."""

    subject: str  # the system that made them unavailable, or the service itself
    name: Text
    derived: bool  # a shared system, not the service's own check
    reason: str
    began: datetime
    ended: datetime | None  # unset: it lasted past the end of the period
    before: bool = False  # it began before the period
    down_ms: int  # of all its services together
    services: tuple[str, ...]
    still: tuple[str, ...] = ()  # kinds of channels that went on working for at least one of them
    unmeasured: tuple[str, ...] = ()  # kinds of channels that nobody measures: perhaps they worked
    lost: Lost | None = None
    missed: Value = Value(says=Says.NO_DATA)
    incident: str = ""
    done: tuple[str, ...] = ()  # what people wrote down


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """An announced stretch of time, and whether it is left out."""

    number: int
    kind: str
    subjects: tuple[str, ...]
    names: tuple[Text, ...]
    began: datetime
    ended: datetime
    why: str
    announced: datetime
    by: str
    notice: str = ""  # noticed | short_notice | overrun | already_down | unannounced
    standing: str  # the same, or approved | rejected
    applied: bool
    extends: int | None = None


class Advisory(msgspec.Struct, frozen=True, kw_only=True):
    """Transactions that were not as usual."""

    subject: str
    name: Text
    kind: str
    level: str
    began: datetime
    ended: datetime | None
    expected: str
    seen: int


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate that ends soon."""

    check: str
    subject: str
    name: Text
    expires: datetime


class Unmeasured(msgspec.Struct, frozen=True, kw_only=True):
    """Time that nobody can speak for, by reason, of all services together."""

    reason: str
    unknown_ms: int
    services: int


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Something the committee is asked: whether announced work that counts shall be left out after all."""

    kind: Literal["exclusion"]
    number: int
    down_ms: int  # what of it counts as not available
    services: int


class AtRisk(msgspec.Struct, frozen=True, kw_only=True):
    """A promise of a service that is broken, or will be before its period ends if it goes on like this.

    As of the report's as-of. `left` is what is left of the error budget, in percent; under 0 it is overspent.
    """

    subject: str
    name: Text
    indicator: str  # availability | latency
    target: str  # percent
    period: str  # 28d | quarter
    met: bool
    left: str | None
    used_up: datetime | None  # at the rate of the last seven days


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """What had not come in when the report was frozen at its deadline."""

    what: Literal["judged", "counted", "accounted", "estimated"]
    until: datetime | None


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What an entity answered about the period, as it was written; it may be later than the report's as-of.

    About one figure (`code`), one outage (`subject` and `began`), or the period as a whole.
    """

    number: int
    entity: str
    name: Text  # of the entity
    text: Text
    at: datetime
    by: str
    on_behalf: bool  # `by` is not of the entity
    code: str = ""
    subject: str = ""
    subject_name: Text = Text()
    began: datetime | None = None
    incident: str = ""


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """A figure that a correction changed; unset where it is not in that version."""

    subject: str
    name: Text
    label: str = ""  # of a week of the trend
    code: str
    old: Value | None
    new: Value | None


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is another version, and every figure that differs from the one before."""

    corrects: int
    sha256: str
    why: str
    by: str
    changed: tuple[Changed, ...]


class About(msgspec.Struct, frozen=True, kw_only=True):
    """Which report this is."""

    kind: Kind
    label: str  # 2026-W47 | 2026-11 | 2026-Q4 | 2026-11-01_2026-11-10
    scope: str  # government, or the subject of an entity
    slug: str
    name: Text
    government: Text
    first: date
    last: date  # itself in the period
    began: datetime
    ended: datetime
    zone: str
    week_start: str
    as_of: datetime  # what was known then
    version: int
    catalogue: int
    catalogue_sha256: str
    method: str
    software: str
    sample: bool
    languages: tuple[str, ...]


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """The settings a figure depends on, and those of how it is written."""

    target: str  # percent
    missing: str
    degraded_counts: bool
    coverage_gate: str  # percent
    decimals: int
    notice_s: float
    grace_s: float
    deadline_s: float
    late_horizon_s: float
    interval: str  # percent of the intervals of estimates
    certificates_days: int
    digits: Literal["western", "arabic"] = "western"
    hijri: bool = False


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A report. Lists are in the order in which every view shows them."""

    schema: str = SCHEMA
    about: About
    terms: Terms
    total: Part
    entities: tuple[Part, ...] = ()
    services: tuple[Part, ...] = ()
    weeks: tuple[Part, ...] = ()  # the oldest first; the last one ends with the period, or holds its end
    outages: tuple[Outage, ...] = ()  # what mattered most first
    work: tuple[Work, ...] = ()
    advisories: tuple[Advisory, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    unmeasured: tuple[Unmeasured, ...] = ()
    decisions: tuple[Decision, ...] = ()
    at_risk: tuple[AtRisk, ...] = ()
    not_in: tuple[Missing, ...] = ()
    correction: Correction | None = None
    intervals: tuple[Interval, ...] | None = None  # the oldest first; unset: frozen before they were kept
    belonged: tuple[Belonged, ...] = ()  # of services that were not one entity's for all of the period
    replies: tuple[Reply, ...] = ()  # by entity, the oldest first

    def part(self, subject: str) -> Part | None:
        """Whoever is called so; None when nobody is."""
        if subject == self.total.subject:
            return self.total
        return next((each for each in (*self.entities, *self.services) if each.subject == subject), None)


_decoder = msgspec.json.Decoder(Document)
_figures = msgspec.json.Decoder(dict[str, Value])


def encode(document: Document) -> bytes:
    """The bytes that are stored: the same document gives the same bytes."""
    return msgspec.json.encode(document, order="deterministic")


def decode(text: bytes | str) -> Document:
    """Raises msgspec.ValidationError when it is no report of this schema."""
    return _decoder.decode(text)


def figures_json(document: Document) -> str:
    """The figures of everybody alone, for lists of reports."""
    return msgspec.json.encode(document.total.figures, order="deterministic").decode()


def figures_of_json(text: str) -> dict[str, Value]:
    """What `figures_json` wrote."""
    return _figures.decode(text)


def digest(text: bytes) -> str:
    """SHA-256 of the stored bytes, in hex."""
    return hashlib.sha256(text).hexdigest()


def schema() -> dict[str, Any]:
    """JSON Schema of the frozen report; the texts of its codes stand beside it in the data dictionary."""
    return msgspec.json.schema(Document)
