"""What the figures would be if the committee approved an exclusion: the same function, asked twice. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import msgspec

from monitor.judge.accounts import Accounts
from monitor.judge.exclusions import Exclusion
from monitor.judge.figures import Figure, When, summed
from monitor.model import GOVERNMENT


class Both(NamedTuple):
    """A figure as the exclusion counts now, and as it would be were it approved."""

    counts: Figure
    left_out: Figure


class Stake(NamedTuple):
    """What hangs on an exclusion: the government's figure, and that of its own services together."""

    everybody: Both
    services: Both
    named: tuple[str, ...]


def stake(accounts: Accounts, exclusion: Exclusion, when: When) -> Stake:
    """Both figures over a stretch; nothing of the accounts changes."""
    given = approved(accounts, exclusion)
    below = accounts.belonging.services.get(GOVERNMENT, {})
    named = tuple(sorted(service for service in below if exclusion.covers(service)))

    def together(these: Accounts) -> Figure:
        return summed([these.leaf(each, when, within=below[each]) for each in named], when)

    return Stake(
        Both(accounts.figure(GOVERNMENT, when), given.figure(GOVERNMENT, when)),
        Both(together(accounts), together(given)),
        named,
    )


def approved(accounts: Accounts, exclusion: Exclusion) -> Accounts:
    """The same accounts with that one exclusion approved."""
    return replace(
        accounts,
        exclusions=[
            msgspec.structs.replace(each, approved_at_ms=each.to_ms, rejected_at_ms=None)
            if each.id == exclusion.id
            else each
            for each in accounts.exclusions
        ],
    )
