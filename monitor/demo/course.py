"""What takes place in any stretch of time among the sample's transactions, given what was wrong. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from operator import attrgetter

import msgspec

from monitor.demo.dips import BACK_MOST_MS, Dip, Felt, felt_by_name, made_up, struck
from monitor.demo.shapes import HOUR_MS, Drawn, Event, Rhythm, drawn_hour, hour_of, usages
from monitor.model import Catalogue, TransactionOutcome

HOURS_KEPT = 4
BACKS_KEPT = 512  # more dips than the script makes in BACK_MOST_MS

at_ms = attrgetter("at_ms")


class Summed(msgspec.Struct, frozen=True, gc=False):
    """What ended alike on one channel within an hour, as a sender would tell it that counts by itself.

    Where a dip begins or ends in the hour, what was before and after it are two.
    """

    at_ms: int  # of the last of them
    service: str
    channel: str
    outcome: TransactionOutcome
    count: int
    duration_ms: float | None  # the mean, of completed ones

    @property
    def id(self) -> str:
        return f"sample-{self.service}-{self.channel}-{self.outcome}-{self.at_ms}"


class Course:
    """The same question has the same answer in every process, as long as the catalogue is the same."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._usages = usages(catalogue)
        self._rhythm = Rhythm(catalogue.zone)
        self._felt = felt_by_name(catalogue)
        self._hour = lru_cache(HOURS_KEPT)(self._make_hour)
        self._back = lru_cache(BACKS_KEPT)(self._make_back)

    def between(self, from_ms: int, to_ms: int, dips: Sequence[Dip] = ()) -> list[Event]:
        """What takes place in [from_ms, to_ms), in order; `dips` in the order in which they began."""
        events = self._usual(from_ms, to_ms)
        near = self._near(from_ms, to_ms, dips)
        if not near:
            return events
        for dip in near:
            if dip.until_ms < to_ms:
                beside = tuple(d for d in dips if d.since_ms < dip.until_ms and dip.since_ms < d.until_ms)
                events = events + _cut(self._back(dip, beside), from_ms, to_ms)
        left = (self._struck(event, near) for event in events)
        return sorted((event for event in left if event is not None), key=at_ms)

    def summed(self, from_ms: int, to_ms: int, dips: Sequence[Dip] = ()) -> Iterator[Summed]:
        """The same added up, by service and hour; sums do not reach past [from_ms, to_ms)."""
        near = self._near(from_ms, to_ms, dips)
        if near or from_ms % HOUR_MS or to_ms % HOUR_MS:
            edges = {edge for dip in near for edge in (dip.since_ms, dip.until_ms)}
            hours = range(from_ms // HOUR_MS * HOUR_MS, to_ms + HOUR_MS, HOUR_MS)
            cuts = sorted({*hours, *edges})
            for begin_ms, end_ms in pairwise(cuts):
                yield from self._summed(max(begin_ms, from_ms), min(end_ms, to_ms), dips)
            return
        for hour in range(from_ms // HOUR_MS, to_ms // HOUR_MS):
            for usage in self._usages:
                yield from _sums(usage.service, drawn_hour(usage, hour, self._rhythm))

    def _summed(self, from_ms: int, to_ms: int, dips: Sequence[Dip]) -> Iterator[Summed]:
        by_service: dict[str, list[Drawn]] = {}
        for event in self.between(from_ms, to_ms, dips) if from_ms < to_ms else ():
            drawn = event.at_ms, event.channel, event.outcome, event.duration_ms
            by_service.setdefault(event.service, []).append(drawn)
        for service, found in by_service.items():
            yield from _sums(service, found)

    def _near(self, from_ms: int, to_ms: int, dips: Sequence[Dip]) -> list[Dip]:
        """The dips that are felt in [from_ms, to_ms)."""
        return [
            dip
            for dip in dips
            if dip.since_ms < to_ms and from_ms < dip.until_ms + BACK_MOST_MS and self._felt[dip.name]
        ]

    def _usual(self, from_ms: int, to_ms: int) -> list[Event]:
        found: list[Event] = []
        for hour in range(from_ms // HOUR_MS, (to_ms - 1) // HOUR_MS + 1):
            found += _cut(self._hour(hour), from_ms, to_ms)
        return found

    def _make_hour(self, hour: int) -> list[Event]:
        events = [event for usage in self._usages for event in hour_of(usage, hour, self._rhythm)]
        return sorted(events, key=at_ms)

    def _felt_by(self, event: Event, dips: Sequence[Dip]) -> tuple[Dip, Felt] | None:
        """The first of the dips that it falls into."""
        for dip in dips:
            what = self._felt[dip.name].get((event.service, event.channel))
            if what is not None and dip.covers(event.at_ms):
                return dip, what
        return None

    def _struck(self, event: Event, dips: Sequence[Dip]) -> Event | None:
        found = self._felt_by(event, dips)
        return event if found is None else struck(event, found[1])

    def _make_back(self, dip: Dip, dips: tuple[Dip, ...]) -> list[Event]:
        """Those whom this dip prevented and who come back after it, in order of their second try."""
        found = []
        for event in self._usual(dip.since_ms, dip.until_ms):
            felt = self._felt_by(event, dips)
            if felt is not None and felt[0] == dip:
                back = made_up(event, felt[1], dip.until_ms)
                found += [] if back is None else [back]
        return sorted(found, key=at_ms)


def _sums(service: str, drawn: Iterable[Drawn]) -> Iterator[Summed]:
    found: dict[tuple[str, TransactionOutcome], list[int]] = {}
    for at, channel, outcome, took_ms in drawn:
        if (sums := found.get((channel, outcome))) is None:
            found[channel, outcome] = [at, 1, took_ms or 0]
            continue
        sums[0] = max(sums[0], at)
        sums[1] += 1
        sums[2] += took_ms or 0
    for (channel, outcome), (last_ms, count, took_ms) in found.items():
        yield Summed(last_ms, service, channel, outcome, count, took_ms / count if took_ms else None)


def _cut(events: list[Event], from_ms: int, to_ms: int) -> list[Event]:
    return events[bisect_left(events, from_ms, key=at_ms) : bisect_left(events, to_ms, key=at_ms)]
