"""One check under watch: where its beats stand, its flight, and its run of failures."""

from __future__ import annotations

import asyncio

from monitor.model import Check
from monitor.scheduler.beat import next_due_ms
from probes.catalogue import kind


class Watch:
    """At most one flight; `run` is the number of failed attempts in a row, known failing from `count` on."""

    __slots__ = (
        "asked_attempt",
        "asked_ms",
        "check",
        "due_ms",
        "ended",
        "flight",
        "kind",
        "run",
        "waiting_ms",
    )

    def __init__(self, check: Check, due_ms: int) -> None:
        self.check = check
        self.kind = kind(check.ask)
        self.due_ms = due_ms  # the beat that comes next
        self.run = 0
        self.flight: asyncio.Task[None] | None = None
        self.waiting_ms: int | None = None  # a beat that came while the flight before was still out
        self.asked_ms = 0  # the beat last asked, and its last attempt
        self.asked_attempt = 0
        self.ended = False

    @property
    def key(self) -> str:
        return self.check.key

    def beat_after(self, at_ms: int) -> int:
        return next_due_ms(self.check.key, self.check.every_ms, at_ms)
