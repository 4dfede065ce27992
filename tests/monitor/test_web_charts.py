"""Charts of counts: a hole in the data stays a hole, and nothing is drawn outside its box."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from monitor.web.charts import Mark, Step, flow, marks

MINUTE = 60_000


def steps(*seen: int | None, low: float | None = None, high: float | None = None) -> list[Step]:
    return [Step(n * MINUTE, (n + 1) * MINUTE, count, low, high) for n, count in enumerate(seen)]


def test_the_line_goes_through_the_middle_of_each_step() -> None:
    drawn = flow(steps(0, 5, 10, 10), from_ms=0, to_ms=4 * MINUTE)
    assert drawn is not None
    assert (drawn.line, drawn.top) == ("M125 100L375 50L625 0L875 0", 10)


def test_what_is_not_known_is_a_hole_in_the_line() -> None:
    drawn = flow(steps(1, 1, None, 1), from_ms=0, to_ms=4 * MINUTE)
    assert drawn is not None
    assert drawn.line == "M125 0L375 0M750 0h250"


def test_the_band_goes_step_by_step_along_the_top_and_back() -> None:
    drawn = flow(steps(1, 1, low=2.5, high=10), from_ms=0, to_ms=2 * MINUTE)
    assert drawn is not None
    assert drawn.band == "M0 0h500L500 0h500L1000 75h-500L500 75h-500z"


def test_nothing_known_is_no_chart() -> None:
    assert flow(steps(None, None), from_ms=0, to_ms=2 * MINUTE) is None


def test_marks_are_cut_to_the_box_and_keep_their_own_times() -> None:
    found = marks([(-MINUTE, MINUTE), (5 * MINUTE, 6 * MINUTE)], from_ms=0, to_ms=4 * MINUTE)
    assert found == [Mark(-MINUTE, MINUTE, 0.0, 250.0)]


@given(
    st.lists(
        st.tuples(st.none() | st.integers(0, 10**6), st.none() | st.floats(0, 1e6)), min_size=1, max_size=50
    )
)
def test_every_point_lies_in_the_box(told: list[tuple[int | None, float | None]]) -> None:
    drawn = flow(
        [
            Step(n * MINUTE, (n + 1) * MINUTE, seen, None if high is None else high / 2, high)
            for n, (seen, high) in enumerate(told)
        ],
        from_ms=0,
        to_ms=len(told) * MINUTE,
    )
    heights = [float(y) for path in (drawn or ("", ""))[:2] for y in re.findall(r" (-?[\d.e-]+)", path)]
    assert all(0 <= y <= 100 for y in heights)
