"""What is wrong, first things first: one item per cause, the one that takes most services away on top."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from monitor.judge.incidents import Incident
from monitor.judge.picture import BEHIND, ChannelShown, Picture, ServiceShown, Shown, SystemShown
from monitor.judge.timeline import NOT_MEASURED
from monitor.model import Verdict
from monitor.web.handled import Shown as ShownIncident
from monitor.words import WORST_FIRST

FAR = 2**62


@dataclass(frozen=True, slots=True)
class Item:
    """One cause and what it does. Exactly one of `system`, `service` is set, or neither: we are behind."""

    verdict: Verdict
    since_ms: int | None
    system: SystemShown | None = None
    service: ServiceShown | None = None
    channels: tuple[ChannelShown, ...] = ()  # of `service`, the ones that are not up
    affected: tuple[ServiceShown, ...] = ()  # services whose verdict follows from `system`, or is unknown

    @property
    def taken(self) -> int:
        """Services that cannot be got because of it."""
        if self.service is not None:
            return int(self.service.available is False)
        return sum(service.available is False for service in self.affected)

    @property
    def rank(self) -> tuple[int, int, int]:
        """Not available first, then unknown, degraded, and what people hardly feel."""
        if self.taken:
            urgency = 0
        elif self.service is not None and self.service.effective.verdict is Verdict.UP:
            urgency = 4
        elif self.system is not None and not self.affected:
            urgency = 3
        else:
            urgency = 1 if self.verdict is Verdict.UNKNOWN else 2
        return urgency, -max(self.taken, len(self.affected)), self.since_ms or FAR


def what_is_wrong(picture: Picture) -> list[Item]:
    """Every item, the most pressing first; the same order on every replica."""
    items = [*_behind(picture), *_systems(picture), *_services(picture)]
    return sorted(items, key=lambda item: (*item.rank, _slug(item)))


def _slug(item: Item) -> str:
    if item.system is not None:
        return item.system.system.slug
    return item.service.service.slug if item.service is not None else ""


def _required(picture: Picture) -> Iterator[ServiceShown]:
    """Services that are required now: what is wrong with the others is nobody's business until they are."""
    return (service for service in picture.services.values() if service.excluded is None)


def _behind(picture: Picture) -> Iterator[Item]:
    those = tuple(service for service in _required(picture) if service.effective.behind)
    if those:
        since = [service.effective.since_ms for service in those if service.effective.since_ms is not None]
        yield Item(Verdict.UNKNOWN, min(since, default=None), affected=those)


def _systems(picture: Picture) -> Iterator[Item]:
    felt: dict[str, list[ServiceShown]] = {}
    for service in _required(picture):
        if service.effective.verdict is not Verdict.UP and service.effective.cause:
            felt.setdefault(service.effective.cause, []).append(service)
    for shown in picture.systems.values():
        affected = tuple(felt.get(shown.system.subject, ()))
        wrong = shown.effective.verdict is not Verdict.UP and not shown.effective.cause
        if (wrong and not shown.effective.behind and shown.excluded is None) or affected:
            yield Item(shown.effective.verdict, shown.effective.since_ms, system=shown, affected=affected)


def _services(picture: Picture) -> Iterator[Item]:
    for service in _required(picture):
        shown = service.effective
        if (shown.cause and shown.verdict is not Verdict.UP) or shown.behind:
            continue
        own = tuple(
            channel for channel in service.channels if channel.excluded is None and _ails(channel.effective)
        )
        if shown.verdict is not Verdict.UP:
            yield Item(shown.verdict, shown.since_ms, service=service, channels=own)
        elif own:
            worst = min((one.effective for one in own), key=lambda one: WORST_FIRST.index(one.verdict))
            yield Item(worst.verdict, worst.since_ms, service=service, channels=own)


def _ails(shown: Shown) -> bool:
    """Something of its own is wrong: not a system's doing, not ours, and not simply never measured."""
    ours = shown.cause or shown.reason in (BEHIND, NOT_MEASURED)
    return shown.verdict is not Verdict.UP and not ours


class Pressing(NamedTuple):
    """One thing that is wrong as the overview lists it: an open incident, what is wrong now, or both."""

    shown: ShownIncident | None
    item: Item | None


def pressing(picture: Picture, opened: Sequence[ShownIncident]) -> list[Pressing]:
    """Open incidents, the gravest first, each with what its subject is now; then what is in none of them."""
    items = what_is_wrong(picture)
    found = [
        Pressing(shown, next((item for item in items if _subject(item) == shown.incident.subject), None))
        for shown in opened
    ]
    known = _Known(shown.incident for shown in opened)
    return [*found, *(Pressing(None, item) for item in items if not known.covers(item))]


class _Known:
    """What open incidents tell of already."""

    def __init__(self, incidents: Iterable[Incident]) -> None:
        all_ = list(incidents)
        self._paths = {path for one in all_ for path in (one.subject, *one.systems, *one.services)}
        self._channels = {path for one in all_ for path in one.channels}

    def covers(self, item: Item) -> bool:
        if _subject(item) in self._paths:
            return True
        return bool(item.channels) and self._channels.issuperset(
            shown.channel.subject for shown in item.channels
        )


def _subject(item: Item) -> str:
    if item.system is not None:
        return item.system.system.subject
    return item.service.service.subject if item.service is not None else ""
