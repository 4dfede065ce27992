"""Outages whose missed transactions derive has still to estimate, before a report can tell of them."""

from __future__ import annotations

from monitor.judge.counting import KEPT_MS
from monitor.model import Catalogue
from monitor.store import expected, seen, tallies
from monitor.store.pool import Store

FEW = 20  # transactions; where no more are counted nothing may be usual, and no estimate comes


async def unreckoned(
    store: Store, catalogue: Catalogue, *, from_ms: int, to_ms: int, now_ms: int
) -> list[int]:
    """Beginnings of those outages of services in [from, to) for which an estimate will come, in order."""
    from_ms = max(from_ms, now_ms - KEPT_MS)
    remote = {
        service.subject: [channel.subject for channel in service.channels if channel.remote]
        for service in catalogue.services
    }
    outages = await seen.outages(store, subjects=remote, from_ms=from_ms, to_ms=to_ms)
    known = await expected.reckoned(store, from_ms=from_ms, to_ms=to_ms, subjects=remote)
    without = [
        each for each in outages if each.began_ms >= from_ms and (each.subject, each.began_ms) not in known
    ]
    if not without:
        return []
    paths = [path for each in without for path in remote[each.subject]]
    over = tallies.stretch(from_ms, to_ms, now_ms=now_ms)
    counted = await tallies.sums(store, over, tallies.Channels(paths))
    usual = {path for path, ended in counted.items() if sum(ended) > FEW}
    return sorted(each.began_ms for each in without if not usual.isdisjoint(remote[each.subject]))
