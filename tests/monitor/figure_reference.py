"""Figures by definition: millisecond by millisecond, as obvious and as slow as it likes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

from monitor.judge.figures import Tally
from monitor.judge.seconds import Spent, State

At = Callable[[int], State | None]
"""The state of a subject at an instant; None where it does not exist."""


def tally(subjects: Sequence[At], start_ms: int, stop_ms: int) -> Tally:
    """All subjects over [start, stop), without edges: those only serve to add."""
    said = [[at(t) for t in range(start_ms, stop_ms)] for at in subjects]
    per = [sum(row.count(state) for row in said) for state in State]
    outages, ended = [], []
    for row in said:
        at = 0
        for state, group in groupby(row):
            length = len(list(group))
            at += length
            if state is State.DOWN:
                outages.append(length)
                if at < len(row):
                    ended.append(length)
    return Tally(Spent(*per), len(outages), max(outages, default=0), len(ended), sum(ended))
