"""When the public is told of an incident, and by when it was promised to hear more. Pure; Unix ms."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.facts import Said
from monitor.judge.incidents import Incident
from monitor.judge.troubles import Sign
from monitor.model import PublicRules

TOLD = frozenset({Sign.UNAVAILABLE, Sign.DOWN, Sign.DEGRADED})
"""Signs that people notice; the others are for those who run the services."""


def published_ms(incident: Incident, said: Sequence[Said], rules: PublicRules) -> int | None:
    """When it is published: so long after it was known, or with an operator's first word. None: not yet.

    `said`: what was said of this incident, the oldest first.
    """
    if incident.sign not in TOLD:
        return None
    itself_ms = None if rules.by_hand else incident.opened_ms + round(rules.delay_s * 1000)
    spoken_ms = said[0].said_ms if said else None
    known = [at for at in (itself_ms, spoken_ms) if at is not None]
    return min(known, default=None)


def promised_ms(incident: Incident, said: Sequence[Said], rules: PublicRules) -> int | None:
    """By when the public was told to expect more: as last said, or so long after the last word."""
    first_ms = published_ms(incident, said, rules)
    if first_ms is None:
        return None
    if said and said[-1].next_update_ms is not None:
        return said[-1].next_update_ms
    last_ms = max(first_ms, said[-1].said_ms) if said else first_ms
    return last_ms + round(rules.update_s * 1000)


def overdue(incident: Incident, said: Sequence[Said], rules: PublicRules, *, now_ms: int) -> bool:
    """True when an open incident was published, and the promised update did not come."""
    due_ms = promised_ms(incident, said, rules)
    return incident.open and due_ms is not None and due_ms <= now_ms
