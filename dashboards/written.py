"""YAML as a person would write it: keys in their order, long texts as blocks, whence in the first line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

HEAD = "# Made by `make dashboards`; edit the code in dashboards/, not this file.\n"


class _Dumper(yaml.SafeDumper):
    """No anchors, and lists stand in from their key."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def yaml_text(document: Mapping[str, object]) -> str:
    """The document as a file."""
    body = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=4000)
    return HEAD + body
