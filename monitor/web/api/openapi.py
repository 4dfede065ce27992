"""The OpenAPI 3.1 document of the API; a test compares it with the routes, both ways."""

from __future__ import annotations

from functools import cache

from monitor.judge.accepting import ID_MOST
from monitor.judge.counting import COUNT_MAX
from monitor.judge.findings import DROP, FAILURE_RATE, SILENCE, SURGE
from monitor.judge.picture import BEHIND
from monitor.model import (
    ChannelKind,
    Effect,
    FindingLevel,
    Missing,
    SystemKind,
    TransactionOutcome,
    Verdict,
)
from monitor.store.history import ATTEMPTS_MAX
from monitor.store.read import CHANGES_MAX
from monitor.web.api import (
    objective_forms,
    openapi_availability,
    openapi_committee,
    openapi_figures,
    openapi_incidents,
    openapi_public,
    openapi_replies,
    openapi_reports,
    openapi_work,
)
from monitor.web.api.schema import COUNT, FLAG, INSTANT, NUMBER, TEXT, Json, in_path
from monitor.web.api.schema import enum_of as _enum
from monitor.web.api.schema import list_of as _list
from monitor.web.api.schema import object_of as _object
from monitor.web.api.schema import or_null as _or_null
from monitor.web.api.schema import query as _query
from monitor.web.api.schema import ref as _ref
from monitor.web.api.schema import with_base as _with
from monitor.web.bodies import JSON, NDJSON
from monitor.web.curve import STEPS
from monitor.web.gateway import EVENTS_MOST
from probes.contract import Outcome

KINDS = (SILENCE, DROP, FAILURE_RATE, SURGE)


