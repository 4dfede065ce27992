"""What the OpenAPI document says of published reports."""

from __future__ import annotations

from typing import Any, get_args

from monitor.judge.seconds import Says
from monitor.language import LANGUAGES
from monitor.report.document import Kind
from monitor.report.files import FORMATS, PAPERS, TABLES
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
)
from monitor.web.bodies import JSON

KINDS = list(get_args(Kind))
REPORTS_MAX = 500
ANY = {"type": "object"}
PROBLEM = {"application/problem+json": {"schema": ref("Problem")}}
MAY_NOT = {
    "401": {"description": "No token, or one that is not in force.", "content": PROBLEM},
    "403": {"description": "A token of neither committee nor operator.", "content": PROBLEM},
}


def schemas() -> Json:
    """Components of the document."""
    return {
        "ReportFigure": object_of(
            says=enum_of(Says), text=or_null(TEXT), low=or_null(TEXT), high=or_null(TEXT)
        ),
        "Report": object_of(
            scope=TEXT,
            label=TEXT,
            version=COUNT,
            kind={"type": "string", "enum": KINDS},
            **{"from": INSTANT, "to": INSTANT},
            as_of={**INSTANT, "description": "What was known then."},
            published_at=INSTANT,
            complete={**FLAG, "description": "False: published at the deadline, without what came later."},
            sample=FLAG,
            sha256={**TEXT, "description": "Of the frozen JSON."},
            figures={**ANY, "additionalProperties": ref("ReportFigure")},
        ),
        "Draft": object_of(
            scope=TEXT,
            label=TEXT,
            version=COUNT,
            made_at=INSTANT,
            review_until={**INSTANT, "description": "Published then, unless it is signed off before."},
            sha256={**TEXT, "description": "Of the JSON it will be published with."},
        ),
        "Drafts": object_of(items=list_of(ref("Draft"))),
        "SignedOff": object_of(scope=TEXT, label=TEXT, version=COUNT, sha256=TEXT),
        "Reports": object_of(items=list_of(ref("Report"))),
    }


def _for_reviewers(described: Json) -> Json:
    """The same, for a token of the committee or an operator alone."""
    found = described["get"]
    return {"get": {**found, "security": [{"token": []}], "responses": found["responses"] | MAY_NOT}}


def _which() -> list[Json]:
    return [query("entity", TEXT, "The report of this entity; the government's when absent.")]


def _version() -> Json:
    return query("version", COUNT, "The last one when absent.")


def _sign_off(label: Json) -> Json:
    signed = {**TEXT, "description": "SHA-256 of the draft that was read, as its `ETag` has it."}
    answer = {"description": "Published.", "content": {"application/json": {"schema": ref("SignedOff")}}}
    return {
        "post": {
            "operationId": "sign_off",
            "summary": "Publish a draft as it is, if it is the one that was read.",
            "parameters": [label, *_which()],
            "security": [{"token": []}],
            "requestBody": {"required": True, "content": {JSON: {"schema": object_of(sha256=signed)}}},
            "responses": {
                "200": answer,
                **MAY_NOT,
                "404": {"description": "No such draft.", "content": PROBLEM},
                "409": {"description": "It was made anew: its SHA-256 is another now.", "content": PROBLEM},
                "default": {"description": "A problem (RFC 9457).", "content": PROBLEM},
            },
        }
    }


def paths(get: Any) -> Json:
    """Paths of the document, made by its `get`."""
    label, form = in_path("label"), in_path("form", {"type": "string", "enum": [*FORMATS]})
    language = query("lang", {"type": "string", "enum": [*LANGUAGES]}, "Language of the file.")
    one_table = query("table", {"type": "string", "enum": [*TABLES]}, "Which table, of CSV.")
    paper = query("paper", {"type": "string", "enum": [*PAPERS]}, "Of PDF: to print, or 16:9 to show.")
    kind = query("kind", {"type": "string", "enum": KINDS}, "Only of this kind.")
    limit = query("limit", COUNT, "At most so many.")
    return {
        "/api/v1/reports": get(
            "reports",
            "The last version of each published report, the newest period first.",
            ref("Reports"),
            parameters=[*_which(), kind, limit],
        ),
        "/api/v1/reports/schema.json": get(
            "report_schema", "JSON Schema of a frozen report, and the key of every figure's code.", ANY
        ),
        "/api/v1/reports/{label}": get(
            "report",
            "A report as it was frozen, byte by byte.",
            ANY,
            parameters=[label, *_which(), _version()],
        ),
        "/api/v1/reports/{label}/versions": get(
            "report_versions",
            "Every version of a report, the last one first.",
            ref("Reports"),
            parameters=[label, *_which()],
        ),
        "/api/v1/reports/drafts": _for_reviewers(
            get("report_drafts", "Drafts that wait for their reviewers, the oldest first.", ref("Drafts"))
        ),
        "/api/v1/reports/{label}/draft": _for_reviewers(
            get(
                "report_draft",
                "A draft, byte by byte as it will be published.",
                ANY,
                parameters=[label, *_which()],
            )
        ),
        "/api/v1/reports/{label}/draft/files/{form}": _for_reviewers(
            get(
                "report_draft_file",
                "A draft as a file, which says that it is one; the JSON says so in its name alone.",
                ANY,
                parameters=[label, form, *_which(), language, one_table, paper],
            )
        ),
        "/api/v1/reports/{label}/sign-off": _sign_off(label),
        "/api/v1/reports/{label}/files/{form}": get(
            "report_file",
            "A report as a file: HTML, PDF, a workbook, CSV or JSON.",
            ANY,
            parameters=[label, form, *_which(), _version(), language, one_table, paper],
        ),
    }
