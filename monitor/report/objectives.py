"""What each service promised: the one place where a report learns it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from monitor.model import Catalogue


def objectives(catalogue: Catalogue, services: Iterable[str]) -> dict[str, str]:
    """The objective of each service, in percent; the government's target where it has none of its own."""
    return dict.fromkeys(services, percent(catalogue.policy.target))


def percent(share: float) -> str:
    """A setting such as 0.995 as it is printed: 99.5."""
    exact = Fraction(str(share)) * 100
    if exact.denominator == 1:
        return str(exact.numerator)
    return f"{float(exact):.6f}".rstrip("0").rstrip(".")
