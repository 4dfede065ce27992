"""What every probe kind speaks: an outcome, one reason of a closed list, finished phases, a sentence."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec


class Outcome(StrEnum):
    """What one attempt found. (`Verdict` is the judge's word: monitor/model.py.)"""

    UP = "up"
    DEGRADED = "degraded"  # answered, but slowly or against a soft assertion
    DOWN = "down"
    UNKNOWN = "unknown"  # our own fault: it says nothing about the target


class Reason(StrEnum):
    """Why an attempt was not simply up. A closed list: metrics, wire, pages and reports share it."""

    OK = "ok"
    # the way there
    DNS_NXDOMAIN = "dns_nxdomain"
    DNS_SERVFAIL = "dns_servfail"
    DNS_TIMEOUT = "dns_timeout"
    DNS = "dns"
    CONNECT_REFUSED = "connect_refused"
    CONNECT_UNREACHABLE = "connect_unreachable"
    CONNECT_RESET = "connect_reset"
    CONNECT = "connect"
    TLS_EXPIRED = "tls_expired"
    TLS_SELF_SIGNED = "tls_self_signed"
    TLS_WRONG_HOST = "tls_wrong_host"
    TLS_UNTRUSTED = "tls_untrusted"
    TLS = "tls"
    # the answer
    TIMEOUT = "timeout"  # nothing came before the deadline
    CLOSED = "closed"  # the peer closed before a whole answer
    TRUNCATED = "truncated"  # the body ended early
    TOO_LARGE = "too_large"  # body or headers over the cap
    DECODE = "decode"  # compression broken, or larger than the cap when expanded
    PROTOCOL = "protocol"  # not the protocol that was spoken: chunking, headers, encoding
    REDIRECT = "redirect"  # too many, or to a host that is not allowed
    STATUS = "status"
    ASSERTION = "assertion"  # it answered, with something else than expected
    CERTIFICATE_EXPIRING = "certificate_expiring"
    SLOW = "slow"  # over its latency objective
    UNREACHABLE = "unreachable"  # ICMP: no echo
    # ours
    MISSED = "missed"  # the beat passed while we were busy or stopped
    SECRET = "secret"  # noqa: S105  # a reason, no password: a credential's reference does not resolve here
    FAULT = "fault"  # a bug, or no descriptors, no permission


class Failed(msgspec.Struct, frozen=True, omit_defaults=True):
    """One assertion that did not hold: its place, what was expected, and what was found (80 characters)."""

    what: str
    expected: str
    found: str = ""
    hard: bool = True


FOUND_CHARS_MAX = 80
SENTENCE_CHARS_MAX = 240


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one attempt brought back. Holds no body and no headers.

    `phases_ms` has only phases that finished, in milliseconds, by name: dns, connect, tls, first_byte,
    transfer, rtt. An unfinished phase is absent, never 0 (T24).
    """

    outcome: Outcome
    reason: Reason = Reason.OK
    sentence: str = ""
    phases_ms: dict[str, float] = msgspec.field(default_factory=dict)
    status: int | None = None
    size_bytes: int | None = None
    certificate_expires_ms: int | None = None  # Unix milliseconds, UTC
    failed: tuple[Failed, ...] = ()


class Trace:
    """Collects finished phases while a probe runs, so that a deadline that ends it loses none of them.

    A kind writes `with trace.phase("connect"): …`; a phase that raises or is cut off is not recorded.
    `doing` names the phase under way, for the sentence of a deadline.
    `facts` holds what is known before the answer is: status, size_bytes, certificate_expires_ms.
    `known` is a failure already certain while the probe still gathers details; a deadline must not hide it.
    """

    __slots__ = ("doing", "facts", "known", "phases_ms")

    def __init__(self) -> None:
        self.phases_ms: dict[str, float] = {}
        self.doing = ""
        self.facts: dict[str, int] = {}
        self.known: TargetFailed | None = None

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time the block with the monotonic clock; sums when a redirect enters the phase again."""
        self.doing = name
        began = time.perf_counter()
        yield
        self.add(name, (time.perf_counter() - began) * 1000)
        self.doing = ""

    def add(self, name: str, took_ms: float) -> None:
        self.phases_ms[name] = self.phases_ms.get(name, 0.0) + took_ms

    def answer(
        self,
        outcome: Outcome,
        reason: Reason = Reason.OK,
        sentence: str = "",
        failed: tuple[Failed, ...] = (),
    ) -> Answer:
        """The answer with everything collected so far."""
        return Answer(
            outcome=outcome,
            reason=reason,
            sentence=sentence[:SENTENCE_CHARS_MAX],
            phases_ms=self.phases_ms,
            status=self.facts.get("status"),
            size_bytes=self.facts.get("size_bytes"),
            certificate_expires_ms=self.facts.get("certificate_expires_ms"),
            failed=failed,
        )

    def up(self, sentence: str = "") -> Answer:
        return self.answer(Outcome.UP, Reason.OK, sentence)

    def degraded(self, reason: Reason, sentence: str, failed: tuple[Failed, ...] = ()) -> Answer:
        return self.answer(Outcome.DEGRADED, reason, sentence, failed)

    def down(self, reason: Reason, sentence: str, failed: tuple[Failed, ...] = ()) -> Answer:
        return self.answer(Outcome.DOWN, reason, sentence, failed)

    def unknown(self, reason: Reason, sentence: str) -> Answer:
        return self.answer(Outcome.UNKNOWN, reason, sentence)


class TargetFailed(Exception):
    """The target is down, for this reason. Raised inside a kind, turned into its answer at its door."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        self.reason = reason
        self.sentence = sentence
        super().__init__(sentence)


class ProberFault(Exception):
    """This machine could not ask: no descriptors, no permission, a file that cannot be read. Never *down*."""


class SecretUnavailable(Exception):
    """A secret's reference does not resolve on this machine. The text names the reference, never a value."""


SecretRef = Annotated[str, msgspec.Meta(pattern=r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$")]
"""A secret is only ever written as where to find it: `env:NAME` or `file:/path`."""


def resolve_secret(reference: str) -> str:
    """The secret behind `env:NAME` or `file:/path`, without a trailing newline.

    Raises SecretUnavailable when the variable is not set or the file cannot be read.
    """
    scheme, _, where = reference.partition(":")
    if scheme == "env":
        value = os.environ.get(where)
        if value is None:
            raise SecretUnavailable(f"the environment variable {where} is not set")
        return value
    try:
        return Path(where).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SecretUnavailable(f"the file {where} cannot be read: {type(error).__name__}") from error


def found(value: object) -> str:
    """At most 80 characters of what was found, on one line, for `Failed.found`."""
    text = " ".join(str(value).split())
    return text if len(text) <= FOUND_CHARS_MAX else text[: FOUND_CHARS_MAX - 1] + "…"