def _schemas() -> Json:
    return {
        "Name": _object(en=TEXT, ar=TEXT),
        "Problem": _object(type=TEXT, title=TEXT, status=COUNT, detail=TEXT, instance=TEXT),
        "AsOf": _object(
            as_of={**_or_null(INSTANT), "description": "Everything was judged up to here."},
            catalogue_serial=COUNT,
        ),
        "Shown": _object(
            verdict=_enum(Verdict),
            reason={**TEXT, "description": f"Of a closed list; `{BEHIND}`: we do not know what is true now."},
            cause={**_or_null(TEXT), "description": "Path of the system it follows from."},
            since=_or_null(INSTANT),
            behind=FLAG,
        ),
        **openapi_incidents.schemas(),
        **openapi_public.schemas(),
        **openapi_work.schemas(),
        "Continuity": _with(
            "AsOf",
            sample=FLAG,
            behind=FLAG,
            required=COUNT,
            available=COUNT,
            not_available=COUNT,
            unknown=COUNT,
            ratio=_or_null(NUMBER),
            ratio_percent={**_or_null(TEXT), "description": "Cut, never rounded up."},
            missing={**_enum(Missing), "description": "What unknown services count as in the ratio."},
            coverage=_or_null(NUMBER),
            coverage_percent=_or_null(TEXT),
            sufficient=FLAG,
            target=NUMBER,
            target_met=_or_null(FLAG),
            most_unavailable=COUNT,
            by_transactions={
                **_or_null(_ref("ByTransactions")),
                "description": "The headline where each service weighs what is usual on it in this hour.",
            },
        ),
        "ByTransactions": _object(
            available=NUMBER,
            not_available=NUMBER,
            unknown=NUMBER,
            ratio=_or_null(NUMBER),
            ratio_percent=_or_null(TEXT),
        ),
        "Entity": _object(
            slug=TEXT, name=_ref("Name"), required=COUNT, available=COUNT, not_available=COUNT, unknown=COUNT
        ),
        "ServiceLine": _with(
            "Shown",
            slug=TEXT,
            subject=TEXT,
            name=_ref("Name"),
            entity=_or_null(TEXT),
            remotely_available=_or_null(FLAG),
            excluded=openapi_work.EXCLUDED,
        ),
        "Contact": {
            "type": "object",
            "required": ["role", "name"],
            "properties": {
                "role": _ref("Name"),
                "name": _ref("Name"),
                "phone": TEXT,
                "mail": TEXT,
                "hours": TEXT,
            },
        },
        "Dependency": _object(system=TEXT, effect=_enum(Effect)),
        "Channel": _with(
            "Shown",
            slug=TEXT,
            subject=TEXT,
            kind=_enum(ChannelKind),
            remote=FLAG,
            completes=FLAG,
            url=_or_null(TEXT),
            own_check=FLAG,
            derived=FLAG,
            excluded=openapi_work.EXCLUDED,
            measured=_or_null(_ref("Shown")),
            checks=_list(TEXT),
            depends=_list(_ref("Dependency")),
        ),
        "Service": {
            "allOf": [
                _ref("AsOf"),
                _ref("ServiceLine"),
                _object(
                    runbook=_or_null(TEXT),
                    contacts=_list(_ref("Contact")),
                    channels=_list(_ref("Channel")),
                    findings=_list(_ref("Finding")),
                    missed=_list(_ref("Missed")),
                ),
            ]
        },
        "Ended": _object(completed=COUNT, failed=COUNT, abandoned=COUNT, all=COUNT),
        "Share": _object(part=COUNT, whole=COUNT, ratio=_or_null(NUMBER), percent=_or_null(TEXT)),
        "Compared": _with("Share", before=_ref("Share"), points=_or_null(NUMBER)),
        "Moment": _object(
            at=INSTANT,
            completed=_or_null(COUNT),
            failed=_or_null(COUNT),
            abandoned=_or_null(COUNT),
            expected={**_or_null(NUMBER), "description": "Completed transactions that are usual."},
            low={**_or_null(NUMBER), "description": "A usual count is within low and high, 9 times in 10."},
            high=_or_null(NUMBER),
            complete={**FLAG, "description": "Everything that arrived for it is counted."},
        ),
        "Transactions": _object(
            as_of={**_or_null(INSTANT), "description": "What arrived by then is counted."},
            catalogue_serial=COUNT,
            sample=FLAG,
            service=_or_null(TEXT),
            entity=_or_null(TEXT),
            step={"type": "string", "enum": list(STEPS)},
            **{"from": INSTANT, "to": INSTANT},
            complete=FLAG,
            total=_ref("Ended"),
            before={**_ref("Ended"), "description": "Of as long a stretch directly before."},
            uptake={
                **_ref("Compared"),
                "description": "On remote channels, of all; over services in which every channel is counted.",
            },
            completion=_ref("Compared"),
            failure=_ref("Compared"),
            abandonment=_ref("Compared"),
            services=COUNT,
            services_counted_whole=COUNT,
            channels_without_data=_list(TEXT),
            points=_list(_ref("Moment")),
        ),
        "Finding": _object(
            subject=TEXT,
            kind={"type": "string", "enum": list(KINDS)},
            level=_enum(FindingLevel),
            began=INSTANT,
            ended=_or_null(INSTANT),
            probability=NUMBER,
            expected=NUMBER,
            seen=COUNT,
        ),
        "Missed": _object(
            subject=TEXT,
            began=INSTANT,
            ended=_or_null(INSTANT),
            as_of=INSTANT,
            expected=NUMBER,
            seen=COUNT,
            missed={"type": "number", "description": "Estimate; between low and high, 9 times in 10."},
            low=NUMBER,
            high=NUMBER,
            made_up=_or_null(NUMBER),
            made_up_low=_or_null(NUMBER),
            made_up_high=_or_null(NUMBER),
            made_up_done={**FLAG, "description": "The 24 hours after the outage have passed."},
        ),
        "SystemLine": _with(
            "Shown",
            slug=TEXT,
            subject=TEXT,
            name=_ref("Name"),
            kind=_enum(SystemKind),
            entity=_or_null(TEXT),
            dependants=COUNT,
            excluded=openapi_work.EXCLUDED,
        ),
        "System": {
            "allOf": [
                _ref("AsOf"),
                _ref("SystemLine"),
                _object(
                    runbook=_or_null(TEXT),
                    contacts=_list(_ref("Contact")),
                    measured=_or_null(_ref("Shown")),
                    checks=_list(TEXT),
                    depends=_list(_ref("Dependency")),
                    needed_by=_list(
                        _object(service=TEXT, channel=TEXT, effect=_enum(Effect), via=_list(TEXT))
                    ),
                ),
            ]
        },
        "Observation": _object(
            check=TEXT,
            vantage=TEXT,
            due=INSTANT,
            attempt=COUNT,
            outcome=_enum(Outcome),
            reason=TEXT,
            sentence=TEXT,
            every_ms=COUNT,
            late_ms={"type": "integer"},
            took_ms=NUMBER,
            phases_ms={"type": "object", "additionalProperties": NUMBER},
            status=_or_null(COUNT),
            size_bytes=_or_null(COUNT),
            certificate_expires=_or_null(INSTANT),
            failed=_list({"type": "object"}),
            catalogue_serial=COUNT,
            skewed=FLAG,
            beyond_horizon=FLAG,
        ),
        "Transaction": {
            "type": "object",
            "required": ["service", "channel", "outcome", "at"],
            "properties": {
                "schema": {"type": "integer", "const": 1, "default": 1},
                "id": {**TEXT, "maxLength": ID_MOST, "description": "The same again counts once."},
                "service": {**TEXT, "description": "Slug of the catalogue."},
                "channel": {**TEXT, "description": "Slug of a channel of that service."},
                "outcome": _enum(TransactionOutcome),
                "at": {**INSTANT, "description": "When it ended, with its time zone."},
                "count": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": COUNT_MAX,
                    "default": 1,
                    "description": "How many, where the sender has counted already.",
                },
                "duration_ms": {
                    "type": ["number", "null"],
                    "minimum": 0,
                    "description": "Of each of them, from beginning to end.",
                },
            },
        },
        "Taken": _object(
            accepted=COUNT,
            refused=COUNT,
            failed={**_list(_object(line=COUNT, why=TEXT)), "description": "The first of the refused."},
        ),
        "Change": _object(
            cursor=TEXT,
            layer={"type": "string", "enum": ["measured", "effective"]},
            subject=TEXT,
            at=INSTANT,
            verdict=_enum(Verdict),
            reason=TEXT,
            cause=_or_null(TEXT),
            known_at=INSTANT,
            withdrawn_at=_or_null(INSTANT),
        ),
        **openapi_availability.schemas(),
        **objective_forms.schemas(),
        **openapi_reports.schemas(),
        **openapi_replies.schemas(),
        **openapi_figures.schemas(),
        **openapi_committee.schemas(),
    }


