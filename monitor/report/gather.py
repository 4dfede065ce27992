"""Everything a report is made of, read from the store at one instant."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from monitor.config.settings import ReportSettings
from monitor.errors import UsageError
from monitor.facts import FigureRow, Fitted
from monitor.judge import pattern, uptake
from monitor.judge.accounts import Accounts
from monitor.judge.budgets import LATELY, PERIODS
from monitor.judge.figures import Figure, When
from monitor.judge.hours import Hours
from monitor.judge.missed import INTERVAL
from monitor.judge.pattern import Usual
from monitor.judge.periods import WEEKDAYS, Kind
from monitor.judge.ranges import Range, clip
from monitor.judge.reading import figure_of, open_accounts
from monitor.judge.terms import Terms as Counting
from monitor.judge.terms import terms_of
from monitor.judge.uptake import Tally
from monitor.judge.weighted import Offer, Weighted, weighted
from monitor.model import GOVERNMENT, Catalogue, Policy, Service, Text, Version
from monitor.report.document import METHOD, About, Missing, Terms
from monitor.report.facts import Ending, Facts, Noted, Week
from monitor.report.objectives import at_risk, objectives, percent
from monitor.report.times import Stretch, before, stretch_of, utc
from monitor.store import catalogue as catalogues
from monitor.store import expected, figures, read, reports, tallies
from monitor.store.pool import Store

WEEKS = 13  # of the trend
WEIGHTED_MAX_MS = 100 * 86_400_000


class Ask(NamedTuple):
    """Which report: a stretch, of whom, in which version, and what was not in."""

    stretch: Stretch
    scope: str
    version: int
    not_in: Sequence[Missing] = ()


async def gather(store: Store, ask: Ask, settings: ReportSettings, *, software: str) -> Facts:
    """The facts of a report as they are known now. Raises UsageError when there was no catalogue then."""
    async with store.snapshot() as still:
        return await _Reading(still, ask, settings, software).facts()


class _Reading:
    """One reading of the store, for one report."""

    def __init__(self, store: Store, ask: Ask, settings: ReportSettings, software: str) -> None:
        self._store, self._ask, self._settings, self._software = store, ask, settings, software

    async def facts(self) -> Facts:
        stretch, scope = self._ask.stretch, self._ask.scope
        now_ms = await reports.now(self._store)
        versions = await self._versions(stretch)
        newest = versions[0]
        terms = terms_of(await self._current())
        when = When(stretch.start_ms, stretch.end_ms, await self._until_ms(stretch, terms))
        accounts = await self._accounts(stretch, terms.policy)
        services = _within(accounts, scope, stretch)
        found = [version.catalogue for version in versions]
        last = before(stretch, terms.zone, week_start=terms.week_start)
        subjects = {*services, *_causes(accounts, services)}
        return Facts(
            about=self._about(newest, terms, now_ms),
            terms=self._terms(terms),
            when=when,
            catalogues=found,
            accounts=accounts,
            services=services,
            entities=_entities(accounts, scope, stretch),
            owners=_owners(accounts, services, stretch),
            figures=await self._figures(stretch, terms, accounts, when),
            before=await self._figures_before(last, terms, services),
            weeks=await self._weeks(terms),
            objectives=objectives(found, services),
            at_risk=at_risk(
                newest.catalogue, await self._windows(terms), services, decimals=terms.policy.decimals
            ),
            counted=await self._counted(stretch, found, services, now_ms),
            counted_before=await self._counted(last, found, services, now_ms),
            weighted=await self._weighted(newest.catalogue, accounts, scope, services, when),
            weighted_of={
                entity: await self._weighted(newest.catalogue, accounts, entity, moved, when)
                for entity, moved in _moved(accounts, scope, stretch).items()
            },
            missed=await expected.missed(
                self._store, from_ms=stretch.start_ms, to_ms=stretch.end_ms, subjects=services
            ),
            findings=await expected.findings(self._store, from_ms=stretch.start_ms, to_ms=stretch.end_ms),
            incidents=await self._incidents(stretch, subjects),
            certificates=await self._certificates(found, subjects),
            not_in=self._ask.not_in,
        )

    # -- which report

    async def _versions(self, stretch: Stretch) -> list[Version]:
        """Versions of the catalogue in force in the period, the last one first; the first one of all else."""
        found = await catalogues.versions(self._store, after_serial=0, since_ms=stretch.start_ms)
        if not found:
            raise UsageError("no catalogue has been published yet")
        during = [version for version in found if version.valid_from_ms < stretch.end_ms]
        return list(reversed(during)) or found[:1]

    async def _current(self) -> Catalogue:
        """Figures are counted by the terms in force now."""
        serial = await read.serial_in_force(self._store)
        if not serial:
            raise UsageError("no catalogue is in force yet")
        return (await read.version(self._store, serial)).catalogue

    def _about(self, newest: Version, terms: Counting, now_ms: int) -> About:
        stretch, scope, catalogue = self._ask.stretch, self._ask.scope, newest.catalogue
        slug, name = _scope_name(catalogue, scope)
        return About(
            kind=stretch.kind,
            label=stretch.label,
            scope=scope,
            slug=slug,
            name=name,
            government=catalogue.government,
            first=stretch.first,
            last=stretch.last,
            began=utc(stretch.start_ms),
            ended=utc(stretch.end_ms),
            zone=terms.zone.key,
            week_start=WEEKDAYS[terms.week_start],
            as_of=utc(now_ms),
            version=self._ask.version,
            catalogue=newest.serial,
            catalogue_sha256=newest.sha256,
            method=METHOD,
            software=self._software,
            sample=catalogue.sample,
            languages=catalogue.languages,
        )

    def _terms(self, terms: Counting) -> Terms:
        policy, settings = terms.policy, self._settings
        return Terms(
            target=percent(policy.target),
            missing=policy.missing.value,
            degraded_counts=policy.degraded_counts,
            coverage_gate=percent(policy.coverage_gate),
            decimals=policy.decimals,
            notice_s=policy.notice_s,
            grace_s=settings.grace_s,
            deadline_s=settings.deadline_s,
            late_horizon_s=policy.late_horizon_s,
            interval=percent(INTERVAL),
            certificates_days=settings.certificates_days,
            digits=settings.digits,
            hijri=settings.hijri,
        )

    # -- time

    async def _until_ms(self, stretch: Stretch, terms: Counting) -> int:
        """How far the figures of the stretch go: as accounted, or, of a free range, as judged."""
        if stretch.kind == "range":
            return await figures.judged_until(self._store) or stretch.start_ms
        clock = await figures.clock(self._store, terms.zone.key)
        return clock.until_ms if clock else stretch.start_ms

    async def _accounts(
        self, stretch: Stretch, policy: Policy, *, subjects: Sequence[str] | None = None
    ) -> Accounts:
        return await open_accounts(
            self._store, from_ms=stretch.start_ms, to_ms=stretch.end_ms, policy=policy, subjects=subjects
        )

    async def _figures(
        self, stretch: Stretch, terms: Counting, accounts: Accounts, when: When
    ) -> Mapping[str, Figure]:
        """As accounting stored them; a free range, or a part of a service, by the same function."""
        found: dict[str, Figure] = {}
        if stretch.kind == "range":
            found |= await asyncio.to_thread(accounts.figures, when)
        else:
            found |= {row.subject: figure_of(row) for row in await self._stored(stretch, terms)}
        return found | accounts.shares(self._ask.scope, when)

    async def _figures_before(
        self, stretch: Stretch, terms: Counting, services: Sequence[str]
    ) -> Mapping[str, Figure]:
        """Of the period before. An entity's report compares with what of a service was the entity's then."""
        when, scope = When(stretch.start_ms, stretch.end_ms, stretch.end_ms), self._ask.scope
        found: dict[str, Figure] = {}
        if stretch.kind == "range":
            accounts = await self._accounts(stretch, terms.policy)
            found |= await asyncio.to_thread(accounts.figures, when)
        else:
            found |= {row.subject: figure_of(row) for row in await self._stored(stretch, terms)}
        if scope == GOVERNMENT:
            return found
        accounts = await self._accounts(stretch, terms.policy, subjects=services)
        others = {*services} - {*_within(accounts, scope, stretch)}
        return {each: figure for each, figure in found.items() if each not in others} | accounts.shares(
            scope, when
        )

    async def _stored(self, stretch: Stretch, terms: Counting) -> list[FigureRow]:
        return await figures.read(
            self._store,
            zone=terms.zone.key,
            kind=stretch.kind,
            from_ms=stretch.start_ms,
            to_ms=stretch.start_ms + 1,
        )

    async def _weeks(self, terms: Counting) -> list[Week]:
        """The weeks of the trend: the last one holds the last day of the period."""
        found = [stretch_of(Kind.WEEK, self._ask.stretch.last, terms.zone, week_start=terms.week_start)]
        while len(found) < WEEKS:
            found.append(before(found[-1], terms.zone, week_start=terms.week_start))
        rows = await figures.read(
            self._store,
            zone=terms.zone.key,
            kind=Kind.WEEK.value,
            from_ms=found[-1].start_ms,
            to_ms=found[0].end_ms,
            subjects=[self._ask.scope],
        )
        stored = {row.start_ms: figure_of(row) for row in rows}
        return [
            Week(week.label, When(week.start_ms, week.end_ms, week.end_ms), stored.get(week.start_ms))
            for week in reversed(found)
        ]

    async def _windows(self, terms: Counting) -> dict[tuple[str, Kind], FigureRow]:
        """The periods that budgets are of, as they go on now."""
        clock = await figures.clock(self._store, terms.zone.key)
        if clock is None:
            return {}
        found: dict[tuple[str, Kind], FigureRow] = {}
        for kind in (*PERIODS, LATELY):
            start_ms = terms.period(kind, clock.until_ms - 1).start_ms
            rows = await figures.read(
                self._store, zone=terms.zone.key, kind=kind.value, from_ms=start_ms, to_ms=start_ms + 1
            )
            found |= {(row.subject, kind): row for row in rows}
        return found

    # -- transactions, incidents, certificates

    async def _counted(
        self, stretch: Stretch, found: Sequence[Catalogue], services: Iterable[str], now_ms: int
    ) -> dict[str, Tally]:
        """Transactions by service, in whole minutes of the period."""
        known = await tallies.first_counted(self._store)
        wanted = [_service(found, subject) for subject in services]
        paths = [channel.subject for service in wanted if service for channel in service.channels]
        over = tallies.stretch(stretch.start_ms, stretch.end_ms, now_ms=now_ms)
        ended = await tallies.sums(self._store, over, tallies.Channels(paths))
        return {
            service.subject: uptake.tally(service, ended, known=known, to_ms=stretch.end_ms)
            for service in wanted
            if service
        }

    async def _weighted(
        self, catalogue: Catalogue, accounts: Accounts, scope: str, services: Sequence[str], when: When
    ) -> dict[str, Weighted]:
        """What is usual on the remote channels of each service while it was the scope's, by what it was.

        Not of very long periods.
        """
        if when.end_ms - when.start_ms > WEIGHTED_MAX_MS:
            return {}
        rows = await expected.patterns(self._store, services=services)
        within = accounts.belonging.services.get(scope, {})
        return await asyncio.to_thread(_weigh, catalogue, accounts, within, when, rows)

    async def _incidents(self, stretch: Stretch, subjects: Iterable[str]) -> list[Noted]:
        rows = await reports.incidents(
            self._store, subjects=sorted(subjects), from_ms=stretch.start_ms, to_ms=stretch.end_ms
        )
        return [Noted(*row) for row in rows]

    async def _certificates(self, found: Sequence[Catalogue], subjects: Iterable[str]) -> list[Ending]:
        """As they were last seen, of the services of this report and of systems they need."""
        wanted = {each.partition("/")[0] for each in subjects}
        pairs = [
            (check.key, vantage)
            for check in found[0].checks.values()
            if check.subject.partition("/")[0] in wanted
            for vantage in check.vantages
        ]
        soonest: dict[str, int] = {}
        for answer in await read.last_answers(self._store, pairs):
            if (expires_ms := answer.certificate_expires_ms) is not None:
                soonest[answer.check] = min(expires_ms, soonest.get(answer.check, expires_ms))
        return [Ending(check, expires_ms) for check, expires_ms in sorted(soonest.items())]


def _weigh(
    catalogue: Catalogue,
    accounts: Accounts,
    within: Mapping[str, Sequence[Range]],
    when: When,
    rows: Sequence[Fitted],
) -> dict[str, Weighted]:
    hours, usuals = Hours.of(catalogue), dict[str, list[Usual]]()
    for row in rows:
        channel = catalogue.channels.get(row.channel)
        if channel is not None and channel.remote:
            service = row.channel.partition("/")[0]
            usuals.setdefault(service, []).append(pattern.decode(row.document).completed)
    found = {}
    for service, those in usuals.items():
        offer = Offer(accounts.timelines.get(service, ()), those)
        ranges = clip(within.get(service, ()), when.start_ms, when.stop_ms)
        parts = [weighted([offer], hours, from_ms=start_ms, to_ms=end_ms) for start_ms, end_ms in ranges]
        found[service] = sum(parts, Weighted())
    return found


def _scope_name(catalogue: Catalogue, scope: str) -> tuple[str, Text]:
    if (entity := catalogue.entities_by_subject.get(scope)) is not None:
        return entity.slug, entity.name
    return (GOVERNMENT, catalogue.government) if scope == GOVERNMENT else (scope.partition(":")[2], Text())


def _service(found: Sequence[Catalogue], subject: str) -> Service | None:
    """As the last version that knew it has it."""
    return next((each for catalogue in found if (each := catalogue.services_by_subject.get(subject))), None)


def _within(accounts: Accounts, scope: str, stretch: Stretch) -> list[str]:
    """Services that belonged to the scope at some instant of the period."""
    services = accounts.belonging.services.get(scope, {})
    return sorted(each for each, ranges in services.items() if clip(ranges, stretch.start_ms, stretch.end_ms))


def _entities(accounts: Accounts, scope: str, stretch: Stretch) -> list[str]:
    """Entities that had a service in the period; a report of one entity lists no others."""
    if scope != GOVERNMENT:
        return []
    parents = [each for each in accounts.belonging.services if each.startswith("entity:")]
    return sorted(each for each in parents if _within(accounts, each, stretch))


def _moved(accounts: Accounts, scope: str, stretch: Stretch) -> dict[str, list[str]]:
    """By entity, of the scope's services those that were the entity's for a part of their time."""
    parents = _entities(accounts, scope, stretch)
    found = {each: accounts.shared_with_others(each, stretch.start_ms, stretch.end_ms) for each in parents}
    return {entity: sorted(services) for entity, services in found.items() if services}


def _owners(accounts: Accounts, services: Sequence[str], stretch: Stretch) -> dict[str, str]:
    """The entity each service belonged to last in the period."""
    last: dict[str, tuple[int, str]] = {}
    for parent, below in accounts.belonging.services.items():
        if not parent.startswith("entity:"):
            continue
        for service in services:
            if own := clip(below.get(service, ()), stretch.start_ms, stretch.end_ms):
                last[service] = max(last.get(service, (0, "")), (own[-1][1], parent))
    return {service: parent for service, (_, parent) in last.items()}


def _causes(accounts: Accounts, services: Iterable[str]) -> set[str]:
    """Systems that anything of these services was down for."""
    steps = (step for service in services for step in accounts.timelines.get(service, ()))
    return {step.cause for step in steps if step.cause.startswith("system:")}
