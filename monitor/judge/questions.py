"""Which systems' checks are asked at once when what needs them fails, so that its cause shows. Pure.

A beat may be half a minute away; the cause of a failure that was just confirmed should not be.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from monitor.judge.surroundings import Surroundings
from monitor.judge.troubles import Trouble
from monitor.scheduler.beat import latest_due_ms

QUESTIONS_MOST = 500  # of one look; what is not asked costs one interval


class Question(NamedTuple):
    """A check to ask now at a vantage point, as a retry of its last beat; pointless after the next one."""

    check: str
    vantage: str
    due_ms: int
    expires_ms: int


def unexplained(troubles: Iterable[Trouble]) -> dict[str, str]:
    """What fails by itself and may yet follow from a system: each path, with its trouble's subject."""
    found: dict[str, str] = {}
    for trouble in troubles:
        if trouble.may_follow and not trouble.lingering and not trouble.suspected:
            paths = trouble.channels if trouble.subject.startswith("service:") else (trouble.subject,)
            found |= dict.fromkeys(paths, trouble.subject)
    return found


def below(around: Surroundings, paths: Iterable[str]) -> list[str]:
    """Systems that can do something to any of these, however far away, in the catalogue's order."""
    reached = {system for path in paths for system in around.strongest.get(path, {})}
    return [system.subject for system in around.catalogue.systems if system.subject in reached]


def questions(around: Surroundings, systems: Iterable[str], *, now_ms: int) -> list[Question]:
    """Every check of these systems that judges them, at each of its vantage points, once."""
    found = []
    for subject in dict.fromkeys(systems):
        for check in around.catalogue.systems_by_subject[subject].checks:
            if check.required:
                due_ms = latest_due_ms(check.key, check.every_ms, now_ms)
                found += [
                    Question(check.key, vantage, due_ms, due_ms + check.every_ms)
                    for vantage in check.vantages
                ]
    return found[:QUESTIONS_MOST]
