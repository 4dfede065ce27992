"""Messages of others, in whatever shape, as transactions: what lies where, and what its values mean. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec

from monitor.config.transactions import Place, Source
from monitor.errors import BadMessage
from monitor.judge.counting import EPOCH
from monitor.model import TransactionOutcome

IGNORED = "ignored"
_MISSING = object()
_SHOWN_CHARS = 60

Find = Callable[[Any], Any]  # from a decoded message to what lies there, or _MISSING


class Mapped(msgspec.Struct, frozen=True, gc=False):
    """A transaction out of somebody else's message; fields as in monitor/stream/wire.py."""

    id: str
    service: str
    channel: str
    outcome: TransactionOutcome
    at: datetime
    count: int
    duration_ms: float | None


class Mapping:
    """One source, ready to read its messages."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._service = _text_at(source.service, "service")
        self._channel = _text_at(source.channel, "channel")
        self._outcome = _text_at(source.outcome, "outcome")
        self._time, self._id = _finder(source.time), _finder(source.id)
        self._count, self._duration = _finder(source.count), _finder(source.duration_ms)

    def event(self, value: bytes | None) -> Mapped | None:
        """The transaction; None when the mapping says to ignore it. Raises BadMessage("unreadable")."""
        message = _decoded(value)
        outcome = self._outcome(message)
        if outcome == IGNORED:
            return None
        return Mapped(
            self._identity(message),
            self._service(message),
            self._channel(message),
            _outcome(outcome, self._source.outcome),
            self._at(message),
            self._whole(message),
            self._number(message),
        )

    def identity(self, value: bytes | None) -> tuple[str, str]:
        """(service, id) of a message that was counted; an empty id where it has none. Raises BadMessage."""
        message = _decoded(value)
        if self._source.id is None or self._outcome(message) == IGNORED:
            return "", ""
        return self._service(message), self._identity(message)

    def _identity(self, message: Any) -> str:
        found = self._id(message)
        return "" if found is _MISSING or found is None else _text(found, self._source.id)

    def _at(self, message: Any) -> datetime:
        found, path = self._time(message), self._source.time
        if found is _MISSING:
            raise BadMessage("unreadable", f"nothing lies at {path}")
        try:
            if self._source.time_format == "rfc3339":
                at: datetime = _instant.decode(msgspec.json.encode(found))
                return at
            return EPOCH + timedelta(seconds=float(found) / _per_second[self._source.time_format])
        except (msgspec.DecodeError, TypeError, ValueError, OverflowError) as error:
            said = f"{path}: {_shown(found)} is no time as {self._source.time_format}"
            raise BadMessage("unreadable", said) from error

    def _whole(self, message: Any) -> int:
        found = self._count(message)
        if found is _MISSING:
            return 1
        number = _as_number(found, self._source.count)
        if number != int(number):
            raise BadMessage("unreadable", f"{self._source.count}: {_shown(found)} is no whole number")
        return int(number)

    def _number(self, message: Any) -> float | None:
        found = self._duration(message)
        return None if found is _MISSING or found is None else _as_number(found, self._source.duration_ms)


_instant = msgspec.json.Decoder(Annotated[datetime, msgspec.Meta(tz=True)])
_per_second = {"unix": 1.0, "unix_ms": 1000.0}


def _decoded(value: bytes | None) -> Any:
    if value is None:
        raise BadMessage("unreadable", "the message has no value")
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadMessage("unreadable", f"no JSON: {error}") from error


def _finder(path: str | None) -> Find:
    steps = path.split(".") if path else []

    def find(message: Any) -> Any:
        found = message if steps else _MISSING
        for step in steps:
            if isinstance(found, dict):
                found = found.get(step, _MISSING)
            elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
                found = found[int(step)]
            else:
                return _MISSING
        return found

    return find


def _text_at(place: Place, part: str) -> Callable[[Any], str]:
    find, values = _finder(place.path), place.values

    def read(message: Any) -> str:
        found = find(message)
        if found is _MISSING or found is None:
            raise BadMessage("unreadable", f"nothing lies at {place.path}, which is the {part}")
        text = _text(found, place.path)
        return values.get(text, text)

    if place.constant is None:
        return read
    constant = place.constant
    return lambda _: constant


def _text(found: Any, path: str | None) -> str:
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, str | int | float):
        return str(found)
    raise BadMessage("unreadable", f"{path}: {_shown(found)} is no text and no number")


def _outcome(text: str, place: Place) -> TransactionOutcome:
    try:
        return TransactionOutcome(text)
    except ValueError as error:
        allowed = ", ".join([*TransactionOutcome, IGNORED])
        said = f"{place.path}: {_shown(text)} is none of {allowed}; say in `values` what it means"
        raise BadMessage("unreadable", said) from error


def _as_number(found: Any, path: str | None) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise BadMessage("unreadable", f"{path}: {_shown(found)} is no number")
    return found


def _shown(found: Any) -> str:
    text = msgspec.json.encode(found).decode()
    return text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"
