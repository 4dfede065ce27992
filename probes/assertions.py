"""What an answer must say: text, headers and places in a JSON document, each hard or soft."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Annotated, Literal

import msgspec

from probes.contract import Failed

Operator = Literal["==", "!=", "<", "<=", ">", ">=", "contains", "matches", "exists"]
MATCHED_CHARS_MAX = 10_000  # a pattern is tried on this much, so that no answer can make it run for long

JSON_PATH = r"^\$(\.[A-Za-z_][A-Za-z0-9_-]*|\[[0-9]+\]|\['[^']*'\])*$"
STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]+)\]|\['([^']*)'\]")

Value = str | int | float | bool | None
Soft = Annotated[bool, msgspec.Meta(description="When true, a failure makes the check degraded, not down.")]
Op = Annotated[
    Operator,
    msgspec.Meta(
        description="How what is found compares to `value`. `exists` needs no value; with `value: false` "
        "it asks for absence. `<` and its kin compare numbers. `matches` is a regular expression."
    ),
]


class Text(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A text that the body must, or must not, contain."""

    text: Annotated[
        str, msgspec.Meta(description="The text, upper and lower case distinguished.", min_length=1)
    ]
    soft: Soft = False


class Header(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One header of the answer against a value."""

    name: Annotated[str, msgspec.Meta(description="The header's name, in any case.", min_length=1)]
    op: Op = "exists"
    value: Annotated[Value, msgspec.Meta(description="What to compare with.")] = None
    soft: Soft = False


class Json(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One place in the JSON document of the body against a value."""

    path: Annotated[
        str,
        msgspec.Meta(
            description="Where, as `$.name`, `$.list[0]`, `$['a name']`, in any depth.",
            pattern=JSON_PATH,
            examples=["$.status", "$.queues[0].length"],
        ),
    ]
    op: Op = "exists"
    value: Annotated[Value, msgspec.Meta(description="What to compare with.")] = None
    soft: Soft = False


class _Nothing:
    """Stands for a place that does not exist; JSON's null does."""

    def __str__(self) -> str:
        return "nothing"


NOTHING = _Nothing()
Show = Callable[[object], str]


def check_text(
    body: str, *, present: tuple[Text | str, ...], absent: tuple[Text | str, ...]
) -> Iterator[Failed]:
    for wanted, is_wanted in [(t, True) for t in present] + [(t, False) for t in absent]:
        text, soft = (wanted, False) if isinstance(wanted, str) else (wanted.text, wanted.soft)
        if (text in body) is not is_wanted:
            what = "text present" if is_wanted else "text absent"
            was = "not in the body" if is_wanted else "in the body"
            yield Failed(what=what, expected=text, found=was, hard=not soft)


def check_headers(headers: Mapping[str, str], wanted: tuple[Header, ...], show: Show) -> Iterator[Failed]:
    for assertion in wanted:
        value = headers.get(assertion.name, NOTHING)
        if not holds(value, assertion.op, assertion.value):
            yield _failed(f"header {assertion.name}", assertion, show(value))


def check_json(body: str, wanted: tuple[Json, ...], show: Show) -> Iterator[Failed]:
    """Every assertion that does not hold; a body that is no JSON fails each of them."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        yield from (_failed(a.path, a, "a body that is not JSON") for a in wanted)
        return
    for assertion in wanted:
        value = at(document, assertion.path)
        if not holds(value, assertion.op, assertion.value):
            yield _failed(assertion.path, assertion, show(value))


def _failed(what: str, assertion: Header | Json, was: str) -> Failed:
    if assertion.op == "exists":
        expected = "absent" if assertion.value is False else "present"
    else:
        expected = f"{assertion.op} {assertion.value}"
    return Failed(what=what, expected=expected, found=was, hard=not assertion.soft)


def at(document: object, path: str) -> object:
    """What stands at `path`, or NOTHING."""
    place = document
    for step in _steps(path):
        if isinstance(step, int):
            inside = isinstance(place, list) and step < len(place)
        else:
            inside = isinstance(place, dict) and step in place
        if not inside:
            return NOTHING
        place = place[step]  # type: ignore[index]  # its type was asked two lines up
    return place


@lru_cache(maxsize=4096)
def _steps(path: str) -> tuple[str | int, ...]:
    return tuple(
        int(match[2]) if match[2] is not None else (match[1] or match[3] or "")
        for match in STEP.finditer(path)
    )


def holds(value: object, op: Operator, wanted: Value) -> bool:
    """Whether what was found compares to what was wanted. A place that is not there holds only `!=`."""
    if op == "exists":
        return (value is NOTHING) is (wanted is False)
    if value is NOTHING:
        return op == "!="
    if op in ("==", "!="):
        return _same(value, wanted) is (op == "==")
    if op == "contains":
        return wanted in value if isinstance(value, list) else str(wanted) in str(value)
    if op == "matches":
        return re.search(str(wanted), str(value)[:MATCHED_CHARS_MAX]) is not None
    return _ordered(value, op, wanted)


def _same(value: object, wanted: Value) -> bool:
    """Equal as JSON means it: true is not 1; a header's text equals a number it spells."""
    if isinstance(value, str) and isinstance(wanted, int | float) and not isinstance(wanted, bool):
        return _number(value) == wanted
    return isinstance(value, bool) is isinstance(wanted, bool) and value == wanted


def _ordered(value: object, op: Operator, wanted: Value) -> bool:
    left, right = _number(value), _number(wanted)
    if left is None or right is None:
        return False
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[op]


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
