"""What docs/alerts.md tells people to write and type is taken as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from monitor.alerts.metrics import NotifyMetrics
from monitor.cli import continuity
from monitor.config.load import load

TEXT = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")
HEALTH = "entities: [{slug: health}]\nservices: [{slug: passport, entity: health, url: https://p.example/}]\n"


@pytest.mark.parametrize("example", re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL))
def test_every_example_is_a_configuration_without_a_mistake(example: str, tmp_path: Path) -> None:
    (tmp_path / "monitor.yaml").write_text(HEALTH + example, encoding="utf-8")
    given = load(tmp_path, environ={}).settings.alerts
    assert given.alertmanagers or [one.name for one in given.receivers] == [
        "on-call",
        "duty-manager",
        "health-desk",
    ]


def test_every_command_is_there() -> None:
    group = continuity.commands["alerts"]
    assert isinstance(group, click.Group)
    assert {*re.findall(r"^continuity alerts (\w+)", TEXT, re.MULTILINE)} == {*group.commands}


def test_every_metric_is_exported() -> None:
    from prometheus_client import CollectorRegistry

    registry = CollectorRegistry()
    NotifyMetrics(registry, ["desk"])
    exported = {
        sample.name.removesuffix("_bucket") for family in registry.collect() for sample in family.samples
    }
    assert {*re.findall(r"`(continuity_\w+)", TEXT)} <= exported
