"""A file by line with byte offsets, and what NDJSON and CSV say as transactions."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, Protocol

import msgspec

from monitor.errors import BadMessage, UsageError
from monitor.stream.wire import Transaction, decode_transaction, encode

LINE_MOST_BYTES = 64 * 1024
FIELDS = Transaction.__struct_fields__
NUMBERS = ("count", "duration_ms", "schema")


class Raw(NamedTuple):
    """A line as it stands in the file; `end` is the offset of what follows."""

    number: int
    end: int
    text: bytes
    whole: bool = True  # it ended with a line feed


class Item(NamedTuple):
    """What a line says: an event and its message, or why not; neither where it is none of ours."""

    line: int
    end: int
    event: Transaction | None = None
    value: bytes = b""
    why_not: str = ""


Name = Callable[[int], str]  # the id of an event that has none, by its line
Read = Callable[[Iterator[Raw], Name], Iterator[Item]]


class Lines(Protocol):
    """A file, or a pipe, read by line."""

    def readline(self, limit: int, /) -> bytes: ...
    def close(self) -> None: ...


def raw_lines(file: Lines, *, begin: int, number: int) -> Iterator[Raw]:
    """Lines from offset `begin` on, the first of which is line `number`. A longer one is cut, not kept."""
    end = begin
    while text := file.readline(LINE_MOST_BYTES):
        end += len(text)
        rest = text
        while not rest.endswith(b"\n") and (rest := file.readline(LINE_MOST_BYTES)):
            end += len(rest)
        whole = rest.endswith(b"\n")
        yield Raw(number, end, text, whole)
        number += 1


def too_long(raw: Raw) -> bool:
    return len(raw.text) >= LINE_MOST_BYTES and not raw.text.endswith(b"\n")


def ndjson(lines: Iterator[Raw], name: Name) -> Iterator[Item]:
    """One JSON object a line, as Kafka has it; empty lines are passed over."""
    for raw in lines:
        text = raw.text.strip()
        if not text:
            yield Item(raw.number, raw.end)
        elif too_long(raw):
            yield Item(raw.number, raw.end, why_not=f"longer than {LINE_MOST_BYTES} bytes")
        else:
            yield _ndjson(raw, text, name)


def _ndjson(raw: Raw, text: bytes, name: Name) -> Item:
    try:
        event = decode_transaction(text)
    except BadMessage as error:
        return Item(raw.number, raw.end, why_not=str(error))
    if event.id:
        return Item(raw.number, raw.end, event, text)
    return made(raw, event, name)


def made(raw: Raw, event: Transaction, name: Name) -> Item:
    """The event with an id, and its message."""
    if not event.id:
        event = msgspec.structs.replace(event, id=name(raw.number))
    return Item(raw.number, raw.end, event, encode(event))


class Csv:
    """CSV with a header. `columns` names the column of a field, `constants` what no column says."""

    def __init__(self, header: bytes, *, columns: Mapping[str, str], constants: Mapping[str, str]) -> None:
        """Raises UsageError where the header has not what is needed."""
        text = header.decode("utf-8-sig", errors="replace").rstrip("\r\n")
        self._delimiter = max(",;\t", key=text.count)
        names = [name.strip() for name in next(csv.reader([text], delimiter=self._delimiter), [])]
        self._constants = dict(constants)
        self._places: dict[str, int] = {}
        for field in FIELDS:
            column = columns.get(field, field)
            if field in constants:
                continue
            if column in names:
                self._places[field] = names.index(column)
            elif field in columns or field in ("service", "channel", "outcome", "at"):
                raise UsageError(
                    f"no column {column!r} for `{field}`; the header has {', '.join(names) or 'nothing'}; "
                    f"say --map {field}=COLUMN or --set {field}=VALUE"
                )

    def __call__(self, lines: Iterator[Raw], name: Name) -> Iterator[Item]:
        """A row may go over several lines; it is named by its first."""
        seen: list[Raw] = []

        def texts() -> Iterator[str]:
            for raw in lines:
                seen.append(raw)
                yield raw.text.decode("utf-8", errors="replace")

        try:
            for row in csv.reader(texts(), delimiter=self._delimiter):
                first, last = seen[0], seen[-1]
                seen.clear()
                place = Raw(first.number, last.end, b"")
                yield self._item(place, row, name) if any(row) else Item(place.number, place.end)
        except csv.Error as error:
            last = seen[-1]
            yield Item(last.number, last.end, why_not=f"no CSV: {error}")

    def _item(self, raw: Raw, row: list[str], name: Name) -> Item:
        values: dict[str, object] = {**self._constants}
        for field, place in self._places.items():
            if place < len(row) and (text := row[place].strip()):
                values[field] = text
        try:
            event = msgspec.convert(values, Transaction, strict=False)
        except msgspec.ValidationError as error:
            return Item(raw.number, raw.end, why_not=str(error))
        return made(raw, event, name)
