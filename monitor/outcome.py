"""What became of one try to hand something over, and when the next one is. Pure; seconds."""

from __future__ import annotations

import ssl
from enum import StrEnum
from typing import NamedTuple

FIRST_RETRY_S = 2.0
RETRY_MAX_S = 120.0
ASKED_MAX_S = 600.0  # however long a server asks us to wait
TRIES_MAX = 40  # over an hour


class Fate(StrEnum):
    """What became of one try."""

    ACCEPTED = "accepted"
    PASSING = "passing"  # a time-out, a server's own fault, too many requests: worth another try
    PERMANENT = "permanent"  # refused: the same would be refused again


class Outcome(NamedTuple):
    """One try. `said` names the answer, never an address; `wait_s` is what the server asked for."""

    fate: Fate
    said: str = ""
    wait_s: float | None = None


def retry_s(
    outcome: Outcome,
    *,
    tries: int,
    chance: float,
    most_s: float = RETRY_MAX_S,
    tries_max: int = TRIES_MAX,
) -> float | None:
    """Seconds until the next try after `tries` of them; None when there is none. `chance` is from 0 to 1.

    Doubling up to a bound, half of it left to chance; never sooner than a server asked for, within reason.
    """
    if outcome.fate is not Fate.PASSING or tries >= tries_max:
        return None
    usual_s = min(FIRST_RETRY_S * 2.0 ** min(tries - 1, 10), most_s) * (0.5 + chance / 2)
    return max(usual_s, min(outcome.wait_s or 0.0, ASKED_MAX_S))


def of_status(status: int, *, wait_s: float | None = None) -> Outcome:
    """What an HTTP status says of one try."""
    said = f"answered {status}"
    if 200 <= status < 300:
        return Outcome(Fate.ACCEPTED, said)
    passing = status >= 500 or status in (408, 425, 429)
    return Outcome(Fate.PASSING if passing else Fate.PERMANENT, said, wait_s if passing else None)


def of_connection(error: BaseException) -> Outcome:
    """What a connection that failed says of one try: worth another, and never with an address."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Outcome(Fate.PASSING, "its certificate is not trusted")
        if isinstance(cause, ssl.SSLError):
            return Outcome(Fate.PASSING, "no encrypted connection could be made")
        cause = cause.__cause__
    return Outcome(Fate.PASSING, type(error).__name__)


def seconds_asked(header: str | None) -> float | None:
    """What `Retry-After` asks for in seconds; None without one, or where it is a date."""
    return float(header) if header and header.strip().isdigit() else None
