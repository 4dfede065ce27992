"""What an incident costs people: transactions that are usual now, and those missed so far (estimate)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from monitor.facts import Missed
from monitor.judge.incidents import Incident
from monitor.judge.missed import Estimate, together
from monitor.judge.pattern import Expectation
from monitor.judge.picture import Picture
from monitor.store import expected
from monitor.web.site import Site


class Cost(NamedTuple):
    """`a_minute`: completed transactions usual now on services that are not available; None: nobody knows."""

    a_minute: float | None
    missed: Estimate | None


async def cost_of(site: Site, picture: Picture, incident: Incident) -> Cost:
    """Of the services it took. Raises StoreUnavailable."""
    rows = await expected.missed(
        site.store,
        from_ms=incident.since_ms,
        to_ms=(incident.closed_ms or site.live.now_ms) + 1,
        subjects=incident.services,
    )
    return Cost(_a_minute(site, picture, incident) if incident.open else None, missed_in(rows))


def missed_in(rows: Sequence[Missed]) -> Estimate | None:
    """Of outages of different services, or of one service at different times; None where none is known."""
    if not rows:
        return None
    return together((Expectation(row.expected, row.own, row.shared), row.seen) for row in rows)


def _a_minute(site: Site, picture: Picture, incident: Incident) -> float | None:
    usual = {} if site.traffic.seen is None else site.traffic.seen.expected
    known = [
        usual[shown.service.slug].mean
        for shown in picture.services.values()
        if shown.service.subject in incident.services and shown.available is False
        if shown.service.slug in usual
    ]
    return sum(known) if known else None
