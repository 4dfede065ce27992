"""Which subjects are not required at an instant, and what each is in instead. Pure; Unix ms.

Only what is applied silences anybody: work announced too late, or over its time, counts, and is told of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from monitor.judge.exclusions import APPLIED, Exclusion, standing, upwards
from monitor.judge.opening import closed_at
from monitor.judge.seconds import State
from monitor.model import Catalogue, ExclusionKind

STATES = {ExclusionKind.OUT_OF_HOURS: State.OUT_OF_HOURS, ExclusionKind.MAINTENANCE: State.MAINTENANCE}


def excluded_at(catalogue: Catalogue, exclusions: Iterable[Exclusion], at_ms: int) -> dict[str, State]:
    """Of every service, channel and system that is not required at that instant: what it is in instead."""
    notice_ms = round(catalogue.policy.notice_s * 1000)
    now = [
        each
        for each in exclusions
        if each.range[0] <= at_ms < each.range[1] and standing(each, notice_ms=notice_ms) in APPLIED
    ]
    closed = dict.fromkeys(closed_at(catalogue, at_ms), State.OUT_OF_HOURS)
    return (_covered(catalogue, now) if now else {}) | closed


def _covered(catalogue: Catalogue, now: Sequence[Exclusion]) -> dict[str, State]:
    paths = [*catalogue.systems_by_subject, *catalogue.services_by_subject, *catalogue.channels]
    found: dict[str, State] = {}
    for kind in (ExclusionKind.MAINTENANCE, ExclusionKind.OUT_OF_HOURS):  # the later one prevails
        named = {subject for each in now if each.kind is kind for subject in each.subjects}
        found |= {path: STATES[kind] for path in paths if not named.isdisjoint(upwards(path))}
    return found


def silent(subject: str, channels: Iterable[str], excluded: Mapping[str, State]) -> bool:
    """Whether a trouble is nobody's now: what it is about is not required, or nothing that it touches is.

    `subject` may be a check: then it is its owner that counts.
    """
    if not excluded:
        return False
    touched = list(channels)
    owner = any(path in excluded for path in upwards(subject))
    return owner or (bool(touched) and all(path in excluded for path in touched))
