"""What the OpenAPI document says of incidents."""

from __future__ import annotations

from typing import Any

from monitor.judge.incidents import Ruling, State
from monitor.judge.troubles import Sign
from monitor.model import Severity, Verdict
from monitor.web.api.schema import (
    COUNT,
    FLAG,
    INSTANT,
    TEXT,
    Json,
    enum_of,
    in_path,
    list_of,
    object_of,
    or_null,
    query,
    ref,
    with_base,
)
from monitor.web.bodies import JSON
from monitor.web.reporting import VERDICTS

INCIDENTS_MAX = 1000
NUMBER_IN_PATH = in_path("number", {**TEXT, "examples": ["INC-2026-0412"]})


def schemas() -> Json:
    """Components of the document."""
    return {
        "IncidentLine": object_of(
            number=TEXT,
            subject={**TEXT, "description": "Path of a system, service or check, or `government`."},
            sign=enum_of(Sign),
            state=enum_of(State),
            severity=enum_of(Severity),
            verdict=enum_of(Verdict),
            suspected={**FLAG, "description": "Its own check never confirmed it."},
            since=INSTANT,
            opened_at=INSTANT,
            well_since=or_null(INSTANT),
            closed_at=or_null(INSTANT),
            absorbed_by=or_null(TEXT),
            opened_by={**or_null(TEXT), "description": "Who opened it by hand; null: the monitor did."},
            title={**or_null(TEXT), "description": "What they say is wrong."},
            ruling={**or_null(enum_of(Ruling)), "description": "A person's word on a suspected cause."},
            ruled_by=or_null(TEXT),
            failures=COUNT,
            reopened=COUNT,
            acknowledged_at=or_null(INSTANT),
            acknowledged_by=or_null(TEXT),
            services={**list_of(TEXT), "description": "Every service it ever took."},
            channels=list_of(TEXT),
        ),
        "Incident": {
            "allOf": [
                ref("AsOf"),
                ref("IncidentLine"),
                object_of(
                    taken=list_of(with_base("ServiceLine", still_works=list_of(TEXT))),
                    call=list_of(object_of(name=ref("Name"), contacts=list_of({"type": "object"}))),
                    timeline=list_of(
                        object_of(kind=TEXT, at=INSTANT, known_at=INSTANT, author=or_null(TEXT), text=TEXT)
                    ),
                ),
            ]
        },
        "Shift": with_base(
            "AsOf",
            since=INSTANT,
            until=INSTANT,
            zone=TEXT,
            opened={**list_of(TEXT), "description": "Numbers of the incidents opened in it."},
            open=list_of(ref("IncidentLine")),
            closed=list_of(ref("IncidentLine")),
            work=list_of(
                object_of(
                    id=COUNT,
                    subjects=list_of(TEXT),
                    **{"from": INSTANT, "to": INSTANT},
                    why=TEXT,
                    announced_by=TEXT,
                )
            ),
            unknown=list_of(with_base("Shown", subject=TEXT)),
            not_delivered=list_of(
                object_of(
                    incident=or_null(TEXT),
                    receiver=TEXT,
                    state=TEXT,
                    tries=COUNT,
                    said=TEXT,
                    made_at=INSTANT,
                )
            ),
            hand_overs=list_of(object_of(since=INSTANT, at=INSTANT, author=TEXT, text=TEXT)),
        ),
    }


def _act(
    name: str,
    summary: str,
    *,
    code: str,
    body: Json | None = None,
    about: bool = True,
    answers: str = "Incident",
) -> Json:
    """A POST of an operator (`about`: on one incident); answers with the thing as it is then."""
    problem = {"application/problem+json": {"schema": ref("Problem")}}
    answer = {"description": f"The {answers.lower()}.", "content": {JSON: {"schema": ref(answers)}}}
    missing = {"404": {"description": "No such incident.", "content": problem}}
    return {
        "post": {
            "operationId": name,
            "summary": summary,
            "parameters": [NUMBER_IN_PATH] if about else [],
            "security": [{"token": []}],
            **({"requestBody": {"required": True, "content": {JSON: {"schema": body}}}} if body else {}),
            "responses": {
                code: answer,
                "401": {"description": "No token, or one that is not in force.", "content": problem},
                "403": {"description": "A token that is not an operator's.", "content": problem},
                **(missing if about else {}),
                "409": {"description": "It does not fit the incident as it is.", "content": problem},
                "default": {"description": "A problem (RFC 9457).", "content": problem},
            },
        }
    }


def _report() -> Json:
    named = object_of(
        subject={**TEXT, "description": "A system or service (path or slug), or `government`."},
        title=TEXT,
        verdict=enum_of(VERDICTS),
        severity=enum_of(Severity),
    )
    since = {**INSTANT, "description": "Now when absent."}
    return {**named, "properties": {**named["properties"], "since": since}}


def paths(get: Any, items: Any, limit: Any) -> Json:
    """Paths of the document, made by its `get`, `items` and `limit`."""
    state = {"type": "string", "enum": ["open", "closed"]}
    listed = get(
        "incidents",
        "Open incidents, the gravest first; or those closed last.",
        {"allOf": [ref("AsOf"), items("IncidentLine")]},
        parameters=[
            query("state", state, "Which; open when absent."),
            query("entity", TEXT, "Only those that are about or take something of this entity (slug)."),
            query("system", TEXT, "Only those that are about this system (slug)."),
            limit(INCIDENTS_MAX),
        ],
    )
    opening = _act("open_incident", "Open one by hand.", code="201", body=_report(), about=False)
    return {
        "/api/v1/incidents": listed | opening,
        "/api/v1/incidents/{number}": get(
            "incident",
            "One incident: timeline, what it takes, what still works, whom to call.",
            ref("Incident"),
            parameters=[NUMBER_IN_PATH],
        ),
        "/api/v1/incidents/{number}/acknowledge": _act(
            "acknowledge",
            "Say that you have it in hand. Whoever comes second sees who was first.",
            code="200",
        ),
        "/api/v1/incidents/{number}/notes": _act(
            "note", "Add a note to the timeline, under your name.", code="201", body=object_of(text=TEXT)
        ),
        "/api/v1/incidents/{number}/close": _act(
            "close_incident", "Close one that a person opened.", code="200"
        ),
        "/api/v1/incidents/{number}/cause": _act(
            "rule_on_cause",
            "Confirm or reject its suspected cause; only a confirmed one is named to the public.",
            code="200",
            body=object_of(ruling=enum_of(Ruling)),
        ),
        "/api/v1/incidents/{number}/summary": _act(
            "summarise",
            "Say what happened and what was learned, once it is closed.",
            code="201",
            body=object_of(text=TEXT),
        ),
        "/api/v1/shift": get(
            "shift",
            "A shift: incidents opened, closed and open, planned work, what is unknown or not delivered.",
            ref("Shift"),
            parameters=[
                query("since", TEXT, "Such as 19:00 (the last one), or an instant; else the last hand-over.")
            ],
        ),
        "/api/v1/shift/hand-over": _act(
            "hand_over",
            "Sign a note for the next shift.",
            code="201",
            body={"type": "object", "properties": {"text": TEXT, "since": TEXT}, "required": ["text"]},
            about=False,
            answers="Shift",
        ),
    }
