"""The weekly report of 1,300 services as PDF, in Arabic: written, drawn in its own process, read back."""

from __future__ import annotations

import time

from msgspec.structs import replace

from benchmarks.table import Row, spread
from monitor.model import Text
from monitor.report.document import Document, Part, digest, encode
from monitor.report.pdf.making import pdf
from tests.golden_week import golden

BUDGET_S = 3.0
SERVICES, ENTITIES = 1300, 30
OUTAGES = 60
RUNS = 5


def rows(quick: bool) -> list[Row]:
    """The row of the budget table; the baseline is the report of five services: starting, and the pages."""
    services = 200 if quick else SERVICES
    took_s = sorted(_took_s(week(services)) for _ in range(1 if quick else RUNS))
    small_s = [_took_s(golden()) for _ in range(1 if quick else RUNS)]
    return [
        Row(
            what=f"weekly report of {services:,} services as PDF, Arabic, A4",
            budget=f"≤ {BUDGET_S:g} s",
            measured=spread(took_s, "s"),
            baseline=f"of five services {spread(small_s, 's')}",
            within=took_s[len(took_s) // 2] <= BUDGET_S if services == SERVICES else None,
            note=f"{ENTITIES} entities, {OUTAGES} outages; PDF/UA-1, with the start of its process",
        )
    ]


def _took_s(document: Document) -> float:
    began = time.perf_counter()
    pdf(document, "ar", digest=digest(encode(document)))
    return time.perf_counter() - began


def keep_building(seconds: float) -> None:
    """Build reports of a whole government one after the other for so long, and say when it has begun."""
    end = time.monotonic() + seconds
    document = week(SERVICES)
    print("building", flush=True)
    while time.monotonic() < end:
        _took_s(document)


def week(services: int) -> Document:
    """The golden week, with as many services and entities as a government has."""
    found = golden()
    entities = [_named(found.entities[number % 2], "entity", number) for number in range(ENTITIES)]
    return replace(
        found,
        entities=tuple(entities),
        services=tuple(
            replace(
                _named(found.services[number % 5], "service", number),
                entity=entities[number % ENTITIES].subject,
            )
            for number in range(services)
        ),
        weeks=(*found.weeks[:1] * 11, *found.weeks[1:]),
        outages=found.outages * (OUTAGES // len(found.outages)),
    )


def _named(part: Part, kind: str, number: int) -> Part:
    name = Text(en=f"{part.name.en} {number}", ar=f"{part.name.ar} {number}")
    return replace(part, subject=f"{kind}:{number}", slug=str(number), name=name)
