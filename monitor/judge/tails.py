"""How rare a count is: tails and quantiles of over-dispersed counts and shares. Pure.

A count of which only mean and variance are known is taken as negative binomial (a Poisson whose rate is
itself uncertain), as Poisson where the variance is no larger than the mean. A number out of n is taken as
beta-binomial. Good to six digits at any size we meet, also far out in the tail.
"""

from __future__ import annotations

from math import exp, inf, lgamma, log, log1p, sqrt
from statistics import NormalDist

_SIZE_MAX = 1e7  # a negative binomial of a larger size is a Poisson, to every digit kept
_EXACT_MEAN = 50.0  # over this, quantiles come from the gamma that has this mean and variance
_NORMAL = NormalDist()
_NONE = 1e-9  # a mean under this is no expectation at all
_TINY = 1e-300


def at_most(count: float, mean: float, variance: float) -> float:
    """P(Y ≤ count)."""
    if count < 0 or mean <= _NONE:
        return 0.0 if count < 0 else 1.0
    size, share = _negative_binomial(mean, variance)
    return _beta(size, count + 1.0, share)


def at_least(count: float, mean: float, variance: float) -> float:
    """P(Y ≥ count)."""
    if count <= 0 or mean <= _NONE:
        return 1.0 if count <= 0 else 0.0
    size, share = _negative_binomial(mean, variance)
    return _beta(count, size, 1.0 - share, other=share)


def none_at_all(mean: float, variance: float) -> float:
    """P(Y = 0)."""
    if mean <= _NONE:
        return 1.0
    size, share = _negative_binomial(mean, variance)
    return exp(size * log(share)) if share > 0 else 0.0


def quantile(share: float, mean: float, variance: float) -> float:
    """The least count that Y does not exceed with probability `share`; whole where the mean is small."""
    assert 0 < share < 1
    if mean <= _NONE:
        return 0.0
    if mean > _EXACT_MEAN:
        return _gamma_quantile(share, mean, max(variance, mean))
    size, at_zero = _negative_binomial(mean, variance)
    probability = exp(size * log(at_zero))
    reached, count = probability, 0
    while reached < share and count < 1000:
        probability *= (size + count) / (count + 1) * (1.0 - at_zero)
        count += 1
        reached += probability
    return float(count)


def _gamma_quantile(share: float, mean: float, variance: float) -> float:
    """Wilson and Hilferty: the cube root of a gamma is nearly normal."""
    shape = mean * mean / variance
    z = _NORMAL.inv_cdf(share)
    root = 1.0 - 1.0 / (9.0 * shape) + z / (3.0 * sqrt(shape))
    return mean * max(root, 0.0) ** 3


def _negative_binomial(mean: float, variance: float) -> tuple[float, float]:
    """Size, and the probability that enters as a power of it."""
    surplus = max(variance - mean, mean * mean / _SIZE_MAX)
    size = mean * mean / surplus
    return size, size / (size + mean)


def share_at_least(count: int, trials: int, *, share: float, spread: float) -> float:
    """P(X ≥ count) of X out of `trials` with a usual `share` and intra-class correlation `spread`."""
    if count <= 0:
        return 1.0
    if count > trials or share <= 0:
        return 0.0
    if share >= 1:
        return 1.0
    together = (1.0 - spread) / max(spread, 1e-7)
    a, b = share * together, (1.0 - share) * together
    logs = [_log_beta_binomial(k, trials, a, b) for k in _outward(count, trials)]
    top = max(logs)
    return min(1.0, exp(top) * sum(exp(each - top) for each in logs))


def _outward(count: int, trials: int) -> range:
    """From `count` on; at most 20,000 terms, the rest adds nothing that is kept."""
    return range(count, min(trials, count + 20_000) + 1)


def _log_beta_binomial(k: int, n: int, a: float, b: float) -> float:
    choose = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
    return choose + _log_beta(k + a, n - k + b) - _log_beta(a, b)


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def _beta(a: float, b: float, x: float, *, other: float | None = None) -> float:
    """Regularised incomplete beta I_x(a, b); `other` is 1 - x where that is known better."""
    y = 1.0 - x if other is None else other
    if x <= 0 or y <= 0:
        return 0.0 if x <= 0 else 1.0
    front = exp(a * log(x) + b * _log_of(y, x) - _log_beta(a, b))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _fraction(a, b, x) / a
    return 1.0 - front * _fraction(b, a, y) / b


def _log_of(y: float, x: float) -> float:
    """log(1 - x), exact where x is small."""
    return log1p(-x) if x < 0.5 else log(y)


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta, by Lentz."""
    c, d = 1.0, 1.0 / _apart(1.0 - (a + b) * x / (a + 1.0))
    value, before = d, inf
    for m in range(1, 20_000):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        d, c = 1.0 / _apart(1.0 + even * d), _apart(1.0 + even / c)
        value *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        d, c = 1.0 / _apart(1.0 + odd * d), _apart(1.0 + odd / c)
        value *= d * c
        if abs(d * c - 1.0) < 1e-12 or value == before:
            break
        before = value
    return value


def _apart(value: float) -> float:
    """Away from zero, where the fraction would break."""
    return value if abs(value) > _TINY else _TINY
