"""Which announced stretches of time are not counted, and why the others are. Pure; Unix ms."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from monitor.judge.figures import Excluded
from monitor.judge.ranges import Range, union
from monitor.model import ExclusionKind


def upwards(subject: str) -> list[str]:
    """A path and those that it lies in: `service:a/web`, `service:a`."""
    found = [subject]
    while "/" in found[-1]:
        found.append(found[-1].rpartition("/")[0])
    return found


class Filing(StrEnum):
    """What somebody filed."""

    WORK = "work"  # planned
    OUTAGE = "outage"  # of their own; it counts unless the committee approves
    FAULT = "fault"  # in another entity's system; the same


class Exclusion(msgspec.Struct, frozen=True, kw_only=True):
    """[from, to) of some subjects, announced by somebody. Nothing of it is ever edited.

    A subject stands for itself and all below it: a service for its channels. `extends` names the exclusion
    that this one prolongs. `down` are the subjects that were down when it was announced.
    """

    id: int
    kind: ExclusionKind
    subjects: tuple[str, ...]
    from_ms: int
    to_ms: int
    why: str
    announced_at_ms: int
    announced_by: str
    extends: int | None = None
    approved_at_ms: int | None = None
    approved_by: str | None = None
    finished_at_ms: int | None = None
    down: tuple[str, ...] = ()
    filing: Filing = Filing.WORK
    document: str = "{}"  # JSON of monitor.judge.work.Details
    series: int | None = None  # the first occurrence of what comes again
    rejected_at_ms: int | None = None
    rejected_by: str | None = None
    ruling_why: str = ""

    @property
    def range(self) -> Range:
        """What it covers; finishing early ends it at once."""
        end_ms = self.to_ms if self.finished_at_ms is None else min(self.to_ms, self.finished_at_ms)
        return self.from_ms, max(self.from_ms, end_ms)

    def covers(self, subject: str) -> bool:
        return any(path in self.subjects for path in upwards(subject))


class Standing(StrEnum):
    """Whether an exclusion is applied, and why."""

    NOTICED = "noticed"  # announced in time, with nothing down
    APPROVED = "approved"  # by the committee
    SHORT_NOTICE = "short_notice"  # counts: announced too late
    OVERRUN = "overrun"  # counts: work prolonged without notice
    ALREADY_DOWN = "already_down"  # counts: something was down when it was announced
    REJECTED = "rejected"  # counts: the committee said so


APPLIED = frozenset({Standing.NOTICED, Standing.APPROVED})


def standing(exclusion: Exclusion, *, notice_ms: int) -> Standing:
    """By itself only with notice and nothing down at the announcement (T46); else when approved."""
    if exclusion.approved_at_ms is not None:
        return Standing.APPROVED
    if exclusion.rejected_at_ms is not None:
        return Standing.REJECTED
    return notice(exclusion, notice_ms=notice_ms)


def notice(exclusion: Exclusion, *, notice_ms: int) -> Standing:
    """How it was announced, whatever the committee said of it since."""
    if exclusion.announced_at_ms > exclusion.from_ms - notice_ms:
        return Standing.SHORT_NOTICE if exclusion.extends is None else Standing.OVERRUN
    return Standing.ALREADY_DOWN if exclusion.down else Standing.NOTICED


def waits(exclusion: Exclusion, *, notice_ms: int) -> bool:
    """Whether it counts and the committee may still decide otherwise; called off, it waits for nobody."""
    called_off = exclusion.range[0] == exclusion.range[1]
    decided = APPLIED | {Standing.REJECTED}
    return not called_off and standing(exclusion, notice_ms=notice_ms) not in decided


def excluded(
    subject: str, exclusions: Iterable[Exclusion], *, notice_ms: int, closed: Iterable[Range] = ()
) -> Excluded:
    """When `subject` is not counted: what is applied of the exclusions, and its hours, each once (T9)."""
    applied = [
        each for each in exclusions if each.covers(subject) and standing(each, notice_ms=notice_ms) in APPLIED
    ]
    per = {kind: union(each.range for each in applied if each.kind is kind) for kind in ExclusionKind}
    return Excluded(union(closed), per[ExclusionKind.OUT_OF_HOURS], per[ExclusionKind.MAINTENANCE])
