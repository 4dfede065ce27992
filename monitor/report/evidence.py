"""What a figure of a frozen report stands on: its intervals, of everybody, an entity or a service. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from monitor.judge.seconds import State
from monitor.report.document import Document, Interval, Part
from monitor.report.figures import FIGURES

MS = timedelta(milliseconds=1)


class Stretch(NamedTuple):
    """An interval as far as it is somebody's: some of its services, while they were theirs."""

    interval: Interval
    began: datetime
    ended: datetime
    services: tuple[str, ...]

    @property
    def each_ms(self) -> int:
        """How long it was for each of the services."""
        return (self.ended - self.began) // MS

    @property
    def spent_ms(self) -> int:
        """Of all of them together."""
        return self.each_ms * len(self.services)

    @property
    def before(self) -> bool:
        """It was so already before."""
        return self.interval.before or self.began > self.interval.began

    @property
    def after(self) -> bool:
        """It was so still afterwards."""
        return self.interval.after or self.ended < self.interval.ended


class Told(NamedTuple):
    """Stretches of one kind that overlap or touch, told as one: a gap ends for each service by itself."""

    stretches: tuple[Stretch, ...]

    @property
    def interval(self) -> Interval:
        """What is the same in all of them."""
        return self.stretches[0].interval

    @property
    def began(self) -> datetime:
        return self.stretches[0].began

    @property
    def ended(self) -> datetime:
        return max(each.ended for each in self.stretches)

    @property
    def before(self) -> bool:
        return any(each.before for each in self.stretches)

    @property
    def after(self) -> bool:
        return any(each.after for each in self.stretches)

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(sorted({service for each in self.stretches for service in each.services}))

    @property
    def spent_ms(self) -> int:
        return sum(each.spent_ms for each in self.stretches)

    @property
    def longest_ms(self) -> int:
        return max(each.each_ms for each in self.stretches)


def part_called(document: Document, called: str) -> Part | None:
    """Everybody, or whoever has that subject or slug; a service where an entity is called the same."""
    if called in ("", document.total.subject, document.total.slug):
        return document.total
    everyone = (*document.services, *document.entities)
    return next((each for each in everyone if called in (each.subject, each.slug)), None)


def stretches(document: Document, part: Part) -> list[Stretch]:
    """Every interval of a part, the oldest first; of a week of the trend there are none."""
    found = document.intervals or ()
    if part.kind == "total":
        return [Stretch(each, each.began, each.ended, each.services) for each in found]
    if part.kind == "service":
        mine = (each for each in found if part.subject in each.services)
        return [Stretch(each, each.began, each.ended, (part.subject,)) for each in mine]
    return _of_entity(document, part.subject, found) if part.kind == "entity" else []


def _of_entity(document: Document, entity: str, found: Iterable[Interval]) -> list[Stretch]:
    """Of services that were its own throughout, and of others while they were."""
    moved = {each.service for each in document.belonged}
    own = {each.subject for each in document.services if each.entity == entity} - moved
    made = []
    for each in found:
        if mine := tuple(service for service in each.services if service in own):
            made.append(Stretch(each, each.began, each.ended, mine))
        for while_ in document.belonged:
            began, ended = max(each.began, while_.began), min(each.ended, while_.ended)
            if while_.entity == entity and while_.service in each.services and began < ended:
                made.append(Stretch(each, began, ended, (while_.service,)))
    return made


def behind(document: Document, part: Part, code: str) -> list[Stretch]:
    """The stretches that a figure of a part is counted from, the oldest first."""
    kept = FIGURES[code].kept
    if kept is None:
        return []
    found = [each for each in stretches(document, part) if kept.holds(each.interval, document.terms)]
    if not kept.unmet:
        return found
    unmet = {each.subject for each in document.services if each.figures["F03"].text == "no"}
    cut = (each._replace(services=tuple(s for s in each.services if s in unmet)) for each in found)
    return [each for each in cut if each.services]


def told(found: Iterable[Stretch], *, longest: bool = False) -> list[Told]:
    """The same in as few lines as can be, most service time first, or the longest for one service."""
    groups: list[list[Stretch]] = []
    until: datetime | None = None
    for each in sorted(found, key=lambda each: (_kind(each), each.began, each.ended, each.services)):
        if until and each.began <= until and _kind(groups[-1][-1]) == _kind(each):
            groups[-1].append(each)
            until = max(until, each.ended)
        else:
            groups.append([each])
            until = each.ended
    made = [Told(tuple(group)) for group in groups]
    if longest:
        return sorted(made, key=lambda each: (-each.longest_ms, each.began, each.services))
    return sorted(made, key=lambda each: (-each.spent_ms, each.began, each.services))


def _kind(each: Stretch) -> tuple[str, str, str, str, tuple[int, ...], tuple[str, ...]]:
    """What must be the same to be told as one. What ails a service by itself is nobody else's."""
    interval = each.interval
    was = interval.was or interval.state
    shared = interval.cause or interval.work or was is State.UNKNOWN
    apart = () if shared else each.services
    return interval.state.value, was.value, interval.reason, interval.cause, interval.work, apart


def spent_ms(found: Iterable[Stretch]) -> int:
    """All services together."""
    return sum(each.spent_ms for each in found)


def adds_up(part: Part, found: Iterable[Stretch]) -> bool:
    """Whether all its stretches sum to the frozen times; they do unless sums were not all in (`not_in`)."""
    counted, whole = dict.fromkeys(State, 0), dict.fromkeys(State, 0)
    for each in found:
        state, was = each.interval.state, each.interval.was or each.interval.state
        counted[state] += each.spent_ms
        whole[was] += each.spent_ms
    shut_ms = part.all_counted.out_of_hours_ms  # a service's own closing hours are no interval
    counted[State.OUT_OF_HOURS] += shut_ms
    whole[State.OUT_OF_HOURS] += shut_ms
    return all(
        spent[state] == getattr(time, f"{state.value}_ms")
        for spent, time in ((counted, part.counted), (whole, part.all_counted))
        for state in State
        if state is not State.UP
    )
