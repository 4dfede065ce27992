"""Observations into a real PostgreSQL: rows, changes, gaps, dead letters and offset in one transaction."""

from __future__ import annotations

import asyncio
import hashlib
import random
import zlib
from collections.abc import AsyncIterator, Iterable

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from monitor.errors import FenceBroken
from monitor.judge.batch import REASONS
from monitor.judge.ingest import Ingest
from monitor.metrics import IngestMetrics
from monitor.model import Catalogue, Channel, ChannelKind, Check, Service
from monitor.scheduler.beat import next_due_ms
from monitor.store import catalogue as catalogues
from monitor.store import stream
from monitor.store.pool import Store, open_store
from monitor.stream.loop import Position, Record, crc_of
from monitor.stream.wire import Heartbeat, Observation, encode
from probes.catalogue import from_url
from probes.contract import Outcome, Reason

TOPIC = "continuity.observations"
EVERY_MS = 30_000
SUBJECT = "service:passport/web"
CHECK = Check(subject=SUBJECT, ask=from_url("http://127.0.0.1:1/"), every_s=30, count=2, recover=2)
PASSPORT = Service(
    slug="passport",
    channels=(Channel(subject=SUBJECT, slug="web", kind=ChannelKind.WEB, checks=(CHECK,)),),
)


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with open_store(database) as opened:
        yield opened


