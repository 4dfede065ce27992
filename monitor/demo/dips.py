"""What faults do to the sample's transactions: some never come, some fail, part is made up later. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec

from monitor.demo import choices, faults
from monitor.demo.faults import FLAP_S, FOR_S_MOST, Harm, Hits, On
from monitor.demo.shapes import HOUR_MS, Event, usages
from monitor.model import Catalogue, Channel, System, TransactionOutcome, stream_key

STILL_TRY = 0.3  # of those who cannot complete, so many get as far as a failure
GIVE_UP = 0.25  # of those who wait for a slow system
SLOWER = 2.5
COME_BACK = 0.6  # of those who were prevented
BACK_AFTER_MS = 60_000
BACK_MOST_MS = 6 * HOUR_MS


class Felt(StrEnum):
    """What people on a channel notice of a fault."""

    GONE = "gone"  # nothing arrives
    BLOCKED = "blocked"  # the channel answers, what it needs does not
    SLOW = "slow"


class Dip(msgspec.Struct, frozen=True):
    """Something was wrong in [since_ms, until_ms): a fault of the fleet, or a hole of the history."""

    name: str
    since_ms: int
    until_ms: int

    def covers(self, at_ms: int) -> bool:
        """A flapping system works half of the time."""
        flap_ms = int(FLAP_S * 1000)
        within = self.since_ms <= at_ms < self.until_ms
        return within and (self.name != "flapping-system" or (at_ms - self.since_ms) // flap_ms % 2 == 0)


class Hole(msgspec.Struct, frozen=True):
    """A dip of the three weeks before the first run; `rank` picks a shared system, or a channel."""

    day: int  # of the history, from 0
    hour: float  # local
    lasts_min: int
    harm: Harm
    system: bool
    rank: int


HOLE = "hole-"
HOLES = (  # a shared system in every one of the weeks
    Hole(1, 10.4, 47, Harm.BROKEN, True, 3),
    Hole(4, 13.0, 190, Harm.BROKEN, False, 4),
    Hole(6, 9.7, 18, Harm.BROKEN, True, 4),
    Hole(7, 9.2, 120, Harm.SLOW, True, 5),
    Hole(10, 11.75, 25, Harm.BROKEN, True, 6),
    Hole(13, 20.1, 75, Harm.BROKEN, False, 9),
    Hole(16, 8.6, 62, Harm.BROKEN, True, 0),
    Hole(18, 12.3, 34, Harm.BROKEN, True, 5),
    Hole(19, 18.5, 55, Harm.BROKEN, False, 2),
    Hole(12, 2.0, 95, Harm.BROKEN, True, 1),  # of the announced work in people.py, as are the next two
    Hole(9, 22.0, 40, Harm.BROKEN, True, 5),
    Hole(14, 1.0, 170, Harm.BROKEN, True, 3),
)

Place = tuple[str, str]
"""Slugs of a service and of one of its channels."""


def holes(zone: str, began_ms: int) -> list[Dip]:
    """The dips of a history that begins at `began_ms`."""
    first = datetime.fromtimestamp(began_ms / 1000, UTC).astimezone(ZoneInfo(zone))
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    found = []
    for number, hole in enumerate(HOLES):
        since = midnight + timedelta(days=hole.day, hours=hole.hour)
        since_ms = int(since.timestamp() * 1000)
        found.append(Dip(f"{HOLE}{number}", since_ms, since_ms + hole.lasts_min * 60_000))
    return found


def followed(dips: Sequence[Dip], on: Mapping[str, On], *, now_ms: int, looked_ms: int) -> list[Dip]:
    """The dips known so far and the faults that are on now, in the order in which they began.

    One that was to last but is not on any more was ended by hand, at `looked_ms` at the latest. Those after
    which nobody comes back any more are forgotten.
    """
    fresh = [Dip(name, int(how.since * 1000), int(how.until * 1000)) for name, how in on.items()]
    known = [
        dip if dip in fresh or dip.until_ms <= now_ms else msgspec.structs.replace(dip, until_ms=looked_ms)
        for dip in dips
    ]
    kept_ms = BACK_MOST_MS + int(FOR_S_MOST * 1000)
    left = {
        dip for dip in (*known, *fresh) if dip.since_ms < dip.until_ms and now_ms < dip.until_ms + kept_ms
    }
    return sorted(left, key=lambda dip: (dip.since_ms, dip.name))


def felt_by_name(catalogue: Catalogue) -> dict[str, dict[Place, Felt]]:
    """Dip's name → what people notice on which channel."""
    hits = faults.chosen(catalogue)
    hits |= {f"{HOLE}{number}": hits_of(catalogue, hole) for number, hole in enumerate(HOLES)}
    return {name: felt(catalogue, hit) for name, hit in hits.items()}


