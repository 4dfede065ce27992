"""The sample's weeks before the first run: up but for the holes and what these take."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from monitor.config.load import load
from monitor.demo.course import Course
from monitor.demo.dips import Dip, holes
from monitor.demo.past import past, weeks_over
from monitor.judge.timeline import NOT_MEASURED
from monitor.model import Catalogue, TransactionOutcome
from monitor.store.changes import ChangeRow
from monitor.store.counts import WEEK_MS
from tests.golden_week import at

CONFIG = Path(__file__).parents[2] / "config"
NOW_MS = at("25T12:00")
FROM_MS = weeks_over(load(CONFIG, environ={}).catalogue, NOW_MS)[0].start_ms


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load(CONFIG, environ={}).catalogue


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


def down_all_the_while(rows: list[ChangeRow], dip: Dip) -> set[str]:
    """Channels that were down from the dip's first instant to its last."""
    steps = [row for row in rows if "/" in row.subject and dip.since_ms <= row.at_ms <= dip.until_ms]
    began = {row.subject for row in steps if row.at_ms == dip.since_ms and row.verdict == "down"}
    ended = {row.subject for row in steps if row.at_ms == dip.until_ms and row.verdict != "down"}
    return began & ended


def completed(course: Course, dip: Dip, *dips: Dip) -> Counter[str]:
    """Completed transactions of each channel during the dip."""
    events = course.between(dip.since_ms, dip.until_ms, dips)
    done = (event for event in events if event.outcome is TransactionOutcome.COMPLETED)
    return Counter(f"service:{event.service}/{event.channel}" for event in done)


def test_nothing_is_completed_on_a_channel_while_the_past_says_that_it_was_down(
    catalogue: Catalogue, rows: list[ChangeRow]
) -> None:
    """One plan makes the outages and the transactions: what is missed in them is what did not come."""
    course, dips = Course(catalogue), holes(catalogue.zone, FROM_MS)
    missing = 0
    for dip in dips:
        down = down_all_the_while(rows, dip)
        usual, left = completed(course, dip), completed(course, dip, *dips)
        assert sum(left[channel] for channel in down) == 0, dip
        missing += sum(usual[channel] for channel in down)
    assert missing > 1_000


def test_services_were_down_in_each_of_the_finished_weeks(
    catalogue: Catalogue, rows: list[ChangeRow]
) -> None:
    downs = {
        (row.at_ms - FROM_MS) // WEEK_MS
        for row in rows
        if row.subject in catalogue.services_by_subject and row.verdict == "down"
    }
    assert downs == {0, 1, 2}


def test_nothing_is_said_of_the_time_that_is_measured(rows: list[ChangeRow]) -> None:
    assert all(FROM_MS <= row.at_ms < NOW_MS for row in rows)
