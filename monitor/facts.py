"""What readers hold of the stored world: standing changes, clocks, last answers. Nouns without behaviour.

The store reads them, the picture is made of them, the pages and the exporter show it. Times are Unix
milliseconds, UTC.
"""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """How far a reader of `change` has come: (transaction, id)."""

    tx: int
    id: int


class Standing(NamedTuple):
    """The change of (layer, subject) that holds now."""

    layer: str  # measured | effective
    subject: str
    at_ms: int
    verdict: str
    reason: str
    cause: str


class Clocks(NamedTuple):
    """How far the world has been judged, and by whom."""

    judged_until_ms: dict[tuple[str, int], int | None]  # by (cluster, partition)
    derive_at_ms: int | None  # when derive last said that it lives
    now_ms: int  # PostgreSQL's clock


class Refusal(NamedTuple):
    """The last edit of the catalogue, when it was not taken."""

    problems: tuple[str, ...]
    at_ms: int


class LastAnswer(NamedTuple):
    """A check at a vantage point: each phase as it last finished, in milliseconds, and its certificate."""

    check: str
    vantage: str
    phases_ms: dict[str, float]
    certificate_expires_ms: int | None


class Answered(NamedTuple):
    """The newest measured attempt of a check at a vantage point, as a message shows it."""

    check: str
    vantage: str
    outcome: str
    reason: str
    took_ms: float
    certificate_ms: int | None


class Attempt(NamedTuple):
    """One stored attempt, as pages and API list it."""

    check: str
    vantage: str
    due_ms: int
    attempt: int
    outcome: str
    reason: str
    sentence: str
    every_ms: int
    late_ms: int
    took_ms: float
    phases_ms: dict[str, float]
    status: int | None
    size_bytes: int | None
    certificate_expires_ms: int | None
    failed: list[dict[str, object]]
    serial: int
    skewed: bool
    beyond: bool


class Changed(NamedTuple):
    """One change as a follower reads it; `withdrawn_at_ms` is set when it no longer holds."""

    place: Place
    layer: str
    subject: str
    at_ms: int
    verdict: str
    reason: str
    cause: str
    known_at_ms: int
    withdrawn_at_ms: int | None


class Bucket(NamedTuple):
    """Finished phases of the attempts due in [at_ms, at_ms + width): mean milliseconds by phase."""

    at_ms: int
    phases_ms: dict[str, float]


class Gap(NamedTuple):
    """Beats nobody answered for; both ends are beats."""

    check: str
    vantage: str
    first_ms: int
    last_ms: int
    beats: int
    why: str


class Finding(NamedTuple):
    """Where what is seen differs from what is expected; `ended_ms` is None while it lasts."""

    place: Place
    subject: str  # path of a channel, or "government"
    kind: str  # silence | drop | failure_rate | surge
    level: str  # shown | advisory | incident
    began_ms: int
    ended_ms: int | None
    probability: float
    expected: float
    seen: int
    known_at_ms: int
    withdrawn_at_ms: int | None


class Missed(NamedTuple):
    """Missed transactions (estimate) of one outage with its 90 % interval, and how many were made up.

    `made_up` is what was caught up in the 24 hours after the end; only "so far" until `made_up_done`, None
    while the outage lasts.
    """

    subject: str  # path of a service or channel
    began_ms: int
    ended_ms: int | None
    expected: float
    seen: int
    missed: float
    low: float
    high: float
    own: float  # variance that is this row's alone
    shared: float  # standard deviation in common with other days and channels
    made_up: float | None
    made_up_low: float | None
    made_up_high: float | None
    made_up_done: bool
    as_of_ms: int


class Fitted(NamedTuple):
    """A channel's usual pattern as stored: JSON of monitor.judge.pattern.Pattern."""

    channel: str
    document: str
    fitted_at_ms: int


class Ended(NamedTuple):
    """How many transactions ended in which way."""

    completed: int
    failed: int
    abandoned: int


class ServiceCounts(NamedTuple):
    """What metrics tell of a service's transactions at one moment."""

    ended: tuple[Ended, ...]  # of each channel, in the service's order
    expected: float | None  # completed transactions a minute that are usual now; None without a pattern
    missed: float | None  # estimate of the outage that lasts, 0 without one; None without a pattern
    findings: tuple[str, ...]  # kinds of what is not as usual now, on any of its channels
    band: tuple[float, float] | None = None  # a minute as usual lies in it nine times in ten


class Membership(NamedTuple):
    """From `from_ms` until `to_ms` (None: still) the subject belonged to the parent."""

    subject: str
    parent: str
    from_ms: int
    to_ms: int | None


class ExclusionRow(NamedTuple):
    """One announced stretch of time; `down` are the subjects that were down when it was announced."""

    id: int
    kind: str
    subjects: list[str]
    from_ms: int
    to_ms: int
    why: str
    announced_at_ms: int
    announced_by: str
    extends: int | None
    approved_at_ms: int | None
    approved_by: str | None
    finished_at_ms: int | None
    down: list[str]
    filing: str = "work"
    document: str = "{}"
    series: int | None = None
    rejected_at_ms: int | None = None
    rejected_by: str | None = None
    ruling_why: str = ""


class TallyRow(NamedTuple):
    """One half of a figure as it is stored: what is said, milliseconds by state, and the outages."""

    says: str
    availability: str | None
    coverage: str | None
    up_ms: int
    degraded_ms: int
    unknown_ms: int
    down_ms: int
    maintenance_ms: int
    out_of_hours_ms: int
    outages: int
    longest_ms: int
    restored: int
    restored_ms: int
    edges: str


class FigureRow(NamedTuple):
    """A stored figure: with exclusions applied (`counted`) and without any (`whole`)."""

    subject: str
    zone: str
    kind: str
    start_ms: int
    end_ms: int
    as_of_ms: int
    counted: TallyRow
    whole: TallyRow


class FigureClock(NamedTuple):
    """How far a zone has been accounted, and under which terms."""

    until_ms: int
    terms: str


class Dirty(NamedTuple):
    """Figures that no longer hold, from `since_ms` until `until_ms` (None: until now)."""

    id: int
    since_ms: int
    until_ms: int | None


class Said(NamedTuple):
    """What an operator added to an incident for the public, and by when they promised to say more."""

    incident: str
    ar: str
    en: str
    next_update_ms: int | None
    said_ms: int
    said_by: str  # never published

    def get(self, language: str) -> str:
        """The text in that language; empty when nothing was added in it."""
        return self.ar if language == "ar" else self.en


class Day(NamedTuple):
    """One local day of a service as it counts: what is printed of it, and milliseconds by state."""

    subject: str
    start_ms: int
    says: str
    availability: str | None
    up_ms: int
    degraded_ms: int
    unknown_ms: int
    down_ms: int
    maintenance_ms: int
    out_of_hours_ms: int


class ReplyRow(NamedTuple):
    """What an entity answered about a period; `withdrawn_ms` None: it stands.

    `code`, or `subject` with `began_ms`: the figure or outage it is about. `on_behalf`: `by` is not of the
    entity.
    """

    number: int
    entity: str
    label: str
    code: str
    subject: str
    began_ms: int | None
    incident: str
    ar: str
    en: str
    by: str
    on_behalf: bool
    said_ms: int
    withdrawn_ms: int | None
    withdrawn_by: str | None
