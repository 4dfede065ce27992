"""Outages that were learned of too late to wake anybody: over, or long under way, when we knew."""

from __future__ import annotations

from typing import NamedTuple

from monitor.store.pool import Store
from monitor.store.times import millis, millis_or_none, moment

LATE_S = 900.0
MOST = 50


class FoundLater(NamedTuple):
    """A service that was not available; `until_ms` is None while it still is not."""

    subject: str
    from_ms: int
    until_ms: int | None
    known_ms: int


async def found_later(store: Store, *, from_ms: int, late_s: float = LATE_S) -> list[FoundLater]:
    """Outages of services learned since `from_ms`, more than `late_s` after they began, the newest first."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            """
            select c.subject, c.at, c.known_at,
                   (select min(n.at) from change n
                     where n.subject = c.subject and n.layer = 'effective' and n.withdrawn_at is null
                       and n.at > c.at and n.verdict <> 'down') as ended
              from change c
             where c.layer = 'effective' and c.verdict = 'down' and c.withdrawn_at is null
               and c.subject like 'service:%' and c.subject not like '%/%'
               and c.known_at >= $1 and c.known_at - c.at > make_interval(secs => $2)
               and coalesce((select p.verdict from change p
                              where p.subject = c.subject and p.layer = 'effective'
                                and p.withdrawn_at is null and p.at < c.at order by p.at desc limit 1), '')
                   <> 'down'
             order by c.known_at desc, c.subject limit $3
            """,
            moment(from_ms),
            late_s,
            MOST,
        )
    return [
        FoundLater(
            row["subject"],
            millis(row["at"]),
            millis_or_none(row["ended"]),
            millis(row["known_at"]),
        )
        for row in rows
    ]
