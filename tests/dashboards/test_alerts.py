"""Every alert against the real promtool: when it fires, when not, and what it says in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dashboards.alert import EVERY_S, Alert
from dashboards.burn import INCIDENT_OPEN
from dashboards.own import LEFT_OUT
from dashboards.rules import OURS, alerts
from tests.dashboards.burn_cases import BURN_CASES, SLOW_CASES, SLOW_STEP_S
from tests.dashboards.own_cases import OWN_CASES
from tests.dashboards.promtool import Case, at, document, line, run

ALERTS = {alert.name: alert for alert in alerts()}
CASES = OWN_CASES | BURN_CASES
RUNBOOKS = (Path(__file__).parents[2] / "docs" / "runbooks.md").read_text("utf-8")
WATCHED = sorted({metric for alert in (*OURS, INCIDENT_OPEN) for metric in alert.watches})


def _all_but(missing: str | None) -> dict[str, str]:
    return {f'{name}{{instance="a"}}': line((15, at(1))) for name in WATCHED if name != missing}


def _gone(name: str) -> dict[str, str]:
    return _all_but(name) | {f'{name}{{instance="a"}}': line((2, at(1)))}


A_MOMENT = line((4, at(1)), (8, None), (3, at(1)))
CASES["ContinuityMetricAbsent"] = [
    Case("nothing is absent", _all_but(None), 12, 0),
    *(Case(f"{name} was never there", _all_but(name), 12, int(name not in LEFT_OUT)) for name in WATCHED),
    *(Case(f"{name} is no longer there", _gone(name), 14, 1) for name in sorted(LEFT_OUT)),
    Case("for a moment", _all_but(None) | {f'{WATCHED[0]}{{instance="a"}}': A_MOMENT}, 13, 0),
]


@pytest.mark.parametrize("name", ALERTS)
def test_it_fires_when_it_should_and_only_then(name: str, tmp_path: Path) -> None:
    done = run(document(name, CASES[name], tmp_path), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_t17_hardly_any_transactions_or_none_burn_no_budget(tmp_path: Path) -> None:
    name = "ContinuityBudgetBurning"
    few = [case for case in CASES[name] if case.title.startswith("t17")]
    done = run(document(name, few, tmp_path), tmp_path)
    assert (len(few), done.returncode) == (2, 0), done.stdout + done.stderr


def test_t27_a_budget_that_burns_for_days_is_told_of_once_there_are_days_of_data(tmp_path: Path) -> None:
    name = "ContinuityBudgetBurning"
    done = run(document(name, SLOW_CASES, tmp_path, step_s=SLOW_STEP_S, every_s=SLOW_STEP_S), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ALERTS)
def test_what_it_says_is_whole_in_both_languages(name: str, tmp_path: Path) -> None:
    said = _said(name, tmp_path)
    assert len(said["summary"]) <= 100
    for text in said.values():
        assert text
        assert not re.search(r"\{\{|<error|NaN|<no value>|%!", text)
    for key in ("summary_ar", "description_ar"):
        assert re.search("[\u0600-\u06ff]", said[key])


def _said(name: str, folder: Path) -> dict[str, str]:
    """The annotations as Prometheus filled them in, from promtool's account of an unexpected alert."""
    case = next(case for case in CASES[name] if case.firing)
    tests = document(name, [case], folder)
    [one] = tests["tests"]  # type: ignore[misc]
    del one["promql_expr_test"]
    one["alert_rule_test"] = [{"eval_time": f"{int(case.at_min * 60)}s", "alertname": name, "exp_alerts": []}]
    done = run(tests, folder)
    written = re.search(r"Annotations:\{(.*)\}", done.stdout + done.stderr)
    assert written, done.stdout + done.stderr
    return dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', written[1]))


@pytest.mark.parametrize("alert", ALERTS.values(), ids=ALERTS)
def test_it_waits_for_two_evaluations_and_leads_to_its_runbook(alert: Alert) -> None:
    assert alert.for_s >= 2 * EVERY_S or alert.name in ("ContinuityWatchdog", "ContinuityIncidentOpen")
    assert f"## {alert.name}\n" in RUNBOOKS


def test_every_symptom_of_the_monitor_has_its_absence_alert() -> None:
    """Without an absence alert only those that say what is absent, or cannot be."""
    unwatched = {alert.name for alert in OURS if not alert.watches}
    assert unwatched == {"ContinuityTargetDown", "ContinuityCountsBehind"}
