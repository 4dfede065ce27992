"""What is not counted: announced in time with nothing down, or approved; everything else counts."""

from __future__ import annotations

import pytest

from monitor.judge.exclusions import Exclusion, Standing, excluded, standing
from monitor.judge.figures import When, account
from monitor.judge.seconds import Says, Spent, rate
from monitor.judge.timeline import Step
from monitor.model import ExclusionKind, Policy, Verdict

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def exclusion(
    from_h: float = 0,
    to_h: float = 2,
    *,
    announced_h: float = -48,
    id: int = 1,  # noqa: A002 - as the struct has it
    kind: ExclusionKind = ExclusionKind.MAINTENANCE,
    extends: int | None = None,
    approved_h: float | None = None,
    rejected_h: float | None = None,
    finished_h: float | None = None,
    down: tuple[str, ...] = (),
) -> Exclusion:
    def ms(hours: float | None) -> int | None:
        return None if hours is None else round(hours * HOUR_MS)

    return Exclusion(
        id=id, kind=kind, subjects=("service:a",), why="new certificates", announced_by="desk",
        from_ms=round(from_h * HOUR_MS), to_ms=round(to_h * HOUR_MS),
        announced_at_ms=round(announced_h * HOUR_MS), extends=extends, approved_at_ms=ms(approved_h),
        approved_by=None if approved_h is None else "committee", finished_at_ms=ms(finished_h), down=down,
        rejected_at_ms=ms(rejected_h), rejected_by=None if rejected_h is None else "committee",
    )  # fmt: skip


def spent(*exclusions: Exclusion, subject: str = "service:a") -> Spent:
    """Of a day down from its first to its last instant."""
    found = excluded(subject, exclusions, notice_ms=DAY_MS)
    return account(subject, [Step(0, Verdict.DOWN)], When(0, DAY_MS, DAY_MS), excluded=found).counted.spent


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (exclusion(announced_h=-24), Standing.NOTICED),
        (exclusion(announced_h=-23.999), Standing.SHORT_NOTICE),
        (exclusion(announced_h=1), Standing.SHORT_NOTICE),
        (exclusion(announced_h=1, extends=1), Standing.OVERRUN),
        (exclusion(announced_h=-24, extends=1), Standing.NOTICED),
        (exclusion(down=("service:a",)), Standing.ALREADY_DOWN),
        (exclusion(announced_h=1, approved_h=30), Standing.APPROVED),
        (exclusion(down=("service:a",), approved_h=30), Standing.APPROVED),
        (exclusion(announced_h=1, rejected_h=30), Standing.REJECTED),
    ],
)
def test_an_exclusion_stands_by_notice_or_by_approval(given: Exclusion, found: Standing) -> None:
    assert standing(given, notice_ms=DAY_MS) is found


def test_t46_an_outage_is_not_laundered_by_announcing_work_for_its_second_half() -> None:
    """Announced with all the notice there must be, but it was down when that was done."""
    late = exclusion(12, 24, announced_h=-13, down=("service:a",))
    assert spent(late) == Spent(down_ms=DAY_MS)


def test_t46_work_announced_while_it_goes_on_counts() -> None:
    assert spent(exclusion(12, 24, announced_h=6)) == Spent(down_ms=DAY_MS)


def test_t7_work_is_left_out_of_the_figure_and_shown_without_it() -> None:
    found = excluded("service:a", [exclusion(0, 6)], notice_ms=DAY_MS)
    figure = account("service:a", [Step(0, Verdict.DOWN)], When(0, DAY_MS, DAY_MS), excluded=found)
    assert figure.counted.spent == Spent(maintenance_ms=6 * HOUR_MS, down_ms=18 * HOUR_MS)
    assert figure.whole.spent == Spent(down_ms=DAY_MS)


def test_t8_a_period_wholly_under_work_is_not_applicable_and_not_zero() -> None:
    found = rate(spent(exclusion(0, 24)), Policy())
    assert (found.says, found.availability) == (Says.NOT_APPLICABLE, None)


def test_t9_overlapping_exclusions_exclude_their_union_once() -> None:
    found = spent(exclusion(0, 4), exclusion(2, 6, id=2), exclusion(5, 6, id=3))
    assert found == Spent(maintenance_ms=6 * HOUR_MS, down_ms=18 * HOUR_MS)


def test_an_extension_without_notice_counts_as_overrun_and_the_first_window_stays_excluded() -> None:
    found = spent(exclusion(0, 2), exclusion(2, 4, id=2, announced_h=1.9, extends=1))
    assert found == Spent(maintenance_ms=2 * HOUR_MS, down_ms=22 * HOUR_MS)


def test_finishing_early_ends_the_exclusion_at_once() -> None:
    assert spent(exclusion(0, 4, finished_h=1)).maintenance_ms == HOUR_MS


def test_an_exclusion_that_was_called_off_before_it_began_excludes_nothing() -> None:
    assert spent(exclusion(4, 8, finished_h=-1)) == Spent(down_ms=DAY_MS)


def test_a_service_stands_for_its_channels_and_for_nobody_whose_name_begins_alike() -> None:
    found = [spent(exclusion(), subject=name).maintenance_ms for name in ("service:a/web", "service:ab")]
    assert found == [2 * HOUR_MS, 0]


def test_out_of_hours_is_accounted_apart_from_maintenance() -> None:
    found = spent(exclusion(0, 4), exclusion(3, 5, id=2, kind=ExclusionKind.OUT_OF_HOURS))
    assert found == Spent(maintenance_ms=3 * HOUR_MS, out_of_hours_ms=2 * HOUR_MS, down_ms=19 * HOUR_MS)