class Bench:
    """One partition of the log, an ingest that reads it, and a clock that the test moves."""

    def __init__(self, store: Store, first_ms: int) -> None:
        self.store, self.first_ms, self.now_ms = store, first_ms, first_ms
        self.log: list[Record] = []
        self.at = Position(0, None, None)
        self.ingest = self.fresh()

    def fresh(self) -> Ingest:
        return Ingest(
            self.store,
            topic=TOPIC,
            owner=lambda _: 0,
            metrics=IngestMetrics(CollectorRegistry(), topic=TOPIC, reasons=REASONS),
            now_ms=lambda: self.now_ms,
        )

    async def restart(self) -> None:
        """Another process takes over with nothing but what is stored."""
        self.ingest = self.fresh()
        self.at = await self.ingest.assigned(0, cluster="c", begin=0, end=len(self.log))

    async def publish(self, catalogue: Catalogue, *, valid_from_ms: int) -> None:
        document = msgspec.json.encode(catalogue)
        async with self.store.transaction() as connection:
            await catalogues.add(
                connection,
                sha256=hashlib.sha256(document).hexdigest(),
                document=document,
                valid_from_ms=valid_from_ms,
            )

    async def send(self, *values: bytes) -> None:
        """Append to the log and let ingest keep it as one batch."""
        records = [
            Record(len(self.log) + index, self.now_ms, b"service:passport", value)
            for index, value in enumerate(values)
        ]
        self.log += records
        await self.keep(records)

    async def keep(self, records: list[Record]) -> None:
        last = records[-1]
        new = Position(last.offset + 1, last.timestamp, crc_of(last.key, last.value))
        await self.ingest.keep(0, records, at=self.at, new=new)
        self.at = new

    async def clock(self, wall_ms: int) -> None:
        self.now_ms = max(self.now_ms, wall_ms)
        await self.ingest.caught_up(0, wall_ms, at=self.at)

    def due_ms(self, beat: int) -> int:
        return next_due_ms(CHECK.key, EVERY_MS, self.first_ms) + beat * EVERY_MS

    def seen(self, beat: int, outcome: Outcome = Outcome.UP, *, attempt: int = 0) -> bytes:
        reason = Reason.OK if outcome is Outcome.UP else Reason.STATUS
        return encode(
            Observation(
                check=CHECK.key, vantage="main", due_ms=self.due_ms(beat), attempt=attempt,
                every_ms=EVERY_MS, outcome=outcome, reason=reason, sentence="x", serial=1,
            )
        )  # fmt: skip

    async def changes(self, layer: str = "measured") -> list[tuple[int, str, str]]:
        """Standing changes as (beat, verdict, reason); a half beat is shown as the beat before it."""
        async with self.store.connection() as connection:
            rows = await connection.fetch(
                "select (extract(epoch from at) * 1000)::bigint as at, verdict, reason from change "
                "where layer = $1 and withdrawn_at is null order by at",
                layer,
            )
        return [((row["at"] - self.due_ms(0)) // EVERY_MS, row["verdict"], row["reason"]) for row in rows]

    async def gaps(self) -> list[tuple[int, int, int]]:
        """(first beat, last beat, beats) of every gap."""
        async with self.store.connection() as connection:
            rows = await connection.fetch(
                "select (extract(epoch from first_due) * 1000)::bigint as first, "
                "(extract(epoch from last_due) * 1000)::bigint as last, beats from gap order by first"
            )
        zero = self.due_ms(0)
        return [((r["first"] - zero) // EVERY_MS, (r["last"] - zero) // EVERY_MS, r["beats"]) for r in rows]

    async def observed(self) -> int:
        async with self.store.connection() as connection:
            return int(await connection.fetchval("select count(*) from observation"))


@pytest.fixture
async def bench(store: Store) -> Bench:
    import time

    made = Bench(store, int(time.time() * 1000) // EVERY_MS * EVERY_MS - 3_600_000)
    await made.publish(Catalogue(services=(PASSPORT,)), valid_from_ms=made.first_ms)
    await made.restart()
    return made


UP, DOWN = Outcome.UP, Outcome.DOWN


async def run(bench: Bench, outcomes: Iterable[Outcome]) -> None:
    for beat, outcome in enumerate(outcomes):
        bench.now_ms = bench.due_ms(beat) + 500
        await bench.send(bench.seen(beat, outcome))


async def test_an_outage_is_backdated_to_its_first_failed_beat_and_one_failure_costs_nothing_t5(
    bench: Bench,
) -> None:
    await run(bench, [UP, DOWN, UP, DOWN, DOWN, DOWN, UP, UP])
    assert await bench.changes() == [(0, "up", "ok"), (3, "down", "status"), (6, "up", "ok")]


async def test_the_same_records_twice_store_and_change_nothing(bench: Bench) -> None:
    await run(bench, [UP, DOWN, DOWN])
    before = (await bench.observed(), await bench.changes())
    await bench.send(*(record.value or b"" for record in bench.log))
    assert (await bench.observed(), await bench.changes()) == before


async def test_a_consumer_that_froze_and_woke_writes_nothing_t42(bench: Bench) -> None:
    frozen, at = bench.ingest, bench.at
    await bench.restart()
    await bench.send(bench.seen(0))
    with pytest.raises(FenceBroken):
        await frozen.keep(0, bench.log, at=at, new=bench.at)
    assert await bench.observed() == 1


async def test_an_unreadable_record_is_set_aside_whole_and_the_rest_goes_on(bench: Bench) -> None:
    await bench.send(b"\xff not json", bench.seen(0), b'{"type":"observation","schema":99}')
    letters = await stream.dead_letters(bench.store)
    assert (await bench.observed(), sorted((x.offset, x.reason, x.value) for x in letters)) == (
        1,
        [(0, "unreadable", b"\xff not json"), (2, "unreadable", b'{"type":"observation","schema":99}')],
    )


async def test_a_check_that_no_catalogue_names_is_set_aside(bench: Bench) -> None:
    stranger = msgspec.json.decode(bench.seen(0)) | {"check": "service:unheard/web/main"}
    await bench.send(msgspec.json.encode(stranger))
    assert [x.reason for x in await stream.dead_letters(bench.store)] == ["unknown_check"]


async def test_silence_becomes_unknown_two_intervals_after_the_last_attempt_t3(bench: Bench) -> None:
    await run(bench, [UP, UP])
    await bench.clock(bench.due_ms(5))
    assert await bench.changes() == [(0, "up", "ok"), (3, "unknown", "silence")]


async def test_beats_nobody_answered_for_lie_in_one_gap(bench: Bench) -> None:
    await run(bench, [UP, UP])
    for beat in range(3, 9):
        await bench.clock(bench.due_ms(beat))
    await bench.send(bench.seen(9))
    await bench.clock(bench.due_ms(11))
    assert await bench.gaps() == [(2, 8, 7)]


async def test_rows_that_come_late_split_their_gap_and_correct_the_past(bench: Bench) -> None:
    """A prober was cut off from the broker; what it measured arrives after the clock called it silence."""
    await run(bench, [UP, UP])
    await bench.clock(bench.due_ms(9))
    await bench.send(bench.seen(3, DOWN), bench.seen(4, DOWN), bench.seen(5))
    await bench.send(bench.seen(6))
    assert (await bench.gaps(), (await bench.changes())[:3]) == (
        [(2, 2, 1), (7, 7, 1)],
        [(0, "up", "ok"), (3, "down", "status"), (5, "up", "ok")],
    )


async def test_a_withdrawn_change_is_kept_with_both_its_times(bench: Bench) -> None:
    await run(bench, [UP, UP])
    await bench.clock(bench.due_ms(5))
    await bench.send(bench.seen(2), bench.seen(3), bench.seen(4))
    async with bench.store.connection() as connection:
        rows = await connection.fetch(
            "select verdict, known_at < withdrawn_at as lived from change "
            "where layer = 'measured' and withdrawn_at is not null"
        )
    assert [tuple(row) for row in rows] == [("unknown", True)]


async def test_a_restart_between_any_two_rows_changes_nothing_t26(bench: Bench) -> None:
    for beat, outcome in enumerate([UP, DOWN, DOWN, DOWN, UP, UP, DOWN]):
        await bench.restart()
        await bench.send(bench.seen(beat, outcome))
    assert await bench.changes() == [(0, "up", "ok"), (1, "down", "status"), (4, "up", "ok")]


async def test_any_order_of_rows_ends_in_the_same_standing_changes_and_gaps(bench: Bench) -> None:
    """Two hundred beats shuffled across an hour, with repeats and restarts, against the same in order."""
    chance = random.Random(7)
    outcomes = [chance.choice([UP, UP, UP, DOWN, DOWN]) for _ in range(100)]
    missing = {20, 21, 22, 23, 50}
    beats = [beat for beat in range(100) if beat not in missing]
    shuffled = beats + chance.sample(beats, 20)
    chance.shuffle(shuffled)
    bench.now_ms = bench.due_ms(100)
    for start in range(0, len(shuffled), 17):
        if chance.random() < 0.3:
            await bench.restart()
        await bench.send(*(bench.seen(beat, outcomes[beat]) for beat in shuffled[start : start + 17]))
        if chance.random() < 0.3:
            await bench.clock(bench.due_ms(60))
    await bench.clock(bench.due_ms(100))
    mixed = (await bench.changes(), await bench.changes("vantage"), await bench.gaps())
    async with bench.store.transaction() as connection:
        for table in ("change", "state", "observation", "gap", "stream_offset"):
            await connection.execute(f"delete from {table}")  # noqa: S608 - names are above
    bench.log.clear()
    await bench.restart()
    for beat in beats:
        await bench.send(bench.seen(beat, outcomes[beat]))
    await bench.clock(bench.due_ms(100))
    assert mixed == (await bench.changes(), await bench.changes("vantage"), await bench.gaps())


async def test_rows_older_than_the_horizon_are_kept_and_marked_not_judged(bench: Bench) -> None:
    bench.now_ms = bench.due_ms(0) + 49 * 3_600_000
    await bench.send(bench.seen(0, DOWN), bench.seen(1, DOWN))
    async with bench.store.connection() as connection:
        marked = await connection.fetchval("select count(*) from observation where beyond")
    assert (marked, await bench.changes()) == (2, [])


async def test_heartbeats_are_stored_and_tell_a_missed_beat_from_a_dead_prober(bench: Bench) -> None:
    await run(bench, [UP])
    beats = [
        encode(Heartbeat(vantage="main", prober="p", at_ms=bench.due_ms(1) + tick * 5_000, checks=1))
        for tick in range(-2, 8)
    ]
    await bench.send(*beats)
    await bench.clock(bench.due_ms(2) + 10_000)
    async with bench.store.connection() as connection:
        assert await connection.fetchval("select why from gap") == "missed"


async def test_rows_of_a_prober_whose_clock_is_off_are_marked_t29(bench: Bench) -> None:
    off = msgspec.json.decode(bench.seen(0)) | {"skew_ms": 2_500}
    await bench.send(msgspec.json.encode(off), bench.seen(1))
    async with bench.store.connection() as connection:
        rows = await connection.fetch("select skewed from observation order by due")
    assert [row["skewed"] for row in rows] == [True, False]


async def test_a_batch_that_fails_leaves_no_trace_in_memory(bench: Bench) -> None:
    """The judge had taken the rows when the transaction was refused; the next try starts from the store."""
    await run(bench, [UP])
    wrong = Position(bench.at.next + 5, None, None)
    records = [Record(beat, bench.now_ms, b"k", bench.seen(beat, DOWN)) for beat in (1, 2)]
    with pytest.raises(FenceBroken):
        await bench.ingest.keep(0, records, at=wrong, new=Position(8, 0, 0))
    await bench.keep(records)
    assert await bench.changes() == [(0, "up", "ok"), (1, "down", "status")]


def test_the_crc_of_a_record_is_that_of_key_then_value() -> None:
    assert crc_of(b"ab", b"cd") == zlib.crc32(b"abcd")


async def test_a_clock_that_another_owner_moved_is_a_broken_fence_t42(bench: Bench) -> None:
    """Two owners at one offset, nothing new in the log: only one of them may say that silence began."""
    await run(bench, [UP, UP])
    frozen, at = bench.ingest, bench.at
    await bench.restart()
    await bench.clock(bench.due_ms(5))
    with pytest.raises(FenceBroken):
        await frozen.caught_up(0, bench.due_ms(6), at=at)
    assert await bench.changes() == [(0, "up", "ok"), (3, "unknown", "silence")]


async def test_rows_judged_without_the_silence_another_owner_wrote_are_refused_t42(bench: Bench) -> None:
    await run(bench, [UP, UP])
    frozen, at = bench.ingest, bench.at
    await bench.restart()
    await bench.clock(bench.due_ms(5))
    late = [Record(at.next, bench.now_ms, b"service:passport", bench.seen(2))]
    with pytest.raises(FenceBroken):
        await frozen.keep(0, late, at=at, new=Position(at.next + 1, bench.now_ms, 0))
    await bench.keep(late)
    assert await bench.changes() == [(0, "up", "ok"), (4, "unknown", "silence")]


async def test_partitions_of_a_batch_that_was_rolled_back_are_made_again(bench: Bench) -> None:
    """The first batch of a fresh database fails; its rows must not be taken for bad ones afterwards."""
    first = [Record(0, bench.now_ms, b"k", bench.seen(0))]
    with pytest.raises(FenceBroken):
        await bench.ingest.keep(0, first, at=Position(7, None, None), new=Position(8, 0, 0))
    await bench.keep(first)
    assert (await bench.observed(), await stream.dead_letters(bench.store)) == (1, [])


async def test_several_partitions_of_the_log_may_make_the_partitions_of_the_table_at_once(
    bench: Bench,
) -> None:
    async def batch(number: int) -> None:
        await bench.ingest.assigned(number, cluster="c", begin=0, end=0)
        record = Record(0, bench.now_ms, b"k", b"not a message")
        await bench.ingest.keep(number, [record], at=Position(0, None, None), new=Position(1, 0, 0))

    await asyncio.gather(*(batch(number) for number in range(8)))
    assert len(await stream.dead_letters(bench.store)) == 8


async def test_a_subject_met_for_the_first_time_is_silent_as_far_as_the_clock_says(bench: Bench) -> None:
    """Nobody ever asked it: the first tick that says how far was judged says that too."""
    await bench.clock(bench.due_ms(5))
    assert (await bench.changes(), await bench.gaps()) == ([(1, "unknown", "silence")], [(0, 3, 4)])
