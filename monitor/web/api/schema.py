"""Pieces that the OpenAPI document is put together from."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

TEXT: Json = {"type": "string"}
NUMBER: Json = {"type": "number"}
COUNT: Json = {"type": "integer", "minimum": 0}
FLAG: Json = {"type": "boolean"}
INSTANT: Json = {"type": "string", "format": "date-time"}


def or_null(schema: Json) -> Json:
    """The same, or null; of a component too."""
    if "$ref" in schema:
        return {"oneOf": [schema, {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]}


def list_of(schema: Json) -> Json:
    return {"type": "array", "items": schema}


def enum_of(members: Any) -> Json:
    """One of the values of an enumeration."""
    return {"type": "string", "enum": [member.value for member in members]}


def object_of(**properties: Json) -> Json:
    """An object in which all of these must be."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def ref(name: str) -> Json:
    """A component by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def with_base(base: str, /, **properties: Json) -> Json:
    """All of a component, and these."""
    return {"allOf": [ref(base), object_of(**properties)]}


def in_path(name: str, schema: Json = TEXT) -> Json:
    """A part of the address."""
    return {"name": name, "in": "path", "required": True, "schema": schema}


def query(name: str, schema: Json, text: str) -> Json:
    """A parameter of the query that may be left out."""
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": text}
