"""What only sample data may do: have existed, and have happened, before it was first written down."""

from __future__ import annotations

from enum import Enum

import asyncpg

from monitor.store.times import moment


class Act(Enum):
    """What people did, and the statement that says when."""

    ANNOUNCED = "update exclusion set announced_at = $2 where id = $1"
    REFUSED = "update exclusion set rejected_at = $2 where id = $1"
    AGREED = "update committee_action set agreed_at = $2 where id = $1"
    DONE = "update committee_action set done_at = $2 where id = $1"
    ASKED = "update inquiry set asked_at = $2 where id = $1"


async def existed_before(connection: asyncpg.Connection, *, from_ms: int, first_ms: int) -> None:
    """Whoever has existed since `first_ms`, when the first catalogue came, has since `from_ms`."""
    await connection.execute(
        "update membership set during = tstzrange($1, upper(during)) where lower(during) = $2",
        moment(from_ms),
        moment(first_ms),
    )


async def happened(connection: asyncpg.Connection, act: Act, number: int, *, at_ms: int) -> None:
    """It was done then; the audit goes on to say when it was written down."""
    await connection.execute(act.value, number, moment(at_ms))


async def known_when_true(connection: asyncpg.Connection, incident: str) -> None:
    """Each line of its timeline was written when it happened."""
    await connection.execute("update incident_note set known_at = at where incident = $1", incident)
