"""Who is told what: the generated routes, asked of the real amtool."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from dashboards.build import GENERATED
from dashboards.rules import alerts

CONFIG = GENERATED / "alertmanager" / "alertmanager.yaml"


def amtool(*words: str) -> str:
    program = shutil.which("amtool")
    if program is None:
        pytest.skip("amtool is not installed")
    done = subprocess.run([program, *words], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def receiver(**labels: str) -> str:
    """Who gets an alert with these labels."""
    said = [f"{key}={value}" for key, value in labels.items()]
    return amtool("config", "routes", "test", f"--config.file={CONFIG}", *said)


def test_alertmanager_takes_the_configuration() -> None:
    assert "SUCCESS" in amtool("check-config", str(CONFIG))


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ({"alertname": "ContinuityIncident", "incident": "INC-1", "severity": "critical"}, "on-call"),
        ({"alertname": "ContinuityIncident", "incident": "INC-1", "severity": "warning"}, "operations"),
        ({"alertname": "ContinuityIncident", "incident": "INC-1", "severity": "info"}, "nobody"),
        ({"alertname": "ContinuityBudgetBurning", "service": "x", "severity": "warning"}, "operations"),
        ({"alertname": "SomebodyElse", "severity": "critical"}, "operations"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value.values()),
)
def test_severity_and_incident_say_who_is_told(labels: dict[str, str], told: str) -> None:
    assert receiver(**labels) == told


def test_t35_what_is_wrong_with_the_monitor_goes_to_the_platform_team_alone() -> None:
    told = {
        alert.name: receiver(alertname=alert.name, severity=alert.severity, **alert.labels)
        for alert in alerts()
        if alert.labels.get("component") == "monitor"
    }
    assert told.pop("ContinuityWatchdog") == "dead-man"
    assert set(told.values()) == {"platform-team"}
