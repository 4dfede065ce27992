"""Objectives in /metrics/state: targets, thresholds, seconds and what is left, from the figures at hand."""

from __future__ import annotations

import re
import shutil
import subprocess
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from monitor.exporter.budgets import BudgetLines
from monitor.facts import FigureRow, TallyRow
from monitor.judge.budgets import held_of
from monitor.judge.incidents import Incident
from monitor.judge.periods import Kind
from monitor.judge.picture import Picture
from monitor.judge.seconds import Spent
from monitor.judge.troubles import Sign
from monitor.model import GOVERNMENT, Catalogue, Service, Severity, Verdict
from monitor.objectives import Indicator, Objective
from monitor.store.incidents import Kept
from tests.monitor.test_state_metrics import CATALOGUE, picture

DAY_MS = 86_400_000
PASSPORT = "service:passport"


def promising(*objectives: Objective) -> Picture:
    passport = msgspec.structs.replace(CATALOGUE.services[0], objectives=objectives)
    return picture(msgspec.structs.replace(CATALOGUE, services=(passport, *CATALOGUE.services[1:])))


def row(subject: str, kind: Kind, *, days: int, bad_ms: int) -> FigureRow:
    """A period that is over, measured all the time."""
    tally = TallyRow("figure", "99", "100", days * DAY_MS - bad_ms, 0, 0, bad_ms, 0, 0, 0, 0, 0, 0, "[]")
    return FigureRow(subject, "UTC", kind.value, 0, days * DAY_MS, days * DAY_MS, tally, tally)


def figures(bad_ms: int = 0) -> Any:
    rows = {
        (subject, kind): row(subject, kind, days=days, bad_ms=bad_ms)
        for subject in (PASSPORT, GOVERNMENT)
        for kind, days in ((Kind.DAYS_28, 28), (Kind.QUARTER, 90), (Kind.DAYS_7, 7))
    }
    ever = {PASSPORT: Spent(up_ms=90_500, degraded_ms=5000, down_ms=4500)}
    return SimpleNamespace(rows=rows, ever=ever)


def lines(shown: Picture, given: Any, kept: list[Kept] | None = None) -> list[str]:
    text = BudgetLines(given, lambda: kept or []).bytes(shown).decode()
    return [line for line in text.splitlines() if not line.startswith("#")]


AVAILABLE = Objective(indicator=Indicator.AVAILABILITY, target=0.999)
FAST = Objective(indicator=Indicator.LATENCY, target=0.9)
COMPLETED = Objective(indicator=Indicator.COMPLETION, target=0.98)


def test_a_target_and_its_thresholds_are_what_was_written_and_derived() -> None:
    found = [line for line in lines(promising(AVAILABLE), figures()) if 'service="passport"' in line]
    of = 'service="passport",objective="availability"'
    assert found[:4] == [
        f"continuity_objective_ratio{{{of}}} 0.999",
        f'continuity_objective_burn_threshold_ratio{{{of},burn="fast"}} 0.0144',
        f'continuity_objective_burn_threshold_ratio{{{of},burn="medium"}} 0.006',
        f'continuity_objective_burn_threshold_ratio{{{of},burn="slow"}} 0.001',
    ]


def test_the_headline_is_an_objective_without_a_service() -> None:
    assert 'continuity_objective_ratio{objective="headline"} 0.95' in lines(picture(), figures())


def test_seconds_are_those_that_each_objective_counts() -> None:
    found = [line for line in lines(promising(AVAILABLE, FAST, COMPLETED), figures()) if "_seconds" in line]
    name, of = "continuity_objective", 'service="passport",objective='
    assert found == [
        f'{name}_good_seconds{{{of}"availability"}} 95.5',
        f'{name}_good_seconds{{{of}"latency"}} 90.5',
        f'{name}_counted_seconds{{{of}"availability"}} 100.0',
        f'{name}_counted_seconds{{{of}"latency"}} 95.5',
    ]


def test_what_is_left_of_a_budget_is_a_share_and_negative_when_overspent() -> None:
    half_ms = 28 * DAY_MS // 1000 // 2
    found = [line for line in lines(promising(AVAILABLE), figures(half_ms * 3)) if "remaining" in line]
    assert [line.split()[-1] for line in found if "passport" in line] == ["-0.5", "0.533333"]


def test_figures_that_move_write_only_their_own_lines_anew() -> None:
    """What did not move is the same bytes, and a catalogue that changed is written whole."""
    given = figures()
    given.ever["service:visa"] = Spent(up_ms=1000)
    catalogue = promising(AVAILABLE).catalogue
    both = tuple(msgspec.structs.replace(one, objectives=(AVAILABLE,)) for one in catalogue.services)
    shown, made = picture(msgspec.structs.replace(catalogue, services=both)), BudgetLines(given, list)
    made.bytes(shown)
    kept = made._blocks["service:visa"]
    given.rows = dict(given.rows)
    given.ever = given.ever | {PASSPORT: Spent(up_ms=91_500, down_ms=4500)}
    text = made.bytes(shown).decode()
    assert made._blocks["service:visa"] is kept
    assert 'good_seconds{service="passport",objective="availability"} 91.5\n' in text
    stricter = msgspec.structs.replace(AVAILABLE, target=0.9999)
    later = made.bytes(promising(stricter)).decode()
    assert ("} 0.9999\n" in later, 'good_seconds{service="visa"' in later) == (True, False)


def test_a_service_that_an_open_incident_touches_says_so() -> None:
    incident = Incident(
        number="INC-2026-0001",
        subject="system:identity",
        sign=next(iter(Sign)),
        verdict=Verdict.DOWN,
        severity=Severity.CRITICAL,
        since_ms=0,
        opened_ms=0,
        raised_ms=0,
        services=(PASSPORT,),
    )
    kept = Kept(msgspec.json.encode(incident).decode(), None, None)
    found = [line for line in lines(picture(), figures(), [kept]) if "incident_open" in line]
    assert found == [
        'continuity_service_incident_open{service="passport"} 1',
        'continuity_service_incident_open{service="visa"} 0',
    ]


def test_what_is_left_is_what_the_page_says_of_the_same_budget() -> None:
    """The light way to one figure and the whole budget agree, whatever was spent (T10)."""
    for bad_ms in (0, 1, 7 * DAY_MS, 28 * DAY_MS):
        shown, given = promising(AVAILABLE, FAST), figures(bad_ms)
        told = {
            (one.name, kind.value): f"{float(share):.6g}"
            for one in held_of(shown.catalogue, given.rows)
            if one.service
            for kind, budget in one.budgets.items()
            if (share := budget.left_share) is not None
        }
        found = [line for line in lines(shown, given) if "remaining" in line and "passport" in line]
        pattern = r'objective="(\w+)",window="(\w+)"} (\S+)$'
        exported = {(of, window): value for each in found for of, window, value in re.findall(pattern, each)}
        assert (exported, bool(told)) == (told, True)


def test_promtool_finds_nothing_to_say_of_them() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    text = BudgetLines(figures(), list).bytes(promising(AVAILABLE, FAST, COMPLETED))
    done = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_catalogue_without_objectives_exports_the_headline_alone() -> None:
    shown = picture(Catalogue(services=(Service(slug="visa", channels=CATALOGUE.services[1].channels),)))
    targets = [line for line in lines(shown, figures()) if line.startswith("continuity_objective_ratio")]
    assert targets == ['continuity_objective_ratio{objective="headline"} 0.95']
