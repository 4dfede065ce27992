"""Both figures of what waits for the committee: as it counts, and as it would be were it approved."""

from __future__ import annotations

from dataclasses import replace

from monitor.judge.approval import Both, Stake, stake
from monitor.judge.exclusions import Exclusion
from monitor.judge.figures import When
from monitor.judge.seconds import rate
from monitor.model import ExclusionKind, Policy
from tests.golden_week import END_MS, START_MS, at, facts

WHEN = When(START_MS, END_MS, END_MS)


def late(*subjects: str) -> Exclusion:
    """Announced when it began; passport is down in it from Thursday 22:00 to Friday 02:00."""
    return Exclusion(
        id=99, kind=ExclusionKind.MAINTENANCE, subjects=subjects, from_ms=at("19T22:00"),
        to_ms=at("20T02:00"), why="New discs", announced_at_ms=at("19T22:00"), announced_by="Amal",
    )  # fmt: skip


def printed(both: Both) -> list[str | None]:
    return [rate(figure.counted.spent, Policy()).availability for figure in both]


def staked(exclusion: Exclusion) -> Stake:
    given = facts().accounts
    return stake(replace(given, exclusions=[*given.exclusions, exclusion]), exclusion, WHEN)


def test_everybodys_figure_and_that_of_its_services_are_given_with_and_without() -> None:
    found = staked(late("service:passport"))
    # as in the golden week: 790/798; four hours of down left out: 790/794 = 99.4962…
    assert printed(found.everybody) == ["98.99", "99.49"]
    # passport alone: 162.5/168 = 96.726…; 162.5/164 = 99.0853…
    assert printed(found.services) == ["96.72", "99.08"]
    assert found.named == ("service:passport",)


def test_leaving_out_time_in_which_nothing_was_down_makes_the_figure_no_better() -> None:
    found = staked(late("service:id-card"))
    # 166.5/168 = 99.1071…; four hours of up left out: 162.5/164 = 99.0853…
    assert printed(found.services) == ["99.10", "99.08"]


def test_a_channel_alone_changes_no_time_of_a_service() -> None:
    found = staked(late("service:passport/web"))
    assert (found.named, printed(found.services)) == ((), [None, None])
    assert found.everybody.counts == found.everybody.left_out
