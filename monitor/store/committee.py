"""What the committee agreed and asked: added, settled once, never edited; each act is audited."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import asyncpg

from monitor.model import GOVERNMENT
from monitor.store.pool import Store
from monitor.store.times import millis, millis_or_none
from monitor.store.tokens import audit


class Action(NamedTuple):
    """Something agreed: who does what until when, and what came of it. `done_ms` None: not done yet."""

    number: int
    what: str
    who: str
    due: date
    agreed_ms: int
    agreed_by: str
    done_ms: int | None
    done_by: str | None
    result: str


class Inquiry(NamedTuple):
    """A question with whoever answers it. `scope`, `label`, `version`, `code`: where it came up."""

    number: int
    question: str
    owner: str
    due: date
    label: str
    version: int | None
    code: str
    asked_ms: int
    asked_by: str
    answered_ms: int | None
    answered_by: str | None
    answer: str
    scope: str


class Question(NamedTuple):
    """An inquiry to be filed; `label` and `version` name a report of `scope` or are empty together."""

    question: str
    owner: str
    due: date
    label: str = ""
    version: int | None = None
    code: str = ""
    scope: str = GOVERNMENT


# -- actions


async def agree(store: Store, *, what: str, who: str, due: date, by: str) -> int:
    """Add an action; returns its number."""
    async with store.transaction() as connection:
        number: int = await connection.fetchval(
            "insert into committee_action (what, who, due, agreed_by) values ($1, $2, $3, $4) returning id",
            what,
            who,
            due,
            by,
        )
        await audit(connection, actor=by, action="committee.action_agreed", about=f"action:{number}")
    return number


async def finish(store: Store, number: int, *, by: str, result: str) -> bool:
    """It is done; False when it was already, or there is none of that number."""
    async with store.transaction() as connection:
        found = await connection.fetchval(
            "update committee_action set done_at = now(), done_by = $2, result = $3 "
            "where id = $1 and done_at is null returning id",
            number,
            by,
            result,
        )
        if found is not None:
            await audit(connection, actor=by, action="committee.action_done", about=f"action:{number}")
    return found is not None


async def actions(store: Store, *, done: bool | None = None, limit: int) -> list[Action]:
    """Those to be done, the soonest due first, then those done, the last one first; `done`: of one kind."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            "select * from committee_action where $1::boolean is null or (done_at is not null) = $1 "
            "order by done_at is not null, case when done_at is null then due end, done_at desc, id limit $2",
            done,
            limit,
        )
    return [_action(row) for row in rows]


async def action(store: Store, number: int) -> Action | None:
    """The action of that number."""
    async with store.connection() as connection:
        row = await connection.fetchrow("select * from committee_action where id = $1", number)
    return None if row is None else _action(row)


def _action(row: asyncpg.Record) -> Action:
    return Action(
        number=row["id"],
        what=row["what"],
        who=row["who"],
        due=row["due"],
        agreed_ms=millis(row["agreed_at"]),
        agreed_by=row["agreed_by"],
        done_ms=millis_or_none(row["done_at"]),
        done_by=row["done_by"],
        result=row["result"],
    )


# -- inquiries


async def ask(store: Store, asked: Question, *, by: str) -> int:
    """File an inquiry; returns its number."""
    async with store.transaction() as connection:
        number: int = await connection.fetchval(
            "insert into inquiry (question, owner, due, label, version, code, scope, asked_by) "
            "values ($1, $2, $3, $4, $5, $6, $7, $8) returning id",
            *asked,
            by,
        )
        await audit(connection, actor=by, action="committee.asked", about=f"inquiry:{number}")
    return number


async def reply(store: Store, number: int, *, by: str, answer: str) -> bool:
    """Answer it; False when it was answered already, or there is none of that number."""
    async with store.transaction() as connection:
        found = await connection.fetchval(
            "update inquiry set answered_at = now(), answered_by = $2, answer = $3 "
            "where id = $1 and answered_at is null returning id",
            number,
            by,
            answer,
        )
        if found is not None:
            await audit(connection, actor=by, action="committee.answered", about=f"inquiry:{number}")
    return found is not None


async def inquiries(store: Store, *, answered: bool | None = None, limit: int) -> list[Inquiry]:
    """Those without an answer, the soonest due first, then the others, the last answered first."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            "select * from inquiry where $1::boolean is null or (answered_at is not null) = $1 "
            "order by answered_at is not null, case when answered_at is null then due end, "
            "answered_at desc, id limit $2",
            answered,
            limit,
        )
    return [_inquiry(row) for row in rows]


async def inquiry(store: Store, number: int) -> Inquiry | None:
    """The inquiry of that number."""
    async with store.connection() as connection:
        row = await connection.fetchrow("select * from inquiry where id = $1", number)
    return None if row is None else _inquiry(row)


def _inquiry(row: asyncpg.Record) -> Inquiry:
    return Inquiry(
        number=row["id"],
        question=row["question"],
        owner=row["owner"],
        due=row["due"],
        label=row["label"],
        version=row["version"],
        code=row["code"],
        asked_ms=millis(row["asked_at"]),
        asked_by=row["asked_by"],
        answered_ms=millis_or_none(row["answered_at"]),
        answered_by=row["answered_by"],
        answer=row["answer"],
        scope=row["scope"],
    )
