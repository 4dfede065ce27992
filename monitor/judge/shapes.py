"""How the messages of a topic are read: ours here, those of others by a mapping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from monitor.config.transactions import Source
from monitor.errors import BadMessage
from monitor.judge.counting import Refused, Tally, fingerprint
from monitor.judge.mapping import Mapping
from monitor.stream.loop import Record
from monitor.stream.wire import decode_identity, decode_transaction, decode_transactions


class Shape(Protocol):
    """Reads the records of one topic."""

    def add(self, tally: Tally, records: Sequence[Record]) -> None:
        """Count their events; what cannot be read is refused."""
        ...

    def fingerprints(self, records: Sequence[Record]) -> tuple[list[int], list[int]]:
        """Of those with an id: what stands for it, and the offset of each."""
        ...


class Ours:
    """The message of monitor/stream/wire.py."""

    def add(self, tally: Tally, records: Sequence[Record]) -> None:
        """All at once, or one by one where one of them cannot be read."""
        try:
            events = decode_transactions([record.value for record in records])
        except BadMessage:
            for record in records:
                self._add_one(tally, record)
        else:
            tally.add(events, [record.offset for record in records])

    def _add_one(self, tally: Tally, record: Record) -> None:
        try:
            event = decode_transaction(record.value)
        except BadMessage as error:
            tally.refused.append(Refused(record.offset, error))
        else:
            tally.add((event,), (record.offset,))

    def fingerprints(self, records: Sequence[Record]) -> tuple[list[int], list[int]]:
        """As `add` makes them."""
        prints, offsets = [], []
        for record in records:
            try:
                found = decode_identity(record.value)
            except BadMessage:
                continue
            if found.id:
                prints.append(fingerprint(found.service, found.id))
                offsets.append(record.offset)
        return prints, offsets


class Theirs:
    """Messages of a source of the configuration."""

    def __init__(self, source: Source) -> None:
        self._mapping = Mapping(source)

    def add(self, tally: Tally, records: Sequence[Record]) -> None:
        """One by one; what the mapping ignores is neither counted nor refused."""
        events, offsets = [], []
        for record in records:
            try:
                event = self._mapping.event(record.value)
            except BadMessage as error:
                tally.refused.append(Refused(record.offset, error))
                continue
            if event is not None:
                events.append(event)
                offsets.append(record.offset)
        tally.add(events, offsets)

    def fingerprints(self, records: Sequence[Record]) -> tuple[list[int], list[int]]:
        """As `add` makes them."""
        prints, offsets = [], []
        for record in records:
            try:
                service, identity = self._mapping.identity(record.value)
            except BadMessage:
                continue
            if identity:
                prints.append(fingerprint(service, identity))
                offsets.append(record.offset)
        return prints, offsets