def hits_of(catalogue: Catalogue, hole: Hole) -> Hits:
    """Whose checks a hole hits."""
    return dict.fromkeys(choices.checks_of(_hit(catalogue, hole)), hole.harm)


def subject_hit(catalogue: Catalogue, hole: Hole) -> str | None:
    """Whose checks a hole hits; perhaps nobody's of another catalogue than the sample's."""
    return next((owner.subject for owner in _hit(catalogue, hole)), None)


def _hit(catalogue: Catalogue, hole: Hole) -> Sequence[System | Channel]:
    ranked: Sequence[System | Channel] = choices.by_reach(catalogue) if hole.system else _busy(catalogue)
    return ranked[hole.rank : hole.rank + 1]


def _busy(catalogue: Catalogue) -> list[Channel]:
    """Channels beside which another completes the service, those of the busiest services first."""
    rank = {f"service:{usage.service}": rank for rank, usage in enumerate(usages(catalogue))}
    channels = choices.with_an_alternative(catalogue)
    return sorted(channels, key=lambda channel: rank.get(stream_key(channel.subject), len(rank)))


def felt(catalogue: Catalogue, hits: Hits) -> dict[Place, Felt]:
    """What harm to the targets of checks means for people; the worst where several meet."""
    broken = {check for check, harm in hits.items() if harm in (Harm.BROKEN, Harm.FLAPPING, Harm.WRONG_PAGE)}
    slow = {check for check, harm in hits.items() if harm is Harm.SLOW}
    systems = [system for system in catalogue.systems if _owns(system, broken)]
    blocked = choices.channels_blocked_by(catalogue, [system.subject for system in systems])
    slowed = choices.channels_needing(catalogue, [s for s in catalogue.systems if _owns(s, slow)])
    worst = {channel.subject: Felt.SLOW for channel in slowed}
    worst |= {channel.subject: Felt.BLOCKED for channel in blocked}
    return {
        (service.slug, channel.slug): what
        for service in catalogue.services
        for channel in service.channels
        if (what := Felt.GONE if _owns(channel, broken) else worst.get(channel.subject)) is not None
    }


def _owns(owner: System | Channel, checks: set[str]) -> bool:
    return any(check.key in checks for check in owner.checks)


def struck(event: Event, what: Felt) -> Event | None:
    """What becomes of a transaction while its channel is so; None: it never takes place."""
    chance = _chance("struck", event)
    if what is Felt.SLOW:
        if event.duration_ms is None:
            return event
        if chance < GIVE_UP:
            return _ended(event, TransactionOutcome.ABANDONED)
        return msgspec.structs.replace(event, duration_ms=int(event.duration_ms * SLOWER))
    if what is Felt.BLOCKED and chance < STILL_TRY:
        return _ended(event, TransactionOutcome.FAILED)
    return None


def made_up(event: Event, what: Felt, over_ms: int) -> Event | None:
    """The same person's second try after the dip was over, where one would have completed and comes back."""
    after = struck(event, what)
    prevented = after is None or after.outcome is not TransactionOutcome.COMPLETED
    if event.outcome is not TransactionOutcome.COMPLETED or not prevented:
        return None
    chance = _chance("back", event)
    if chance >= COME_BACK:
        return None
    later_ms = BACK_AFTER_MS + int((BACK_MOST_MS - BACK_AFTER_MS) * (chance / COME_BACK) ** 3)  # most soon
    return msgspec.structs.replace(event, at_ms=over_ms + later_ms, again=True)


def _ended(event: Event, outcome: TransactionOutcome) -> Event:
    return msgspec.structs.replace(event, outcome=outcome, duration_ms=None)


def _chance(what: str, event: Event) -> float:
    """In [0, 1), decided by the event's id."""
    return zlib.crc32(f"{what} {event.id}".encode()) / 2**32
