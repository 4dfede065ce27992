"""How messages of a source would count, and why others would not: the same rules, nothing stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from monitor.config.transactions import Source
from monitor.judge.counting import Horizon, Names, Tally, additions, span
from monitor.judge.shapes import Theirs
from monitor.model import Catalogue
from monitor.store.times import moment
from monitor.stream.tail import Found


class Tried(NamedTuple):
    """One message. `fate` is counted, repeated, ignored, or the reason why it would be set aside."""

    partition: int
    offset: int
    fate: str
    says: str


def tried(
    source: Source, catalogue: Catalogue, found: Iterable[Found], *, now_ms: int, ahead_s: float
) -> Iterator[Tried]:
    """Each in turn, as the role would read them one after the other."""
    shape, names, within = Theirs(source), Names(catalogue), span(now_ms, ahead_s=ahead_s)
    seen: dict[int, Horizon] = {}
    for partition, record in found:
        horizon = seen.setdefault(partition, Horizon())
        tally = Tally(names, within, horizon.seen)
        shape.add(tally, [record])
        horizon.extend(tally.prints, tally.offsets, at_ms=record.timestamp)
        yield Tried(partition, record.offset, *_fate(tally))


def _fate(tally: Tally) -> tuple[str, str]:
    if tally.refused:
        error = tally.refused[0].error
        return error.reason, str(error)
    if tally.repeated:
        return "repeated", "its id came before"
    if not tally.rows:
        return "ignored", "as the mapping says"
    [(path, outcome, minute_ms, events, timed, duration_ms)] = additions(tally.rows)
    took = f", {duration_ms / timed:.0f} ms" if timed else ""
    return "counted", f"{events} {outcome} of {path} at {moment(minute_ms):%Y-%m-%d %H:%M} UTC{took}"
