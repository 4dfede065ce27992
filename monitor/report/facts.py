"""What a report is made of, as it was read at one moment. Nouns without behaviour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from monitor.facts import Finding, Missed
from monitor.judge.accounts import Accounts
from monitor.judge.figures import Figure, When
from monitor.judge.ranges import Ranges
from monitor.judge.uptake import Tally
from monitor.judge.weighted import Weighted
from monitor.model import Catalogue, Channel, Text
from monitor.report.document import About, AtRisk, Terms
from monitor.report.document import Missing as NotIn


class Noted(NamedTuple):
    """An incident that touches the period, with what people wrote down about it, oldest first."""

    number: str
    subject: str
    since_ms: int
    ended_ms: int | None
    notes: tuple[str, ...]


class Ending(NamedTuple):
    """A certificate as it was last seen."""

    check: str
    expires_ms: int


class Week(NamedTuple):
    """One week of the trend."""

    label: str
    when: When
    figure: Figure | None  # unset: nobody was accounted then


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Of one scope and period. Figures are by subject, transactions by the subject of the service."""

    about: About
    terms: Terms
    when: When
    catalogues: Sequence[Catalogue]  # in force at some time of the period, the last one first
    accounts: Accounts
    services: Sequence[str]
    entities: Sequence[str]
    owners: Mapping[str, str]  # service: its entity when the period, or the service, ended
    figures: Mapping[str, Figure]
    before: Mapping[str, Figure] = field(default_factory=dict)
    weeks: Sequence[Week] = ()
    objectives: Mapping[str, str] = field(default_factory=dict)  # percent, of services that have their own
    counted: Mapping[str, Tally] = field(default_factory=dict)
    counted_before: Mapping[str, Tally] = field(default_factory=dict)
    weighted: Mapping[str, Weighted] = field(default_factory=dict)  # of services with a usual pattern
    weighted_of: Mapping[str, Mapping[str, Weighted]] = field(default_factory=dict)  # by entity: moved ones
    missed: Sequence[Missed] = ()
    findings: Sequence[Finding] = ()
    incidents: Sequence[Noted] = ()
    certificates: Sequence[Ending] = ()
    at_risk: Sequence[AtRisk] = ()
    not_in: Sequence[NotIn] = ()

    @cached_property
    def _names(self) -> dict[str, tuple[str, Text]]:
        """Slug and name of everybody, as the last version that knew them calls them."""
        found: dict[str, tuple[str, Text]] = {}
        for catalogue in reversed(self.catalogues):
            found |= {each.subject: (each.slug, each.name) for each in catalogue.services}
            found |= {each.subject: (each.slug, each.name) for each in catalogue.systems}
            found |= {each.subject: (each.slug, each.name) for each in catalogue.entities}
        return found

    def name(self, subject: str) -> tuple[str, Text]:
        """Slug and name of a subject; the key alone where no version knew it."""
        return self._names.get(subject) or (subject.partition(":")[2], Text())

    def exists(self, service: str) -> Ranges:
        """When the service was there and belonged to whom this report is about."""
        return self.accounts.belonging.services.get(self.about.scope, {}).get(service, ())

    def channels(self, service: str) -> Sequence[Channel]:
        """The channels a service had, from the last version of the catalogue that knew it."""
        for catalogue in self.catalogues:
            if found := catalogue.services_by_subject.get(service):
                return found.channels
        return ()
