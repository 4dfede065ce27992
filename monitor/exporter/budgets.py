"""Promises for Prometheus: targets, what is left of budgets, and the seconds that burn alerts are made of.

The seconds are gauges and not counters: a fact that is learned late takes back what was said before. A rule
subtracts an older value from a newer one and never takes a rate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

import msgspec

from monitor.facts import FigureRow
from monitor.judge.budget import of_time
from monitor.judge.budgets import HEADLINE, PERIODS, headline, left_shares
from monitor.judge.current import CurrentFigures
from monitor.judge.incidents import Incident
from monitor.judge.periods import Kind
from monitor.judge.picture import Picture
from monitor.judge.seconds import Spent
from monitor.model import GOVERNMENT, Catalogue, Policy
from monitor.objectives import Indicator, Objective, Rung
from monitor.polite import politely
from monitor.store.incidents import Kept

TARGET, THRESHOLD = "continuity_objective_ratio", "continuity_objective_burn_threshold_ratio"
GOOD, COUNTED = "continuity_objective_good_seconds", "continuity_objective_counted_seconds"
LEFT, OPEN = "continuity_error_budget_remaining_ratio", "continuity_service_incident_open"
HELP = {
    TARGET: "The share that is promised; without a service it is the headline's.",
    THRESHOLD: "The share of a window that must be bad before a burn alert fires.",
    GOOD: "Seconds that kept the promise, of all that are accounted; a late fact may take some back.",
    COUNTED: "Seconds that count for the promise; a late fact may take some back.",
    LEFT: "What is left of the error budget of a period, of 1; negative when overspent.",
    OPEN: "1 while an open incident touches the service, be it its own or that of what it needs.",
}
_incident = msgspec.json.Decoder(Incident)
MOVING = (GOOD, COUNTED, LEFT)


class Promiser(NamedTuple):
    """Who promises: the labels it has in every line, its promises, and how many subjects its figures sum."""

    subject: str
    labels: str
    promises: tuple[Objective, ...]
    services: int = 1

    def of(self, objective: Objective) -> str:
        """The labels of one promise; without a service it is the headline's."""
        return f'{self.labels}objective="{objective.indicator.value if self.labels else HEADLINE}"'


class Block(NamedTuple):
    """Lines of one promiser by family of MOVING, and the figures they were made of."""

    figures: tuple[Spent | None, tuple[FigureRow | None, ...]]
    parts: tuple[bytes, ...]


class BudgetLines:
    """One block of bytes per promiser, made anew when its figures are others; targets with the catalogue."""

    def __init__(self, figures: CurrentFigures, incidents: Callable[[], list[Kept]]) -> None:
        self._figures, self._incidents = figures, incidents
        self._catalogue: Catalogue | None = None
        self._promisers: list[Promiser] = []
        self._targets = b""
        self._blocks: dict[str, Block] = {}

    def bytes(self, picture: Picture) -> bytes:
        """Every family whole, with HELP and TYPE."""
        if self._catalogue is not picture.catalogue:
            self._begin(picture.catalogue)
        rows, ever = self._figures.rows, self._figures.ever
        policy = picture.catalogue.policy
        blocks = [self._block(one, rows, ever, policy) for one in politely(self._promisers)]
        families = [
            _head(name) + b"".join([block.parts[place] for block in blocks])
            for place, name in enumerate(MOVING)
        ]
        return b"".join([self._targets, *families, _open_lines(picture, self._incidents())])

    def _begin(self, catalogue: Catalogue) -> None:
        self._promisers, self._blocks = list(_promisers(catalogue)), {}
        self._targets = _targets(self._promisers)
        self._catalogue = catalogue

    def _block(
        self,
        one: Promiser,
        rows: Mapping[tuple[str, Kind], FigureRow],
        ever: Mapping[str, Spent],
        policy: Policy,
    ) -> Block:
        figures = ever.get(one.subject), tuple(rows.get((one.subject, kind)) for kind in PERIODS)
        block = self._blocks.get(one.subject)
        if block is None or block.figures != figures:
            parts = _second_lines(one, figures[0], policy), _left_lines(one, figures[1], policy)
            block = self._blocks[one.subject] = Block(figures, (*parts[0], parts[1]))
        return block


def _promisers(catalogue: Catalogue) -> Iterator[Promiser]:
    yield Promiser(GOVERNMENT, "", (headline(catalogue.policy),), len(catalogue.services))
    for service in catalogue.services:
        if service.objectives:
            yield Promiser(service.subject, f'service="{service.slug}",', service.objectives)


def _targets(promisers: Iterable[Promiser]) -> bytes:
    """Targets and thresholds of every promise, those of transactions too; they change with the catalogue."""
    targets, thresholds = [_head(TARGET)], [_head(THRESHOLD)]
    for one in politely(promisers):
        for objective in one.promises:
            labels = one.of(objective)
            targets.append(f"{TARGET}{{{labels}}} {objective.target}\n".encode())
            thresholds += [
                f'{THRESHOLD}{{{labels},burn="{rung}"}} {share}\n'.encode()
                for rung, share in _thresholds(objective)
            ]
    return b"".join([*targets, *thresholds])


@lru_cache(maxsize=1024)  # most services promise what their class does
def _thresholds(objective: Objective) -> list[tuple[str, float]]:
    shares = ((rung.value, objective.threshold(rung)) for rung in Rung)
    return [(rung, float(share)) for rung, share in shares if share is not None]


def _second_lines(one: Promiser, ever: Spent | None, policy: Policy) -> tuple[bytes, bytes]:
    """What was good, and what counted; nothing of transactions, which are counted elsewhere."""
    good, counted = "", ""
    if ever is None:
        return b"", b""
    for objective in _of_time(one):
        account, labels = of_time(objective.indicator, ever, policy), one.of(objective)
        good += f"{GOOD}{{{labels}}} {account.good / 1000}\n"
        counted += f"{COUNTED}{{{labels}}} {account.counted / 1000}\n"
    return good.encode(), counted.encode()


def _left_lines(one: Promiser, rows: tuple[FigureRow | None, ...], policy: Policy) -> bytes:
    text = ""
    for objective in _of_time(one):
        begin = f'{LEFT}{{{one.of(objective)},window="'
        shares = left_shares(objective, rows, policy, services=one.services)
        for kind, share in zip(PERIODS, shares, strict=True):
            if share is not None:
                text += f'{begin}{kind.value}"}} {share:.6g}\n'
    return text.encode()


def _of_time(one: Promiser) -> list[Objective]:
    return [each for each in one.promises if each.indicator is not Indicator.COMPLETION]


def _head(name: str) -> bytes:
    return f"# HELP {name} {HELP[name]}\n# TYPE {name} gauge\n".encode()


def _open_lines(picture: Picture, kept: Iterable[Kept]) -> bytes:
    """1 for each service that an open incident touches, 0 for the others."""
    touched = {subject for one in kept for subject in _incident.decode(one.document).services}
    lines = [
        f'{OPEN}{{service="{slug}"}} {int(shown.service.subject in touched)}\n'
        for slug, shown in picture.services.items()
    ]
    return _head(OPEN) + "".join(lines).encode()
