"""What `continuity check --connect` says of PostgreSQL: a line each, OK or the remedy."""

from __future__ import annotations

from urllib.parse import urlsplit

import asyncpg

from monitor.errors import StoreUnavailable
from monitor.store.migrate import pending
from monitor.store.pool import ACQUIRE_S

OLDEST = 140000  # server_version_num: 14 has multiranges and pg_snapshot_xmin
Line = tuple[bool, str, str]


async def connect_lines(dsn: str) -> list[Line]:
    """(ok, what, remedy) each. Never raises; a password is never shown."""
    parts = urlsplit(dsn)
    where = f"PostgreSQL at {parts.hostname or 'its socket'}, database {parts.path.lstrip('/') or 'default'}"
    try:
        connection = await asyncpg.connect(dsn, timeout=ACQUIRE_S)
    except asyncpg.InvalidPasswordError:
        return [(False, f"{where}: the password is wrong", "mend what `postgres.password` refers to")]
    except asyncpg.InvalidCatalogNameError:
        return [(False, f"{where}: there is no such database", f"createdb {parts.path.lstrip('/')}")]
    except asyncpg.InvalidAuthorizationSpecificationError as error:
        return [(False, f"{where}: {error}", "create the role, or allow it in pg_hba.conf")]
    except (OSError, TimeoutError, asyncpg.PostgresError, ValueError) as error:
        what = f"{where}: {type(error).__name__}: {error}"
        return [(False, what, "is it running, and is `postgres.dsn` its address?")]
    try:
        lines = [(True, where, ""), await _version(connection), await _rights(connection)]
    finally:
        await connection.close(timeout=ACQUIRE_S)
    return [*lines, await _migrations(dsn)]


async def _version(connection: asyncpg.Connection) -> Line:
    number = int(await connection.fetchval("show server_version_num"))
    text = f"version {number // 10000}"
    return (number >= OLDEST, text, "" if number >= OLDEST else "use PostgreSQL 14 or newer")


async def _rights(connection: asyncpg.Connection) -> Line:
    user, may = await connection.fetchrow(
        "select current_user, has_schema_privilege(current_user, current_schema(), 'CREATE')"
    )
    remedy = "" if may else f'grant create on schema public to "{user}"'
    return (bool(may), f"{user} may make tables", remedy)


async def _migrations(dsn: str) -> Line:
    try:
        missing = await pending(dsn)
    except StoreUnavailable as error:
        return (False, f"migrations: {error}", "try again")
    if missing:
        return (False, f"migrations missing: {', '.join(missing)}", "continuity migrate")
    return (True, "migrations are up to date", "")
