"""What Prometheus evaluates: recording rules, burn alerts, and alerts on the monitor itself."""

from __future__ import annotations

from dashboards.written import yaml_text

EVERY_S = 30


def files() -> dict[str, str]:
    """The files of rules by path."""
    return {"prometheus/rules/continuity-watchdog.yaml": yaml_text({"groups": [_watchdog()]})}


def _watchdog() -> dict[str, object]:
    return {
        "name": "continuity-watchdog",
        "interval": f"{EVERY_S}s",
        "rules": [{"alert": "ContinuityWatchdog", "expr": "vector(1)", "labels": {"severity": "info"}}],
    }
