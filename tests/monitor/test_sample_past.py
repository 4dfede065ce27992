"""The sample's weeks before the first run: up but for the holes and what these take."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config.load import load
from monitor.demo.past import past
from monitor.demo.traffic import HISTORY_MS
from monitor.judge.timeline import NOT_MEASURED
from monitor.model import Catalogue
from monitor.store.changes import ChangeRow
from tests.golden_week import DAY_MS, at

NOW_MS = at("25T12:00")
FROM_MS = NOW_MS - HISTORY_MS


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load(Path(__file__).parents[2] / "config", environ={}).catalogue


@pytest.fixture(scope="module")
def rows(catalogue: Catalogue) -> list[ChangeRow]:
    return [*past(catalogue, from_ms=FROM_MS, to_ms=NOW_MS, history_ms=FROM_MS)]


def test_everybody_has_a_past_that_ends_where_measuring_begins(
    catalogue: Catalogue, rows: list[ChangeRow]
) -> None:
    last = {row.subject: row for row in rows}
    assert {service.subject for service in catalogue.services} <= last.keys()
    assert {(row.at_ms, row.verdict, row.reason) for row in last.values()} == {
        (NOW_MS - 1, "unknown", NOT_MEASURED)
    }


def test_a_hole_of_a_shared_system_takes_the_services_that_need_it(rows: list[ChangeRow]) -> None:
    taken = {row.cause for row in rows if row.subject.startswith("service:") and row.verdict == "down"}
    assert any(cause.startswith("system:") for cause in taken)


def test_each_of_the_weeks_has_an_outage(rows: list[ChangeRow]) -> None:
    downs = [row.at_ms for row in rows if "/" not in row.subject and row.verdict == "down"]
    for week in range(3):
        assert any(
            FROM_MS + 7 * week * DAY_MS <= at_ms < FROM_MS + 7 * (week + 1) * DAY_MS for at_ms in downs
        )


def test_nothing_is_said_of_the_time_that_is_measured(rows: list[ChangeRow]) -> None:
    assert all(FROM_MS <= row.at_ms < NOW_MS for row in rows)
