"""Objectives held against the figures at hand: the budgets of time of every service. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from monitor.facts import FigureRow
from monitor.judge.budget import Budget, allowance, budget, of_time
from monitor.judge.figures import When
from monitor.judge.periods import Kind
from monitor.judge.seconds import Says, spent_of
from monitor.model import GOVERNMENT, Catalogue, Policy, Service
from monitor.objectives import Indicator, Objective

PERIODS = (Kind.DAYS_28, Kind.QUARTER)
LATELY = Kind.DAYS_7
HEADLINE = "headline"

Rows = Mapping[tuple[str, Kind], FigureRow]


class Held(NamedTuple):
    """One objective and its budget in each period that has a figure. Without a service: the headline."""

    name: str
    subject: str
    service: Service | None
    objective: Objective
    budgets: dict[Kind, Budget]

    @property
    def at_risk(self) -> bool:
        return any(one.at_risk for one in self.budgets.values())


def headline(policy: Policy) -> Objective:
    """The share of services that must be remotely available, as a promise."""
    return Objective(indicator=Indicator.AVAILABILITY, target=policy.target)


def held_of(catalogue: Catalogue, rows: Rows) -> Iterator[Held]:
    """The headline's, then every service's of time. Those of transactions are counted elsewhere."""
    policy, several = catalogue.policy, len(catalogue.services)
    yield _held(HEADLINE, GOVERNMENT, None, headline(policy), rows, policy, services=several)
    for service in catalogue.services:
        for objective in service.objectives:
            if objective.indicator is not Indicator.COMPLETION:
                name = objective.indicator.value
                yield _held(name, service.subject, service, objective, rows, policy, services=1)


def left_shares(
    objective: Objective, rows: Sequence[FigureRow | None], policy: Policy, *, services: int
) -> Iterator[float | None]:
    """What is left of the budget in each of these figures, as `Budget.left_share` says it, and no more.

    Everything else of a budget costs several times as much, and a scrape asks it of every service.
    """
    for row in rows:
        if row is None:
            yield None
            continue
        account = of_time(objective.indicator, spent_of(row.counted), policy)
        when = When(row.start_ms, row.end_ms, row.as_of_ms)
        whole = allowance(objective, when, account, services=services)
        known = account.says is Says.FIGURE and whole > 0
        yield (whole - account.bad) / whole if known else None


def _held(
    name: str,
    subject: str,
    service: Service | None,
    objective: Objective,
    rows: Rows,
    policy: Policy,
    *,
    services: int,
) -> Held:
    budgets = {
        kind: _budget(objective, row, rows.get((subject, LATELY)), policy, services)
        for kind in PERIODS
        if (row := rows.get((subject, kind))) is not None
    }
    return Held(name, subject, service, objective, budgets)


def _budget(
    objective: Objective, row: FigureRow, lately: FigureRow | None, policy: Policy, services: int
) -> Budget:
    when = When(row.start_ms, row.end_ms, row.as_of_ms)
    last = row if lately is None else lately
    last_ms = When(last.start_ms, last.end_ms, last.as_of_ms).stop_ms - last.start_ms
    return budget(
        objective,
        when,
        of_time(objective.indicator, spent_of(row.counted), policy),
        lately=of_time(objective.indicator, spent_of(last.counted), policy),
        lately_ms=last_ms,
        services=services,
    )
