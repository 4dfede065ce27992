"""What the OpenAPI document says of availability."""

from __future__ import annotations

from typing import Any

from monitor.judge.exclusions import Standing
from monitor.judge.periods import WEEKDAYS, Kind
from monitor.judge.seconds import Says, State
from monitor.model import ExclusionKind, Missing, Verdict
from monitor.web.api.schema import (
    COUNT,
    FLAG,
    INSTANT,
    NUMBER,
    TEXT,
    Json,
    enum_of,
    list_of,
    object_of,
    or_null,
    query,
    ref,
    with_base,
)


def schemas() -> Json:
    """Components of the document."""
    return {
        "Tally": object_of(
            says={**enum_of(Says), "description": "`figure`, or why there is none."},
            availability_percent={**or_null(TEXT), "description": "Cut, never rounded up."},
            availability={**or_null(NUMBER), "description": "A share of 1 with the same digits."},
            coverage_percent=or_null(TEXT),
            coverage=or_null(NUMBER),
            seconds=object_of(**{state.value: NUMBER for state in State}),
            outages=COUNT,
            longest_s=NUMBER,
            restored={**COUNT, "description": "Outages that ended in the period."},
            mean_restore_s=or_null(NUMBER),
        ),
        "Availability": with_base(
            "Tally",
            subject=TEXT,
            period={"type": "string", "enum": [*Kind, "range"]},
            zone=TEXT,
            **{"from": INSTANT, "to": INSTANT},
            as_of={**INSTANT, "description": "Judged up to here; after it nothing is counted."},
            without_exclusions=ref("Tally"),
            terms=object_of(
                missing=enum_of(Missing),
                degraded_counts=FLAG,
                coverage_gate=NUMBER,
                notice_s=NUMBER,
                decimals=COUNT,
                week_start={"type": "string", "enum": list(WEEKDAYS)},
            ),
        ),
        "Interval": object_of(
            **{"from": INSTANT, "to": INSTANT},
            state={**enum_of(State), "description": "What it counts as."},
            verdict={**enum_of(Verdict), "description": "What was true."},
            reason=TEXT,
            cause=or_null(TEXT),
            attempts=list_of(
                object_of(check=TEXT, vantage=TEXT, due=INSTANT, attempt=COUNT, reason=TEXT, sentence=TEXT)
            ),
        ),
        "Exclusion": object_of(
            id=COUNT,
            kind=enum_of(ExclusionKind),
            subjects=list_of(TEXT),
            **{"from": INSTANT, "to": INSTANT},
            why=TEXT,
            announced_at=INSTANT,
            announced_by=TEXT,
            extends=or_null(COUNT),
            approved_at=or_null(INSTANT),
            approved_by=or_null(TEXT),
            finished_at=or_null(INSTANT),
            standing=enum_of(Standing),
            applied=FLAG,
        ),
        "Evidence": with_base(
            "Availability",
            intervals=list_of(ref("Interval")),
            more={
                **FLAG,
                "description": "Not all is here: only the first intervals, or no services.",
            },
            services=list_of(with_base("Tally", subject=TEXT)),
            exclusions=list_of(ref("Exclusion")),
        ),
    }


def parameters() -> list[Json]:
    """What may be asked of both paths."""
    which = "A path, a slug, `service/channel`, or `government`."
    return [
        {**query("subject", TEXT, which), "required": True},
        query("period", enum_of(Kind), "The period of this kind that holds `from`, or now."),
        query("from", TEXT, "A date or an instant (RFC 3339)."),
        query("to", TEXT, "Before this date or instant; now when absent. Not with `period`."),
        query("zone", TEXT, "Where dates and periods begin; the catalogue's when absent."),
    ]


def paths(get: Any) -> Json:
    """Paths of the document, made by its `get`."""
    return {
        "/api/v1/availability": get(
            "availability",
            "Time in each state, availability and outages of a subject.",
            ref("Availability"),
            parameters=parameters(),
        ),
        "/api/v1/availability/evidence": get(
            "availability_evidence",
            "The intervals of a figure, why, and the attempts that confirmed them.",
            ref("Evidence"),
            parameters=parameters(),
        ),
    }
