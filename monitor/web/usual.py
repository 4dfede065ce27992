"""What is usual, for readers: the patterns of all channels, and what they lead one to expect together.

Only completed transactions: they are what people got done, and what an outage leaves missed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Iterable, Mapping
from typing import NamedTuple

from monitor.facts import Ended
from monitor.judge import pattern as patterns
from monitor.judge.hours import HOUR_MS, Hours
from monitor.judge.missed import INTERVAL
from monitor.judge.pattern import Expectation, Usual
from monitor.model import Catalogue, Service
from monitor.polite import politely
from monitor.store import expected
from monitor.store.pool import Store

POLITE_EVERY = 64  # channels
COVER_SHARE = 0.99
WORK_MAX = 200_000  # channels times hours: about a second
OVERLAP_MS = 60_000  # patterns of one fit are not all visible at the same instant
Range = tuple[int, int]


class Band(NamedTuple):
    """What is usual of a stretch, and the interval a usual count lies in with probability 90 %."""

    mean: float
    low: float
    high: float


def band(expectation: Expectation) -> Band:
    return Band(expectation.mean, *expectation.band(INTERVAL))


class Usuals:
    """Patterns by channel, read as they are made. Everything returned is of the channels that have one."""

    def __init__(self) -> None:
        self._usual: dict[str, Usual] = {}
        self._catalogue = Catalogue()
        self.hours = Hours.of(self._catalogue)
        self._fitted_ms: dict[str, int] = {}
        self._since_ms = 0
        self._kept: dict[Hashable, Band] = {}

    def __contains__(self, channel: str) -> bool:
        return channel in self._usual

    def remote(self, service: Service) -> list[Usual]:
        """What is usual on its remote channels."""
        paths = (channel.subject for channel in service.channels if channel.remote)
        return [self._usual[path] for path in paths if path in self._usual]

    def cover(self, counted: Mapping[str, Ended]) -> bool:
        """Whether what is counted can be held against what is usual: nearly all of it is on known channels.

        A band that left out a busy channel would lie under the line for no reason.
        """
        every = sum(map(sum, counted.values()))
        known = sum(sum(ended) for path, ended in counted.items() if path in self._usual)
        return known >= COVER_SHARE * every

    async def follow(self, store: Store, catalogue: Catalogue) -> None:
        """Read what was made since. Raises StoreUnavailable."""
        rows = await expected.patterns(store, since_ms=max(0, self._since_ms - OVERLAP_MS))
        fresh = [row for row in rows if self._fitted_ms.get(row.channel) != row.fitted_at_ms]
        if fresh:
            told = await asyncio.to_thread(
                lambda: [patterns.decode(row.document) for row in politely(fresh, every=POLITE_EVERY)]
            )
            self._usual |= {row.channel: each.completed for row, each in zip(fresh, told, strict=True)}
            self._fitted_ms |= {row.channel: row.fitted_at_ms for row in fresh}
            self._since_ms, self._kept = max(self._fitted_ms.values()), {}
        if catalogue is not self._catalogue:
            self._catalogue, self.hours, self._kept = catalogue, Hours.of(catalogue), {}

    def expected(self, channels: Iterable[str], from_ms: int, to_ms: int) -> Expectation | None:
        """Of these channels together; None where none of them has a pattern yet."""
        known = [self._usual[path] for path in channels if path in self._usual]
        if not known:
            return None
        return patterns.total(
            each.expected(self.hours, from_ms, to_ms) for each in politely(known, every=POLITE_EVERY)
        )

    def bands(
        self,
        channels: Iterable[str],
        stretches: Iterable[Range],
        *,
        kept: dict[Hashable, Band] | None = None,
        most: int = WORK_MAX,
    ) -> list[Band | None]:
        """What is usual in each stretch, of these channels together; None where none has a pattern.

        Stretches within an hour of the week are alike, and reckoned once; `kept` remembers them from call to
        call. Where more than `most` channels and hours would have to be gone through, all are None.
        """
        those, wanted = [path for path in channels if path in self], list(stretches)
        alike = {self._kind(*each): each for each in wanted}
        told = {} if kept is None else kept
        work = sum(max(1, (to_ms - from_ms) // HOUR_MS) for from_ms, to_ms in alike.values())
        if not those or work * len(those) > most:
            return [None] * len(wanted)
        for kind, (from_ms, to_ms) in alike.items():
            if kind not in told and (expectation := self.expected(those, from_ms, to_ms)) is not None:
                told[kind] = band(expectation)
        return [told[self._kind(*each)] for each in wanted]

    def government(self, stretches: Iterable[Range]) -> list[Band | None]:
        """The same of all channels of the catalogue, remembered."""
        return self.bands(self._catalogue.channels, stretches, kept=self._kept, most=10 * WORK_MAX)

    def _kind(self, from_ms: int, to_ms: int) -> Hashable:
        if from_ms // HOUR_MS != (to_ms - 1) // HOUR_MS:
            return from_ms, to_ms
        hour = self.hours.at(from_ms)
        return hour.slot, hour.holiday, to_ms - from_ms
