"""An alert as a rule file has it: what, why it matters and where to read on, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

EVERY_S = 30
"""Seconds between two evaluations; an alert waits for at least two of them."""

RUNBOOKS = "https://continuity.example/docs/runbooks.md"
"""Where docs/runbooks.md is to be read; an installation says its own (`--replace`)."""


class Said(NamedTuple):
    """A line and a few sentences in one language; Prometheus fills in `{{ … }}`."""

    summary: str
    description: str


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One alert. `watches` are the metrics it is blind without: their absence is an alert too."""

    name: str
    expr: str
    severity: str
    en: Said
    ar: Said
    for_s: int = 2 * EVERY_S
    keep_s: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    watches: tuple[str, ...] = ()

    def rule(self) -> dict[str, object]:
        """As Prometheus reads it."""
        keep = {"keep_firing_for": span(self.keep_s)} if self.keep_s else {}
        waits = {"for": span(self.for_s)} if self.for_s else {}
        return {
            "alert": self.name,
            "expr": self.expr,
            **waits,
            **keep,
            "labels": {"severity": self.severity, **self.labels},
            "annotations": {
                "summary": self.en.summary,
                "description": self.en.description,
                "summary_ar": self.ar.summary,
                "description_ar": self.ar.description,
                "runbook_url": f"{RUNBOOKS}#{self.name.lower()}",
            },
        }


def span(seconds: int) -> str:
    """Seconds as Prometheus writes a duration, in the largest unit that fits."""
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds % size == 0 and seconds:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
