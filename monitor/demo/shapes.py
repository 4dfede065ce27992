"""How many people use the sample services at which hour, and how it ends for them: pure, the same every time.

What happens is decided per service and hour by a generator seeded with both. So any stretch of time can be
made again, by whoever asks for it, and comes out the same.
"""

from __future__ import annotations

import math
import random
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from statistics import NormalDist
from zoneinfo import ZoneInfo

import msgspec

from monitor.model import Catalogue, ChannelKind, Service, TransactionOutcome

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
PER_WEEK = 1_000_000  # all services together: three million in three weeks
SPREAD = 2.1  # sigma of the log-normal sizes: some services 20 a minute, many a few a day
BUSIEST = (  # where a catalogue has them, as the sample has; the others by how broad their offer is
    "traffic-fine-payment",
    "transit-card-top-up",
    "power-bill-payment",
    "clinic-appointment",
    "water-bill-payment",
    "parking-permit",
    "residence-permit-renewal",
    "vehicle-registration",
    "parcel-tracking",
    "identity-card-renewal",
)
WEEKEND = frozenset({4, 5})  # Friday and Saturday in the sample's country
WEEKEND_SHARE = 0.45  # of a working day
DAY_SIGMA = 0.06

# How busy each hour of the local day begins; in between it is a straight line.
ONLINE = (9, 5, 3, 2, 2, 5, 14, 38, 72, 93, 100, 95, 74, 68, 79, 76, 62, 50, 46, 49, 48, 40, 28, 16)
STAFFED = (0, 0, 0, 0, 0, 0, 0, 10, 85, 100, 100, 96, 60, 70, 50, 6, 0, 0, 0, 0, 0, 0, 0, 0)
CALLS = (1, 1, 0, 0, 0, 1, 4, 25, 80, 100, 98, 92, 66, 70, 78, 72, 50, 36, 30, 26, 20, 12, 6, 3)
SHUT_AT_WEEKENDS = frozenset({ChannelKind.SERVICE_CENTRE})


class Habit(msgspec.Struct, frozen=True):
    """What is usual on one kind of channel: its part of a service, how it ends, how long it takes."""

    weight: float
    failing: float
    abandoning: float
    takes_s: float  # the median
    day: tuple[int, ...] = ONLINE


HABITS = {
    ChannelKind.WEB: Habit(40, 0.012, 0.060, 210),
    ChannelKind.APP: Habit(48, 0.009, 0.045, 150),
    ChannelKind.CALL_CENTRE: Habit(6, 0.006, 0.080, 420, CALLS),
    ChannelKind.KIOSK: Habit(4, 0.020, 0.050, 180, STAFFED),
    ChannelKind.SERVICE_CENTRE: Habit(12, 0.004, 0.010, 900, STAFFED),
    ChannelKind.PARTNER: Habit(8, 0.008, 0.020, 300, STAFFED),
}
TIME_SIGMA = 0.5
TIMES = [math.exp(NormalDist(0, TIME_SIGMA).inv_cdf((part + 0.5) / 500)) for part in range(500)]
"""Equally likely shares of the median that one of them takes."""


class Offer(msgspec.Struct, frozen=True):
    """What is usual on one channel of a service."""

    channel: str  # slug
    kind: ChannelKind
    per_week: float


class Usage(msgspec.Struct, frozen=True):
    """What is usual for one service."""

    service: str  # slug
    seed: int
    offers: tuple[Offer, ...]


class Event(msgspec.Struct, frozen=True, gc=False):
    """One transaction, known by its service, minute and number; a second try, by those of the first."""

    at_ms: int
    service: str
    channel: str
    outcome: TransactionOutcome
    duration_ms: int | None  # of completed ones
    minute: int  # since 1970
    number: int  # within the service's minute
    again: bool = False  # somebody whom a fault prevented came back

    @property
    def id(self) -> str:
        name = f"sample-{self.service}-{self.minute}-{self.number}"
        return f"{name}-again" if self.again else name


def usages(catalogue: Catalogue) -> list[Usage]:
    """What is usual for each service, the busiest first."""
    ranked = sorted(catalogue.services, key=_rank)
    normal = NormalDist()
    sizes = [math.exp(-SPREAD * normal.inv_cdf((rank + 0.5) / len(ranked))) for rank in range(len(ranked))]
    scale = PER_WEEK / sum(sizes)
    return [_usage(service, size * scale) for service, size in zip(ranked, sizes, strict=True)]


def _rank(service: Service) -> tuple[int, float, str]:
    """The more channels the busier, blurred, so that some small services have many channels too."""
    place = BUSIEST.index(service.slug) if service.slug in BUSIEST else len(BUSIEST)
    blur = 3 * (_seed(f"breadth {service.slug}") % 1000) / 1000
    return place, -len(service.channels) - blur, service.slug


