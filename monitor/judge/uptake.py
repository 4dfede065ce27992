"""Shares of transactions: uptake of remote channels, completion, and what changed since. Pure.

Parts and wholes are summed over services and periods before they are divided (T18), and nothing is divided by
nothing (T2). A channel of which nobody ever sent a count is without data, which is not the same as zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

import msgspec

from monitor.facts import Ended
from monitor.judge.seconds import format_percent
from monitor.model import Service

NONE = Ended(0, 0, 0)
DECIMALS = 1  # of every share that people read
LIKE_LEAST = 0.9  # of what is counted now is on services that were known before too, or nothing is compared
BEFORE_LEAST = 0.1  # of what is counted now was counted before: a few hours say nothing of three weeks


class Share(msgspec.Struct, frozen=True):
    """`part` of `whole`, both counted."""

    part: int = 0
    whole: int = 0

    def __post_init__(self) -> None:
        assert 0 <= self.part <= self.whole

    def __add__(self, other: Share) -> Share:
        return Share(self.part + other.part, self.whole + other.whole)

    @property
    def ratio(self) -> Fraction | None:
        """None when nothing was counted."""
        return Fraction(self.part, self.whole) if self.whole else None

    @property
    def percent(self) -> str | None:
        """As every reader prints it: cut, never rounded up; "100" only when nothing is missing (T41)."""
        return format_percent(self.part, self.whole, DECIMALS)


def points(now: Share, before: Share) -> Fraction | None:
    """Difference in percentage points of the two as printed, so that what stands side by side adds up."""
    if now.percent is None or before.percent is None:
        return None
    return Fraction(now.percent) - Fraction(before.percent)


def together(parts: Iterable[Ended]) -> Ended:
    """Of several channels or stretches."""
    return Ended(*map(sum, zip(NONE, *parts, strict=True)))


def completion(ended: Ended) -> Share:
    """Completed, of all."""
    return Share(ended.completed, sum(ended))


def failure(ended: Ended) -> Share:
    """Failed, of all."""
    return Share(ended.failed, sum(ended))


def abandonment(ended: Ended) -> Share:
    """Given up by people, of all."""
    return Share(ended.abandoned, sum(ended))


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """Transactions of a service in a period, or of several services together."""

    ended: Ended = NONE
    uptake: Share = Share()  # remote of all, over the services in which every channel is counted
    services: int = 0
    whole: int = 0  # services in which every channel is counted
    without: tuple[str, ...] = ()  # paths of channels without data
    mixed: int = 0  # services with a channel in person
    mixed_whole: int = 0  # those of them in which every channel is counted

    @property
    def told(self) -> Share:
        """Uptake as people read it: no data while not one service with a channel in person is counted whole.

        What is counted then is services that are offered remotely alone, and a hundred percent of those.
        """
        return self.uptake if self.mixed_whole or not self.mixed else Share()


def tally(service: Service, counted: Mapping[str, Ended], *, known: Mapping[str, int], to_ms: int) -> Tally:
    """What was counted of a service, by the path of the channel.

    `known`: when each channel was first counted, in Unix ms. One that was not by the end of the period
    (`to_ms`) is without data; a service with such a channel has no uptake, because nobody knows of what it is
    a share.
    """
    paths = [channel.subject for channel in service.channels]
    without = tuple(path for path in paths if known.get(path, to_ms) >= to_ms)
    ended = {path: counted.get(path, NONE) for path in paths}
    remote = sum(sum(ended[channel.subject]) for channel in service.channels if channel.remote)
    every = together(ended.values())
    mixed = int(not all(channel.remote for channel in service.channels))
    return Tally(
        ended=every,
        uptake=Share() if without else Share(remote, sum(every)),
        services=1,
        whole=0 if without else 1,
        without=without,
        mixed=mixed,
        mixed_whole=0 if without else mixed,
    )


def total(tallies: Iterable[Tally]) -> Tally:
    """Of an entity, of the government."""
    those = list(tallies)
    return Tally(
        ended=together(one.ended for one in those),
        uptake=sum((one.uptake for one in those), Share()),
        services=sum(one.services for one in those),
        whole=sum(one.whole for one in those),
        without=tuple(path for one in those for path in one.without),
        mixed=sum(one.mixed for one in those),
        mixed_whole=sum(one.mixed_whole for one in those),
    )


class Compared(msgspec.Struct, frozen=True):
    """A share in a period, and in the one before it; `like` is that of now over what was known before too."""

    now: Share
    before: Share
    like: Share | None = None  # unset: all of `now`

    @property
    def points(self) -> Fraction | None:
        """How many percentage points more (or, under 0, fewer) it is; None when either has no data."""
        return points(self.now if self.like is None else self.like, self.before)


def compared(share: Callable[[Ended], Share], now: Tally, before: Tally) -> Compared:
    """A share of these services together, beside the one before where enough was counted then."""
    enough = sum(before.ended) >= BEFORE_LEAST * sum(now.ended)
    return Compared(share(now.ended), share(before.ended) if enough else Share())


def compared_uptake(pairs: Iterable[tuple[Tally, Tally]]) -> Compared:
    """Uptake now, over all services in which it is known, beside the one before.

    The difference is over the services in which it is known both times: otherwise a service centre that
    begins to send its counts would look like people leaving the web. Where these are a small part of what is
    counted now, there is nothing to compare with.
    """
    those = list(pairs)
    both = [(now, before) for now, before in those if now.whole and before.whole]
    every, like = total(now for now, _ in those).told, total(now for now, _ in both).told
    before = total(before for _, before in both).told
    if like.whole < LIKE_LEAST * every.whole or before.whole < BEFORE_LEAST * every.whole:
        return Compared(every, Share())
    return Compared(every, before, None if like == every else like)
