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
