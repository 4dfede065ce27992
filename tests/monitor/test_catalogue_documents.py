"""What is generated from the declarations is what lies in the tree, and it says what the loader does."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import msgspec
import pytest

from monitor.config import form, reference, schema
from monitor.config.load import load
from monitor.config.source import Node, Scalar, Sequence, read
from probes.catalogue import KINDS

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
REFUSED_BY_TYPE = (
    "unknown-key",
    "unknown-key-of-a-kind",
    "missing-key",
    "bad-slug",
    "choices",
    "wrong-type",
    "settings",
    "kinds-of-a-check",
    "secret-in-a-field",
)


def plain(node: Node | None) -> object:
    if node is None or isinstance(node, Scalar):
        return node and node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key: plain(child) for key, (_, child) in node.pairs.items()}


def mistakes(path: Path) -> list[str]:
    """What an editor would underline."""
    validator = jsonschema.Draft202012Validator(msgspec.to_builtins(schema.schema()))
    return [error.message for error in validator.iter_errors(plain(read(path)[0]))]


def test_the_schema_in_the_tree_is_the_one_that_is_generated() -> None:
    assert (ROOT / reference.SCHEMA).read_text(encoding="utf-8") == schema.as_text()


def test_the_reference_in_the_tree_is_the_one_that_is_generated() -> None:
    assert (ROOT / reference.DOCUMENT).read_text(encoding="utf-8") == reference.document()


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(msgspec.to_builtins(schema.schema()))


def test_the_schema_accepts_the_good_catalogue_and_the_sample() -> None:
    files = [*(FIXTURES / "catalogue").rglob("*.yaml"), *(ROOT / "config").rglob("*.yaml")]
    assert len(files) > 30
    assert [message for path in files for message in mistakes(path)] == []


@pytest.mark.parametrize("name", REFUSED_BY_TYPE)
def test_the_schema_refuses_what_types_can_say(name: str) -> None:
    assert mistakes(FIXTURES / "invalid" / f"{name}.yaml")


def test_every_kind_of_probe_can_be_written() -> None:
    assert set(KINDS) == set(form.KIND_KEYS) <= set(form.CheckForm.__struct_fields__)


def test_every_key_has_a_meaning() -> None:
    rows = [
        line for line in reference.document().splitlines() if line.startswith("| `") and line.count("|") > 4
    ]
    assert len(rows) > 130
    assert [row for row in rows if not row.replace("\\|", "").split("|")[4].strip()] == []


def test_the_first_example_of_the_reference_loads(tmp_path: Path) -> None:
    example = reference.OPENING.split("```yaml\n")[1].split("```")[0]
    path = tmp_path / "monitor.yaml"
    path.write_text(example)
    assert len(load(path, environ={}).catalogue.checks) == 1
