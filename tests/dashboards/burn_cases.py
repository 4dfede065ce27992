"""Burn alerts: over the threshold and at it, young, at low traffic, a gap, maintenance, and the end."""

from __future__ import annotations

from tests.dashboards.own_cases import level
from tests.dashboards.promtool import STEP_S, Case, at, counter, line

OF = 'job="continuity-state",instance="a",service="passport"'
INFO = f'continuity_service_info{{{OF},entity="interior",name="Passport renewal",name_ar="تجديد الجواز"}}'

Stretch = tuple[float, float | None, float]
"""Minutes, the bad share (None is a gap in the samples), and the share of the time that counts."""


def promised(
    *stretches: Stretch, objective: str = "availability", step_s: int = STEP_S, **thresholds: float
) -> dict[str, str]:
    """A service's seconds of a promise, and at which share of a window an alert fires."""
    good, counted = 1e6, 2e6
    written: list[tuple[str, str]] = []
    for minutes, bad, counts in stretches:
        for _ in range(int(minutes * 60 / STEP_S)):
            written.append(("_", "_") if bad is None else (f"{good!r}", f"{counted!r}"))
            counted += step_s * counts
            good += step_s * counts * (1 - (bad or 0))
    of = f'{OF},objective="{objective}"'
    minutes = sum(stretch[0] for stretch in stretches)
    found = {
        f"continuity_objective_good_seconds{{{of}}}": " ".join(pair[0] for pair in written),
        f"continuity_objective_counted_seconds{{{of}}}": " ".join(pair[1] for pair in written),
        INFO: line((minutes, at(1))),
    }
    for burn, share in thresholds.items():
        name = f'continuity_objective_burn_threshold_ratio{{{of},burn="{burn}"}}'
        found[name] = line((minutes, at(share)))
    return found


def completing(*pieces: tuple[float, float, float], fast: float) -> dict[str, str]:
    """(Minutes, completed a minute, failed a minute) of a service that promises to complete transactions."""
    of, minutes = f'{OF},objective="completion"', sum(piece[0] for piece in pieces)
    total = f'continuity_transactions_total{{{OF},channel="web",outcome='
    return {
        f'{total}"completed"}}': counter(*((piece[0], piece[1]) for piece in pieces)),
        f'{total}"failed"}}': counter(*((piece[0], piece[2]) for piece in pieces)),
        f'{total}"abandoned"}}': counter((minutes, 5)),
        f"continuity_objective_ratio{{{of}}}": line((minutes, at(0.99))),
        f'continuity_objective_burn_threshold_ratio{{{of},burn="fast"}}': line((minutes, at(fast))),
        INFO: line((minutes, at(1))),
    }


def _replica(series: dict[str, str]) -> dict[str, str]:
    """The same from a second replica."""
    return series | {name.replace('instance="a"', 'instance="b"'): values for name, values in series.items()}


WELL: Stretch = (65, 0.0, 1)
FAST = 0.0144
BURN_CASES: dict[str, list[Case]] = {
    "ContinuityBudgetBurning": [
        Case("a third is bad for ten minutes", promised(WELL, (30, 0.33, 1), fast=FAST), 75, 1),
        Case("all is well", promised((90, 0.0, 1), fast=FAST), 85, 0),
        Case("exactly at the threshold", promised((90, 0.5, 1), fast=0.5), 85, 0),
        Case("just over it", promised((90, 0.5, 1), fast=0.4999), 85, 1),
        Case("t27 down since it began, for less than a window", promised((50, 1.0, 1), fast=FAST), 45, 0),
        Case("t27 down since it began, for a window", promised((80, 1.0, 1), fast=FAST), 65, 1),
        Case(
            "a blip: a window says so, not yet two evaluations",
            promised(WELL, (30, 0.33, 1), fast=FAST),
            67.5,
            0,
        ),
        Case(
            "it ended half an hour ago",
            promised(WELL, (10, 0.5, 1), (40, 0.0, 1), fast=FAST),
            105,
            0,
        ),
        Case("in maintenance nothing counts", promised(WELL, (60, 1.0, 0), fast=FAST), 115, 0),
        Case(
            "t3 most of it is unknown: not enough counts to say so",
            promised(WELL, (70, 1.0, 0.3), fast=FAST),
            133,
            0,
        ),
        Case(
            "a gap in the scrapes, shorter than what it is kept for",
            promised(WELL, (20, 0.5, 1), (8, None, 1), (20, 0.5, 1), fast=FAST),
            91,
            1,
        ),
        Case(
            "t48 two replicas are one service",
            _replica(promised(WELL, (30, 0.33, 1), fast=FAST)),
            75,
            1,
        ),
        Case("no threshold: this promise wants no such alert", promised((90, 1.0, 1)), 85, 0),
        Case("t21 at 95 % the derived factor can fire", promised(WELL, (60, 1.0, 1), fast=0.5), 100, 1),
        Case("t17 one of three transactions failed", completing((90, 0.02, 0.01), fast=0.144), 85, 0),
        Case(
            "of many half failed, for twenty minutes", completing((80, 10, 0), (30, 5, 5), fast=0.144), 100, 1
        ),
        Case("of many hardly any failed", completing((120, 10, 0.01), fast=0.144), 110, 0),
        Case("t17 nobody came", completing((120, 0, 0), fast=0.144), 110, 0),
        Case("t27 failing since the first one", completing((50, 5, 5), fast=0.144), 45, 0),
        Case("a reset counts no failure", completing((80, 10, 0.01), (30, -10, -0.01), fast=0.144), 100, 0),
    ],
    "ContinuityIncidentOpen": [
        case
        for case in level(
            f"continuity_service_incident_open{{{OF}}}",
            well=at(0),
            edge=at(0),
            over=at(1),
            for_min=0,
            keep_min=0,
            beside={INFO: line((60, at(1)))},
        )
        if case.title in ("well", "exactly at the threshold", "over it", "ended")
    ],
}

SLOW_STEP_S = 240
SLOW_CASES = [  # the minutes of `promised` are 16 here: a sample every SLOW_STEP_S
    Case(
        "three days at the allowed share and a little",
        promised((290, 0.06, 1), step_s=SLOW_STEP_S, slow=0.05),
        4560,
        1,
    ),
    Case("the same, two days old", promised((290, 0.06, 1), step_s=SLOW_STEP_S, slow=0.05), 2870, 0),
    Case(
        "six hours, for two of which a third was bad",
        promised((27, 0.0, 1), (8, 0.3, 1), step_s=SLOW_STEP_S, medium=0.06),
        540,
        1,
    ),
    Case("exactly the allowed share", promised((290, 0.0625, 1), step_s=SLOW_STEP_S, slow=0.0625), 4560, 0),
]
