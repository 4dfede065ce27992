"""Every objective with its budgets for whoever asks: time from the figures, transactions counted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from monitor.facts import Ended
from monitor.judge.budget import Account, Budget, budget, of_transactions
from monitor.judge.budgets import LATELY, PERIODS, Held, held_of
from monitor.judge.current import Current
from monitor.judge.figures import When
from monitor.judge.periods import Kind, Period
from monitor.judge.terms import terms_of
from monitor.judge.uptake import NONE, together
from monitor.model import Catalogue, Service
from monitor.objectives import Indicator, Objective
from monitor.store import tallies
from monitor.store.pool import Store

COUNTED_LATELY = (*PERIODS, LATELY)
MINUTE_MS = 60_000

Counts = Mapping[Kind, tuple[Period, Mapping[str, Ended]]]


async def objectives(
    completions: Completions, catalogue: Catalogue, rows: Current, *, now_ms: int, service: str | None = None
) -> list[Held]:
    """Those of one service (its slug), or of all and the headline; the riskiest first.

    Raises StoreUnavailable.
    """
    found = [
        one
        for one in held_of(catalogue, rows)
        if service is None or (one.service and one.service.slug == service)
    ]
    found += await completions.of(catalogue, now_ms=now_ms, service=service)
    return sorted(found, key=_by_risk)


class Completions:
    """Budgets of transactions, summed once in a minute of the clock for everybody who looks within it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._of: tuple[Catalogue, int] | None = None
        self._made: dict[str | None, list[Held]] = {}  # by slug; None: of all services
        self._all, self._one = asyncio.Lock(), asyncio.Lock()  # no page of a service waits for the long sum

    async def of(self, catalogue: Catalogue, *, now_ms: int, service: str | None = None) -> list[Held]:
        """Those of a service, or of all. Raises StoreUnavailable."""
        async with self._all if service is None else self._one:
            made = self._made_within(catalogue, now_ms // MINUTE_MS)
            if (every := made.get(None)) is not None:
                return [one for one in every if service in (None, one.service and one.service.slug)]
            if service not in made:
                wanted = [one for one in catalogue.services if service in (None, one.slug)]
                made[service] = await _completions(self._store, catalogue, wanted, now_ms)
            return made[service]

    def _made_within(self, catalogue: Catalogue, minute: int) -> dict[str | None, list[Held]]:
        """What was made in this minute; a sum that ends after it is not kept."""
        if self._of is None or self._of[0] is not catalogue or self._of[1] != minute:
            self._of, self._made = (catalogue, minute), {}
        return self._made


def _by_risk(one: Held) -> tuple[bool, float, str, str]:
    shares = [float(share) for each in one.budgets.values() if (share := each.left_share) is not None]
    return not one.at_risk, min(shares, default=2.0), one.subject, one.name


async def _completions(
    store: Store, catalogue: Catalogue, services: Sequence[Service], now_ms: int
) -> list[Held]:
    promised = [
        (service, objective)
        for service in services
        for objective in service.objectives
        if objective.indicator is Indicator.COMPLETION
    ]
    if not promised:
        return []
    channels = [channel.subject for service, _ in promised for channel in service.channels]
    terms, counts = terms_of(catalogue), {}
    for kind in COUNTED_LATELY:
        period = terms.period(kind, now_ms)
        over = tallies.stretch(period.start_ms, min(period.end_ms, now_ms), now_ms=now_ms)
        counts[kind] = period, await tallies.sums(store, over, tallies.Channels(channels))
    return [_completion(service, objective, counts, now_ms) for service, objective in promised]


def _completion(service: Service, objective: Objective, counts: Counts, now_ms: int) -> Held:
    lately_period, _ = counts[LATELY]
    lately = _account(service, counts[LATELY][1])
    budgets: dict[Kind, Budget] = {}
    for kind in PERIODS:
        period, counted = counts[kind]
        budgets[kind] = budget(
            objective,
            When(period.start_ms, period.end_ms, now_ms),
            _account(service, counted),
            lately=lately,
            lately_ms=now_ms - lately_period.start_ms,
        )
    return Held(objective.indicator.value, service.subject, service, objective, budgets)


def _account(service: Service, counted: Mapping[str, Ended]) -> Account:
    ended: Iterable[Ended] = (counted.get(channel.subject, NONE) for channel in service.channels)
    return of_transactions(together(ended))
