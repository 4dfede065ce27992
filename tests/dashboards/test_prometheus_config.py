"""The generated configurations and rules, checked by the real promtool."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dashboards.build import GENERATED
from dashboards.rules import alerts
from dashboards.scrape import TOKEN_FILE
from tests.dashboards.test_boards import STATE, of_role_metrics


def promtool(*words: str) -> str:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed")
    done = subprocess.run([program, *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["prometheus.yaml", "loopback.yaml"])
def test_prometheus_takes_the_configuration_with_its_rules(name: str, tmp_path: Path) -> None:
    """With the token where the file says: that it is there is part of the check."""
    shutil.copytree(GENERATED / "prometheus", tmp_path / "prometheus")
    file, token = tmp_path / "prometheus" / name, tmp_path / "token"
    token.write_text("secret")
    file.write_text(file.read_text().replace(TOKEN_FILE, str(token)))
    assert "SUCCESS" in promtool("check", "config", str(file))


def test_no_rule_is_given_twice() -> None:
    files = [str(path) for path in sorted((GENERATED / "prometheus" / "rules").glob("*.yaml"))]
    assert promtool("check", "rules", "--lint=all", *files).count("SUCCESS") == len(files)


def test_t48_rules_on_the_state_of_the_world_take_replicas_together_first() -> None:
    """Every selector of a metric of /metrics/state stands directly in `max without (instance, pod)`."""
    bare = []
    for path in (GENERATED / "prometheus" / "rules").glob("*.yaml"):
        text = re.sub(r"absent\(\w+\)|#.*", "", path.read_text("utf-8"))
        text = re.sub(r'"continuity_\w+"', "", text)
        for found in re.finditer(r"continuity_\w+", text):
            before = text[: found.start()]
            if found[0] in STATE and not re.search(r"max without \(instance, pod\) \((\w+\()?$", before):
                bare.append(found[0])
    assert bare == []


def test_every_alert_watches_metrics_that_somebody_exports() -> None:
    """What a rule file records has a colon in its name."""
    asked = {name for alert in alerts() for name in re.findall(r"(?<!:)\bcontinuity_\w+", alert.expr)}
    assert asked <= STATE | of_role_metrics()
