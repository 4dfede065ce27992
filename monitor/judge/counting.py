"""What senders say of transactions, and what it adds to the counts: refused, repeated, counted. Pure."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

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


def _minute_of(at: datetime) -> int:
    since = at - EPOCH
    return since.days * 1440 + since.seconds // 60


class Names:
    """The channels of a catalogue by what senders call them: a slug of the service, and their own."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.services: set[str] = set()
        self.paths: dict[tuple[str, str], str] = {}
        for slug, service in by_slug(catalogue):
            self.services.add(slug)
            self.paths.update({(slug, channel.slug): channel.subject for channel in service.channels})


def fingerprint(service: str, id: str) -> int:  # noqa: A002 - what the message calls it
    """60 bits that stand for an id of a service, in this process only: four more, and it would be a third
    larger in memory.
    """
    return hash((service, id)) >> 4


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


Rows = dict[Key, list[Any]]  # events, how many of them said how long they took, that in ms together


def additions(rows: Rows) -> list[tuple[str, str, int, int, int, int]]:
    """As they are stored."""
    return [
        (path, outcome, minute_ms, events, timed, int(took_ms + 0.5))
        for (path, outcome, minute_ms), (events, timed, took_ms) in rows.items()
    ]


@dataclass
class Tally:
    """What events add up to. `prints` and `offsets` are of every event with an id, repeats included."""

    names: Names
    within: Span
    seen: set[int]  # fingerprints known before these events
    rows: Rows = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    prints: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    fresh: set[int] = field(default_factory=set)
    counted: int = 0
    repeated: int = 0
    newest: datetime | None = None  # time of the last event

    @property
    def strangers(self) -> set[int]:
        """Offsets of what was refused for a service or channel that a newer catalogue may name."""
        return {offset for offset, error in self.refused if error.reason.startswith("unknown")}

    def meet(self, names: Names) -> None:
        """From now on by these names; whoever was a stranger is no longer refused, but to be added again."""
        strangers, self.names = self.strangers, names
        self.refused = [each for each in self.refused if each.offset not in strangers]

    def sort(self) -> None:
        """Ids in the order of their offsets, after some were added out of it."""
        pairs = sorted(zip(self.offsets, self.prints, strict=True))
        self.offsets, self.prints = [offset for offset, _ in pairs], [print_ for _, print_ in pairs]

    def add(self, events: Sequence[Event], offsets: Sequence[int]) -> None:
        """Count the events of records at these offsets, in their order.

        That none is a repeat, which is the rule, is seen for all of them at once.
        """
        prints = [hash((event.service, event.id)) >> 4 for event in events if event.id]
        fresh = set(prints)
        if len(fresh) == len(prints) and fresh.isdisjoint(self.fresh) and fresh.isdisjoint(self.seen):
            aside = self._count(events, offsets)
            if not aside and len(prints) == len(events):
                self._remember(prints, offsets)
            else:
                self._remember_but(aside, events, offsets)
        elif len(events) > 1:
            for event, offset in zip(events, offsets, strict=True):
                self.add((event,), (offset,))
        elif (why := self._why(events[0])) is not None:
            self.refused.append(Refused(offsets[0], why))
        else:
            self.repeated += 1
            self._remember(prints, offsets)

    def _remember(self, prints: Sequence[int], offsets: Sequence[int]) -> None:
        self.prints += prints
        self.offsets += offsets
        self.fresh.update(prints)

    def _remember_but(self, aside: set[int], events: Sequence[Event], offsets: Sequence[int]) -> None:
        """The ids of these, where they have one and are not set aside."""
        named = [
            (fingerprint(event.service, event.id), offset)
            for event, offset in zip(events, offsets, strict=True)
            if event.id and offset not in aside
        ]
        self._remember([print_ for print_, _ in named], [offset for _, offset in named])

    def _count(self, events: Sequence[Event], offsets: Sequence[int]) -> set[int]:
        """Events that are no repeats; returns the offsets of those refused. Kept flat: all walk here."""
        paths, rows, counted, aside = self.names.paths, self.rows, 0, set[int]()
        first, last = (_minute_of(at) for at in self.within)
        for event, offset in zip(events, offsets, strict=True):
            count, took_ms = event.count, event.duration_ms
            path, since = paths.get((event.service, event.channel)), event.at - EPOCH
            minute = since.days * 1440 + since.seconds // 60
            if (
                path is None
                or not 0 < count <= COUNT_MAX
                or not (took_ms is None or 0 <= took_ms <= DURATION_MS_MAX)
                or not (first < minute < last or self.within.earliest <= event.at <= self.within.latest)
            ):
                self.refused.append(Refused(offset, self._why(event) or BadMessage("absurd", "")))
                aside.add(offset)
                continue
            counted += count
            timed, took_ms = (0, 0.0) if took_ms is None else (count, took_ms * count)
            key = (path, event.outcome._value_, minute * MINUTE_MS)
            if (sums := rows.get(key)) is None:
                rows[key] = [count, timed, took_ms]
                continue
            sums[0] += count
            sums[1] += timed
            sums[2] += took_ms
        self.counted += counted
        self.newest = events[-1].at if events else self.newest
        return aside

    def _why(self, event: Event) -> BadMessage | None:
        """Why it is refused; None when it counts."""
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
        if event.duration_ms is not None and not 0 <= event.duration_ms <= DURATION_MS_MAX:
            return BadMessage("absurd", f"a duration of {event.duration_ms} ms; it is 0 to {DURATION_MS_MAX}")
        return None
