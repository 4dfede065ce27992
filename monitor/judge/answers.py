"""Availability for whoever asks: the stored figure of a period, or any other stretch by the same function."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from monitor.facts import FigureRow
from monitor.judge.asking import Asked
from monitor.judge.figures import Figure, When, joined
from monitor.judge.periods import Kind, days_within
from monitor.judge.reading import figure_of, figure_row, open_accounts
from monitor.judge.terms import Terms
from monitor.model import GOVERNMENT, Catalogue
from monitor.store import figures
from monitor.store.pool import Store

RANGE = "range"  # the kind of a figure of a free range


def subject_of(catalogue: Catalogue, text: str) -> str | None:
    """The path of what `text` names: a path, a slug, `service/channel`, or the government; None: nothing.

    Where a service, a system and an entity share a slug, the service is meant.
    """
    return subjects_of(catalogue).get(text)


def subjects_of(catalogue: Catalogue) -> dict[str, str]:
    """Every name that means something, and the path it means."""
    known = {GOVERNMENT: GOVERNMENT}
    for entity in catalogue.entities:
        known |= {entity.slug: entity.subject, entity.subject: entity.subject}
    for system in catalogue.systems:
        known |= {system.slug: system.subject, system.subject: system.subject}
    for service in catalogue.services:
        known |= {service.slug: service.subject, service.subject: service.subject}
        for channel in service.channels:
            known |= {f"{service.slug}/{channel.slug}": channel.subject, channel.subject: channel.subject}
    return known


async def figure_meant(store: Store, terms: Terms, subject: str, meant: Asked) -> FigureRow:
    """The figure of what was asked for. Raises StoreUnavailable."""
    if meant.kind is None:
        row = await range_figure(store, terms, subject, meant.from_ms, meant.to_ms)
        return row._replace(zone=meant.zone.key)
    return await period_figure(store, terms, subject, meant.kind, meant.from_ms, zone=meant.zone.key)


async def period_figure(
    store: Store, terms: Terms, subject: str, kind: Kind, at_ms: int, *, zone: str | None = None
) -> FigureRow:
    """The figure of the period of `kind` that holds the instant: the stored one, or made like it.

    `zone`: where the period begins and ends, when it is not that of the terms. Raises StoreUnavailable.
    """
    there = terms if zone is None else terms.elsewhere(zone)
    period = there.period(kind, at_ms)
    rows = await figures.read(
        store,
        zone=there.zone.key,
        kind=kind.value,
        from_ms=period.start_ms,
        to_ms=period.start_ms + 1,
        subjects=[subject],
    )
    if rows:
        return rows[0]
    found = await range_figure(store, terms, subject, period.start_ms, period.end_ms)
    return found._replace(kind=kind.value, zone=there.zone.key)


async def range_figure(store: Store, terms: Terms, subject: str, from_ms: int, to_ms: int) -> FigureRow:
    """The figure of [from, to): stored days where they are whole, what is left by looking.

    Raises StoreUnavailable.
    """
    judged_ms = await figures.judged_until(store)
    as_of_ms = from_ms if judged_ms is None else judged_ms
    pieces: list[Figure] = []
    at_ms = from_ms
    for day in await _days(store, terms, subject, from_ms, min(to_ms, as_of_ms)):
        if at_ms < day.when.start_ms:
            pieces.append(await _looked(store, terms, subject, When(at_ms, day.when.start_ms, as_of_ms)))
        pieces.append(day)
        at_ms = day.when.end_ms
    if at_ms < to_ms:
        pieces.append(await _looked(store, terms, subject, When(at_ms, to_ms, as_of_ms)))
    return figure_row(subject, terms.zone.key, RANGE, joined(pieces), terms.policy)


async def _days(store: Store, terms: Terms, subject: str, from_ms: int, to_ms: int) -> Sequence[Figure]:
    """Stored figures of the whole days of [from, to), those that are over and hold."""
    clock = await figures.clock(store, terms.zone.key)
    if clock is None or clock.terms != terms.written:
        return []
    days = days_within(from_ms, min(to_ms, clock.until_ms), terms.zone)
    if not days:
        return []
    marks = await figures.dirty(store)
    rows = await figures.read(
        store,
        zone=terms.zone.key,
        kind=Kind.DAY.value,
        from_ms=days[0].start_ms,
        to_ms=days[-1].end_ms,
        subjects=[subject],
    )
    stale_ms = min((mark.since_ms for mark in marks), default=to_ms)
    return [figure_of(row) for row in rows if row.end_ms <= min(row.as_of_ms, stale_ms)]


async def _looked(store: Store, terms: Terms, subject: str, when: When) -> Figure:
    accounts = await open_accounts(
        store,
        from_ms=when.start_ms,
        to_ms=max(when.start_ms + 1, when.stop_ms),
        policy=terms.policy,
        subjects=[subject],
    )
    return await asyncio.to_thread(accounts.figure, subject, when)
