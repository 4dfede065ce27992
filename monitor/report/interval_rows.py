"""Every interval as rows of a sheet: one a service, so that a program may filter and add them. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from monitor.report.document import Belonged, Document, Interval
from monitor.report.evidence import MS
from monitor.report.figures import FIGURES
from monitor.report.lines import cause, edges, why
from monitor.report.voice import Voice

Cell = str | int | Decimal | datetime | None
HEADS = (
    "interval.state", "counted.without", "sheet.from", "sheet.to", "interval.edges", "sheet.subject",
    "services.service", "services.entity", "unit.duration.name", "interval.why", "outages.cause",
    "interval.work", "interval.figures",
)  # fmt: skip
"""Keys of the headings."""


def interval_rows(document: Document, voice: Voice) -> Iterator[list[Cell]]:
    """The oldest first; one of a service that moved is cut where it did."""
    names = {each.subject: (each.slug, voice.called(each)) for each in document.services}
    owners = {each.subject: each.entity for each in document.services}
    called = {each.subject: voice.called(each) for each in document.entities}
    unmet = {each.subject for each in document.services if each.figures["F03"].text == "no"}
    moved: dict[str, list[Belonged]] = {}
    for each in document.belonged:
        moved.setdefault(each.service, []).append(each)
    for interval in document.intervals or ():
        said, codes = _said(interval, voice), _codes(interval, document)
        for service in interval.services:
            in_all = " ".join(code for code, only in codes if not only or service in unmet)
            for entity, began, ended in _owned(interval, moved.get(service), owners.get(service, "")):
                slug, name = names.get(service, (service.partition(":")[2], ""))
                who: list[Cell] = [slug, name, called.get(entity, "")]
                yield [*said[:2], began, ended, said[2], *who, _seconds(began, ended), *said[3:], in_all]


def _said(interval: Interval, voice: Voice) -> list[Cell]:
    """What is the same for each of its services."""
    was = "" if interval.was is None else voice.plain(f"interval.{interval.was.value}")
    numbers: Cell = interval.work[0] if len(interval.work) == 1 else " ".join(map(str, interval.work)) or None
    return [
        voice.plain(f"interval.{interval.state.value}"),
        was,
        voice.listed(edges(interval, voice)),
        why(interval, voice),
        cause(interval, voice),
        numbers,
    ]


def _codes(interval: Interval, document: Document) -> list[tuple[str, bool]]:
    """Figures that it is counted in, and whether only those of services that did not meet their objective."""
    kept = ((code, each.kept) for code, each in FIGURES.items())
    return [(code, each.unmet) for code, each in kept if each and each.holds(interval, document.terms)]


def _owned(
    interval: Interval, whose: list[Belonged] | None, entity: str
) -> Iterator[tuple[str, datetime, datetime]]:
    """The parts of it by whose the service was."""
    if whose is None:
        yield entity, interval.began, interval.ended
        return
    inside = {edge for each in whose for edge in (each.began, each.ended)}
    cuts = sorted({interval.began, interval.ended, *inside})
    for began, ended in pairwise(cuts):
        if interval.began <= began and ended <= interval.ended:
            own = (each.entity for each in whose if each.began <= began < each.ended)
            yield next(own, ""), began, ended


def _seconds(began: datetime, ended: datetime) -> Decimal | int:
    """Exact: whole seconds as such, else with three decimals."""
    ms = (ended - began) // MS
    return ms // 1000 if ms % 1000 == 0 else Decimal(ms).scaleb(-3)
