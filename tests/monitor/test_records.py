"""Records as aiokafka's parser makes them: batch by batch, from where one left off, without the void ones."""

from __future__ import annotations

from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from monitor.stream import records

AT_MS = 1_800_000_000_000


def batch(first: int, *values: bytes, producer: int = -1) -> bytes:
    """A batch of the log; with a producer, one of its transaction."""
    builder = DefaultRecordBatchBuilder(2, 0, int(producer >= 0), producer, 0, 0, 100_000)
    for offset, value in enumerate(values):
        builder.append(offset, AT_MS, b"key", value, [])
    return first.to_bytes(8, "big") + bytes(builder.build())[8:]


def answer(*batches: bytes, begin: int = 0, aborted: list[tuple[int, int]] | None = None) -> Any:
    """What a broker sent for a partition that was asked for from `begin` on."""
    sent = MemoryRecords(b"".join(batches))
    return fetcher.PartitionRecords("t", sent, aborted, begin, None, None, True, fetcher.READ_COMMITTED)


def taken(found: Any, most: int | None = None) -> tuple[list[int], int]:
    """The offsets, and where to go on."""
    some, _ = found.take(most)
    return [record.offset for record in some], found.next_fetch_offset


def test_a_record_says_where_when_and_what() -> None:
    [record], _ = answer(batch(7, b"value"), begin=7).take(None)
    assert records.Record(record.offset, record.timestamp, record.key, record.value) == records.Record(
        7, AT_MS, b"key", b"value"
    )


def test_what_was_not_taken_follows_in_order_over_the_edges_of_batches() -> None:
    found = answer(batch(0, b"a", b"b", b"c"), batch(3, b"d", b"e"))
    pieces = [taken(found, 2) for _ in range(3)]
    assert pieces == [([0, 1], 2), ([2, 3], 4), ([4], 5)]
    assert found.take(2) == ([], False)


def test_a_batch_asked_for_from_its_middle_begins_there() -> None:
    assert taken(answer(batch(0, b"a", b"b", b"c"), begin=2)) == ([2], 3)


def test_offsets_that_a_compacted_log_no_longer_has_are_passed_over() -> None:
    assert taken(answer(batch(0, b"a"), batch(9, b"b"))) == ([0, 9], 10)


def test_what_a_transaction_took_back_is_no_record_and_is_passed_over() -> None:
    found = answer(batch(0, b"a"), batch(1, b"b", b"c", producer=5), batch(3, b"d"), aborted=[(5, 1)])
    assert taken(found) == ([0, 3], 4)


def test_a_reader_that_takes_one_by_one_gets_the_same() -> None:
    assert [record.offset for record in answer(batch(0, b"a", b"b"), batch(2, b"c"))] == [0, 1, 2]
