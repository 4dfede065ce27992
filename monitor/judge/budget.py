"""Error budgets: what a promise leaves to be bad in a period, what is spent, how long the rest lasts. Pure.

Time is in milliseconds as the one function of figures gave it, transactions are counted. Met or not met, and
what remains, are decided on these and never on what is printed (T41).
"""

from __future__ import annotations

from fractions import Fraction
from math import floor

import msgspec

from monitor.facts import Ended
from monitor.judge.figures import When
from monitor.judge.seconds import Says, Spent, format_percent, says
from monitor.model import Policy
from monitor.objectives import Indicator, Objective


class Account(msgspec.Struct, frozen=True):
    """What was good of what counted: milliseconds, or transactions."""

    says: Says
    good: int = 0
    counted: int = 0

    @property
    def bad(self) -> int:
        return self.counted - self.good


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """One promise over one period. `whole`, `spent`, `left` are milliseconds or transactions.

    `whole` is what may be bad until the period ends, were all that is to come counted. `left` is negative
    once more is spent than there was. `burn`: how many times faster than allowed it burned lately; at that
    rate it is used up at `used_up_ms`, None when it is not burning or lasts beyond the period.
    """

    objective: Objective
    when: When
    account: Account
    whole: int
    burn: float | None
    used_up_ms: int | None

    @property
    def spent(self) -> int:
        return self.account.bad

    @property
    def left(self) -> int:
        return self.whole - self.spent

    @property
    def met(self) -> bool | None:
        """Whether the target is met so far; None without a figure."""
        if self.account.says is not Says.FIGURE:
            return None
        return Fraction(self.account.good, self.account.counted) >= 1 - self.objective.allowed

    @property
    def left_share(self) -> Fraction | None:
        """What is left of 1; negative when overspent, None without a figure or a budget."""
        if self.account.says is not Says.FIGURE or not self.whole:
            return None
        return Fraction(self.left, self.whole)

    @property
    def at_risk(self) -> bool:
        """Not met, or used up before the period ends if it goes on like this."""
        return self.met is False or (self.met is True and (self.left <= 0 or self.used_up_ms is not None))

    def good_percent(self, decimals: int) -> str | None:
        """What was good, in percent, cut."""
        if self.account.says is not Says.FIGURE:
            return None
        return format_percent(self.account.good, self.account.counted, decimals)

    def left_percent(self, decimals: int) -> str | None:
        """What is left in percent, cut downwards: -0.01 is overspent."""
        share = self.left_share
        if share is None:
            return None
        scaled = floor(share * 100 * 10**decimals)
        whole, rest = divmod(abs(scaled), 10**decimals)
        return f"{'-' if scaled < 0 else ''}{whole}" + (f".{rest:0{decimals}d}" if decimals else "")


def of_time(indicator: Indicator, spent: Spent, policy: Policy) -> Account:
    """Time as the promise counts it: available of measured, or not degraded of available."""
    said = says(spent, policy)
    if indicator is Indicator.LATENCY:
        available_ms = spent.up_ms + spent.degraded_ms
        return Account(
            said if available_ms or said is not Says.FIGURE else Says.NO_DATA, spent.up_ms, available_ms
        )
    return Account(said, *spent.counted(policy))


def of_transactions(ended: Ended) -> Account:
    """Completed, of those completed or failed: giving up is a person's own decision."""
    counted = ended.completed + ended.failed
    return Account(Says.FIGURE if counted else Says.NO_DATA, ended.completed, counted)


def budget(
    objective: Objective,
    when: When,
    account: Account,
    *,
    lately: Account,
    lately_ms: int,
    services: int = 1,
) -> Budget:
    """The budget of a period, and how long it lasts at the rate of the last `lately_ms`.

    `services`: how many subjects the account sums, for the time that is still to come.
    """
    whole = allowance(objective, when, account, services=services)
    burn = None
    if lately.says is Says.FIGURE:
        burn = float(Fraction(lately.bad, lately.counted) / objective.allowed)
    return Budget(
        objective=objective,
        when=when,
        account=account,
        whole=whole,
        burn=burn,
        used_up_ms=_used_up_ms(whole - account.bad, when, lately, lately_ms),
    )


def allowance(objective: Objective, when: When, account: Account, *, services: int = 1) -> int:
    """What may be bad until the period ends, were all that is to come counted."""
    to_come = 0
    if objective.indicator is not Indicator.COMPLETION:
        to_come = (when.end_ms - when.stop_ms) * services
    allowed = objective.allowed
    return (account.counted + to_come) * allowed.numerator // allowed.denominator


def _used_up_ms(left: int, when: When, lately: Account, lately_ms: int) -> int | None:
    """The instant at which nothing is left, where that is within the period."""
    if not lately.bad or lately_ms <= 0 or left <= 0:
        return None
    at_ms = when.stop_ms + left * lately_ms // lately.bad
    return at_ms if at_ms < when.end_ms else None
