"""The sample's sender goes on where Kafka's acknowledgements ended, and follows the faults that are on."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from monitor.config.load import load
from monitor.demo import faults
from monitor.demo.plan import TRAFFIC
from monitor.demo.shapes import DAY_MS, HOUR_MS
from monitor.demo.traffic import HISTORY_MS, STEP_MS, Notes, Traffic
from monitor.model import Catalogue
from monitor.stream.wire import Transaction, decode_transaction

CONFIG = Path(__file__).parents[2] / "config"
NOW_MS = int(datetime(2026, 3, 1, 11, tzinfo=ZoneInfo("Asia/Riyadh")).timestamp() * 1000)  # a working day


class Clock:
    """A wall clock that stands until it is moved."""

    def __init__(self) -> None:
        self.ms = NOW_MS

    def __call__(self) -> float:
        return self.ms / 1000


@pytest.fixture(scope="module")
def sample() -> Catalogue:
    return load(CONFIG, replace={}).catalogue


@pytest.fixture
def clock() -> Clock:
    return Clock()


def live(sample: Catalogue, data: Path, clock: Clock) -> Traffic:
    """One that has caught up."""
    notes = Notes(began_ms=NOW_MS - HISTORY_MS, sent_ms=clock.ms)
    (data / TRAFFIC).write_bytes(msgspec.json.encode(notes))
    return Traffic(sample, data, now=clock)


def send(traffic: Traffic) -> list[Transaction]:
    """One step, acknowledged."""
    end_ms, messages = traffic.step()
    traffic.sent(end_ms)
    return [decode_transaction(value) for _, value in messages]


def of(service: str, found: list[Transaction]) -> list[Transaction]:
    return [message for message in found if message.service == service]


def test_the_first_run_begins_three_weeks_ago(sample: Catalogue, tmp_path: Path, clock: Clock) -> None:
    traffic = Traffic(sample, tmp_path, now=clock)
    found = send(traffic)
    assert traffic.behind_ms == HISTORY_MS - STEP_MS
    began_ms = NOW_MS - HISTORY_MS
    assert all(began_ms <= at.at.timestamp() * 1000 < began_ms + STEP_MS for at in found)
    assert all(message.id.startswith("sample-") for message in found)


def test_messages_go_by_the_key_of_their_service(sample: Catalogue, tmp_path: Path, clock: Clock) -> None:
    _, messages = Traffic(sample, tmp_path, now=clock).step()
    assert all(key == decode_transaction(value).service for key, value in messages)


def test_a_restart_goes_on_where_the_acknowledged_ended(
    sample: Catalogue, tmp_path: Path, clock: Clock
) -> None:
    first = live(sample, tmp_path, clock)
    clock.ms += HOUR_MS
    lost = first.step()  # never acknowledged
    again = Traffic(sample, tmp_path, now=clock)
    assert (again.step(), again.behind_ms) == (lost, HOUR_MS)
    send(again)
    assert Traffic(sample, tmp_path, now=clock).behind_ms == 0


def test_notes_older_than_the_history_begin_a_new_one(
    sample: Catalogue, tmp_path: Path, clock: Clock
) -> None:
    live(sample, tmp_path, clock)
    clock.ms += HISTORY_MS + DAY_MS
    assert Traffic(sample, tmp_path, now=clock).behind_ms == HISTORY_MS


def test_a_few_are_sent_twice_with_the_same_id(sample: Catalogue, tmp_path: Path, clock: Clock) -> None:
    traffic, found = Traffic(sample, tmp_path, now=clock), Counter[str]()
    for _ in range(24):
        found.update(message.id for message in send(traffic))
    assert {n for n in found.values() if n > 1} == {2}
    assert sum(n - 1 for n in found.values()) < found.total() / 5_000


def test_while_a_fault_is_on_its_channel_sends_nothing(
    sample: Catalogue, tmp_path: Path, clock: Clock
) -> None:
    traffic = live(sample, tmp_path, clock)
    faults.trigger(tmp_path, "error-page", for_s=2 * 3600, now=clock())
    clock.ms += HOUR_MS
    assert [m for m in of("food-import-permit", send(traffic)) if m.channel == "web"] == []


def test_a_fault_ended_by_hand_is_over_and_part_is_made_up(
    sample: Catalogue, tmp_path: Path, clock: Clock
) -> None:
    traffic = live(sample, tmp_path, clock)
    faults.trigger(tmp_path, "shared-system-down", for_s=24 * 3600, now=clock())
    clock.ms += HOUR_MS
    during = send(traffic)
    faults.clear(tmp_path)
    clock.ms += 1_000
    send(traffic)
    clock.ms += HOUR_MS
    after = send(Traffic(sample, tmp_path, now=clock))  # another process: the dip is noted
    assert not any(message.id.endswith("-again") for message in during)
    assert sum(message.id.endswith("-again") for message in after) > 10
