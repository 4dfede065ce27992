"""What people do to incidents: open and close by hand, and rule on a suspected cause. Pure; Unix ms.

An incident by hand says what no check sees. Should the monitor come to see it too, it stays the same one; but
only a person closes it.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from monitor.judge.incidents import (
    SENT,
    Entry,
    Handled,
    Incident,
    Kind,
    Message,
    Ruling,
    State,
    Topic,
)
from monitor.judge.troubles import Sign
from monitor.model import Severity, Verdict


class NotNow(Exception):
    """What was asked does not fit the incident as it is; the text says why, and what would."""


class Report(NamedTuple):
    """What a person says is wrong with a system, a service or the government."""

    subject: str
    title: str
    verdict: Verdict  # down or degraded
    severity: Severity
    since_ms: int
    by: str


def opened(report: Report, *, number: str, now_ms: int) -> Handled:
    """A new incident, told at once when its severity is one that is sent."""
    sent = report.severity in SENT
    incident = Incident(
        number=number,
        subject=report.subject,
        sign=Sign.REPORTED,
        verdict=report.verdict,
        severity=report.severity,
        since_ms=report.since_ms,
        opened_ms=now_ms,
        raised_ms=now_ms,
        told=report.severity if sent else None,
        services=(report.subject,) if report.subject.startswith("service:") else (),
        by=report.by,
        title=report.title,
    )
    messages = [Message(number, Topic.FIRST, report.severity)] if sent else []
    return Handled([incident], [Entry(number, Kind.OPENED, report.since_ms, author=report.by)], messages)


def closed(incident: Incident, *, by: str, now_ms: int) -> Handled:
    """The incident closed by a person. Raises NotNow: it is closed, the monitor's own, or seen to fail."""
    if not incident.open:
        raise NotNow(f"{incident.number} is closed")
    if not incident.by:
        raise NotNow(f"the monitor opened {incident.number} and closes it when it has been well long enough")
    if incident.state is State.FAILING and incident.failing_ms:
        raise NotNow(f"{incident.number} is seen to fail now; close it when its checks are well again")
    after = replace(incident, state=State.CLOSED, well_ms=incident.well_ms or now_ms, closed_ms=now_ms)
    entry = Entry(incident.number, Kind.CLOSED, now_ms, author=by)
    told = incident.told
    messages = [] if told is None else [Message(incident.number, Topic.RESOLVED, told)]
    return Handled([after], [entry], messages)


def ruled(incident: Incident, ruling: Ruling, *, by: str, now_ms: int) -> Handled:
    """A person's word on the suspected cause; the last one holds. Raises NotNow: nothing is suspected."""
    if not incident.suspected:
        raise NotNow(f"the cause of {incident.number} is not a suspected one")
    kind = Kind.CAUSE_CONFIRMED if ruling is Ruling.CONFIRMED else Kind.CAUSE_REJECTED
    entry = Entry(incident.number, kind, now_ms, author=by)
    return Handled([replace(incident, ruling=ruling, ruled_by=by)], [entry], [])