def _limit(most: int) -> Json:
    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": 100}
    return _query("limit", schema, "How many at most.")


SLUG = in_path("slug")


def _get(
    name: str,
    summary: str,
    schema: Json,
    *,
    parameters: list[Json] | None = None,
    media: str = "application/json",
) -> Json:
    content = {"application/problem+json": {"schema": _ref("Problem")}}
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "parameters": parameters or [],
            "security": [{}, {"token": []}],
            "responses": {
                "200": {"description": "OK", "content": {media: {"schema": schema}}},
                "default": {"description": "A problem (RFC 9457).", "content": content},
            },
        }
    }


def _send() -> Json:
    line = _ref("Transaction")
    described = {
        "202": "Kafka has acknowledged what was accepted.",
        "400": "The body cannot be read, or is empty.",
        "401": "No token, or one that is not in force.",
        "403": "A token that may not send.",
        "413": "The body is too large: send it in parts.",
        "415": "Another media type or encoding.",
        "422": "Nothing was accepted; `failed` says why.",
        "429": "Too much waits for Kafka; send it again after `Retry-After` seconds.",
        "503": "Kafka or the database is away; send all of it again, with the same ids.",
    }
    problem = {"application/problem+json": {"schema": _ref("Problem")}}
    responses: Json = {
        code: {"description": text, "content": problem} for code, text in described.items() if code != "202"
    }
    taken = {"application/json": {"schema": _ref("Taken")}}
    return {
        "post": {
            "operationId": "send",
            "summary": f"Send transactions: one, an array of at most {EVENTS_MOST}, or NDJSON.",
            "description": "`Content-Encoding: gzip` may be used. An `id` seen again counts once.",
            "security": [{"token": []}],
            "requestBody": {
                "required": True,
                "content": {
                    JSON: {"schema": {"oneOf": [line, _list(line)]}},
                    NDJSON: {"schema": line},
                },
            },
            "responses": {"202": {"description": described["202"], "content": taken}, **responses},
        }
    }


