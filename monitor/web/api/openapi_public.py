"""What the OpenAPI document says of what the public is told."""

from __future__ import annotations

from typing import Any

from monitor.web.api.openapi_incidents import NUMBER_IN_PATH
from monitor.web.api.schema import FLAG, INSTANT, TEXT, Json, list_of, object_of, or_null, ref
from monitor.web.bodies import JSON


def schemas() -> Json:
    """Components of the document."""
    word = object_of(ar=TEXT, en=TEXT, next_update=or_null(INSTANT), said_at=INSTANT, said_by=TEXT)
    return {
        "ToldToThePublic": object_of(
            incident=TEXT,
            published_at={**or_null(INSTANT), "description": "Null: not yet, and not by itself."},
            next_update={**or_null(INSTANT), "description": "What was promised; null when it is closed."},
            update_missed={**FLAG, "description": "The promise was not kept."},
            items={**list_of(word), "description": "What operators added, the newest first."},
        )
    }


def paths(get: Any) -> Json:
    """Paths of the document, made by its `get`."""
    body = {
        "type": "object",
        "description": "A text in every published language, or in none: then the incident is only published.",
        "properties": {"ar": TEXT, "en": TEXT, "next_update": INSTANT},
        "additionalProperties": False,
    }
    problem = {"application/problem+json": {"schema": ref("Problem")}}
    answer = {
        "description": "What the public is told.",
        "content": {JSON: {"schema": ref("ToldToThePublic")}},
    }
    listed = get(
        "told_to_the_public",
        "What the public is told of an incident beside the fixed sentences.",
        ref("ToldToThePublic"),
        parameters=[NUMBER_IN_PATH],
    )
    said = {
        "post": {
            "operationId": "tell_the_public",
            "summary": "Add to what the public is told, and publish the incident at once.",
            "parameters": [NUMBER_IN_PATH],
            "security": [{"token": []}],
            "requestBody": {"required": True, "content": {JSON: {"schema": body}}},
            "responses": {
                "201": answer,
                "400": {
                    "description": "A text is missing or too long, or a bad hour.",
                    "content": problem,
                },
                "401": {"description": "No token, or one that is not in force.", "content": problem},
                "403": {"description": "A token that is not an operator's.", "content": problem},
                "404": {"description": "No such incident.", "content": problem},
                "default": {"description": "A problem (RFC 9457).", "content": problem},
            },
        }
    }
    return {"/api/v1/incidents/{number}/public": listed | said}
