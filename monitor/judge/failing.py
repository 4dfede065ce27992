"""The usual share of failed transactions of a channel, and how much it differs from hour to hour. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.judge.pattern import Failing

FAR = 4.0  # deviations over the usual share from which an hour is left out
ROUGH_SPREAD = 0.02  # of hours, before it is known
SPREAD, SPREAD_WEIGHT = 0.01, 10.0  # believed before there is evidence, and the pairs that outweigh it


def failing_of(failed: Sequence[int], completed: Sequence[int], believed: Sequence[bool]) -> Failing:
    """From counts by hour, of the hours that are believed; those in which far more failed are left out."""
    pairs = [
        (fails, fails + done)
        for fails, done, keep in zip(failed, completed, believed, strict=True)
        if keep and fails + done
    ]
    usual = _without_far(pairs, _share(pairs))
    share = _share(usual)
    chance = share * (1 - share)
    apart = sum((fails - trials * share) ** 2 - trials * chance for fails, trials in usual)
    together = sum(trials * (trials - 1) * chance for _, trials in usual)
    spread = max((apart + SPREAD * SPREAD_WEIGHT) / (together + SPREAD_WEIGHT), 0.0)
    return Failing(share, min(spread, 0.9), float(sum(trials for _, trials in usual)))


def _without_far(pairs: Sequence[tuple[int, int]], share: float) -> list[tuple[int, int]]:
    def far(trials: int) -> float:
        variance = trials * share * (1 - share) + ROUGH_SPREAD * trials * trials * share + 1
        return FAR * float(variance**0.5)

    return [(fails, trials) for fails, trials in pairs if fails - trials * share <= far(trials)]


def _share(pairs: Sequence[tuple[int, int]]) -> float:
    """With half a transaction of either kind before there is any."""
    failed, trials = sum(each for each, _ in pairs), sum(each for _, each in pairs)
    return (failed + 0.5) / (trials + 1.0)
