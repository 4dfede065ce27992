"""How time is counted in one place: its zone, its week, its policy. Pure."""

from __future__ import annotations

from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from monitor.judge.periods import WEEKDAYS, Kind, Period, period_at
from monitor.model import Catalogue, Policy


class Terms(NamedTuple):
    """Figures under other terms are other figures. Weekday 0 is Monday."""

    zone: ZoneInfo
    week_start: int
    policy: Policy

    @property
    def written(self) -> str:
        """All that decides what is stored, as text to compare."""
        policy = self.policy
        counted = (policy.missing, policy.degraded_counts, policy.coverage_gate, policy.decimals)
        return msgspec.json.encode((self.week_start, *counted, policy.notice_s)).decode()

    def period(self, kind: Kind, at_ms: int) -> Period:
        """The period of `kind` that holds the instant."""
        return period_at(kind, at_ms, self.zone, week_start=self.week_start)

    def elsewhere(self, zone: str) -> Terms:
        """The same in another time zone."""
        return self._replace(zone=ZoneInfo(zone))


def terms_of(catalogue: Catalogue) -> Terms:
    """The terms of a version of the catalogue; the week begins as its calendar says."""
    week_start = WEEKDAYS.index(catalogue.calendar.week_start)
    return Terms(ZoneInfo(catalogue.zone), week_start, catalogue.policy)
