"""Figures and objectives of what a person names at a command line, without a web process."""

from __future__ import annotations

from typing import Any

from monitor.config.decode import suggestion
from monitor.errors import UsageError
from monitor.judge.answers import figure_meant, subject_of, subjects_of
from monitor.judge.asking import BadAsk, asked
from monitor.judge.current import CurrentFigures
from monitor.judge.objectives import Completions, objectives
from monitor.judge.terms import terms_of
from monitor.model import Version
from monitor.store import read
from monitor.store.pool import Store
from monitor.web.api import figure_forms, objective_forms

OPTIONS = {"period": "--period", "from": "--from", "to": "--to", "zone": "--zone"}


async def figure_named(
    store: Store,
    named: str,
    *,
    now_ms: int,
    period: str | None = None,
    start: str | None = None,
    end: str | None = None,
    zone: str | None = None,
) -> dict[str, Any]:
    """The figure as the API gives it, under the catalogue in force.

    Raises UsageError when there is no such thing or stretch, StoreUnavailable.
    """
    catalogue = (await in_force(store)).catalogue
    subject = subject_of(catalogue, named)
    if subject is None:
        near = suggestion(named, subjects_of(catalogue))
        raise UsageError(f"nothing is called {named!r} in the catalogue{near}")
    terms = terms_of(catalogue)
    try:
        meant = asked(
            period=period,
            start=start,
            end=end,
            zone=zone,
            usual_zone=terms.zone,
            now_ms=now_ms,
            name=OPTIONS.__getitem__,
        )
    except BadAsk as error:
        raise UsageError(str(error)) from None
    return figure_forms.figure(await figure_meant(store, terms, subject, meant), terms)


async def objectives_named(store: Store, service: str | None, *, now_ms: int) -> list[dict[str, Any]]:
    """Objectives as the API gives them, under the catalogue in force.

    Raises UsageError when no service is called so, StoreUnavailable.
    """
    catalogue = (await in_force(store)).catalogue
    slugs = [one.slug for one in catalogue.services]
    if service is not None and service not in slugs:
        raise UsageError(f"no service is called {service!r}{suggestion(service, slugs)}")
    figures = CurrentFigures(store)
    await figures.refresh(catalogue)
    found = await objectives(Completions(store), catalogue, figures.rows, now_ms=now_ms, service=service)
    return objective_forms.objectives(found, catalogue.policy.decimals)


async def in_force(store: Store) -> Version:
    """The version of the catalogue in force. Raises UsageError before the first, StoreUnavailable."""
    serial = await read.serial_in_force(store)
    if not serial:
        raise UsageError("no catalogue was published here yet; `continuity run derive` does that")
    return await read.version(store, serial)
