"""Dead letters of transactions once more, after the catalogue or a mapping was mended: each at most once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from monitor.errors import StoreUnavailable
from monitor.judge.books import Books
from monitor.judge.counting import Span, Tally, additions, span
from monitor.judge.shapes import Shape
from monitor.store import counts, stream
from monitor.store.stream import Letter, Place
from monitor.stream.loop import Record

AT_ONCE = 5_000  # letters read, and settled in one transaction, at once


@dataclass
class Retried:
    """What a retry came to; `left` are letters that still cannot be counted, by reason, with an example."""

    letters: int = 0  # that are settled now
    transactions: int = 0  # that they stood for
    repeated: int = 0  # letters whose id another letter of their partition had
    left: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)


async def retry(books: Books, shapes: Mapping[str, Shape]) -> Retried:
    """Count what can be counted now; `shapes` says by topic how its messages are read.

    A letter is known by its topic, partition and offset: it is marked in the transaction that counts it.
    Raises StoreUnavailable, and FenceBroken when somebody else retries at the same time.
    """
    await books.look()
    if books.names is None:
        raise StoreUnavailable("no catalogue is stored yet to count by")
    done, seen = Retried(), dict[tuple[str, str, int], set[int]]()
    within, after = span(int(time.time() * 1000), ahead_s=books.ahead_s), None
    while letters := await stream.letters(books.store, topics=list(shapes), after=after, limit=AT_ONCE):
        after = letters[-1].place
        for where, some in groupby(letters, key=lambda letter: letter.place[:3]):
            known = seen.setdefault(where, set())
            await _retry(books, shapes[where[1]], list(some), done=done, known=known, within=within)
    return done


async def _retry(
    books: Books, shape: Shape, letters: Sequence[Letter], *, done: Retried, known: set[int], within: Span
) -> None:
    """Letters of one partition, in the order of their offsets; `known` are the ids of those before."""
    assert books.names is not None
    tally = Tally(books.names, within, known)
    shape.add(tally, [Record(letter.place.offset, 0, letter.key, letter.value) for letter in letters])
    refused = dict(tally.refused)
    settled: list[Place] = [letter.place for letter in letters if letter.place.offset not in refused]
    rows = additions(tally.rows)
    await books.make_room(rows)
    if settled:
        async with books.store.transaction() as connection:
            await stream.settle(connection, settled)
            await counts.add(connection, rows, series=books.series)
    known |= tally.fresh
    done.letters += len(settled)
    done.transactions += tally.counted
    done.repeated += tally.repeated
    for error in refused.values():
        done.left[error.reason] += 1
        done.examples.setdefault(error.reason, str(error))