def _items(name: str, **more: Json) -> Json:
    return _object(items=_list(_ref(name)), **more)


def _paths() -> Json:
    listed = {"allOf": [_ref("AsOf"), _items("ServiceLine")]}
    return {
        "/api/v1/continuity": _get("continuity", "The headline, as three numbers.", _ref("Continuity")),
        "/api/v1/entities": _get(
            "entities", "Every entity with its counts.", {"allOf": [_ref("AsOf"), _items("Entity")]}
        ),
        "/api/v1/services": _get(
            "services",
            "Every service.",
            listed,
            parameters=[
                _query("verdict", _enum(Verdict), "Only with this verdict."),
                _query("entity", TEXT, "Only of this entity."),
            ],
        ),
        "/api/v1/services/{slug}": _get("service", "One service.", _ref("Service"), parameters=[SLUG]),
        "/api/v1/systems": _get(
            "systems", "Every shared system.", {"allOf": [_ref("AsOf"), _items("SystemLine")]}
        ),
        "/api/v1/systems/{slug}": _get(
            "system", "One system, and who depends on it.", _ref("System"), parameters=[SLUG]
        ),
        "/api/v1/transactions": _send()
        | _get(
            "transactions",
            "Counted transactions of a service, an entity or the government, beside what is usual.",
            _ref("Transactions"),
            parameters=[
                _query("service", TEXT, "Only of this service (slug)."),
                _query("entity", TEXT, "Only of this entity (slug)."),
                _query("from", INSTANT, "First step; a day before `to` when absent."),
                _query("to", INSTANT, "Before this instant; now when absent. Widened to whole steps."),
                _query("step", {"type": "string", "enum": list(STEPS), "default": "1h"}, "Length of a step."),
            ],
        ),
        **openapi_availability.paths(_get),
        **objective_forms.paths(_get),
        **openapi_reports.paths(_get),
        **openapi_replies.paths(_get),
        **openapi_figures.paths(_get, _limit),
        **openapi_committee.paths(_get, _limit),
        **openapi_incidents.paths(_get, _items, _limit),
        **openapi_public.paths(_get),
        **openapi_work.paths(_get, _items, _limit),
        "/api/v1/observations": _get(
            "observations",
            "Attempts of a check or subject, newest first.",
            _items("Observation", **{"from": INSTANT, "to": INSTANT, "next": _or_null(TEXT)}),
            parameters=[
                _query("check", TEXT, "A check's path. Give this or `subject`."),
                _query("subject", TEXT, "A service's, channel's or system's path."),
                _query("from", INSTANT, "First beat; an hour before `to` when absent."),
                _query("to", INSTANT, "Before this beat; now when absent."),
                _query("outcome", _enum(Outcome), "Only with this outcome."),
                _query("cursor", TEXT, "The `next` of the page before; null in it: there is no more."),
                _limit(ATTEMPTS_MAX),
            ],
        ),
        "/api/v1/changes": _get(
            "changes",
            "Changes of verdicts after a cursor: each once (again when withdrawn), none missed.",
            _items("Change", next=TEXT),
            parameters=[
                _query("since", TEXT, "A `next` or `cursor` given before; without it, the cursor of now."),
                _limit(CHANGES_MAX),
            ],
        ),
        "/api/v1/events": _get(
            "events",
            "Server-sent events `hello`, `changes`, `heartbeat`. An event's id is a cursor for `changes`.",
            TEXT,
            media="text/event-stream",
        ),
        "/api/v1/openapi.json": _get("openapi", "This document.", {"type": "object"}),
    }


@cache
def document() -> Json:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Service continuity",
            "version": "1",
            "description": "Which services people can get remotely now. Times are RFC 3339, UTC.",
        },
        "paths": _paths(),
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }
