"""A row that PostgreSQL refuses is found by halving its batch, so that all others are kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from monitor.errors import BadMessage, BadRow
from monitor.stream.loop import Position, Record, crc_of

Keep = Callable[[Sequence[Record], Position, Position, BadMessage | None], Awaitable[None]]


async def keep_by_halves(keep: Keep, records: Sequence[Record], *, at: Position, new: Position) -> None:
    """Call `keep(records, at, new, None)`; a single record that raises BadRow is kept as refused."""
    try:
        await keep(records, at, new, None)
    except BadRow as error:
        if len(records) == 1:
            await keep(records, at, new, BadMessage("refused", str(error)))
            return
        middle = len(records) // 2
        last = records[middle - 1]
        between = Position(last.offset + 1, last.timestamp, crc_of(last.key, last.value))
        await keep_by_halves(keep, records[:middle], at=at, new=between)
        await keep_by_halves(keep, records[middle:], at=between, new=new)
