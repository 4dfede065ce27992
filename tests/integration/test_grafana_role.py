"""The role that Grafana signs in with, however it is made, reads every view and nothing else."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from monitor.demo.embedded import Postgres
from monitor.demo.postgres import binaries
from monitor.errors import MonitorError
from monitor.store.migrate import migrate

ROOT = Path(__file__).parents[2]
SECRET = "/run/secrets/grafana_postgres_password"
CANNOT = """
    with named as (select schemaname as schema, format('%I.%I', schemaname, viewname) as name from pg_views
                   union all select schemaname, format('%I.%I', schemaname, tablename) from pg_tables)
    select count(*) filter (where schema = 'grafana' and not has_table_privilege('grafana', name, 'select')),
           count(*) filter (where schema = 'public' and has_table_privilege('grafana', name, 'select'))
      from named where schema in ('grafana', 'public')
"""


@pytest.fixture
def server(run_folder: Path) -> Iterator[Postgres]:
    """One of its own: a role belongs to a whole server."""
    made = Postgres(run_folder / f"role-{secrets.token_hex(4)}", settings={"fsync": "off"})
    try:
        made.start()
        yield made
    except MonitorError as error:
        pytest.skip(str(error).splitlines()[0])
    finally:
        made.close()


async def run(dsn: str, statements: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statements)
    finally:
        await connection.close()


async def cannot(dsn: str) -> tuple[int, int]:
    """How many views the role cannot read, and how many tables it can; neither should be."""
    connection = await asyncpg.connect(dsn)
    try:
        row = await connection.fetchrow(CANNOT)
    finally:
        await connection.close()
    return tuple(row)


async def test_where_it_may_the_migration_makes_it(server: Postgres) -> None:
    await migrate(server.dsn)
    assert await cannot(server.dsn) == (0, 0)


async def test_where_the_monitor_may_make_no_role_the_page_says_what_to_run(server: Postgres) -> None:
    await run(server.dsn, "create role continuity login")
    await run(server.dsn, "create database continuity owner continuity")
    theirs = server.dsn_of("continuity").replace("postgres@", "continuity@")
    await migrate(theirs)
    page = (ROOT / "docs" / "grafana.md").read_text(encoding="utf-8")
    [statements] = [
        each for each in re.findall(r"```sql\n(.*?)```", page, re.DOTALL) if "create role" in each
    ]
    await run(server.dsn_of("continuity"), statements)
    await run(theirs, "create view grafana.later as select 1 as one")
    assert await cannot(server.dsn_of("continuity")) == (0, 0)


async def test_in_compose_the_image_of_postgresql_makes_it_with_its_password(
    server: Postgres, run_folder: Path
) -> None:
    secret, script = run_folder / "role-secret", run_folder / "grafana-role.sh"
    secret.write_text("it's a pass'word\n")
    text = (ROOT / "dashboards" / "compose" / "grafana-role.sh").read_text(encoding="utf-8")
    script.write_text(text.replace(SECRET, str(secret)))
    [host] = re.findall(r"host=([^&]+)", server.dsn)
    path = f"{binaries()}:{os.environ['PATH']}"
    environment = {"POSTGRES_USER": "postgres", "POSTGRES_DB": "postgres", "PGHOST": host, "PATH": path}
    done = await asyncio.create_subprocess_exec("sh", str(script), env=os.environ | environment)
    assert await asyncio.wait_for(done.wait(), 30) == 0
    await migrate(server.dsn)
    connection = await asyncpg.connect(server.dsn)
    try:
        stored = await connection.fetchrow(
            "select rolcanlogin, rolsuper, rolpassword is not null from pg_authid where rolname = 'grafana'"
        )
    finally:
        await connection.close()
    assert (tuple(stored), await cannot(server.dsn)) == ((True, False, True), (0, 0))
