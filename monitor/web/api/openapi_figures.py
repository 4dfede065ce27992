"""What the OpenAPI document says of how a figure of a report was counted."""

from __future__ import annotations

from typing import Any

from monitor.judge.seconds import Says, State
from monitor.language import LANGUAGES
from monitor.report.figures import Unit
from monitor.web.api.schema import (
    COUNT,
    FLAG,
    INSTANT,
    NUMBER,
    TEXT,
    Json,
    enum_of,
    in_path,
    list_of,
    object_of,
    or_null,
    query,
    ref,
)

INTERVALS_MAX = 5000


def schemas() -> Json:
    """Components of the document."""
    whole = or_null({"type": "integer"})
    return {
        "ReportValue": object_of(
            says=enum_of(Says),
            text=or_null(TEXT),
            part={**whole, "description": "The numerator: milliseconds, or a number."},
            whole={**whole, "description": "The denominator."},
            low=or_null(TEXT),
            high=or_null(TEXT),
        ),
        "ReportInterval": object_of(
            state=enum_of(State),
            without_exclusions={**enum_of(State), "description": "As what it would count otherwise."},
            **{"from": INSTANT, "to": INSTANT},
            before={**FLAG, "description": "It was so before already."},
            after={**FLAG, "description": "It was so afterwards still."},
            reason=or_null(TEXT),
            why={**TEXT, "description": "In words."},
            cause={**or_null(TEXT), "description": "The shared system that was the cause."},
            announcements={**list_of(COUNT), "description": "For which it is left out."},
            services=list_of(TEXT),
            seconds_each=NUMBER,
            seconds={**NUMBER, "description": "Of all these services together."},
        ),
        "ReportIntervals": object_of(
            are={**TEXT, "description": "What they are, in words."},
            kept={**FLAG, "description": "False: the report was frozen before intervals were kept."},
            adds_up={**FLAG, "description": "All intervals of the subject sum to its frozen times."},
            count=COUNT,
            seconds=NUMBER,
            items={**list_of(ref("ReportInterval")), "description": "The first of them, oldest first."},
        ),
        "FrozenReply": object_of(
            number=COUNT,
            entity=TEXT,
            ar=or_null(TEXT),
            en=or_null(TEXT),
            said_at=INSTANT,
            said_by=TEXT,
            on_behalf={**FLAG, "description": "Entered for the entity by the committee or an operator."},
        ),
        "CountedFigure": object_of(
            scope=TEXT,
            label=TEXT,
            version=COUNT,
            sha256=TEXT,
            as_of=INSTANT,
            sample=FLAG,
            subject=TEXT,
            name=TEXT,
            code=TEXT,
            key=TEXT,
            unit=enum_of(Unit),
            called=TEXT,
            written={**TEXT, "description": "As every view of the report prints it."},
            meaning=TEXT,
            over=TEXT,
            value=ref("ReportValue"),
            divided={**or_null(TEXT), "description": "Numerator and denominator in words."},
            earlier=or_null(ref("ReportValue")),
            without_exclusions=or_null(ref("ReportValue")),
            with_exclusions=or_null(ref("ReportValue")),
            coverage=or_null(ref("ReportValue")),
            intervals=or_null(ref("ReportIntervals")),
            replies={**list_of(ref("FrozenReply")), "description": "What entities replied about it."},
        ),
    }


def paths(get: Any, limit: Any) -> Json:
    """Paths of the document, made by its `get` and `limit`."""
    return {
        "/api/v1/reports/{label}/figures/{code}": get(
            "report_figure",
            "How one figure of a report was counted, with the intervals behind it.",
            ref("CountedFigure"),
            parameters=[
                in_path("label"),
                in_path("code"),
                query("entity", TEXT, "The report of this entity; the government's when absent."),
                query("version", COUNT, "The last one when absent."),
                query("subject", TEXT, "Of this entity or service in it; of everybody when absent."),
                query("lang", {"type": "string", "enum": [*LANGUAGES]}, "Language of the words."),
                limit(INTERVALS_MAX),
            ],
        )
    }
