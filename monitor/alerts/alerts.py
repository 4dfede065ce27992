"""What Alertmanager is handed of an incident people were told of: one alert at a time, with a true beginning
and end. Pure; Unix milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from monitor.alerts.story import Story
from monitor.alerts.text import Message
from monitor.judge.incidents import Incident, State, Topic

NAME = "ContinuityIncident"
AHEAD_MS = 30 * 60_000  # a notifier that died is no recovery: alerts live on for so long

Alert = dict[str, Any]


class Span(NamedTuple):
    """From when to when an incident was told as of one severity; `end_ms` is None while it lasts."""

    severity: str
    start_ms: int
    end_ms: int | None


def spans(incident: Incident, told: Sequence[tuple[str, str, int]], *, over_ms: int | None) -> list[Span]:
    """One span per severity, the last of each. A graver one ends the milder one at that instant.

    The milder one's end is told only while the graver one fails: that inhibits it, so that nobody reads of a
    recovery that is none. Told later, it would be a second message of the end.
    """
    found: dict[str, Span] = {}
    last = ""
    for topic, severity, at_ms in told:
        if topic == Topic.RESOLVED:
            _end(found, last, min(incident.well_ms or at_ms, at_ms))
        elif topic in (Topic.FIRST, Topic.RAISED, Topic.AGAIN):
            _end(found, last, at_ms)
            start_ms = min(incident.since_ms, at_ms) if topic == Topic.FIRST else at_ms
            found[severity] = Span(severity, start_ms, None)
            last = severity
    if over_ms is not None:
        _end(found, last, over_ms)
    if incident.state is State.FAILING:
        return list(found.values())
    return [span for span in found.values() if span.severity == last]


def _end(found: dict[str, Span], severity: str, at_ms: int) -> None:
    span = found.get(severity)
    if span is not None and span.end_ms is None:
        found[severity] = span._replace(end_ms=max(at_ms, span.start_ms + 1))


def alert(
    span: Span,
    story: Story,
    *,
    team: str,
    english: Message,
    arabic: Message,
    link: str,
    now_ms: int,
) -> Alert:
    """As API v2 takes it. Labels stay the same for as long as the incident has this severity."""
    labels = {
        "alertname": NAME,
        "severity": span.severity,
        "incident": story.incident.number,
        "team": team,
    }
    if story.entity:
        labels["entity"] = story.entity
    if story.kind in ("service", "system"):
        labels[story.kind] = story.slug
    annotations = {
        "summary": english.title,
        "description": english.body,
        "runbook_url": story.runbook,
        "summary_ar": arabic.title,
        "description_ar": arabic.body,
    }
    return {
        "labels": labels,
        "annotations": {key: value for key, value in annotations.items() if value},
        "startsAt": _written(span.start_ms),
        "endsAt": _written(now_ms + AHEAD_MS if span.end_ms is None else span.end_ms),
        "generatorURL": link,
    }


def _written(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
