"""Records of the log at the price of parsing them: what aiokafka wraps around each costs more than counting.

Its reader makes an object of eleven fields of each record, one record at a time; we read four of them. At
some hundred thousand records a second that is a third of the time. So its parser's own records are handed on,
a batch of the log at a time, by every consumer of this process.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from aiokafka.consumer import fetcher
from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException


class Record(NamedTuple):
    """One record of a partition. A consumer hands on its parser's own class, which has these fields too."""

    offset: int
    timestamp: int  # when the broker appended it, Unix ms
    key: bytes | None
    value: bytes | None


class _Answer(PartitionRecords):  # type: ignore[misc]
    """What a broker sent of a partition; `next_fetch_offset` follows what was taken of it."""

    _left: Sequence[Any] = ()  # of the batch in hand
    _after = 0  # the offset behind that batch

    def _unpack_records(self) -> Iterator[None]:
        """Each step takes the next batch of the log in hand."""
        while self._records.has_next():
            batch = self._records.next_batch()
            if self._check_crcs and not batch.validate_crc():
                raise CorruptRecordException(f"{self._tp}: a batch does not match its check sum")
            self._after, began = batch.next_offset, self.next_fetch_offset
            if self._holds(batch):
                self._left = list(batch)
                if self._left and self._left[0].offset < began:  # asked for from its middle on
                    self._left = [record for record in self._left if record.offset >= began]
            yield

    def _holds(self, batch: Any) -> bool:
        """Whether its records count: neither marks of a transaction, nor taken back by one."""
        if self._isolation_level == READ_COMMITTED and batch.producer_id is not None:
            self._consume_aborted_up_to(batch.base_offset)
            if batch.is_control_batch and self._contains_abort_marker(batch):
                self._aborted_producers.discard(batch.producer_id)
            elif batch.is_transactional and batch.producer_id in self._aborted_producers:
                return False
        return not batch.is_control_batch

    def take(self, most: int | None) -> tuple[list[Any], bool]:
        """At most so many of the next records, and whether there may be more."""
        taken: list[Any] = []
        while most is None or len(taken) < most:
            if not self._left and next(self._records_iterator, self) is self:
                return taken, False
            room = len(self._left) if most is None else most - len(taken)
            taken += self._left[:room]
            self._left = self._left[room:]
            self.next_fetch_offset = taken[-1].offset + 1 if self._left else self._after
        return taken, True

    def __next__(self) -> Any:
        taken, _ = self.take(1)
        if not taken:
            raise StopIteration
        return taken[0]


def _getall(self: FetchResult, max_records: int | None = None) -> list[Any]:
    """In the place of `FetchResult.getall`."""
    if not self.check_assignment(self._topic_partition) or not self.has_more():
        return []
    answer: _Answer = self._partition_records
    taken, more = answer.take(max_records)
    self._update_position()
    if not more:
        self._partition_records = None
    return taken


fetcher.PartitionRecords = _Answer
FetchResult.getall = _getall
