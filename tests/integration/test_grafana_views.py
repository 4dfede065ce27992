"""What people announced and filed, as Grafana's views tell it."""

from __future__ import annotations

import time

import pytest

from monitor.store import exclusions
from monitor.store.pool import Store, open_store

HOUR_MS = 3_600_000
SUBJECTS = ("service:deed", "service:permit")


async def _filed(store: Store, filing: str, *, called_off: bool = False) -> None:
    now_ms = round(time.time() * 1000)
    async with store.transaction() as connection:
        number = await exclusions.announce(
            connection, kind="maintenance", subjects=SUBJECTS, from_ms=now_ms - HOUR_MS,
            to_ms=now_ms + HOUR_MS, why=filing, by="Amal", filing=filing,
        )  # fmt: skip
        if called_off:
            early = "update exclusion set finished_at = lower(during), finished_by = 'Amal' where id = $1"
            await connection.execute(early, number)


async def _fetch(store: Store, query: str) -> list[tuple[object, ...]]:
    async with store.connection() as connection:
        return [tuple(row) for row in await connection.fetch(query)]


@pytest.mark.parametrize(
    ("filing", "kind", "codes"),
    [("work", "maintenance", [4]), ("outage", "outage", []), ("fault", "fault", [])],
)
async def test_planned_work_alone_is_maintenance(
    database: str, filing: str, kind: str, codes: list[int]
) -> None:
    """A filed outage is a mark with its own name, and never a row of *Maintenance* over what was measured."""
    announced = "select code from grafana.announced($${service:deed}$$, now() - interval '2 h', now())"
    async with open_store(database) as store:
        await _filed(store, filing)
        marks = await _fetch(store, "select kind, tags, subjects from grafana.mark")
        kinds = await _fetch(store, "select distinct kind, stands from grafana.exclusion")
        row = await _fetch(store, announced)
    assert (marks, kinds, row) == (
        [(kind, [kind, "announced"], [*SUBJECTS])],
        [(kind, "announced")],
        [(code,) for code in codes],
    )


async def test_what_was_called_off_before_it_began_leaves_no_mark(database: str) -> None:
    async with open_store(database) as store:
        await _filed(store, "work", called_off=True)
        assert await _fetch(store, "select from grafana.mark") == []
