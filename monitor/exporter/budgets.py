"""Promises for Prometheus: targets, what is left of budgets, and the seconds that burn alerts are made of.

The seconds are gauges and not counters: a fact that is learned late takes back what was said before. A rule
subtracts an older value from a newer one and never takes a rate.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

import msgspec

from monitor.judge.budget import of_time
from monitor.judge.budgets import HEADLINE, Held, headline, held_of
from monitor.judge.current import CurrentFigures
from monitor.judge.incidents import Incident
from monitor.judge.picture import Picture
from monitor.model import Catalogue
from monitor.objectives import Objective, Rung
from monitor.store.incidents import Kept

POLITE_EVERY = 16  # held
TARGET, THRESHOLD = "continuity_objective_ratio", "continuity_objective_burn_threshold_ratio"
GOOD, COUNTED = "continuity_objective_good_seconds", "continuity_objective_counted_seconds"
LEFT, OPEN = "continuity_error_budget_remaining_ratio", "continuity_service_incident_open"
HELP = {
    TARGET: "The share that is promised; without a service it is the headline's.",
    THRESHOLD: "The share of a window that must be bad before a burn alert fires.",
    GOOD: "Seconds that kept the promise, of all that are accounted; a late fact may take some back.",
    COUNTED: "Seconds that count for the promise; a late fact may take some back.",
    LEFT: "What is left of the error budget of a period, of 1; negative when overspent.",
}
_incident = msgspec.json.Decoder(Incident)


class BudgetLines:
    """Lines of these families, made anew when the figures or the services are others."""

    def __init__(self, figures: CurrentFigures, incidents: Callable[[], list[Kept]]) -> None:
        self._figures, self._incidents = figures, incidents
        self._made_of: tuple[int, object] | None = None
        self._targets = b""
        self._bytes = b""

    def bytes(self, picture: Picture) -> bytes:
        """Every family whole, with HELP and TYPE."""
        made_of = (picture.serial, self._figures.rows)
        if self._made_of is None or self._made_of[0] != made_of[0] or self._made_of[1] is not made_of[1]:
            families = _families(picture.catalogue, self._figures)
            if self._made_of is None or self._made_of[0] != picture.serial:
                self._targets = _targets(picture.catalogue)
            self._bytes = self._targets + b"".join(_family(*each) for each in families)
            self._made_of = made_of
        return self._bytes + _open_lines(picture, self._incidents())


def _targets(catalogue: Catalogue) -> bytes:
    """Targets and thresholds, which change with the catalogue alone."""
    labelled = list(_labelled(catalogue))
    targets = [f"{TARGET}{{{labels}}} {one.target}\n" for labels, one in labelled]
    thresholds = _family(THRESHOLD, HELP[THRESHOLD], _thresholds(labelled))
    return _family(TARGET, HELP[TARGET], targets) + thresholds


def _family(name: str, text: str, lines: Iterable[str]) -> bytes:
    return f"# HELP {name} {text}\n# TYPE {name} gauge\n{''.join(lines)}".encode()


def _families(catalogue: Catalogue, figures: CurrentFigures) -> Iterator[tuple[str, str, Iterable[str]]]:
    held = []
    for number, one in enumerate(held_of(catalogue, figures.rows)):
        _politely(number)
        held.append(one)
    yield GOOD, HELP[GOOD], _seconds(GOOD, held, catalogue, figures)
    yield COUNTED, HELP[COUNTED], _seconds(COUNTED, held, catalogue, figures)
    yield LEFT, HELP[LEFT], _left(held)


def _labels(name: str, slug: str | None) -> str:
    return f'objective="{name}"' if slug is None else f'service="{slug}",objective="{name}"'


def _labelled(catalogue: Catalogue) -> Iterator[tuple[str, Objective]]:
    """Every promise with its labels, those of transactions too."""
    yield _labels(HEADLINE, None), headline(catalogue.policy)
    for service in catalogue.services:
        for objective in service.objectives:
            yield _labels(objective.indicator.value, service.slug), objective


def _thresholds(labelled: Iterable[tuple[str, Objective]]) -> Iterator[str]:
    for number, (labels, objective) in enumerate(labelled):
        _politely(number)
        for rung in Rung:
            share = objective.threshold(rung)
            if share is not None:
                yield f'{THRESHOLD}{{{labels},burn="{rung.value}"}} {float(share)}\n'


def _seconds(name: str, held: Iterable[Held], catalogue: Catalogue, figures: CurrentFigures) -> Iterator[str]:
    for number, one in enumerate(held):
        _politely(number)
        ever = figures.ever.get(one.subject)
        if ever is None:
            continue
        account = of_time(one.objective.indicator, ever, catalogue.policy)
        value = account.good if name == GOOD else account.counted
        yield f"{name}{{{_of(one)}}} {value / 1000}\n"


def _left(held: Iterable[Held]) -> Iterator[str]:
    for number, one in enumerate(held):
        _politely(number)
        for kind, budget in one.budgets.items():
            if (share := budget.left_share) is not None:
                yield f'{LEFT}{{{_of(one)},window="{kind.value}"}} {float(share):.6g}\n'


def _of(one: Held) -> str:
    return _labels(one.name, one.service.slug if one.service else None)


def _politely(number: int) -> None:
    """Let the event loop have the interpreter."""
    if number % POLITE_EVERY == 0:
        time.sleep(0)


def _open_lines(picture: Picture, kept: Iterable[Kept]) -> bytes:
    """1 for each service that an open incident touches, 0 for the others."""
    touched = {subject for one in kept for subject in _incident.decode(one.document).services}
    return _family(
        OPEN,
        "1 while an open incident touches the service, be it its own or that of what it needs.",
        (
            f'{OPEN}{{service="{slug}"}} {int(shown.service.subject in touched)}\n'
            for slug, shown in picture.services.items()
        ),
    )
