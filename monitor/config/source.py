"""YAML with a line and a column for everything in it: YAML 1.2 scalars, no anchors, no key given twice."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from monitor.errors import Problem

DEPTH_MAX = 40  # deeper than any catalogue; a file of brackets must not exhaust the stack
BYTES_MAX = 16 * 1024 * 1024
STRING_TAG = "tag:yaml.org,2002:str"

Scalars = None | bool | int | float | str
WORDS: dict[str, Scalars] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
WORD_STARTS = frozenset("~nNtTfF")
NUMBER_STARTS = frozenset("-+.0123456789")
INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
OTHER_BASE = re.compile(r"0o[0-7]{1,20}|0x[0-9a-fA-F]{1,16}")
CREDENTIALS = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s@:]*:[^/\s@]+@|https?://[^/\s@]+@", re.IGNORECASE)
FLOAT = re.compile(
    r"[-+]?(\.[0-9]{1,30}|[0-9]{1,18}(\.[0-9]{0,30})?)([eE][-+]?[0-9]{1,2})?"
)  # never infinite


class Mark:
    """A place in a file; line and column count from 1."""

    __slots__ = ("column", "file", "line")

    def __init__(self, file: str, line: int = 1, column: int = 1) -> None:
        self.file, self.line, self.column = file, line, column

    def problem(self, text: str, *, level: str = "error") -> Problem:
        return Problem(self.file, self.line, self.column, text, level)


class Scalar:
    """One value as it was written; `plain` when without quotes."""

    __slots__ = ("mark", "plain", "text")

    def __init__(self, mark: Mark, text: str, plain: bool = True) -> None:
        self.mark, self.text, self.plain = mark, text, plain

    @property
    def value(self) -> Scalars:
        """What YAML 1.2 says it is: `no`, `22:30` and `.inf` are text, `012` is twelve."""
        text = self.text
        if not self.plain:
            return text
        if not text or text[0] in WORD_STARTS:
            return WORDS.get(text, text)
        if text[0] in NUMBER_STARTS:
            return _number(text)
        return text


class Refused(Scalar):
    """Stands where something may not stand; the problem is noted already."""

    __slots__ = ()


class Sequence:
    """A list."""

    __slots__ = ("items", "mark")

    def __init__(self, mark: Mark, items: list[Node]) -> None:
        self.mark, self.items = mark, items


class Table:
    """Keys and values, in the order written; each key with its own place."""

    __slots__ = ("mark", "pairs")

    def __init__(self, mark: Mark, pairs: dict[str, tuple[Mark, Node]]) -> None:
        self.mark, self.pairs = mark, pairs


Node = Scalar | Sequence | Table


def _number(text: str) -> Scalars:
    if INTEGER.fullmatch(text):
        return int(text)
    if OTHER_BASE.fullmatch(text):
        return int(text, 0)
    if FLOAT.fullmatch(text):
        return float(text)
    return text


def plain_secret(text: str) -> str:
    """What is wrong when an address carries a password or a token; "" when nothing is."""
    if "@" not in text or not CREDENTIALS.search(text):
        return ""
    return (
        "a secret in plain, in an address: leave it out, and write where it is: `env:NAME` or `file:/path`, "
        "under `basic:` or `password:`"
    )


def read(path: Path, *, replace: Mapping[str, str] | None = None) -> tuple[Node | None, list[Problem]]:
    """The file's content, or None when it is empty or cannot be read, and what is wrong with it."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        return None, [Mark(str(path)).problem(f"cannot be read: {error.strerror or error}")]
    if len(raw) > BYTES_MAX:
        return None, [Mark(str(path)).problem(f"is larger than {BYTES_MAX // 1024 // 1024} MiB: split it")]
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line_start = raw.rfind(b"\n", 0, error.start) + 1
        mark = Mark(str(path), raw.count(b"\n", 0, error.start) + 1, error.start - line_start + 1)
        return None, [mark.problem("is not UTF-8: save the file as UTF-8")]
    return parse(text, file=str(path), replace=replace)


def parse(
    text: str, *, file: str, replace: Mapping[str, str] | None = None
) -> tuple[Node | None, list[Problem]]:
    """The content of `text`, and every mistake of form. `replace` swaps pieces of scalar values literally."""
    builder = _Builder(text, file=file, replacing=_replacer(replace or {}))
    try:
        root = builder.document()
    except yaml.MarkedYAMLError as error:
        return None, [*builder.problems, _syntax(error, file)]
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        text = f"is not YAML: a character that cannot be here ({error.reason})"
        return None, [Mark(file, line).problem(text)]
    except _TooDeepError as error:
        return None, [error.mark.problem(f"lists and tables are nested deeper than {DEPTH_MAX} levels")]
    return root, builder.problems


