"""What the role `report` says of itself: as promtool wants it, and as docs/report.md has it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from monitor.report.delivery.metrics import DeliveryMetrics
from monitor.report.metrics import ReportMetrics

TEXT = (Path(__file__).parents[2] / "docs" / "report.md").read_text(encoding="utf-8")


def exposed() -> CollectorRegistry:
    registry = CollectorRegistry()
    ReportMetrics(registry)
    DeliveryMetrics(registry, ["chair"])
    return registry


def test_promtool_finds_nothing_to_say() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    done = subprocess.run(
        [promtool, "check", "metrics"],
        input=generate_latest(exposed()),
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_every_metric_that_the_docs_name_is_exported() -> None:
    samples = {sample.name for family in exposed().collect() for sample in family.samples}
    assert {*re.findall(r"`(continuity_\w+)", TEXT)} <= samples
