"""More of everything than any week has, with names as long as they may be: what the pages must still hold."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from monitor.model import Text
from monitor.report.document import (
    AtRisk,
    Changed,
    Correction,
    Decision,
    Document,
    Missing,
    Outage,
    Part,
    Unmeasured,
    Work,
)
from tests.golden_week import about, golden, terms

SERVICES, ENTITIES, OUTAGES, WORKS, DECISIONS = 1300, 60, 200, 100, 40
WEEKS = 13
LONG = Text(
    en="Issue of a certificate of the registration of a branch of a foreign establishment abroad",
    ar="إصدار شهادة تسجيل فرع لمنشأة أجنبية في المناطق الحرة وتجديدها وتعديل بياناتها وإلغاؤها",
)
KINDS = ("app", "call_centre", "kiosk", "partner", "service_centre", "web")
NOTE = "أعيد تشغيل الخادم بعد تعطل وحدة التخزين، and traffic was sent to the second site until then. "


def worst() -> Document:
    """Published at its deadline with much that was not in: sample data, of somebody with a long name."""
    found = golden(about=replace(about(sample=True), name=LONG), terms=terms(hijri=True))
    return replace(
        found,
        total=_of_many(found.total),
        services=tuple(_copy(found.services[0], number) for number in range(SERVICES)),
        entities=tuple(_copy(found.entities[0], number) for number in range(ENTITIES)),
        weeks=found.weeks[-1:] * WEEKS,
        outages=tuple(_outage(found.outages[0], number) for number in range(OUTAGES)),
        work=tuple(_work(found.work[number % len(found.work)], number) for number in range(WORKS)),
        advisories=found.advisories * 40,
        at_risk=(_at_risk(found),) * 40,
        certificates=found.certificates * 40,
        unmeasured=tuple(Unmeasured(reason=f"reason {n}", unknown_ms=1, services=1) for n in range(30)),
        decisions=tuple(
            Decision(kind="exclusion", number=10_000 + n, down_ms=400_359_000, services=1234)
            for n in range(DECISIONS)
        ),
        not_in=tuple(
            Missing(what=what, until=found.about.began)
            for what in ("judged", "counted", "accounted", "estimated")
        ),
    )


def corrected(found: Document) -> Document:
    """A correction of it that changed a figure of every service."""
    changed = tuple(
        Changed(subject=each.subject, name=LONG, code="F10", old=each.figures["F10"], new=None)
        for each in found.services
    )
    correction = Correction(corrects=1, sha256="0" * 64, why="late " * 200, by="desk", changed=changed)
    return replace(found, about=replace(found.about, version=2), correction=correction)


def _of_many(part: Part) -> Part:
    missed = replace(part.figures["F17"], text="1234567", low="1034567", high="1434567")
    met = replace(part.figures["F08"], text="12", part=12, whole=SERVICES)
    down = replace(part.figures["F10"], text="1728359")
    return replace(part, figures=part.figures | {"F17": missed, "F08": met, "F10": down})


def _copy(part: Part, number: int) -> Part:
    figures = part.figures | {"F03": replace(part.figures["F03"], text="no")}
    return replace(part, subject=f"{part.subject}-{number}", name=LONG, figures=figures)


def _outage(outage: Outage, number: int) -> Outage:
    """Of fifty services, over the end of the week and noted at length."""
    return replace(
        outage,
        name=LONG,
        began=outage.began + timedelta(minutes=number),
        ended=outage.began + timedelta(days=1, minutes=number),
        before=True,
        services=tuple(f"service:passport-{one}" for one in range(50)),
        still=KINDS[::2],
        unmeasured=KINDS[1::2],
        missed=replace(outage.missed, text="123456", low="103456", high="143456"),
        done=(NOTE * 5,) * 5,
    )


def _work(work: Work, number: int) -> Work:
    return replace(work, number=10_000 + number, names=(LONG,) * 7, subjects=work.subjects * 7, why=NOTE * 3)


def _at_risk(found: Document) -> AtRisk:
    return AtRisk(
        subject="service:passport",
        name=LONG,
        indicator="availability",
        target="99.9",
        period="28d",
        met=True,
        left="12.3",
        used_up=found.about.as_of,
    )