def _replacer(replace: Mapping[str, str]) -> Callable[[str], str] | None:
    """A longer number that only begins with one of the keys (a port) is left alone."""
    if not replace:
        return None
    keys = sorted(replace, key=len, reverse=True)
    pattern = re.compile("(?:" + "|".join(map(re.escape, keys)) + r")(?![0-9])")
    return lambda text: pattern.sub(lambda match: replace[match[0]], text)


def _syntax(error: yaml.MarkedYAMLError, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    place = Mark(file, mark.line + 1, mark.column + 1) if mark else Mark(file)
    problem = error.problem or "cannot be understood"
    if "another document" in problem:
        return place.problem("a second document begins here; one file holds one document: remove the `---`")
    if "cannot start any token" in problem:
        problem += " (indent with spaces, not tabs; quote texts that begin with @, ` or %)"
    context = f" {error.context}" if error.context else ""
    return place.problem(f"is not YAML: {problem}{context}")


class _TooDeepError(Exception):
    def __init__(self, mark: Mark) -> None:
        self.mark = mark


class _Builder:
    """From libyaml's events to nodes; the events are an iteration, so no file can overflow the stack."""

    def __init__(self, text: str, *, file: str, replacing: Callable[[str], str] | None) -> None:
        self._next: Callable[[], Any] = yaml.CSafeLoader(text).get_event  # any event: libyaml's own types
        self._file = file
        self._replacing = replacing
        self.problems: list[Problem] = []

    def document(self) -> Node | None:
        self._next()  # the stream begins
        if isinstance(self._next(), yaml.StreamEndEvent):
            return None
        root = self._node(self._next(), depth=0)
        self._next()  # the document ends
        extra = self._next()
        if not isinstance(extra, yaml.StreamEndEvent):
            raise yaml.composer.ComposerError(problem="another document", problem_mark=extra.start_mark)
        return None if isinstance(root, Scalar) and root.plain and not root.text else root

    def _node(self, event: Any, *, depth: int) -> Node:
        start = event.start_mark
        mark = Mark(self._file, start.line + 1, start.column + 1)
        kind = type(event)
        if kind is yaml.AliasEvent:
            self._no_anchors(mark, "*")
            return Refused(mark, "")
        if event.anchor is not None:
            self._no_anchors(mark, "&")
        if event.tag is not None and event.tag != "!":
            self.problems.append(mark.problem("tags such as `!!str` are not used here: remove it"))
        if kind is yaml.ScalarEvent:
            text = event.value
            if self._replacing is not None:
                text = self._replacing(text)
            if problem := plain_secret(text):
                self.problems.append(mark.problem(problem))
            return Scalar(mark, text, event.implicit[0])
        if depth == DEPTH_MAX:
            raise _TooDeepError(mark)
        return self._sequence(mark, depth) if kind is yaml.SequenceStartEvent else self._table(mark, depth)

    def _sequence(self, mark: Mark, depth: int) -> Sequence:
        items: list[Node] = []
        while True:
            event = self._next()
            if type(event) is yaml.SequenceEndEvent:
                return Sequence(mark, items)
            items.append(self._node(event, depth=depth + 1))

    def _table(self, mark: Mark, depth: int) -> Table:
        pairs: dict[str, tuple[Mark, Node]] = {}
        while True:
            event = self._next()
            if type(event) is yaml.MappingEndEvent:
                return Table(mark, pairs)
            place, key = self._key(event, depth)
            node = self._node(self._next(), depth=depth + 1)
            if key is None:
                continue
            if key in pairs:
                line = pairs[key][0].line
                text = f"key `{key[:40]}` is given twice; the first is on line {line}"
                self.problems.append(place.problem(text))
                continue
            pairs[key] = place, node

    def _key(self, event: Any, depth: int) -> tuple[Mark, str | None]:
        start = event.start_mark
        place = Mark(self._file, start.line + 1, start.column + 1)
        if type(event) is not yaml.ScalarEvent:
            self._node(event, depth=depth + 1)
            self.problems.append(place.problem("a key must be a word, not a list or a table"))
            return place, None
        if event.value == "<<" and event.implicit[0]:
            self._no_anchors(place, "<<")
            return place, None
        return place, event.value

    def _no_anchors(self, mark: Mark, what: str) -> None:
        self.problems.append(
            mark.problem(f"anchors and merge keys (`{what}`) are not used here: name a profile, `profile: …`")
        )
