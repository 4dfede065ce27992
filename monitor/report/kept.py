"""Which of the frozen intervals a figure is counted from: a question each, asked of one interval. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from monitor.judge.seconds import State
from monitor.model import Missing
from monitor.report.document import Interval, Terms


class Kept(NamedTuple):
    """The intervals that a figure is counted from: `key` names them in words, `holds` says which they are.

    They are told by most service time first, or the `longest` first; `unmet`: of services alone that did not
    meet their objective.
    """

    key: str
    holds: Callable[[Interval, Terms], bool]
    longest: bool = False
    unmet: bool = False


def _lost(state: State, terms: Terms) -> bool:
    """Whether such time lowers the availability."""
    slow = state is State.DEGRADED and not terms.degraded_counts
    return state is State.DOWN or slow or (state is State.UNKNOWN and terms.missing == Missing.BAD)


LOST = Kept("lost", lambda each, terms: _lost(each.state, terms))
LOST_OF_ALL = Kept("lost_of_all", lambda each, terms: _lost(each.was or each.state, terms))
LOST_OF_UNMET = LOST._replace(key="lost_of_unmet", unmet=True)
DOWN = Kept("down", lambda each, _: each.state is State.DOWN)
LONGEST = DOWN._replace(longest=True)
RESTORED = Kept("restored", lambda each, _: each.state is State.DOWN and not each.after)
DEGRADED = Kept("degraded", lambda each, _: each.state is State.DEGRADED)
UNKNOWN = Kept("unknown", lambda each, _: each.state is State.UNKNOWN)
LEFT_OUT = Kept("left_out", lambda each, _: each.was is not None)
