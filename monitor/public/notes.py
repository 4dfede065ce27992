"""What may be said of a service in one sentence, and of planned work. Pure; Unix ms."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from monitor.model import Channel, Text


class Saying(StrEnum):
    """One fixed sentence, and the state of a service that it is the gravest sentence of; worst first."""

    UNAVAILABLE = "unavailable"  # on all remote channels
    OVERRUN = "overrun"  # maintenance took longer than announced
    MAINTENANCE = "maintenance"
    PARTLY = "partly"  # unavailable on one channel
    SLOW = "slow"
    CHECKING = "checking"  # something was found, and is not published yet
    UNKNOWN = "unknown"  # no fresh information
    CLOSED = "closed"  # outside its hours, whatever its channels do
    AVAILABLE = "available"


GRAVITY = {saying: number for number, saying in enumerate(Saying)}
FAILING = frozenset(
    {Saying.UNAVAILABLE, Saying.OVERRUN, Saying.MAINTENANCE, Saying.PARTLY, Saying.SLOW, Saying.CHECKING}
)


class Note(NamedTuple):
    """A sentence about a service, or about one channel of it.

    `until_ms`: by when more is promised, when the maintenance is expected to end, or when the service opens
    again; None: nothing is said.
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
    announced_ms: int  # last, where it was prolonged
    text: Text = Text()  # what whoever announced it wrote for the public