def _usage(service: Service, per_week: float) -> Usage:
    seed = _seed(service.slug)
    weights = [HABITS[channel.kind].weight for channel in service.channels]
    offers = tuple(
        Offer(channel.slug, channel.kind, per_week * weight / sum(weights))
        for channel, weight in zip(service.channels, weights, strict=True)
    )
    return Usage(service.slug, seed, offers)


def _seed(name: str) -> int:
    return zlib.crc32(name.encode())


class Rhythm:
    """How busy an hour is, in a zone with a weekend of its own (Monday is 0)."""

    def __init__(self, zone: str, *, weekend: frozenset[int] = WEEKEND) -> None:
        self._zone, self._weekend = ZoneInfo(zone), weekend
        self.ends = lru_cache(maxsize=256)(self._ends)

    def _ends(self, kind: ChannelKind, hour: int) -> tuple[float, float]:
        """The shares of a week's transactions, per hour, at both ends of the hour `hour` since 1970."""
        week = sum(HABITS[kind].day) * sum(self._weekday(kind, day) for day in range(7))
        return self._at(kind, hour) / week, self._at(kind, hour + 1) / week

    def _at(self, kind: ChannelKind, hour: int) -> float:
        local = datetime.fromtimestamp(hour * 3600, UTC).astimezone(self._zone)
        day, part = HABITS[kind].day, local.minute / 60
        busy = day[local.hour] * (1 - part) + day[(local.hour + 1) % 24] * part
        return busy * self._weekday(kind, local.weekday())

    def _weekday(self, kind: ChannelKind, day: int) -> float:
        if day not in self._weekend:
            return 1.0
        return 0.0 if kind in SHUT_AT_WEEKENDS else WEEKEND_SHARE


Drawn = tuple[int, str, TransactionOutcome, int | None]
"""A transaction without its name: when, slug of its channel, how it ended, how long it took (ms)."""


def hour_of(usage: Usage, hour: int, rhythm: Rhythm) -> list[Event]:
    """A service's transactions of the hour `hour` since 1970, in order: always the same ones."""
    return list(_numbered(usage.service, sorted(drawn_hour(usage, hour, rhythm))))


def drawn_hour(usage: Usage, hour: int, rhythm: Rhythm) -> list[Drawn]:
    """The same without their names and in no order, where there are very many."""
    chance = random.Random((usage.seed << 32) | hour)  # noqa: S311 - sample data, not secrets
    day = _day_of(usage.seed, hour // 24)
    drawn: list[Drawn] = []
    for offer in usage.offers:
        first, last = rhythm.ends(offer.kind, hour)
        if first or last:
            drawn += _draw(offer, first * day, last * day, hour * HOUR_MS, chance)
    return drawn


@lru_cache(maxsize=1024)
def _day_of(seed: int, day: int) -> float:
    """How busy a service's day is against its like: no two are alike."""
    return random.Random((seed << 32) | day).gauss(1, DAY_SIGMA)  # noqa: S311


def _draw(offer: Offer, first: float, last: float, begin_ms: int, chance: random.Random) -> Iterator[Drawn]:
    """Arrivals by chance at a rate that goes straight from `first` to `last`: gaps of a Poisson process."""
    habit, draw, log, sqrt = HABITS[offer.kind], chance.random, math.log, math.sqrt
    failing, unfinished, takes_ms = habit.failing, habit.failing + habit.abandoning, habit.takes_s * 1000
    per_hour = offer.per_week * (first + last) / 2
    square, bent, rise = first * first, last * last - first * first, last - first
    passed = -log(1 - draw()) / per_hour
    while passed < 1:
        part = (sqrt(square + passed * bent) - first) / rise if bent else passed
        at_ms = begin_ms + min(int(part * HOUR_MS), HOUR_MS - 1)
        end = draw()
        if end < failing:
            yield at_ms, offer.channel, TransactionOutcome.FAILED, None
        elif end < unfinished:
            yield at_ms, offer.channel, TransactionOutcome.ABANDONED, None
        else:
            took_ms = int(takes_ms * TIMES[int(draw() * len(TIMES))])
            yield at_ms, offer.channel, TransactionOutcome.COMPLETED, took_ms
        passed -= log(1 - draw()) / per_hour


def _numbered(service: str, drawn: list[Drawn]) -> Iterator[Event]:
    minute, number = -1, 0
    for at_ms, channel, outcome, duration_ms in drawn:
        number = number + 1 if at_ms // MINUTE_MS == minute else 0
        minute = at_ms // MINUTE_MS
        yield Event(at_ms, service, channel, outcome, duration_ms, minute, number)
