"""The messages on Kafka, one declaration each. Unknown fields are ignored, so old and new roles can meet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

import msgspec

from monitor.errors import BadMessage
from monitor.model import TransactionOutcome, Version
from probes.contract import Failed, Outcome, Reason

SCHEMA = 1
OBSERVATIONS = "continuity.observations"
CATALOGUE = "continuity.catalogue"
TRANSACTIONS = "continuity.transactions"
REQUESTS = "continuity.requests."  # + vantage


class Observation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="observation"):
    """What one attempt found. Its identity is (check, vantage, due_ms, attempt); attempt 0 is the beat."""

    schema: int = SCHEMA
    check: str
    vantage: str
    due_ms: int  # the beat it belongs to, Unix milliseconds
    attempt: int = 0
    every_ms: int  # the interval in force when asked
    late_ms: int = 0  # started this long after it was due (attempt 0 only)
    took_ms: float = 0.0
    outcome: Outcome
    reason: Reason = Reason.OK
    sentence: str = ""
    phases_ms: dict[str, float] = msgspec.field(default_factory=dict)
    status: int | None = None
    size_bytes: int | None = None
    certificate_expires_ms: int | None = None
    failed: tuple[Failed, ...] = ()
    serial: int = 0  # version of the catalogue it was asked under
    skew_ms: int = 0  # prober's clock minus the broker's, as last measured


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="heartbeat"):
    """A prober lives. Never buffered: one that comes late would say nothing."""

    schema: int = SCHEMA
    vantage: str
    prober: str
    at_ms: int
    checks: int = 0  # how many it owns now
    skew_ms: int = 0


class Request(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Ask now, from another vantage point; worthless after `expires_ms` (the next beat)."""

    schema: int = SCHEMA
    check: str
    due_ms: int
    attempt: int
    expires_ms: int


class Transaction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a service's own system says of people's transactions: one event, or several already counted.

    `service` and `channel` are slugs of the catalogue. The key on Kafka is the service, so that all its
    events meet in one partition; an `id` seen again there within the horizon counts once.
    """

    schema: int = SCHEMA
    id: str = ""
    service: str
    channel: str
    outcome: TransactionOutcome
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    count: int = 1
    duration_ms: float | None = None  # of each of them, from beginning to end


class Identity(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Of a transaction, what tells it from another one of its partition."""

    service: str
    id: str = ""


_encoder = msgspec.json.Encoder()
_transaction = msgspec.json.Decoder(Transaction)
_identity = msgspec.json.Decoder(Identity)
_observation = msgspec.json.Decoder(Observation | Heartbeat)
_request = msgspec.json.Decoder(Request)
_version = msgspec.json.Decoder(Version)


def encode(message: Observation | Heartbeat | Request | Version | Transaction) -> bytes:
    """JSON, UTF-8."""
    return _encoder.encode(message)


def decode_observation(value: bytes | None) -> Observation | Heartbeat:
    """Raises BadMessage("unreadable" | "schema")."""
    message: Observation | Heartbeat = _decode(_observation, value)
    return message


def decode_request(value: bytes | None) -> Request:
    """Raises BadMessage("unreadable" | "schema")."""
    message: Request = _decode(_request, value)
    return message


def decode_transaction(value: bytes | None) -> Transaction:
    """Raises BadMessage("unreadable" | "schema")."""
    message: Transaction = _decode(_transaction, value)
    return message


def decode_transactions(values: Iterable[bytes | None]) -> list[Transaction]:
    """All of them. Raises BadMessage when any cannot be read; `decode_transaction` says which, and why."""
    try:
        messages = list(map(_transaction.decode, values))  # type: ignore[arg-type]  # None is a TypeError
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError) as error:
        raise BadMessage("unreadable", str(error)) from error
    if any(message.schema != SCHEMA for message in messages):
        raise BadMessage("schema", f"this version reads {SCHEMA}")
    return messages


def decode_identity(value: bytes | None) -> Identity:
    """Raises BadMessage("unreadable")."""
    try:
        return _identity.decode(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadMessage("unreadable", str(error)) from error


def decode_version(value: bytes | None) -> Version:
    """Raises BadMessage("unreadable" | "schema")."""
    message: Version = _decode(_version, value)
    return message


def _decode(decoder: msgspec.json.Decoder[Any], value: bytes | None) -> Any:
    if value is None:
        raise BadMessage("unreadable", "the message has no value")
    try:
        message = decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:  # a ValidationError is a DecodeError
        raise BadMessage("unreadable", str(error)) from error
    if message.schema != SCHEMA:
        raise BadMessage("schema", f"schema {message.schema}; this version reads {SCHEMA}")
    return message
