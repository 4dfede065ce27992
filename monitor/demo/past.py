"""What the sample's services were before the first run: the holes of its transactions as outages.

What was measured is made up, as all sample data is; what follows from it through dependencies is derived by
the judge's own function, and everything after that, figures and reports, by what a real monitor runs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial

from monitor.addresses import dsn_of, stored
from monitor.config.settings import Settings
from monitor.demo import people
from monitor.demo.dips import HOLE, HOLES, Dip, hits_of, holes
from monitor.demo.faults import Harm
from monitor.demo.plan import WEEKS
from monitor.errors import StoreUnavailable
from monitor.judge.effective import channels, everything, rederive
from monitor.judge.periods import Kind, day_of
from monitor.judge.terms import terms_of
from monitor.judge.timeline import NOT_MEASURED, OK, Step, squeeze
from monitor.lifetime import Stop, first_of
from monitor.log import Log
from monitor.model import GOVERNMENT, Catalogue, Channel, System, Verdict, Version
from monitor.report.times import Stretch, before, stretch_of
from monitor.store import catalogue as catalogues
from monitor.store import changes, figures, sample, tallies
from monitor.store.changes import ChangeRow
from monitor.store.migrate import pending
from monitor.store.pool import Store

log = Log(__name__)
LOOK_S = 0.5
FELT = {Harm.BROKEN: (Verdict.DOWN, "status"), Harm.SLOW: (Verdict.DEGRADED, "slow")}


async def follow_the_history(
    settings: Settings, stop: Stop, *, began_ms: int, caught_up: asyncio.Event, tell: Callable[[], None]
) -> None:
    """Write the past, and `tell` once every transaction of the history is counted.

    Whoever made reports before that would tell of half of them: role `report` is begun after it. The reports
    follow by themselves, when the past's time is summed and what its outages cost is estimated.
    """
    async with stored(settings) as store:
        grace_ms = round(settings.report.grace_s * 1000)
        await _when(partial(_has_tables, dsn_of(settings)), stop)
        await _when(partial(_has_a_past, store, history_ms=began_ms, grace_ms=grace_ms), stop)
        await first_of(stop.wait(), caught_up.wait())
        await _when(partial(_is_counted, store, int(time.time() * 1000)), stop)
    if not stop.requested:
        tell()


async def _when(holds: Callable[[], Awaitable[bool]], stop: Stop) -> None:
    """Return as soon as it holds, or when asked to stop."""
    while not stop.requested:
        try:
            if await holds():
                return
        except StoreUnavailable as error:
            log.warning("past.store_away", why=str(error))
        await stop.pause(LOOK_S)


async def _has_tables(dsn: str) -> bool:
    """The roles make them, and we may be here first."""
    return not await pending(dsn)


async def _has_a_past(store: Store, *, history_ms: int, grace_ms: int) -> bool:
    """Gives it one, as soon as there is a catalogue, and so somebody who may have a past."""
    if await figures.began(store) is None:
        return False
    now_ms = int(time.time() * 1000)
    written = await give_a_past(store, history_ms=history_ms, now_ms=now_ms, grace_ms=grace_ms)
    log.info("past.written", changes=written)
    return True


async def _is_counted(store: Store, sent_ms: int) -> bool:
    counted_ms = await tallies.counted_until(store)
    return counted_ms is not None and counted_ms > sent_ms


async def give_a_past(store: Store, *, history_ms: int, now_ms: int, grace_ms: int = 0) -> int:
    """Write the sample's past, once; returns how many changes. Nothing where the catalogue is no sample.

    `history_ms` is when the history of its transactions begins, from which its holes are counted; a week is
    over `grace_ms` after its end.
    """
    found = await catalogues.versions(store, after_serial=0, since_ms=0)
    began_ms = await figures.began(store)
    if not found or began_ms is None or not found[0].catalogue.sample:
        return 0
    first = found[0]
    if began_ms < first.valid_from_ms:
        return 0  # it has one
    weeks = weeks_over(first.catalogue, now_ms - grace_ms)
    within = {"from_ms": weeks[0].start_ms, "to_ms": first.valid_from_ms, "history_ms": history_ms}
    rows = [*past(first.catalogue, **within)]
    async with store.transaction() as connection:
        await sample.existed_before(connection, from_ms=weeks[0].start_ms, first_ms=began_ms)
        await changes.add(connection, rows)
        await people.write(connection, first, dips_of(first.catalogue, **within), rows)
        await figures.mark(connection, {GOVERNMENT: weeks[0].start_ms})
        await changes.wake(connection)
    await people.meet(store, first, now_ms=now_ms, label=weeks[-1].label)
    return len(rows)


def weeks_over(catalogue: Catalogue, now_ms: int) -> list[Stretch]:
    """The last weeks that are over, the oldest first."""
    terms = terms_of(catalogue)
    found = [stretch_of(Kind.WEEK, day_of(now_ms, terms.zone), terms.zone, week_start=terms.week_start)]
    while len(found) <= WEEKS:
        found.insert(0, before(found[0], terms.zone, week_start=terms.week_start))
    return found[:WEEKS]


def past(catalogue: Catalogue, *, from_ms: int, to_ms: int, history_ms: int) -> Iterator[ChangeRow]:
    """Effective changes of [from, to): up but for the holes, and unknown in the last millisecond.

    Real measurements begin at `to_ms`, and derive may have written there already.
    """
    dips = dips_of(catalogue, from_ms=from_ms, to_ms=to_ms, history_ms=history_ms)
    version = Version(serial=0, sha256="", valid_from_ms=from_ms, catalogue=catalogue)
    made = rederive(
        [version],
        everything(catalogue),
        measured=_measured(catalogue, dips, from_ms),
        effective={},
        from_ms=from_ms,
    )
    for subject, steps in made.items():
        kept = [step for step in steps if step.at_ms < to_ms - 1]
        for step in [*kept, Step(to_ms - 1, Verdict.UNKNOWN, NOT_MEASURED)]:
            said = step.verdict.value, step.reason, step.cause
            yield ChangeRow("effective", subject, step.at_ms, *said, "[]", 0)


def dips_of(catalogue: Catalogue, *, from_ms: int, to_ms: int, history_ms: int) -> list[Dip]:
    """The holes of the history that begin in [from, to)."""
    return [dip for dip in holes(catalogue.zone, history_ms) if from_ms <= dip.since_ms < to_ms]


def _measured(catalogue: Catalogue, dips: list[Dip], from_ms: int) -> Mapping[str, list[Step]]:
    """What the checks of each channel and system said: up, but in the dips that hit them."""
    owners: list[System | Channel] = [*catalogue.systems, *channels(catalogue)]
    said = {owner.subject: [Step(from_ms, Verdict.UP, OK)] for owner in owners if owner.checks}
    by_name = {f"{HOLE}{number}": hole for number, hole in enumerate(HOLES)}
    for dip in dips:
        for check, harm in hits_of(catalogue, by_name[dip.name]).items():
            verdict, reason = FELT[harm]
            steps = said[catalogue.checks[check].subject]
            steps += [Step(dip.since_ms, verdict, reason), Step(dip.until_ms, Verdict.UP, OK)]
    return {subject: squeeze(sorted(steps, key=lambda step: step.at_ms)) for subject, steps in said.items()}
