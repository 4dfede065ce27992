"""When the public is told of an incident, and by when it was promised to hear more. Pure; Unix ms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from monitor.errors import UsageError
from monitor.facts import Said
from monitor.judge.incidents import Incident, State
from monitor.judge.troubles import Sign
from monitor.model import PublicRules

TEXT_MOST = 500
PROMISE_MOST_MS = 24 * 3_600_000

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
    """True when an incident that still fails was published, and the promised update did not come."""
    due_ms = promised_ms(incident, said, rules)
    return incident.state is State.FAILING and due_ms is not None and due_ms <= now_ms


class Word(NamedTuple):
    """What an operator wants to add, checked."""

    ar: str
    en: str
    next_update_ms: int | None


def word(
    texts: Mapping[str, str], languages: Sequence[str], *, next_update_ms: int | None, now_ms: int
) -> Word:
    """Checked: a text in every published language or in none, and a promise that can be kept.

    Raises UsageError, which says what would be right.
    """
    given = {language: texts.get(language, "").strip() for language in ("ar", "en")}
    missing = [language for language in languages if not given.get(language)]
    if any(given.values()) and missing:
        raise UsageError(f"the public reads {' and '.join(languages)}: the text in {missing[0]} is missing")
    for language, text in given.items():
        if len(text) > TEXT_MOST or "\0" in text:
            raise UsageError(f"the text in {language} must have at most {TEXT_MOST} characters")
    if next_update_ms is not None and not now_ms < next_update_ms <= now_ms + PROMISE_MOST_MS:
        raise UsageError("the next update must be promised for within a day from now")
    return Word(given["ar"], given["en"], next_update_ms)


def next_at(clock: str, *, zone: ZoneInfo, now_ms: int) -> int:
    """The next instant at which a clock of the zone shows HH:MM. Raises UsageError."""
    try:
        wanted = datetime.strptime(clock, "%H:%M").time()  # noqa: DTZ007 - an hour without a day
    except ValueError:
        raise UsageError(f"{clock!r} is not an hour: write HH:MM, such as 14:45") from None
    now = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone)
    at = datetime.combine(now.date(), wanted, tzinfo=zone)
    if at <= now:
        at = datetime.combine(now.date() + timedelta(days=1), wanted, tzinfo=zone)
    return int(at.timestamp() * 1000)
