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
from monitor.demo.past import weeks_over
from monitor.demo.plan import TRAFFIC
from monitor.demo.shapes import DAY_MS, HOUR_MS
from monitor.demo.traffic import DETAIL_MS, SUMMED_STEP_MS, Notes, Traffic
from monitor.model import Catalogue
from monitor.stream.wire import Transaction, decode_transaction

CONFIG = Path(__file__).parents[2] / "config"
ZONE = ZoneInfo("Asia/Riyadh")
NOW_MS = int(datetime(2026, 3, 1, 11, tzinfo=ZONE).timestamp() * 1000)  # a working day
BEGAN_MS = int(datetime(2026, 2, 8, tzinfo=ZONE).timestamp() * 1000)  # weeks begin on Sundays there


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
    notes = Notes(began_ms=BEGAN_MS, sent_ms=clock.ms)
    (data / TRAFFIC).write_bytes(msgspec.json.encode(notes))
    return Traffic(sample, data, now=clock)


def send(traffic: Traffic) -> list[Transaction]:
    """One step, acknowledged."""
    end_ms, messages = traffic.step()
    traffic.sent(end_ms)
    return [decode_transaction(value) for _, value in messages]


def of(service: str, found: list[Transaction]) -> list[Transaction]:
    return [message for message in found if message.service == service]


def test_the_first_run_begins_with_the_first_of_three_finished_weeks(
    sample: Catalogue, tmp_path: Path, clock: Clock
) -> None:
    traffic = Traffic(sample, tmp_path, now=clock)
    found = send(traffic)
    assert (traffic.began_ms, traffic.behind_ms) == (BEGAN_MS, NOW_MS - BEGAN_MS - SUMMED_STEP_MS)
    assert all(BEGAN_MS <= at.at.timestamp() * 1000 < BEGAN_MS + SUMMED_STEP_MS for at in found)
    assert all(message.id.startswith("sample-") for message in found)


@pytest.mark.parametrize("day", range(7))
def test_on_whatever_day_the_first_run_is_the_history_holds_three_whole_weeks(
    sample: Catalogue, day: int
) -> None:
    now_ms = NOW_MS + day * DAY_MS
    assert weeks_over(sample, now_ms)[0].start_ms == BEGAN_MS


def test_of_a_history_all_but_the_last_day_goes_as_sums(
    sample: Catalogue, tmp_path: Path, clock: Clock
) -> None:
    traffic, sums, single = Traffic(sample, tmp_path, now=clock), 0, 0
    while traffic.behind_ms:
        before_ms = traffic.behind_ms
        for message in send(traffic):
            sums += before_ms > DETAIL_MS + HOUR_MS and message.count > 1
            single += before_ms <= DETAIL_MS and message.count == 1
            assert before_ms > DETAIL_MS or message.count == 1
    assert min(sums, single) > 50_000


def test_what_was_to_go_as_sums_does_so_after_a_restart_days_later(
    sample: Catalogue, tmp_path: Path, clock: Clock
) -> None:
    """A step that was sent and never noted goes again under the same ids, and so counts once."""
    first = Traffic(sample, tmp_path, now=clock)
    while first.behind_ms > DETAIL_MS + HOUR_MS:
        lost = first.step()
        first.sent(lost[0])
    lost = first.step()
    clock.ms += 2 * DAY_MS
    again = Traffic(sample, tmp_path, now=clock)
    assert again.step() == lost


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
    clock.ms += 28 * DAY_MS
    assert Traffic(sample, tmp_path, now=clock).began_ms == BEGAN_MS + 28 * DAY_MS


def test_a_few_are_sent_twice_with_the_same_id(sample: Catalogue, tmp_path: Path, clock: Clock) -> None:
    traffic, found = live(sample, tmp_path, clock), Counter[str]()
    clock.ms += DAY_MS
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
