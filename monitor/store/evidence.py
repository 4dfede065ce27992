"""The newest attempts of some checks, and when each last answered well: what a message shows as evidence."""

from __future__ import annotations

from collections.abc import Collection

from monitor.facts import Answered
from monitor.store.pool import Store
from monitor.store.times import millis, millis_or_none

RECENT_S = 900.0
BACK_S = 2 * 86_400.0


async def newest(store: Store, pairs: Collection[tuple[str, str]]) -> list[Answered]:
    """Of each (check, vantage) its newest measured attempt of the last quarter of an hour."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            """
            select u.check_key, u.vantage, o.outcome, o.reason, o.took_ms, o.certificate_expires
              from unnest($1::text[], $2::text[]) u(check_key, vantage),
                   lateral (select * from observation
                             where check_key = u.check_key and vantage = u.vantage
                               and due > now() - make_interval(secs => $3) and outcome <> 'unknown'
                             order by due desc, attempt desc limit 1) o
            """,
            [check for check, _ in pairs],
            [vantage for _, vantage in pairs],
            RECENT_S,
        )
    return [Answered(row[0], row[1], row[2], row[3], row[4], millis_or_none(row[5])) for row in rows]


async def last_good(store: Store, checks: Collection[str]) -> dict[str, int]:
    """When each check last answered well from anywhere, Unix milliseconds, within two days."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            """
            select u.check_key, o.due
              from unnest($1::text[]) u(check_key),
                   lateral (select due from observation
                             where check_key = u.check_key and outcome = 'up'
                               and due > now() - make_interval(secs => $2)
                             order by due desc limit 1) o
            """,
            list(checks),
            BACK_S,
        )
    return {row["check_key"]: millis(row["due"]) for row in rows}
