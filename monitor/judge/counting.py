"""What senders say of transactions, and what it adds to the counts: refused, repeated, counted. Pure."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol

from monitor.errors import BadMessage
from monitor.model import Catalogue, Service, TransactionOutcome

KEPT_MS = 100 * 86_400_000  # how long counts by minute are kept
IDS_MAX = 100_000  # ids of a partition that are remembered
IDS_KEPT_MS = 600_000
PAGE_MS, PAGE_IDS = 5_000, 10_000
COUNT_MAX = 1_000_000  # in one message
DURATION_MS_MAX = 7 * 86_400_000
REASONS = ("unknown_service", "unknown_channel", "unreadable", "schema", "absurd", "refused")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE_MS = 60_000

Key = tuple[str, str, int]  # channel's path, outcome, beginning of the minute in Unix ms


class Event(Protocol):
    """What a sender said: one transaction, or `count` of them."""

    @property
    def id(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def outcome(self) -> TransactionOutcome: ...
    @property
    def at(self) -> datetime: ...
    @property
    def count(self) -> int: ...
    @property
    def duration_ms(self) -> float | None: ...


class Refused(NamedTuple):
    """An event that is set aside, by the offset of its record."""

    offset: int
    error: BadMessage


class Span(NamedTuple):
    """Event times that may be counted; both ends are included."""

    earliest: datetime
    latest: datetime


def span(now_ms: int, *, ahead_s: float) -> Span:
    """From as long ago as minutes are kept to `ahead_s` seconds from now."""
    now = EPOCH + timedelta(milliseconds=now_ms)
    return Span(now - timedelta(milliseconds=KEPT_MS), now + timedelta(seconds=ahead_s))


def by_slug(catalogue: Catalogue) -> Iterator[tuple[str, Service]]:
    """Each service by every slug it has or had, former ones first: a current one takes the name over."""
    for service in catalogue.services:
        for slug in service.was:
            yield slug, service
    for service in catalogue.services:
        yield service.slug, service


class Names:
    """The channels of a catalogue by what senders call them: a slug of the service, and their own."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.services: set[str] = set()
        self.paths: dict[tuple[str, str], str] = {}
        for slug, service in by_slug(catalogue):
            self.services.add(slug)
            self.paths.update({(slug, channel.slug): channel.subject for channel in service.channels})


def fingerprint(service: str, id: str) -> int:  # noqa: A002 - what the message calls it
    """64 bits that stand for an id of a service, in this process only."""
    return hash((service, id))


class _Page:
    """Ids that came within a few seconds, and the offsets they came at."""

    __slots__ = ("first_ms", "newest_ms", "offsets", "prints", "start")

    def __init__(self, first_ms: int) -> None:
        self.first_ms = self.newest_ms = first_ms
        self.prints, self.offsets, self.start = array("q"), array("q"), 0

    def __len__(self) -> int:
        return len(self.prints) - self.start


class Horizon:
    """The ids that a partition saw last: 10 minutes of them by the broker's time, at most 100,000."""

    def __init__(self, ids_max: int = IDS_MAX, kept_ms: int = IDS_KEPT_MS) -> None:
        self._ids_max, self._kept_ms = ids_max, kept_ms
        self.seen: set[int] = set()
        self._again: dict[int, int] = {}  # how often more than once; most are never repeated
        self._pages: deque[_Page] = deque()
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def begin(self) -> int | None:
        """The offset of the oldest id remembered."""
        return self._pages[0].offsets[self._pages[0].start] if self._pages else None

    def extend(
        self, prints: Sequence[int], offsets: Sequence[int], *, at_ms: int, fresh: set[int] | None = None
    ) -> None:
        """Remember these, which came by `at_ms`, and forget what is beyond the horizon then.

        `fresh` are the same when it is known that none is a repeat.
        """
        if prints:
            page = self._page(at_ms)
            page.prints.extend(prints)
            page.offsets.extend(offsets)
            page.newest_ms = max(page.newest_ms, at_ms)
            self._size += len(prints)
            if fresh is None:
                self._see(prints)
            else:
                self.seen |= fresh
        self.forget(at_ms)

    def _see(self, prints: Sequence[int]) -> None:
        for each in prints:
            if each in self.seen:
                self._again[each] = self._again.get(each, 0) + 1
            else:
                self.seen.add(each)

    def forget(self, now_ms: int) -> None:
        """Drop what is too old at `now_ms` (the broker's time), or too much."""
        while self._pages:
            page = self._pages[0]
            too_old = page.newest_ms < now_ms - self._kept_ms
            drop = len(page) if too_old else min(len(page), self._size - self._ids_max)
            if drop <= 0:
                return
            self._drop(page.prints[page.start : page.start + drop])
            page.start += drop
            self._size -= drop
            if not len(page):
                self._pages.popleft()

    def _drop(self, prints: Sequence[int]) -> None:
        if not self._again:
            self.seen.difference_update(prints)
            return
        for each in prints:
            more = self._again.get(each, 0)
            if not more:
                self.seen.discard(each)
            elif more == 1:
                del self._again[each]
            else:
                self._again[each] = more - 1

    def _page(self, at_ms: int) -> _Page:
        page = self._pages[-1] if self._pages else None
        if page is None or at_ms - page.first_ms > PAGE_MS or len(page.prints) >= PAGE_IDS:
            page = _Page(at_ms)
            self._pages.append(page)
        return page


