"""What the OpenAPI document says of exclusions."""

from __future__ import annotations

from typing import Any

from monitor.judge.exclusions import Filing, Standing
from monitor.judge.seconds import State
from monitor.judge.work import OCCURRENCES_MAX, Phase, Repeat
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
from monitor.web.bodies import JSON

LISTED_MAX = 200
EXCLUDED: Json = {
    "type": ["string", "null"],
    "enum": [State.MAINTENANCE.value, State.OUT_OF_HOURS.value, None],
    "description": "It is not required now, and what it is in instead; null: it is required.",
}
NUMBER_IN_PATH = in_path("number", COUNT)


def schemas() -> Json:
    """Components of the document."""
    return {
        "WorkLine": object_of(
            number=COUNT,
            filing=enum_of(Filing),
            state=enum_of(Phase),
            standing={**enum_of(Standing), "description": "Whether it is left out of figures, and why."},
            applied=FLAG,
            waiting={**FLAG, "description": "It counts until the committee approves."},
            asked_if_over={**FLAG, "description": "It ends within a quarter of an hour."},
            subjects={**list_of(TEXT), "description": "Paths; a service stands for its channels."},
            **{"from": INSTANT, "to": INSTANT},
            why=TEXT,
            still_works=ref("Name"),
            public_text=ref("Name"),
            phone=or_null(TEXT),
            roll_back=or_null(INSTANT),
            system={**or_null(TEXT), "description": "Of a fault: the system it lies in."},
            entities={**list_of(TEXT), "description": "Slugs of those whose services it takes."},
            announced_at=INSTANT,
            announced_by=TEXT,
            extends=or_null(COUNT),
            series=or_null(COUNT),
            finished_at=or_null(INSTANT),
            ruled_at=or_null(INSTANT),
            ruled_by=or_null(TEXT),
            ruling_why=or_null(TEXT),
        ),
        "Work": {"allOf": [ref("AsOf"), ref("WorkLine")]},
        "WorkFound": {
            "allOf": [
                ref("Work"),
                object_of(
                    downtime_of_others={
                        **list_of(
                            object_of(
                                service=TEXT,
                                entity=or_null(TEXT),
                                down={**NUMBER, "description": "Seconds down in this time, counted or not."},
                                owner={**TEXT, "description": "Slug of the system's owner: it is theirs."},
                            )
                        ),
                        "description": "Services of other entities that cannot be used without the system.",
                    }
                ),
            ]
        },
        "WorkTakes": {
            "allOf": [
                ref("AsOf"),
                object_of(
                    numbers={**list_of(COUNT), "description": "Of each occurrence; empty for a preview."},
                    channels=list_of(TEXT),
                    services=list_of(TEXT),
                    services_without_remote=list_of(TEXT),
                    entities=list_of(TEXT),
                    expected_transactions=or_null(NUMBER),
                    overlaps=list_of(COUNT),
                    quietest_from=or_null(INSTANT),
                    quietest_to=or_null(INSTANT),
                    short_notice=FLAG,
                ),
            ]
        },
    }


def _filed() -> Json:
    """What is sent to announce."""
    must = {"subjects": list_of(TEXT), "from": TEXT, "to": TEXT, "why": TEXT}
    may = {
        "filing": enum_of(Filing),
        "repeat": enum_of(Repeat),
        "times": {**TEXT, "description": f"Occurrences, from 2 to {OCCURRENCES_MAX}."},
        "system": {**TEXT, "description": "Of a fault: the other entity's system."},
        "still_en": TEXT,
        "still_ar": TEXT,
        "public_en": TEXT,
        "public_ar": TEXT,
        "phone": TEXT,
        "roll_back": TEXT,
        "preview": {**FLAG, "description": "Only say what it takes; nothing is announced."},
    }
    return {"type": "object", "required": [*must], "properties": must | may}


def _act(
    name: str, summary: str, *, code: str = "200", body: Json | None = None, gives: str = "Work", who: str
) -> Json:
    problem = {"application/problem+json": {"schema": ref("Problem")}}
    answer = {"description": "As it is then.", "content": {JSON: {"schema": ref(gives)}}}
    about = gives == "Work"
    return {
        "post": {
            "operationId": name,
            "summary": summary,
            "parameters": [NUMBER_IN_PATH] if about else [],
            "security": [{"token": []}],
            **({"requestBody": {"required": True, "content": {JSON: {"schema": body}}}} if body else {}),
            "responses": {
                code: answer,
                **({} if about else {"200": {**answer, "description": "A preview."}}),
                "401": {"description": "No token, or one that is not in force.", "content": problem},
                "403": {"description": f"A token that is not {who}.", "content": problem},
                **({"404": {"description": "No such exclusion.", "content": problem}} if about else {}),
                "409": {"description": "It does not fit the exclusion as it is.", "content": problem},
                "default": {"description": "A problem (RFC 9457).", "content": problem},
            },
        }
    }


def paths(get: Any, items: Any, limit: Any) -> Json:
    """Paths of the document, made by its `get`, `items` and `limit`."""
    listed = get(
        "exclusions",
        "Announced work, outages and faults; those that begin last first.",
        {"allOf": [ref("AsOf"), items("WorkLine")]},
        parameters=[
            query("state", enum_of(Phase), "Only those in this state."),
            query(
                "waiting",
                {"type": "string", "enum": ["true", "false"]},
                "Only those that wait for the committee, or not.",
            ),
            limit(LISTED_MAX),
        ],
    )
    one = get("exclusion", "One of them.", ref("WorkFound"), parameters=[NUMBER_IN_PATH])
    base, theirs, rulers = "/api/v1/exclusions/{number}", "a coordinator's", "the committee's"
    why = object_of(why=TEXT)
    filing = _act("announce", "Announce it.", code="201", body=_filed(), gives="WorkTakes", who=theirs)
    return {
        "/api/v1/exclusions": listed | filing,
        base: one,
        f"{base}/extend": _act(
            "extend", "It takes until then.", code="201", body=object_of(to=TEXT), who=theirs
        ),
        f"{base}/finish": _act("finish", "It is over now.", who=theirs),
        f"{base}/roll-back": _act("roll_back", "It is over, and all is as it was before.", who=theirs),
        f"{base}/cancel": _act("cancel", "Call it off before it begins.", who=theirs),
        f"{base}/approve": _act("approve", "The committee lets it stand.", body=why, who=rulers),
        f"{base}/reject": _act("reject", "The committee lets it count.", body=why, who=rulers),
    }
