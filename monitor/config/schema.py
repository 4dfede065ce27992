"""The JSON Schema that editors complete and check with, made from the declarations."""

from __future__ import annotations

from typing import Any

import msgspec

from monitor.config.form import KIND_KEYS, CheckForm, File

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ADDRESS = {
    "type": "string",
    "description": "Short for `host` and `port`.",
    "pattern": r"^\S+:\d+$",
    "examples": ["mail.example:25"],
}


def schema() -> dict[str, Any]:
    """The schema of one file."""
    (root,), parts = msgspec.json.schema_components([File], ref_template="#/$defs/{name}")
    for name, part in parts.items():
        if "properties" in part:
            _strict(part)
        if name == CheckForm.__name__:
            part["oneOf"] = [{"required": [kind]} for kind in KIND_KEYS]
    return {"$schema": DIALECT, "title": "Continuity monitor: configuration", **root, "$defs": parts}


def _strict(part: dict[str, Any]) -> None:
    """As the loader reads it: no other keys; the kind is the key above; host and port may be one address."""
    properties, required = part["properties"], set(part.get("required", ()))
    part["additionalProperties"] = False
    if properties.get("kind", {}).get("enum", [""])[0] in KIND_KEYS:
        del properties["kind"]
        required.discard("kind")
    if "host" in required and "port" in properties:
        properties["address"] = ADDRESS
        required -= {"host", "port"}
    part["required"] = sorted(required)


def as_text() -> str:
    """The file `config/schema.json`."""
    return msgspec.json.format(msgspec.json.encode(schema(), order="sorted"), indent=2).decode() + "\n"
