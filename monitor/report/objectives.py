"""What each service promised and which promises are in danger, as a report says it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from monitor.judge.budgets import Held, Rows, held_of
from monitor.model import Catalogue, Service
from monitor.objectives import Indicator
from monitor.report.document import AtRisk
from monitor.report.times import utc


def objectives(catalogues: Iterable[Catalogue], services: Iterable[str]) -> dict[str, str]:
    """The availability each service promised, in percent; the government's target where it has no promise.

    The last version of the catalogue that knew a service says.
    """
    known: dict[str, tuple[Service, str]] = {}
    for catalogue in reversed([*catalogues]):
        target = percent(catalogue.policy.target)
        known |= {each.subject: (each, target) for each in catalogue.services}
    return {subject: _promised(*known[subject]) for subject in services if subject in known}


def _promised(service: Service, target: str) -> str:
    own = [each.target for each in service.objectives if each.indicator is Indicator.AVAILABILITY]
    return percent(own[0]) if own else target


def at_risk(
    catalogue: Catalogue, rows: Rows, services: Iterable[str], *, decimals: int
) -> tuple[AtRisk, ...]:
    """Promises of these services that are broken, or will be if it goes on so; the least left first."""
    wanted = set(services)
    found = [
        each
        for held in held_of(catalogue, rows)
        if held.service is not None and held.subject in wanted and held.at_risk
        for each in _dangers(held, decimals)
    ]
    return tuple(sorted(found, key=lambda each: (Fraction(each.left or 0), each.subject, each.period)))


def _dangers(held: Held, decimals: int) -> Iterator[AtRisk]:
    assert held.service is not None
    for kind, budget in held.budgets.items():
        if budget.at_risk:
            yield AtRisk(
                subject=held.subject,
                name=held.service.name,
                indicator=held.objective.indicator.value,
                target=percent(held.objective.target),
                period=kind.value,
                met=budget.met is True,
                left=budget.left_percent(decimals),
                used_up=None if budget.used_up_ms is None else utc(budget.used_up_ms),
            )


def percent(share: float) -> str:
    """A setting such as 0.995 as it is printed: 99.5."""
    exact = Fraction(str(share)) * 100
    if exact.denominator == 1:
        return str(exact.numerator)
    return f"{float(exact):.6f}".rstrip("0").rstrip(".")
