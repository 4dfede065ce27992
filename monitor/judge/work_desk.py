"""Where people's acts on work are stored: each one transaction, audited, and told to those affected."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from monitor.judge.by_hand import NotNow
from monitor.judge.exclusions import Exclusion, Filing, waits
from monitor.judge.ranges import Range
from monitor.judge.reading import exclusion_of
from monitor.judge.work import LONGEST_MS, Details, Phase, phase
from monitor.model import ExclusionKind
from monitor.store import exclusions as table
from monitor.store.changes import wake
from monitor.store.pool import Store


class Announcement(NamedTuple):
    """What a person files. `ranges`: when, each occurrence; the first is what they wrote."""

    filing: Filing
    subjects: tuple[str, ...]
    ranges: Sequence[Range]
    why: str
    details: Details
    by: str


async def announce(store: Store, filed: Announcement) -> list[int]:
    """Announce every occurrence; returns their numbers, the first one's first. Raises StoreUnavailable."""
    numbers: list[int] = []
    async with store.transaction() as connection:
        for from_ms, to_ms in filed.ranges:
            number = await table.announce(
                connection,
                kind=ExclusionKind.MAINTENANCE.value,
                subjects=filed.subjects,
                from_ms=from_ms,
                to_ms=to_ms,
                why=filed.why,
                by=filed.by,
                filing=filed.filing.value,
                document=msgspec.json.encode(filed.details).decode(),
                series=numbers[0] if numbers else None,
            )
            numbers.append(number)
        await table.tell(connection, numbers[0], "work_announced")
        await wake(connection)
    return numbers


async def extend(store: Store, number: int, *, to_ms: int, by: str, now_ms: int) -> int:
    """Announce that it takes until then; returns the extension's number. Raises NotNow, StoreUnavailable."""
    async with store.transaction() as connection:
        found = await _open(connection, number, now_ms=now_ms)
        if to_ms <= found.to_ms:
            raise NotNow("an extension ends later than the work; to end it sooner, finish it")
        if to_ms - found.to_ms > LONGEST_MS:
            raise NotNow("an extension is at most 14 days long")
        made = await table.announce(
            connection,
            kind=found.kind.value,
            subjects=found.subjects,
            from_ms=found.to_ms,
            to_ms=to_ms,
            why=found.why,
            by=by,
            extends=found.id,
            filing=found.filing.value,
            document=found.document,
        )
        await table.tell(connection, made, "work_extended")
        await wake(connection)
    return made


async def finish(store: Store, number: int, *, by: str, now_ms: int, rolled_back: bool = False) -> None:
    """It is over now; `rolled_back`: all is as it was before. Raises NotNow, StoreUnavailable."""
    async with store.transaction() as connection:
        found = await _open(connection, number, now_ms=now_ms)
        if phase(found, now_ms=now_ms, extended=()) is Phase.ANNOUNCED:
            raise NotNow("it has not begun; cancel it")
        await table.finish(connection, number, by=by, rolled_back=rolled_back)
        await table.tell(connection, number, "work_rolled_back" if rolled_back else "work_finished")
        await wake(connection)


async def cancel(store: Store, number: int, *, by: str, now_ms: int) -> None:
    """Call it off before it begins. Raises NotNow, StoreUnavailable."""
    async with store.transaction() as connection:
        found = await _open(connection, number, now_ms=now_ms)
        if phase(found, now_ms=now_ms, extended=()) is not Phase.ANNOUNCED:
            raise NotNow("it has begun; finish it")
        await table.finish(connection, number, by=by)
        await table.tell(connection, number, "work_cancelled")
        await wake(connection)


async def approve(store: Store, number: int, *, by: str, why: str, notice_ms: int) -> None:
    """The committee lets it stand. Raises NotNow when nothing waits for it, StoreUnavailable."""
    await _rule(store, number, lambda on: table.approve(on, number, by=by, why=why), notice_ms)


async def reject(store: Store, number: int, *, by: str, why: str, notice_ms: int) -> None:
    """The committee lets it count. Raises NotNow when nothing waits for it, StoreUnavailable."""
    await _rule(store, number, lambda on: table.reject(on, number, by=by, why=why), notice_ms)


async def _rule(store: Store, number: int, act: Callable[[Any], Awaitable[bool]], notice_ms: int) -> None:
    async with store.transaction() as connection:
        await table.locked(connection, number)
        row = await table.one_within(connection, number)
        if row is None or not waits(exclusion_of(row), notice_ms=notice_ms):
            raise NotNow(f"nothing of {number} waits for the committee")
        await act(connection)
        await wake(connection)


async def _open(connection: Any, number: int, *, now_ms: int) -> Exclusion:
    """The exclusion, under lock, while something can still be done. It must exist. Raises NotNow."""
    await table.locked(connection, number)
    row = await table.one_within(connection, number)
    assert row is not None, number
    found = exclusion_of(row)
    extended = await table.extended_within(connection, number)
    where = phase(found, now_ms=now_ms, extended=[number] if extended else [])
    if where is Phase.EXTENDED:
        raise NotNow(f"{number} was extended by {extended}; act on that")
    if where in (Phase.FINISHED, Phase.CANCELLED):
        raise NotNow(f"{number} is {where.value}")
    return found
