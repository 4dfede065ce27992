"""Named secrets, one-time sign-in links, browser sessions. Only hashes are stored; writes are audited."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

import asyncpg
import msgspec

from monitor.errors import BadRow, UsageError
from monitor.store.pool import Store

SIGN_IN_S = 15 * 60
SESSION_S = 12 * 3600
PREFIX = "ct_"  # so that scanners of logs and repositories know one when they see it


class Role(StrEnum):
    """What the bearer of a token may do."""

    VIEWER = "viewer"
    COORDINATOR = "coordinator"
    OPERATOR = "operator"
    COMMITTEE = "committee"
    SENDER = "sender"


class Holder(NamedTuple):
    """Who is asking: the name that audit and report print."""

    name: str
    role: Role
    entities: tuple[str, ...]


class Listed(NamedTuple):
    """A token as listed; the secret itself was shown once and is nowhere."""

    name: str
    role: str
    entities: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None


def _hash(secret: str) -> bytes:
    """Plain SHA-256: the secrets are 256 random bits, so there is nothing to guess."""
    return hashlib.sha256(secret.encode()).digest()


async def create_token(
    store: Store, name: str, *, role: Role, entities: Sequence[str] = (), actor: str = "cli"
) -> str:
    """Make a token and return its secret, which is shown this once.

    Raises UsageError when the name is taken, also by a revoked token: in the audit a name is one person.
    """
    secret = PREFIX + secrets.token_urlsafe(32)
    try:
        async with store.transaction() as connection:
            await connection.execute(
                "insert into token (name, role, entities, sha256) values ($1, $2, $3, $4)",
                name,
                role.value,
                list(entities),
                _hash(secret),
            )
            await audit(
                connection, actor=actor, action="token.create", about=name, detail={"role": role.value}
            )
    except BadRow as error:
        raise UsageError(f"a token named {name!r} exists or existed; choose another name") from error
    return secret


async def list_tokens(store: Store) -> list[Listed]:
    """Every token ever made, by name."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            "select name, role, entities, created_at, revoked_at from token order by name"
        )
    return [
        Listed(r["name"], r["role"], tuple(r["entities"]), r["created_at"], r["revoked_at"]) for r in rows
    ]


async def has_token(store: Store) -> bool:
    """True when at least one token is in force."""
    async with store.connection() as connection:
        found: bool = await connection.fetchval("select exists (select from token where revoked_at is null)")
    return found


async def revoke_token(store: Store, name: str, *, actor: str = "cli") -> bool:
    """End a token and every session it opened. False when there is none of that name in force."""
    async with store.transaction() as connection:
        status = await connection.execute(
            "update token set revoked_at = now() where name = $1 and revoked_at is null", name
        )
        if status != "UPDATE 1":
            return False
        await connection.execute("delete from session where token = $1", name)
        await connection.execute("delete from sign_in where token = $1", name)
        await audit(connection, actor=actor, action="token.revoke", about=name)
    return True


async def holder_of_token(store: Store, secret: str) -> Holder | None:
    """Whose token this is; None when unknown or revoked."""
    async with store.connection() as connection:
        row = await connection.fetchrow(
            "select name, role, entities from token where sha256 = $1 and revoked_at is null", _hash(secret)
        )
    return _holder(row)


async def create_sign_in(store: Store, name: str, role: Role, *, lasts_s: float = SIGN_IN_S) -> str:
    """A code for a one-time sign-in link, good for `lasts_s` seconds.

    Makes the token `name` when there is none; its secret is thrown away, so only links sign in with it.
    Raises UsageError when the name was revoked or has another role.
    """
    code = secrets.token_urlsafe(24)
    async with store.transaction() as connection:
        await connection.execute(
            "insert into token (name, role, sha256) values ($1, $2, $3) on conflict (name) do nothing",
            name,
            role.value,
            _hash(PREFIX + secrets.token_urlsafe(32)),
        )
        row = await connection.fetchrow("select role, revoked_at from token where name = $1", name)
        if row["revoked_at"] is not None or row["role"] != role.value:
            raise UsageError(f"the token {name!r} was revoked or is not a {role.value}; choose another name")
        await connection.execute(
            "insert into sign_in (sha256, token, expires) values ($1, $2, $3)",
            _hash(code),
            name,
            datetime.now(UTC) + timedelta(seconds=lasts_s),
        )
        await audit(connection, actor=name, action="sign_in.create", about=name)
    return code


async def use_sign_in(store: Store, code: str) -> str | None:
    """Use a link's code up; a new session's secret, or None when used, expired or unknown."""
    async with store.transaction() as connection:
        name = await connection.fetchval(
            """
            update sign_in s set used_at = now() from token t
             where s.sha256 = $1 and s.used_at is null and s.expires > now()
               and t.name = s.token and t.revoked_at is null
            returning s.token
            """,
            _hash(code),
        )
        return None if name is None else await _open_session(connection, name, how="link")


async def open_session(store: Store, secret: str) -> str | None:
    """A new session's secret for the bearer of a token; None when the token is unknown or revoked."""
    async with store.transaction() as connection:
        name = await connection.fetchval(
            "select name from token where sha256 = $1 and revoked_at is null", _hash(secret)
        )
        return None if name is None else await _open_session(connection, name, how="token")


async def _open_session(connection: asyncpg.Connection, name: str, *, how: str) -> str:
    secret = secrets.token_urlsafe(32)
    await connection.execute("delete from session where expires < now()")
    await connection.execute(
        "insert into session (sha256, token, expires) values ($1, $2, $3)",
        _hash(secret),
        name,
        datetime.now(UTC) + timedelta(seconds=SESSION_S),
    )
    await audit(connection, actor=name, action="session.open", about=name, detail={"by": how})
    return secret


async def holder_of_session(store: Store, secret: str) -> Holder | None:
    """Whose session this is; None when it ended, or its token was revoked."""
    async with store.connection() as connection:
        row = await connection.fetchrow(
            "select t.name, t.role, t.entities from session s join token t on t.name = s.token "
            "where s.sha256 = $1 and s.expires > now() and t.revoked_at is null",
            _hash(secret),
        )
    return _holder(row)


async def close_session(store: Store, secret: str) -> None:
    """Sign out; a session that is not there is no error."""
    async with store.transaction() as connection:
        name = await connection.fetchval(
            "delete from session where sha256 = $1 returning token", _hash(secret)
        )
        if name is not None:
            await audit(connection, actor=name, action="session.close", about=name)


async def audit(
    connection: asyncpg.Connection, *, actor: str, action: str, about: str, detail: object = None
) -> None:
    """Who did what to what, in the transaction that does it."""
    await connection.execute(
        "insert into audit (actor, action, object, detail) values ($1, $2, $3, $4)",
        actor,
        action,
        about,
        msgspec.json.encode(detail or {}).decode(),
    )


def _holder(row: asyncpg.Record | None) -> Holder | None:
    return Holder(row["name"], Role(row["role"]), tuple(row["entities"])) if row else None
