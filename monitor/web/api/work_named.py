"""Work by command, without a web process: the same checks, acts and forms as over the API."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from monitor.errors import UsageError
from monitor.judge import work_desk
from monitor.judge.by_hand import NotNow
from monitor.judge.exclusions import Exclusion
from monitor.judge.reach_of_work import reach
from monitor.judge.reading import exclusion_of
from monitor.judge.surroundings import Surroundings
from monitor.store import exclusions as table
from monitor.store.pool import Store
from monitor.store.tokens import Holder, Role
from monitor.web import working
from monitor.web.announcing import announcement_of, instant_of
from monitor.web.api.named import in_force
from monitor.web.api.openapi_work import LISTED_MAX
from monitor.web.api.work import line
from monitor.web.problems import Refused


async def announced(store: Store, sent: Mapping[str, Any], *, by: str, preview: bool) -> dict[str, Any]:
    """Announce it, or only say what it takes. Raises UsageError, StoreUnavailable."""
    around = await _around(store)
    try:
        filed = announcement_of(sent, around, Holder(by, Role.OPERATOR, ()), now_ms=_now_ms())
    except Refused as refused:
        raise UsageError(refused.detail) from None
    found = reach(around, filed.subjects)
    return {
        "numbers": [] if preview else await work_desk.announce(store, filed),
        "channels": list(found.channels),
        "services": list(found.services),
        "services_without_remote": list(found.last),
        "entities": list(found.entities),
    }


async def listed(store: Store) -> list[dict[str, Any]]:
    """As the API lists it. Raises UsageError, StoreUnavailable."""
    rows = await table.latest(store, limit=LISTED_MAX)
    return await _lines(store, [exclusion_of(row) for row in rows])


async def shown(store: Store, number: int) -> dict[str, Any]:
    """One of them. Raises UsageError when there is none, StoreUnavailable."""
    row = await table.one(store, number)
    if row is None:
        raise UsageError(f"nothing was announced as {number}; `continuity work list` says what was")
    return (await _lines(store, [exclusion_of(row)]))[0]


async def acted(
    store: Store, number: int, act: str, *, by: str, end: str = "", why: str = ""
) -> dict[str, Any]:
    """Do it, and give what it is then. Raises UsageError, StoreUnavailable."""
    await shown(store, number)
    catalogue = (await _around(store)).catalogue
    notice_ms, now_ms = round(catalogue.policy.notice_s * 1000), _now_ms()
    try:
        match act:
            case "extend":
                to_ms = instant_of({"to": end}, "to", catalogue)
                number = await work_desk.extend(store, number, to_ms=to_ms, by=by, now_ms=now_ms)
            case "finish" | "roll-back":
                back = act == "roll-back"
                await work_desk.finish(store, number, by=by, now_ms=now_ms, rolled_back=back)
            case "cancel":
                await work_desk.cancel(store, number, by=by, now_ms=now_ms)
            case "approve":
                await work_desk.approve(store, number, by=by, why=why, notice_ms=notice_ms)
            case "reject":
                await work_desk.reject(store, number, by=by, why=why, notice_ms=notice_ms)
    except Refused as refused:
        raise UsageError(refused.detail) from None
    except NotNow as error:
        raise UsageError(str(error)) from None
    return await shown(store, number)


async def _lines(store: Store, found: list[Exclusion]) -> list[dict[str, Any]]:
    notice_s = (await _around(store)).catalogue.policy.notice_s
    extended = await table.extended(store, [one.id for one in found])
    shown = working.all_shown(found, extended, now_ms=_now_ms(), notice_ms=round(notice_s * 1000))
    return [line(each) for each in shown]


async def _around(store: Store) -> Surroundings:
    return Surroundings(await in_force(store))


def _now_ms() -> int:
    return int(time.time() * 1000)
