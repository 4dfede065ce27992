"""Who gets what, and when: planned in the transaction that publishes or keeps back, by hand, at sign-off."""

from __future__ import annotations

from typing import Any, NamedTuple

from monitor.config.decode import suggestion
from monitor.config.delivery import DeliverySettings
from monitor.errors import UsageError
from monitor.log import Log
from monitor.store import report_deliveries, report_drafts, reports
from monitor.store.lease import Lease
from monitor.store.pool import Store
from monitor.store.report_deliveries import Which
from monitor.store.report_drafts import Draft

log = Log(__name__)
BY_ITSELF = "monitor"
SIGNED_LEAST = 16  # digits of a SHA-256, as the foot of a printed page has them


async def plan(connection: Any, settings: DeliverySettings, which: Which, slug: str) -> None:
    """To everybody who is sent reports of that entity; of a draft, to its reviewers."""
    found = settings.of(slug, reviewers=which.stage == "draft")
    await report_deliveries.plan(connection, which, [one.name for one in found])


class Again(NamedTuple):
    """What somebody wants sent once more: to one recipient, or to all of that entity."""

    label: str
    scope: str
    slug: str
    to: str | None
    by: str


async def send_again(store: Store, settings: DeliverySettings, again: Again) -> tuple[Which, list[str]]:
    """The last version to be sent again by the role `report`; which, and to whom. Raises UsageError."""
    lines = await reports.versions(store, scope=again.scope, label=again.label)
    if not lines:
        raise UsageError(f"no report {again.label} is published; `continuity report list` shows them")
    names = _names(settings, again)
    which = Which(again.scope, again.label, lines[0].version)
    async with store.transaction() as connection:
        await report_deliveries.plan_again(connection, which, names, by=again.by)
    return which, names


def _names(settings: DeliverySettings, again: Again) -> list[str]:
    own = [one.name for one in settings.of(again.slug)]
    if again.to is None:
        if not own:
            raise UsageError(f"nobody is sent the reports of {again.slug}: see `report: {{delivery: …}}`")
        return own
    if again.to not in own:
        near = suggestion(again.to, own) if own else "; it has none"
        raise UsageError(f"no recipient of {again.slug} is called {again.to!r}{near}")
    return [again.to]


class Superseded(UsageError):
    """The draft was made anew: what was signed is not what would be published."""


async def sign_off(store: Store, *, label: str, scope: str, by: str, sha256: str) -> Draft:
    """Publish a draft as it is, because a reviewer says so of the bytes with that SHA-256, or its beginning.

    Raises UsageError when none waits, Superseded when it has other bytes by now.
    """
    draft = await _waiting(store, label, scope, sha256)
    if not await _release(store, draft, signed_by=by):
        await _waiting(store, label, scope, sha256)
        raise UsageError(f"somebody else published {label} of {scope}")
    return draft


async def _waiting(store: Store, label: str, scope: str, sha256: str) -> Draft:
    found = {each.scope: each for each in await report_drafts.waiting(store, label=label)}
    draft = found.get(scope)
    if draft is None:
        raise UsageError(f"no draft {label} of {scope} waits to be signed off")
    if len(sha256) < SIGNED_LEAST:
        raise UsageError(f"name at least {SIGNED_LEAST} digits of the SHA-256 that you sign")
    if not draft.sha256.startswith(sha256.lower()):
        raise Superseded(
            f"{label} of {scope} was made anew and is {draft.sha256} now; read it before you sign"
        )
    return draft


async def release_due(store: Store, lease: Lease) -> int:
    """Publish every draft whose time is over; how many. Raises LeaseLost, StoreUnavailable."""
    made = 0
    for draft in await report_drafts.waiting(store, due=True):
        made += await _release(store, draft, lease=lease)
    return made


async def _release(
    store: Store,
    draft: Draft,
    *,
    signed_by: str | None = None,
    lease: Lease | None = None,
) -> bool:
    async with store.transaction() as connection:
        if lease is not None:
            await lease.lock(connection)
        names = await report_drafts.release(connection, draft, signed_by=signed_by, by=signed_by or BY_ITSELF)
        if names is not None:
            await report_deliveries.drop_drafts(connection, draft.which)
            await report_deliveries.plan(connection, draft.which, names)
    if names is not None:
        log.info("report.published", scope=draft.scope, label=draft.label, signed_by=signed_by or "")
    return names is not None
