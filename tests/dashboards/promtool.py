"""Cases for `promtool test rules`, written by code: series over time, and how often an alert fires when."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from dashboards.alert import EVERY_S
from dashboards.build import GENERATED

STEP_S = 15
Value = Callable[[int], float]
Piece = tuple[float, Value | None]
"""So many minutes of a value by the second since the beginning; None is a gap."""


@dataclass(frozen=True)
class Case:
    """At `at_min` minutes so many alerts fire, given these series by selector."""

    title: str
    series: Mapping[str, str]
    at_min: float
    firing: int


def at(value: float) -> Value:
    """The same all the time."""
    return lambda second: value


def ago(age_s: float) -> Value:
    """An instant that stays so many seconds behind."""
    return lambda second: second - age_s


def line(*pieces: Piece) -> str:
    """Samples of a gauge, one every STEP_S."""
    written: list[str] = []
    for minutes, value in pieces:
        for _ in range(int(minutes * 60 / STEP_S)):
            written.append("_" if value is None else f"{value(len(written) * STEP_S):g}")
    return " ".join(written)


def counter(*pieces: tuple[float, float | None], start: float = 0) -> str:
    """Samples of a counter: (minutes, events a minute), None for a gap in which it goes on at the old rate.

    A negative rate is a reset: it begins at 0 again and goes on at that rate.
    """
    written: list[str] = []
    value, rate = start, 0.0
    for minutes, per_minute in pieces:
        if per_minute is not None and per_minute < 0:
            value = 0
        rate = rate if per_minute is None else abs(per_minute)
        for _ in range(int(minutes * 60 / STEP_S)):
            written.append("_" if per_minute is None else f"{value:g}")
            value += rate * STEP_S / 60
    return " ".join(written)


def only(alert: str, folder: Path) -> Path:
    """A file with this alert and what is recorded for it: promtool evaluates every rule it is given."""
    groups = []
    for path in sorted((GENERATED / "prometheus" / "rules").glob("*.yaml")):
        found = yaml.safe_load(path.read_text("utf-8"))["groups"]
        if any(rule.get("alert") == alert for group in found for rule in group["rules"]):
            groups += [
                {**group, "rules": [rule for rule in group["rules"] if rule.get("alert", alert) == alert]}
                for group in found
            ]
    assert groups, f"no rule is called {alert}"
    file = folder / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": groups}, allow_unicode=True), encoding="utf-8")
    return file


def document(
    alert: str, cases: Iterable[Case], folder: Path, *, step_s: int = STEP_S, every_s: int = EVERY_S
) -> dict[str, object]:
    """A test file of promtool for one alert; promtool evaluates every group each `every_s`."""
    return {
        "rule_files": [str(only(alert, folder))],
        "evaluation_interval": f"{every_s}s",
        "tests": [_test(alert, case, step_s) for case in cases],
    }


def _test(alert: str, case: Case, step_s: int) -> dict[str, object]:
    firing = f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) or vector(0)'
    expected = [{"labels": "{}", "value": case.firing}]
    when = f"{int(case.at_min * 60)}s"
    return {
        "name": case.title,
        "interval": f"{step_s}s",
        "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
        "promql_expr_test": [{"expr": firing, "eval_time": when, "exp_samples": expected}],
    }


def run(tests: Mapping[str, object], folder: Path) -> subprocess.CompletedProcess[str]:
    """What promtool says of a test file; without promtool the test is skipped."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    file = folder / "tests.yaml"
    file.write_text(yaml.safe_dump(dict(tests), allow_unicode=True), encoding="utf-8")
    return subprocess.run(
        [promtool, "test", "rules", str(file)], capture_output=True, text=True, timeout=120, check=False
    )
