"""The command line: 0 when all is well, 1 when something was found, 2 when it was called wrongly."""

from __future__ import annotations

# Each adds its commands to the group.
from monitor.cli import (
    alerts,
    anomalies,
    asking,
    availability,
    catalogue,
    dashboards,
    demo,
    incidents,
    objectives,
    public,
    report,
    report_replies,
    report_sending,
    running,
    sending,
    work,
)
from monitor.cli.base import continuity

__all__ = [
    "alerts",
    "anomalies",
    "asking",
    "availability",
    "catalogue",
    "continuity",
    "dashboards",
    "demo",
    "incidents",
    "main",
    "objectives",
    "public",
    "report",
    "report_replies",
    "report_sending",
    "running",
    "sending",
    "work",
]


def main() -> None:
    """Entry point of the command `continuity`."""
    continuity(prog_name="continuity")
