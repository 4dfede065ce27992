"""From nodes to structs by their declarations: every mistake is noted where it is, and reading goes on."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import inspect

from monitor.config.source import Mark, Node, Refused, Scalar, Sequence, Table
from monitor.errors import Problem
from probes.contract import SecretRef

SECRET_PATTERN = inspect.type_info(SecretRef).pattern  # type: ignore[attr-defined]  # it is a StrType
SHOWN_CHARS_MAX = 40


class Bad:
    """Stands for what could not be read; its problem is noted already."""


BAD: Final = Bad()


class Hint(NamedTuple):
    """What the declaration says of a value, for the message about a wrong one."""

    description: str = ""
    example: str = ""


class Reading:
    """What one load has found so far: its problems, and where each struct stands in the files."""

    def __init__(self, advise: Callable[[type, str], str] = lambda owner, key: "") -> None:
        self.problems: list[Problem] = []
        self.advise = advise  # what to say of an unknown key that belongs elsewhere
        self._places: dict[int, tuple[object, Table]] = {}  # the struct is kept, or its id would be reused

    def note(self, mark: Mark, text: str, *, level: str = "error") -> None:
        self.problems.append(mark.problem(text, level=level))

    def placed(self, struct: object, table: Table) -> None:
        self._places[id(struct)] = struct, table

    def say(self, text: str, struct: object, *path: str, level: str = "error") -> None:
        """Note a problem at `path` below a struct (keys, or an item's text), or as near as was written."""
        self.note(self.mark(struct, *path), text, level=level)

    def mark(self, struct: object, *path: str) -> Mark:
        node: Node = self._places[id(struct)][1]
        for step in path:
            below = _below(node, step)
            if below is None:
                break
            node = below
        return node.mark

    def wrote(self, struct: object, key: str) -> bool:
        """Whether the file gives this key, whatever its value."""
        return key in self._places[id(struct)][1].pairs


def _below(node: Node, step: str) -> Node | None:
    if isinstance(node, Table) and step in node.pairs:
        return node.pairs[step][1]
    if isinstance(node, Sequence):
        return next((item for item in node.items if isinstance(item, Scalar) and item.text == step), None)
    return None


Reader = Callable[[Node, Reading], Any]


def decode(node: Node, type_: Any, reading: Reading) -> Any:
    """The node as `type_`, or BAD with at least one problem noted. Defaults are the declaration's."""
    return _reader_of(type_)(node, reading)


@cache
def _reader_of(type_: Any) -> Reader:
    return _reader(inspect.type_info(type_), Hint())


def _reader(info: inspect.Type, hint: Hint) -> Reader:
    if isinstance(info, inspect.Metadata):
        schema = info.extra_json_schema or {}
        described = (info.extra or {}).get("allowed") or schema.get("description", hint.description)
        return _reader(info.type, Hint(described, _example(schema) or hint.example))
    if isinstance(info, inspect.UnionType):
        return _union(info, hint)
    if isinstance(info, inspect.StructType):
        return _struct(info)
    if isinstance(info, (inspect.ListType, inspect.VarTupleType)):
        return _list(info, hint)
    if isinstance(info, inspect.DictType):
        return _dict(info, hint)
    return _scalar(info, hint)


def _example(schema: dict[str, Any]) -> str:
    examples = schema.get("examples") or [""]
    example = examples[0]
    return example if isinstance(example, str) else msgspec.json.encode(example).decode()


# scalars


def _scalar(info: inspect.Type, hint: Hint) -> Reader:
    if isinstance(info, inspect.StrType):
        return _text(info, hint)
    if isinstance(info, (inspect.IntType, inspect.FloatType)):
        return _number(info, hint)
    if isinstance(info, inspect.LiteralType):
        return _choice({str(value): value for value in info.values})
    if isinstance(info, inspect.EnumType):
        return _choice({str(member.value): member for member in info.cls})
    if isinstance(info, inspect.BoolType):
        return _bool
    raise NotImplementedError(info)  # a declaration uses a type that files have not needed so far


def _bool(node: Node, reading: Reading) -> Any:
    value = node.value if isinstance(node, Scalar) else None
    return value if isinstance(value, bool) else _wrong(node, reading, "true or false")


def _text(info: inspect.StrType, hint: Hint) -> Reader:
    pattern = re.compile(info.pattern) if info.pattern else None
    secret = info.pattern == SECRET_PATTERN
    shortest, longest = info.min_length or 0, info.max_length or 10_000

    def read(node: Node, reading: Reading) -> Any:
        if not isinstance(node, Scalar) or (node.plain and node.value is None):
            return _wrong(node, reading, "text")
        text = node.text  # as written: a telephone number keeps its + and its zeros
        if (pattern is None or pattern.search(text)) and shortest <= len(text) <= longest:
            return text
        if secret:
            reading.note(node.mark, "a secret in plain: write where it is, `env:NAME` or `file:/path`")
        elif len(text) > longest:
            reading.note(node.mark, f"is {len(text)} characters long; at most {longest} are allowed")
        else:
            reading.note(node.mark, f"{shown(text)} is not allowed here{_says(hint)}")
        return BAD

    return read


def _says(hint: Hint) -> str:
    example = f"; for example {hint.example}" if hint.example else ""
    described = hint.description[:1].lower() + hint.description[1:].rstrip(".")
    return f": {described}{example}" if hint.description else example


def _number(info: inspect.IntType | inspect.FloatType, hint: Hint) -> Reader:
    whole = isinstance(info, inspect.IntType)
    noun = "a whole number" if whole else "a number"
    limits = _limits(info)

    def read(node: Node, reading: Reading) -> Any:
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            return _wrong(node, reading, noun)
        below = (info.ge is not None and value < info.ge) or (info.gt is not None and value <= info.gt)
        above = (info.le is not None and value > info.le) or (info.lt is not None and value >= info.lt)
        if below or above:
            example = f", such as {hint.example}" if hint.example else ""
            reading.note(node.mark, f"{value} is not allowed here: {noun} {limits}{example}")
            return BAD
        return value if whole else float(value)

    return read


def _limits(info: inspect.IntType | inspect.FloatType) -> str:
    words = {"of at least": info.ge, "above": info.gt, "at most": info.le, "below": info.lt}
    return " and ".join(f"{word} {limit:g}" for word, limit in words.items() if limit is not None)


def _choice(values: dict[str, Any]) -> Reader:
    def read(node: Node, reading: Reading) -> Any:
        if not isinstance(node, Scalar) or (node.plain and node.value is None):
            return _wrong(node, reading, f"one of {_listed(values)}")
        if node.text not in values:
            near = suggestion(node.text, values)
            reading.note(node.mark, f"{shown(node.text)} is not one of {_listed(values)}{near}")
            return BAD
        return values[node.text]

    return read


# what holds others


def _list(info: inspect.ListType | inspect.VarTupleType, hint: Hint) -> Reader:
    item = _reader(info.item_type, hint)

    def read(node: Node, reading: Reading) -> Any:
        if not isinstance(node, Sequence):
            return _wrong(node, reading, "a list in [brackets], [] for none")
        values = [item(each, reading) for each in node.items]
        return tuple(value for value in values if value is not BAD)

    return read


def _dict(info: inspect.DictType, hint: Hint) -> Reader:
    key_reader, value_reader = _reader(info.key_type, hint), _reader(info.value_type, hint)

    def read(node: Node, reading: Reading) -> Any:
        if not isinstance(node, Table):
            return _wrong(node, reading, "a table of keys and values")
        values: dict[str, Any] = {}
        for key, (mark, child) in node.pairs.items():
            name, value = key_reader(Scalar(mark, key, plain=False), reading), value_reader(child, reading)
            if name is not BAD and value is not BAD:
                values[name] = value
        return values

    return read


def _struct(info: inspect.StructType) -> Reader:
    cls = info.cls
    readers = {field.encode_name: _reader(field.type, Hint()) for field in info.fields}
    names = {field.encode_name: field.name for field in info.fields}  # `class` is a word of Python's
    required = [field.encode_name for field in info.fields if field.required]
    has_address = {"host", "port"} <= readers.keys()

    def read(node: Node, reading: Reading) -> Any:
        if not isinstance(node, Table):
            return _wrong(node, reading, f"a table with {_listed(readers)}")
        pairs = _with_address(node, reading) if has_address and "address" in node.pairs else node.pairs
        values: dict[str, Any] = {}
        bad = False
        for key, (mark, child) in pairs.items():
            reader = readers.get(key)
            if reader is None:
                advice = reading.advise(cls, key) or suggestion(key, readers, or_list=True)
                reading.note(mark, f"unknown key `{_cut(key)}`{advice}")
                continue
            value = reader(child, reading)
            if value is BAD:
                bad = bad or key in required
            else:
                values[names[key]] = value
        for key in required:
            if key not in pairs:
                reading.note(node.mark, f"`{key}` is missing")
                bad = True
        return BAD if bad else _made(cls, values, node, reading)

    return read


def _made(cls: type, values: dict[str, Any], node: Table, reading: Reading) -> Any:
    try:
        struct = cls(**values)
    except ValueError as error:  # a declaration may check more than its types say
        reading.note(node.mark, str(error))
        return BAD
    reading.placed(struct, node)
    return struct


def _with_address(node: Table, reading: Reading) -> dict[str, tuple[Mark, Node]]:
    """`address: host:port` is short for the two keys."""
    pairs = dict(node.pairs)
    mark, child = pairs.pop("address")
    for key in ("host", "port"):
        if key in pairs:
            reading.note(pairs[key][0], f"`{key}` is already in `address`")
    text = child.text if isinstance(child, Scalar) else ""
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isdigit()):
        reading.note(child.mark, f"{shown(text)} is not an address: write host:port, such as mail.example:25")
        host, port = "-", "1"
    pairs["host"] = mark, Scalar(child.mark, host.strip("[]"), plain=False)
    pairs["port"] = mark, Scalar(child.mark, port)
    return pairs


