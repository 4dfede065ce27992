"""What is told of all services together: how many work, which do not, what is planned. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from monitor.model import Service, Text
from monitor.public.notes import FAILING, GRAVITY, Saying
from monitor.public.told import Told

PARTLY_SHOWN = frozenset({Saying.CHECKING, Saying.UNKNOWN})  # counted on the first page, not listed


class Counts(NamedTuple):
    """Services by what is said of them."""

    total: int
    available: int
    unavailable: int
    checking: int
    unknown: int
    closed: int


class Planned(NamedTuple):
    """Planned work and the services it touches."""

    from_ms: int
    to_ms: int
    text: Text  # what was written of it for the public
    announced_ms: int
    services: tuple[Service, ...]


def counted(told: Iterable[Told]) -> Counts:
    """Each service once, by what is said of it."""
    told = list(told)
    checking = sum(one.state is Saying.CHECKING for one in told)
    closed = sum(one.state is Saying.CLOSED for one in told)
    available = sum(one.available is True for one in told)
    unknown = sum(one.available is None for one in told)
    down = len(told) - available - unknown - checking - closed
    return Counts(len(told), available, down, checking, unknown, closed)


def failing(told: Iterable[Told]) -> list[Told]:
    """What does not work as usual, the gravest first; what is only unknown is counted apart."""
    listed = [one for one in told if one.state in FAILING and one.state not in PARTLY_SHOWN]
    return sorted(listed, key=lambda one: GRAVITY[one.state])


def planned(told: Iterable[Told]) -> list[Planned]:
    """Planned work by its hours, with the services it touches."""
    of: dict[tuple[int, int, Text], Planned] = {}
    for one in told:
        for work in one.work:
            span = (work.from_ms, work.to_ms, work.text)
            known = of.get(span) or Planned(*span, work.announced_ms, ())
            more = () if one.service in known.services[-1:] else (one.service,)
            announced_ms = max(known.announced_ms, work.announced_ms)
            of[span] = Planned(*span, announced_ms, (*known.services, *more))
    return [of[span] for span in sorted(of, key=lambda span: (*span[:2], span[2].en, span[2].ar))]
