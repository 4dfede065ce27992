"""Plausible counts for a made-up world: a day's shape over three weeks, and a dip that is made up later."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import NamedTuple

from monitor.judge.hours import Hours
from monitor.judge.pattern import Failing, Pattern, Usual, encode, packed
from monitor.model import Channel, Service, stream_key
from monitor.store import expected
from monitor.store.counts import HOUR_MS, Added
from tests.world import World

DAY_MS = 24 * HOUR_MS
STEP_MS = 5 * 60_000
SLOTS = 216


class Dip(NamedTuple):
    """A service that got nothing done between so many seconds ago, and some of it made up after."""

    slug: str
    from_s: float
    to_s: float


def weight(slot: int) -> float:
    """How busy an hour of the week is; Friday and Saturday are quiet."""
    day, hour = divmod(slot % 168, 24)
    shape = 0.12 + max(0.0, math.sin((hour - 5) / 16 * math.pi)) if 5 <= hour <= 21 else 0.08
    return shape * (0.45 if day in (4, 5) else 1.0)


def a_busy_hour(service: Service, channel: Channel) -> float:
    """Transactions an hour when it is busiest."""
    size = 20 + (sum(service.slug.encode()) * 37) % 200
    return size * (1.0 if channel.remote else 0.2)


def rows(
    world: World, *, days: float, dip: Dip | None = None, without: tuple[str, ...] = ()
) -> Iterator[Added]:
    """Counts of every channel but those `without`: by hour, and by five minutes in the last two days."""
    rng, hours = random.Random(11), Hours.of(world.catalogue)
    now_ms = int(world.now.timestamp() * 1000)
    start_ms = (now_ms - int(days * DAY_MS)) // HOUR_MS * HOUR_MS
    fine_ms = (now_ms - 2 * DAY_MS) // HOUR_MS * HOUR_MS
    steps = [(at_ms, HOUR_MS) for at_ms in range(start_ms, fine_ms, HOUR_MS)]
    steps += [(at_ms, STEP_MS) for at_ms in range(max(start_ms, fine_ms), now_ms, STEP_MS)]
    for service in world.catalogue.services:
        for channel in service.channels:
            if channel.subject in without:
                continue
            busy = a_busy_hour(service, channel)
            for at_ms, step_ms in steps:
                mean = busy * step_ms / HOUR_MS * weight(hours.at(at_ms).slot)
                mean *= _felt(service, dip, now_ms - at_ms)
                count = max(0, round(rng.gauss(mean, math.sqrt(mean) + 0.01)))
                yield from _ended(channel.subject, at_ms, count, rng)


def _felt(service: Service, dip: Dip | None, ago_ms: int) -> float:
    if dip is None or dip.slug != service.slug:
        return 1.0
    if dip.to_s * 1000 <= ago_ms <= dip.from_s * 1000:
        return 0.0
    return 1.35 if ago_ms < dip.to_s * 1000 else 1.0


def _ended(channel: str, at_ms: int, count: int, rng: random.Random) -> Iterator[Added]:
    failed, abandoned = (min(count // 3, int(count * share + rng.random())) for share in (0.02, 0.06))
    for outcome, number in (
        ("completed", count - failed - abandoned),
        ("failed", failed),
        ("abandoned", abandoned),
    ):
        if number > 0:
            yield Added(channel, outcome, at_ms, number)


async def usual(world: World) -> None:
    """The patterns that such counts have."""
    found = []
    for service in world.catalogue.services:
        for channel in service.channels:
            rates = [a_busy_hour(service, channel) * weight(slot) for slot in range(SLOTS)]
            every, completed = (
                Usual(
                    rates=packed([rate * share for rate in rates]),
                    behind=packed([400.0] * SLOTS),
                    hourly=0.003,
                    daily=0.004,
                    level=0.001,
                )
                for share in (1.0, 0.92)
            )
            pattern = Pattern(
                every=every, completed=completed, failing=Failing(0.02), days=21, events=99_999, to_ms=0
            )
            found.append((channel.subject, stream_key(channel.subject), encode(pattern)))
    async with world.store.transaction() as connection:
        await expected.keep_patterns(connection, found)