@dataclass
class Tally:
    """What one batch adds up to. `prints` and `offsets` are of every event with an id, repeats included."""

    names: Names
    within: Span
    seen: set[int]  # fingerprints known before this batch
    rows: dict[Key, list[int]] = field(default_factory=dict)  # events, timed, duration in ms
    refused: list[Refused] = field(default_factory=list)
    prints: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    fresh: set[int] = field(default_factory=set)
    counted: int = 0
    repeated: int = 0
    newest: datetime | None = None  # time of the last event

    @property
    def strangers(self) -> bool:
        """Whether a service or channel was refused that a newer catalogue may name."""
        return any(refused.error.reason.startswith("unknown") for refused in self.refused)

    def add(self, events: Iterable[Event], offsets: Iterable[int]) -> None:
        """Count the events of records at these offsets, in their order."""
        paths, (earliest, latest), seen, fresh = self.names.paths, self.within, self.seen, self.fresh
        rows, prints, places = self.rows, self.prints, self.offsets
        at, counted = None, 0
        for event, offset in zip(events, offsets, strict=True):
            path, at = paths.get((event.service, event.channel)), event.at
            count, duration_ms = event.count, event.duration_ms
            if path is None or not earliest <= at <= latest or not 0 < count <= COUNT_MAX:
                self.refused.append(Refused(offset, self._why(event)))
                continue
            if duration_ms is not None and not 0 <= duration_ms <= DURATION_MS_MAX:
                self.refused.append(Refused(offset, self._why(event)))
                continue
            if event.id:
                print_ = hash((event.service, event.id))
                prints.append(print_)
                places.append(offset)
                if print_ in seen or print_ in fresh:
                    self.repeated += 1
                    continue
                fresh.add(print_)
            since = at - EPOCH
            key = (path, event.outcome._value_, (since.days * 1440 + since.seconds // 60) * MINUTE_MS)
            counted += count
            timed, took_ms = (0, 0) if duration_ms is None else (count, int(duration_ms * count + 0.5))
            if (sums := rows.get(key)) is None:
                rows[key] = [count, timed, took_ms]
                continue
            sums[0] += count
            sums[1] += timed
            sums[2] += took_ms
        self.counted += counted
        self.newest = at or self.newest

    def _why(self, event: Event) -> BadMessage:
        if (event.service, event.channel) not in self.names.paths:
            if event.service not in self.names.services:
                return BadMessage("unknown_service", f"no service of the catalogue is {event.service!r}")
            return BadMessage("unknown_channel", f"{event.service!r} has no channel {event.channel!r}")
        if event.at > self.within.latest:
            return BadMessage("absurd", f"{event.at.isoformat()} is in the future")
        if event.at < self.within.earliest:
            return BadMessage("absurd", f"{event.at.isoformat()} is older than counts by minute are kept")
        if not 0 < event.count <= COUNT_MAX:
            return BadMessage("absurd", f"a count of {event.count}; it is 1 to {COUNT_MAX}")
        return BadMessage("absurd", f"a duration of {event.duration_ms} ms; it is 0 to {DURATION_MS_MAX}")
