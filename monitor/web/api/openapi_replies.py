"""What the OpenAPI document says of what entities answer about a period."""

from __future__ import annotations

from typing import Any

from monitor.web.api.schema import (
    COUNT,
    FLAG,
    INSTANT,
    TEXT,
    Json,
    in_path,
    list_of,
    object_of,
    or_null,
    query,
    ref,
)
from monitor.web.bodies import JSON

BASE = "/api/v1/reports/{label}/replies"
ABOUT = (
    "A figure's code, an incident's number, or an outage as `service:passport@2026-11-18T10:00:00Z`; the "
    "period as a whole when absent."
)


def schemas() -> Json:
    """Components of the document."""
    outage = object_of(subject=TEXT, began=INSTANT, incident=or_null(TEXT))
    return {
        "Reply": object_of(
            number=COUNT,
            entity={**TEXT, "description": "Its subject."},
            label=TEXT,
            code={**or_null(TEXT), "description": "The figure it is about."},
            outage={**or_null(outage), "description": "The outage it is about."},
            ar={**or_null(TEXT), "description": "As it was written, in Arabic."},
            en={**or_null(TEXT), "description": "As it was written, in English."},
            said_at=INSTANT,
            said_by=TEXT,
            on_behalf={**FLAG, "description": "Entered for the entity by the committee or an operator."},
            withdrawn_at={**or_null(INSTANT), "description": "Null: it stands."},
            withdrawn_by=or_null(TEXT),
        ),
        "Replies": object_of(items=list_of(ref("Reply"))),
    }


def _write(name: str, summary: str, parameters: list[Json], code: str, more: Json) -> Json:
    problem = {"application/problem+json": {"schema": ref("Problem")}}
    who = "A token that does not speak for that entity; a coordinator's does for its own alone."
    return {
        "operationId": name,
        "summary": summary,
        "parameters": parameters,
        "security": [{"token": []}],
        **more,
        "responses": {
            code: {"description": "As it is then.", "content": {JSON: {"schema": ref("Reply")}}},
            "401": {"description": "No token, or one that is not in force.", "content": problem},
            "403": {"description": who, "content": problem},
            "default": {"description": "A problem (RFC 9457).", "content": problem},
        },
    }


def paths(get: Any) -> Json:
    """Paths of the document, made by its `get`."""
    label, number = in_path("label"), in_path("number", COUNT)
    whose = query("entity", TEXT, "Slug of the entity; everybody's when absent.")
    body = {"type": "object", "properties": {"about": {**TEXT, "description": ABOUT}, "ar": TEXT, "en": TEXT}}
    sent = {"requestBody": {"required": True, "content": {JSON: {"schema": body}}}}
    listed = get(
        "replies",
        "What entities answered about a period; until it is published, of those the token answers for.",
        ref("Replies"),
        parameters=[label, whose],
    )
    needed = {**whose, "required": True, "description": "Slug of the entity that answers."}
    adds = _write("reply", "Answer about a period, running or over.", [label, needed], "201", sent)
    withdraws = "Withdraw a reply; what is published keeps it."
    ends = _write("withdraw_reply", withdraws, [label, number], "200", {})
    return {BASE: {**listed, "post": adds}, f"{BASE}/{{number}}/withdraw": {"post": ends}}
