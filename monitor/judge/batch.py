"""From records of the log to what is stored and judged: rows, heartbeats, dead letters. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from monitor.errors import BadMessage
from monitor.judge.attempts import Attempt
from monitor.model import Policy, Version
from monitor.scheduler.beat import latest_due_ms, next_due_ms
from monitor.store.observations import GapRow, ObservationRow, as_json
from monitor.store.stream import DeadLetter
from monitor.store.times import moment
from monitor.stream.loop import Record
from monitor.stream.wire import Heartbeat, Observation, decode_observation
from probes.contract import Outcome

RETENTION_MS = 35 * 86_400_000
AHEAD_MS = 600_000  # a beat further in the future than this is absurd
ATTEMPT_MAX = 32_767
EVERY_MS_MAX = 86_400_000
REASONS = ("unreadable", "schema", "absurd", "unknown_check", "refused")
"""Why a record of this topic is set aside."""


class Read(NamedTuple):
    """A message and the record it came in."""

    record: Record
    seen: Observation


@dataclass
class Batch:
    """What a run of records means. `rows` has each identity once, a measured one before an unmeasured."""

    rows: dict[tuple[str, str, int, int], Read] = field(default_factory=dict)
    heartbeats: list[Heartbeat] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    read: int = 0
    newest_serial: int = 0


def read(records: Sequence[Record], *, topic: str, partition: int, now_ms: int) -> Batch:
    """Decode; what cannot be read or makes no sense becomes a dead letter and the rest goes on."""
    batch = Batch()
    for record in records:
        try:
            _take(batch, record, decode_observation(record.value), now_ms=now_ms)
        except BadMessage as error:
            batch.letters.append(letter_of(record, error, topic=topic, partition=partition))
    return batch


def letter_of(record: Record, error: BadMessage, *, topic: str, partition: int) -> DeadLetter:
    """A record that is set aside, whole."""
    return DeadLetter(
        topic, partition, record.offset, error.reason, _clean(str(error)), record.key, record.value
    )


def _take(batch: Batch, record: Record, message: Observation | Heartbeat, *, now_ms: int) -> None:
    if isinstance(message, Heartbeat):
        if "\0" in message.vantage + message.prober or abs(message.at_ms - now_ms) > RETENTION_MS:
            raise BadMessage("absurd", "a heartbeat outside all bounds")
        batch.heartbeats.append(message)
        return
    _refuse_absurd(message, now_ms)
    batch.read += 1
    batch.newest_serial = max(batch.newest_serial, message.serial)
    identity = (message.check, message.vantage, message.due_ms, message.attempt)
    known = batch.rows.get(identity)
    if known is None or (known.seen.outcome is Outcome.UNKNOWN and message.outcome is not Outcome.UNKNOWN):
        batch.rows[identity] = Read(record, message)


def _refuse_absurd(seen: Observation, now_ms: int) -> None:
    """Raises BadMessage for what cannot be an observation of ours."""
    if seen.due_ms > now_ms + AHEAD_MS:
        raise BadMessage("absurd", f"due {seen.due_ms - now_ms} ms in the future")
    if seen.due_ms < now_ms - RETENTION_MS:
        raise BadMessage("absurd", "older than raw observations are kept")
    if not 0 <= seen.attempt <= ATTEMPT_MAX or not 0 < seen.every_ms <= EVERY_MS_MAX:
        raise BadMessage("absurd", f"attempt {seen.attempt}, interval {seen.every_ms} ms")
    if not -(2**31) < seen.late_ms < 2**31 or not 0 <= (seen.status or 0) <= ATTEMPT_MAX:
        raise BadMessage("absurd", f"lateness {seen.late_ms} ms, status {seen.status}")
    texts = (seen.check, seen.vantage, seen.sentence, *(f.what + f.expected + f.found for f in seen.failed))
    if any("\0" in text for text in texts):
        raise BadMessage("absurd", "a text contains a zero byte")


def _clean(text: str) -> str:
    return text.replace("\0", "\\0")[:500]


def refuse_strangers(batch: Batch, versions: Iterable[Version], *, topic: str, partition: int) -> None:
    """Rows whose check no version of the catalogue names become dead letters."""
    names = [version.catalogue.checks for version in versions]
    for identity, (record, seen) in list(batch.rows.items()):
        if not any(seen.check in checks for checks in names):
            del batch.rows[identity]
            error = BadMessage("unknown_check", f"no catalogue names {seen.check}")
            batch.letters.append(letter_of(record, error, topic=topic, partition=partition))


def row_of(seen: Observation, *, policy: Policy, now_ms: int) -> ObservationRow:
    """The row to store; marks what is too late to be judged, and what came from a clock that is off."""
    return ObservationRow(
        check_key=seen.check,
        vantage=seen.vantage,
        due=moment(seen.due_ms),
        attempt=seen.attempt,
        outcome=seen.outcome.value,
        reason=seen.reason.value,
        sentence=seen.sentence,
        every_ms=seen.every_ms,
        late_ms=seen.late_ms,
        took_ms=seen.took_ms,
        phases_ms=as_json(seen.phases_ms),
        status=seen.status,
        size_bytes=seen.size_bytes,
        certificate_expires=(
            None if seen.certificate_expires_ms is None else moment(seen.certificate_expires_ms)
        ),
        failed=as_json(seen.failed) if seen.failed else None,
        serial=seen.serial,
        skewed=abs(seen.skew_ms) > policy.skew_max_s * 1000,
        beyond=is_beyond(seen, policy=policy, now_ms=now_ms),
    )


def is_beyond(seen: Observation, *, policy: Policy, now_ms: int) -> bool:
    """Whether a row is too late to be judged."""
    return seen.due_ms < now_ms - policy.late_horizon_s * 1000


def attempt_of(seen: Observation) -> Attempt:
    """What the judge needs of a row."""
    return Attempt(
        seen.due_ms, seen.attempt, seen.outcome, seen.reason.value, seen.sentence[:120], seen.every_ms
    )


def without(gap: GapRow, dues: Iterable[int], *, every_ms: int) -> list[GapRow]:
    """What is left of a gap when some of its beats were answered for after all."""
    left, parts = gap, []
    for due_ms in sorted(due for due in dues if gap.first_due_ms <= due <= gap.last_due_ms):
        if due_ms < left.first_due_ms:
            continue
        before = (due_ms - left.first_due_ms + every_ms - 1) // every_ms
        if before > 0:
            last_ms = max(left.first_due_ms, latest_due_ms(gap.check, every_ms, due_ms - 1))
            parts.append(left._replace(last_due_ms=last_ms, beats=before))
        after = left.beats - before - 1
        if after <= 0:
            return parts
        left = left._replace(first_due_ms=next_due_ms(gap.check, every_ms, due_ms), beats=after)
    return [*parts, left]