def _union(info: inspect.UnionType, hint: Hint) -> Reader:
    """The node's own shape says which of the types is meant."""
    nullable = any(isinstance(each, inspect.NoneType) for each in info.types)
    options = [each for each in info.types if not isinstance(each, inspect.NoneType)]
    by_shape = {_shape(each): _reader(each, hint) for each in options}
    numbers = by_shape.get(int) or by_shape.get(float)
    texts = by_shape.get(str)
    only = next(iter(by_shape.values())) if len(by_shape) == 1 else None

    def read(node: Node, reading: Reading) -> Any:
        if isinstance(node, Scalar):
            value = node.value
            if value is None and nullable:
                return None
            reader = by_shape.get(bool) if isinstance(value, bool) else None
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                reader = numbers
            reader = reader or texts
        else:
            reader = by_shape.get(type(node))
        if reader or only:
            return (reader or only)(node, reading)  # type: ignore[misc]  # one of them is there
        return _wrong(node, reading, " or ".join(NOUNS[shape] for shape in by_shape))

    return read


NOUNS: dict[type, str] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    Sequence: "a list",
    Table: "a table of keys and values",
}
SHAPES: dict[type, type] = {
    inspect.BoolType: bool,
    inspect.IntType: int,
    inspect.FloatType: float,
    inspect.ListType: Sequence,
    inspect.VarTupleType: Sequence,
    inspect.StructType: Table,
    inspect.DictType: Table,
}


def _shape(info: inspect.Type) -> type:
    return SHAPES.get(type(info.type if isinstance(info, inspect.Metadata) else info), str)


# words


def _wrong(node: Node, reading: Reading, wanted: str) -> Bad:
    if not isinstance(node, Refused):
        reading.note(node.mark, f"expected {wanted}, found {_what(node)}")
    return BAD


def _what(node: Node) -> str:
    if isinstance(node, Sequence):
        return "a list"
    if isinstance(node, Table):
        return "a table of keys and values"
    return "nothing" if node.plain and node.value is None else shown(node.text)


def shown(text: str) -> str:
    """A value fit for a message: on one line, short, and not at all when it may hold a password."""
    if "@" in text and ":" in text:
        return "this text"
    return f"`{_cut(text)}`"


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN_CHARS_MAX else line[: SHOWN_CHARS_MAX - 1] + "…"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def suggestion(word: str, known: Iterable[str], *, or_list: bool = False) -> str:
    """`; did you mean …?` when something is near, or the list of what is allowed."""
    names = list(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean `{near[0]}`?"
    return f"; allowed are {_listed(names)}" if or_list and names else ""
