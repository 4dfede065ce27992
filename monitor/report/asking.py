"""Which report somebody means by a label and an entity, and publishing it because they asked."""

from __future__ import annotations

from typing import NamedTuple

from monitor.config.settings import ReportSettings
from monitor.errors import UsageError
from monitor.judge.periods import Kind, day_of
from monitor.judge.terms import Terms, terms_of
from monitor.model import GOVERNMENT, Catalogue
from monitor.report.document import Document, Missing
from monitor.report.due import missing
from monitor.report.gather import Ask
from monitor.report.publishing import Why, clocks, freeze
from monitor.report.times import BadLabel, Stretch, before, named_stretch, stretch_of
from monitor.store import read, report_drafts, reports
from monitor.store.pool import Store


class Wanted(NamedTuple):
    """What a person asks for. `incomplete`: also when not all is in; `why`: as a correction."""

    label: str | None
    entity: str | None = None
    incomplete: bool = False
    why: str | None = None
    by: str = ""


async def publish(store: Store, wanted: Wanted, settings: ReportSettings, *, software: str) -> Document:
    """Freeze what is wanted. Raises UsageError with what stands in the way, and StoreUnavailable."""
    catalogue = await catalogue_in_force(store)
    terms, now_ms = terms_of(catalogue), await reports.now(store)
    stretch = _stretch(wanted.label, terms, now_ms)
    if stretch.end_ms > now_ms:
        raise UsageError(f"{stretch.label} is not over yet; a report is of a period that is")
    scope = scope_of(catalogue, wanted.entity)
    found = await clocks(store, catalogue, [stretch], now_ms=now_ms)
    lacking = missing(stretch, found, grace_ms=0)
    if lacking and not wanted.incomplete:
        raise UsageError(
            f"not all of {stretch.label} is in: {_said(lacking)}. --incomplete publishes it all the same"
        )
    ask = Ask(stretch, scope, await _next_version(store, scope, stretch, wanted), lacking)
    why = Why(wanted.by, wanted.why) if wanted.why else None
    return await freeze(store, ask, settings, software=software, why=why)


async def catalogue_in_force(store: Store) -> Catalogue:
    """Raises UsageError before there is one."""
    serial = await read.serial_in_force(store)
    if not serial:
        raise UsageError("no catalogue is in force yet")
    return (await read.version(store, serial)).catalogue


def _stretch(label: str | None, terms: Terms, now_ms: int) -> Stretch:
    """The period of that label, or the last week that is over."""
    if label is None:
        this = stretch_of(Kind.WEEK, day_of(now_ms, terms.zone), terms.zone, week_start=terms.week_start)
        return before(this, terms.zone, week_start=terms.week_start)
    try:
        return named_stretch(label, terms.zone, week_start=terms.week_start)
    except BadLabel as error:
        raise UsageError(str(error)) from error


class Whose(NamedTuple):
    """Whose report: the subject, and the slug under which it is addressed."""

    scope: str
    slug: str


async def named(store: Store, entity: str | None) -> Whose:
    """Whose report an entity's slug names. Raises UsageError when nothing is called so."""
    return Whose(scope_of(await catalogue_in_force(store), entity), entity or GOVERNMENT)


def scope_of(catalogue: Catalogue, entity: str | None) -> str:
    """The subject of an entity, or the government. Raises UsageError when nothing is called so."""
    if entity is None:
        return GOVERNMENT
    found = catalogue.entities_by_slug.get(entity)
    if found is None:
        known = ", ".join(sorted(catalogue.entities_by_slug)[:10])
        raise UsageError(f"no entity is called {entity!r}; there are: {known}")
    return found.subject


def _said(lacking: tuple[Missing, ...]) -> str:
    return ", ".join(f"{each.what} until {each.until or 'nothing'}" for each in lacking)


async def _next_version(store: Store, scope: str, stretch: Stretch, wanted: Wanted) -> int:
    lines = await reports.versions(store, scope=scope, label=stretch.label)
    if (scope, stretch.label) in await report_drafts.drafted(store):
        raise UsageError(
            f"{stretch.label} is a draft with its reviewers; `continuity report sign-off {stretch.label}` "
            "publishes it"
        )
    if lines and not wanted.why:
        raise UsageError(
            f"{stretch.label} is published already, as version {lines[0].version}; "
            "--correct WHY publishes a correction"
        )
    if wanted.why and not lines:
        raise UsageError(f"{stretch.label} is not published yet, so there is nothing to correct")
    return lines[0].version + 1 if lines else 1


async def read_frozen(store: Store, label: str, *, entity: str | None, version: int | None) -> bytes:
    """The frozen JSON of a report, of its last version unless said. Raises UsageError when there is none."""
    scope = scope_of(await catalogue_in_force(store), entity)
    text = await reports.document(store, scope=scope, label=label, version=version)
    if text is None:
        which = label if version is None else f"{label} in version {version}"
        raise UsageError(f"no report {which} is published; `continuity report list` shows them")
    return text
