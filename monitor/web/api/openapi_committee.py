"""What the OpenAPI document says of the committee's actions and inquiries."""

from __future__ import annotations

from typing import Any

from monitor.web.api.schema import (
    COUNT,
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

LISTED_MAX = 200
DAY: Json = {"type": "string", "format": "date"}
NUMBER_IN_PATH = in_path("number", COUNT)


def schemas() -> Json:
    """Components of the document."""
    return {
        "CommitteeAction": object_of(
            number=COUNT,
            what=TEXT,
            who={**TEXT, "description": "Sees to it."},
            due={**DAY, "description": "The last day to do it, where the catalogue is."},
            agreed_at=INSTANT,
            agreed_by=TEXT,
            done_at={**or_null(INSTANT), "description": "Null: it is carried over to the next meeting."},
            done_by=or_null(TEXT),
            result=or_null(TEXT),
        ),
        "CommitteeActions": object_of(items=list_of(ref("CommitteeAction"))),
        "Inquiry": object_of(
            number=COUNT,
            question=TEXT,
            owner={**TEXT, "description": "Answers it."},
            due=DAY,
            scope={**TEXT, "description": "Whose report that is: an entity's subject, or `government`."},
            label={**or_null(TEXT), "description": "The report it came up in."},
            version=or_null(COUNT),
            code={**or_null(TEXT), "description": "The figure it is about, such as F07."},
            asked_at=INSTANT,
            asked_by=TEXT,
            answered_at=or_null(INSTANT),
            answered_by=or_null(TEXT),
            answer=or_null(TEXT),
            seconds_to_answer=or_null(COUNT),
        ),
        "Inquiries": object_of(items=list_of(ref("Inquiry"))),
    }


def _write(name: str, summary: str, gives: str, body: Json, *, code: str = "200") -> Json:
    problem = {"application/problem+json": {"schema": ref("Problem")}}
    settles = code == "200"
    return {
        "post": {
            "operationId": name,
            "summary": summary,
            "parameters": [NUMBER_IN_PATH] if settles else [],
            "security": [{"token": []}],
            "requestBody": {"required": True, "content": {JSON: {"schema": body}}},
            "responses": {
                code: {"description": "As it is then.", "content": {JSON: {"schema": ref(gives)}}},
                "401": {"description": "No token, or one that is not in force.", "content": problem},
                "403": {
                    "description": "Neither the committee's nor an operator's.",
                    "content": problem,
                },
                **({"409": {"description": "Settled already.", "content": problem}} if settles else {}),
                "default": {"description": "A problem (RFC 9457).", "content": problem},
            },
        }
    }


def _asked() -> Json:
    """What is sent to file an inquiry."""
    may = {
        "scope": {**TEXT, "description": "Whose report: the slug of an entity; the government when absent."},
        "label": {**TEXT, "description": "Of a published report."},
        "version": {**TEXT, "description": "Of that report; the last one when absent."},
        "code": {**TEXT, "description": "A figure's code."},
    }
    must = object_of(question=TEXT, owner=TEXT, due=DAY)
    return {**must, "properties": must["properties"] | may}


def paths(get: Any, limit: Any) -> Json:
    """Paths of the document, made by its `get` and `limit`."""

    def state(*values: str) -> Json:
        return query("state", {"type": "string", "enum": [*values]}, "Only those in this state.")

    base = "/api/v1/committee"
    result = {"type": "object", "properties": {"result": TEXT}}
    agreed = object_of(what=TEXT, who=TEXT, due=DAY)
    listed = {
        f"{base}/actions": get(
            "committee_actions",
            "What was agreed: what is to be done, the soonest due first, then what was done.",
            ref("CommitteeActions"),
            parameters=[state("open", "done"), limit(LISTED_MAX)],
        ),
        f"{base}/inquiries": get(
            "inquiries",
            "What was asked: without an answer first, the soonest due of them first.",
            ref("Inquiries"),
            parameters=[state("open", "answered"), limit(LISTED_MAX)],
        ),
    }
    listed[f"{base}/actions"] |= _write("agree", "Add an action.", "CommitteeAction", agreed, code="201")
    listed[f"{base}/inquiries"] |= _write("ask", "File an inquiry.", "Inquiry", _asked(), code="201")
    return {
        **listed,
        f"{base}/actions/{{number}}/done": _write("action_done", "It is done.", "CommitteeAction", result),
        f"{base}/inquiries/{{number}}/answer": _write(
            "answer", "Answer it.", "Inquiry", object_of(answer=TEXT)
        ),
    }
