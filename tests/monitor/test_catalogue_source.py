"""YAML 1.2: what a scalar is, where it stands, and what may not be written at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.config.source import Node, Scalar, Sequence, Table, parse, read


def value(text: str) -> object:
    """What `key: text` means."""
    node, problems = parse(f"key: {text}\n", file="f.yaml")
    assert not problems
    assert isinstance(node, Table)
    scalar = node.pairs["key"][1]
    assert isinstance(scalar, Scalar)
    return scalar.value


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("22:30", "22:30"),
        ("2026-11-15", "2026-11-15"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("012", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("+5", 5),
        ("1.50", 1.5),
        ("2e3", 2000.0),
        ('"5"', "5"),
        ("'true'", "true"),
        ('""', ""),
        ("+971 4 555", "+971 4 555"),
        ("9" * 5000, "9" * 5000),
        ("1e400", "1e400"),
    ],
)
def test_a_scalar_is_what_yaml_1_2_says(text: str, meant: object) -> None:
    assert (value(text), type(value(text))) == (meant, type(meant))


def test_every_node_knows_its_line_and_column() -> None:
    node, _ = parse("a: 1\nنص:\n  - {ب: x, c: y}\n", file="f.yaml")
    assert isinstance(node, Table)
    key, listed = node.pairs["نص"]
    assert isinstance(listed, Sequence)
    table = listed.items[0]
    assert isinstance(table, Table)
    places = [key, listed.mark, table.mark, table.pairs["c"][0], table.pairs["c"][1].mark]
    assert [(each.line, each.column) for each in places] == [(2, 1), (3, 3), (3, 5), (3, 12), (3, 15)]


def test_a_byte_order_mark_is_not_content(tmp_path: Path) -> None:
    path = tmp_path / "monitor.yaml"
    path.write_bytes(b"\xef\xbb\xbfzone: UTC\n")
    node, problems = read(path)
    assert isinstance(node, Table)
    assert (list(node.pairs), problems) == (["zone"], [])


def test_a_file_past_every_reason_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "monitor.yaml"
    path.write_bytes(b"#" * (16 * 1024 * 1024 + 1))
    assert [each.text for each in read(path)[1]] == ["is larger than 16 MiB: split it"]


@pytest.mark.parametrize("text", ["[" * 200_000, "- " * 200_000, "? " * 200_000, "{a: " * 200_000])
def test_a_file_of_brackets_is_a_mistake_and_not_the_end_of_the_process(text: str) -> None:
    node, problems = parse(text, file="f.yaml")
    assert (node, len(problems)) == (None, 1)


def test_pieces_of_values_are_replaced_and_keys_and_longer_ports_are_not() -> None:
    text = "10.0.0.1:80: a\nurl: http://10.0.0.1:80/x\nother: 10.0.0.1:8080\nca: demo-ca.pem\n"
    node, _ = parse(text, file="f", replace={"10.0.0.1:80": "10.0.0.1:9999", "demo-ca.pem": "/d/ca.pem"})
    assert isinstance(node, Table)
    shown = {key: child.text for key, (_, child) in node.pairs.items() if isinstance(child, Scalar)}
    assert shown == {
        "10.0.0.1:80": "a",
        "url": "http://10.0.0.1:9999/x",
        "other": "10.0.0.1:8080",
        "ca": "/d/ca.pem",
    }


def plain(node: Node) -> object:
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key: plain(child) for key, (_, child) in node.pairs.items()}


@settings(deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=80))
@example("a: &x\n - *x")
@example("\x00")
@example("%YAML 9.9\n---\na")
@example("a: !!python/object:os.system x")
def test_no_text_whatever_is_more_than_a_mistake(text: str) -> None:
    """Nothing raises: a text is content, or problems with places inside it."""
    node, problems = parse(text, file="f.yaml")
    assert node is not None or problems or not text.strip("\ufeff \n\r\t-.~nul") or text.lstrip()[:1] in "#%"
    assert all(each.line >= 1 and each.column >= 1 for each in problems)


leaves = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text("abc 0-9:ن", max_size=8)
trees = st.recursive(
    leaves, lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text("abن", min_size=1), below)
)


@settings(deadline=None, max_examples=40)
@given(st.dictionaries(st.text("abcن", min_size=1, max_size=5), trees, min_size=1))
def test_what_json_writes_is_read_as_it_was(tree: dict[str, object]) -> None:
    import json

    node, problems = parse(json.dumps(tree, ensure_ascii=False), file="f.yaml")
    assert node is not None
    assert (plain(node), problems) == (tree, [])
