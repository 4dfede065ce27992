"""Eras: the rules of one check, version after version of the catalogue. Pure; times are Unix ms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from monitor.judge.attempts import Rules
from monitor.model import Check
from monitor.scheduler.beat import latest_due_ms, next_due_ms

KEPT_MS = 72 * 3_600_000  # longer than the late horizon: a late row meets the rules of its time


class Era(msgspec.Struct, frozen=True, array_like=True):
    """The rules in force from `from_ms` until the next era's. No vantage points: the check is not there."""

    from_ms: int
    every_ms: int
    count: int
    recover: int
    quorum: int
    minimum: int
    required: bool
    vantages: tuple[str, ...]

    @property
    def rules(self) -> Rules:
        return Rules(self.count, self.recover, self.from_ms)

    def same_rules(self, other: Era) -> bool:
        return msgspec.structs.astuple(self)[1:] == msgspec.structs.astuple(other)[1:]


def era_of(check: Check, from_ms: int) -> Era:
    """The rules the catalogue gives a check, in force from `from_ms`."""
    return Era(
        from_ms,
        check.every_ms,
        check.count,
        check.recover,
        check.quorum,
        check.minimum,
        check.required,
        tuple(sorted(check.vantages)),
    )


def gone(before: Era, from_ms: int) -> Era:
    """From `from_ms` on the check is not in the catalogue."""
    return Era(from_ms, before.every_ms, before.count, before.recover, 0, 1, False, ())


def era_at(eras: Sequence[Era], at_ms: int) -> Era | None:
    """The era in force; None before the first."""
    for era in reversed(eras):
        if era.from_ms <= at_ms:
            return era
    return None


def pieces(eras: Sequence[Era], from_ms: int) -> Iterator[tuple[Era, int, int | None]]:
    """(era, start, end) over [from_ms, ∞); the last has no end. Nothing before the first era."""
    for index, era in enumerate(eras):
        end_ms = eras[index + 1].from_ms if index + 1 < len(eras) else None
        start_ms = max(era.from_ms, from_ms)
        if end_ms is None or start_ms < end_ms:
            yield era, start_ms, end_ms


def young(eras: Sequence[Era], until_ms: int) -> list[Era]:
    """Without eras that ended too long ago to matter."""
    ends = [era.from_ms for era in eras[1:]]
    keep = [end > until_ms - KEPT_MS for end in ends]
    return [era for era, kept in zip(eras, [*keep, True], strict=True) if kept]


class Stretch(msgspec.Struct, frozen=True):
    """Beats in a row, first and last included, `every_ms` apart."""

    first_ms: int
    last_ms: int
    every_ms: int

    @property
    def beats(self) -> int:
        return (self.last_ms - self.first_ms) // self.every_ms + 1


def stretches(
    check: str, eras: Sequence[Era], vantage: str, *, after_ms: int, ended_ms: int
) -> Iterator[Stretch]:
    """Beats after `after_ms` whose interval has passed by `ended_ms`, oldest first, one stretch an era."""
    for era, start_ms, end_ms in pieces(eras, after_ms + 1):
        if vantage not in era.vantages:
            continue
        limit_ms = ended_ms - era.every_ms
        if end_ms is not None:
            limit_ms = min(limit_ms, end_ms - 1)
        first_ms = next_due_ms(check, era.every_ms, start_ms - 1)
        if first_ms <= limit_ms:
            yield Stretch(first_ms, latest_due_ms(check, era.every_ms, limit_ms), era.every_ms)
        if end_ms is not None and limit_ms < end_ms - 1:
            return  # its last beats come first, however short the next interval


def next_beat_ms(check: str, eras: Sequence[Era], vantage: str, after_ms: int) -> tuple[int, int] | None:
    """The first beat after `after_ms` and its interval; None when none is to come."""
    for era, start_ms, end_ms in pieces(eras, after_ms + 1):
        if vantage in era.vantages:
            due_ms = next_due_ms(check, era.every_ms, start_ms - 1)
            if end_ms is None or due_ms < end_ms:
                return due_ms, era.every_ms
    return None
