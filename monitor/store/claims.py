"""Rows claimed for a while out of a table of things to send: closed by who holds the lease, or put back."""

from __future__ import annotations

from typing import Literal, Protocol

from monitor.store.pool import Store

Table = Literal["delivery", "report_delivery"]


class Held(Protocol):
    """A claimed row."""

    @property
    def id(self) -> int: ...

    @property
    def lease(self) -> str: ...


async def close(table: Table, store: Store, one: Held, *, state: str, said: str) -> bool:
    """What became of it: sent, failed or dropped. False when the lease is no longer ours."""
    async with store.connection() as connection:
        status = await connection.execute(
            f"update {table} set state = $3, said = $4, done_at = now(), lease = null, lease_until = null "  # noqa: S608
            "where id = $1 and lease = $2 and state = 'waiting'",
            one.id,
            one.lease,
            state,
            said,
        )
    return bool(status == "UPDATE 1")


async def again(table: Table, store: Store, one: Held, *, in_s: float, said: str) -> None:
    """It did not go through; another try in `in_s` seconds."""
    async with store.connection() as connection:
        await connection.execute(
            f"update {table} set said = $3, due_at = now() + make_interval(secs => $4), lease = null, "  # noqa: S608
            "lease_until = null where id = $1 and lease = $2 and state = 'waiting'",
            one.id,
            one.lease,
            said,
            in_s,
        )
