"""The golden week with what its entities answered, as it would have been frozen."""

from __future__ import annotations

from monitor.facts import ReplyRow
from monitor.report.document import Document
from monitor.report.replies import with_replies
from tests.golden_week import at, golden

ARABIC = "تعطل الموجّه Cisco ASR 9000 في مركز البيانات DXB-2 بنسبة 100%، واستُبدل في 20-11-2026."
ENGLISH = "Certificates are renewed by day now; see INC-2026-0007."
FORMULA = '=HYPERLINK("http://x";"click")'
MARKUP = "<script>alert(1)</script> #strong[typst] $x$ \\ @fig *bold* \u202eturned"


def row(number: int, text: str = "", *, ar: str = "", entity: str = "interior", **more: object) -> ReplyRow:
    given: dict[str, object] = {
        "code": "", "subject": "", "began_ms": None, "incident": "", "by": "Amal", "on_behalf": False,
        "said_ms": at("22T20:00"), "withdrawn_ms": None, "withdrawn_by": None,
    }  # fmt: skip
    given |= {"number": number, "entity": f"entity:{entity}", "label": "2026-W47", "ar": ar, "en": text}
    given |= more
    return ReplyRow(**given)  # type: ignore[arg-type]


def rows(first: int = 1) -> list[ReplyRow]:
    """About an outage by its incident, a figure, an outage by its instant, the week, and one on behalf."""
    found = [
        row(1, ENGLISH, subject="system:identity", began_ms=at("18T09:58"), incident="INC-2026-0007"),
        row(2, "A router failed at the data centre.", ar=ARABIC, code="F10"),
        row(3, ar=ARABIC, subject="service:passport", began_ms=at("19T22:10")),
        row(4, FORMULA, entity="transport"),
        row(5, MARKUP, entity="transport", code="F01", on_behalf=True, by="Night desk"),
    ]
    return [each._replace(number=each.number + first - 1) for each in found]


def replied(*, first: int = 1, **changed: object) -> Document:
    """The report of that week, its replies numbered from `first`."""
    return with_replies(golden(**changed), rows(first))
