"""Tests and intervals for rates that hold at every look, from counts alone.

Each e-value is a mixture of likelihood ratios or of bets, so a test martingale whatever the order in which
counts came: by Ville's inequality it exceeds 1/level with a probability of at most `level`, ever (Ramdas,
Grünwald, Vovk, Shafer: "Game-theoretic statistics and safe anytime-valid inference", 2023).
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

# Alternatives that are mixed are so many times as far from 0 as the tolerance is.
_MULTIPLES = (1.5, 2, 3, 4, 6, 10, 20, 50)
# Bets, as shares of the largest that cannot ruin.
_BETS = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 0.98)
# Of two rates, alternatives by their odds, as multiples of those that are tolerated.
_GREATER = (1.3, 1.7, 2.2, 3.0, 4.5, 8.0, 20.0)
_SMALLER = (1.0, 1.0, 0.9, 0.75, 0.55)
# Beta prior of mixtures: what is counted here is rare.
_PRIOR_HITS, _PRIOR_MISSES = 0.5, 10.0
_STEPS = 60


@dataclass(frozen=True)
class Interval:
    lower: float
    upper: float


def rate_interval(hits: int, trials: int, level: float) -> Interval:
    """Return a confidence sequence for a rate, 0 to 1.

    A beta-binomial mixture (Robbins, 1970; Howard, Ramdas, McAuliffe, Sekhon, 2021).
    """
    if not trials:
        return Interval(0.0, 1.0)

    def is_out(rate: float) -> bool:
        return is_refuted(rate, hits, trials, level)

    seen = hits / trials
    return Interval(_boundary(is_out, 0.0, seen), _boundary(is_out, 1.0, seen))


def is_refuted(rate: float, hits: int, trials: int, level: float) -> bool:
    """Whether the interval of `rate_interval` leaves out this rate: the same, quicker."""
    return _mixture_log_e(hits, trials, rate) >= -math.log(level)


def above_log_e(hits: int, trials: int, tolerance: float) -> float:
    """Return the log e-value against a rate of at most `tolerance`, which is above 0 and below 1."""
    rates = [rate for multiple in _MULTIPLES if (rate := tolerance * multiple) < 1]
    misses = trials - hits
    return log_mean_exp(
        hits * math.log(rate / tolerance) + misses * math.log((1 - rate) / (1 - tolerance))
        for rate in rates or [(1 + tolerance) / 2]
    )


def mean_above_log_e(ups: int, downs: int, trials: int, mean: float) -> float:
    """Return the log e-value against a mean of at most `mean`, of values of which so many are 1 and -1, the
    rest 0 (bets: Waudby-Smith and Ramdas, 2024)."""
    zeros = trials - ups - downs
    return log_mean_exp(
        ups * math.log1p(bet * (1 - mean))
        + zeros * math.log1p(-bet * mean)
        + downs * math.log1p(-bet * (1 + mean))
        for share in _BETS
        for bet in (share / (1 + mean),)
    )


def mean_interval(ups: int, downs: int, trials: int, level: float) -> Interval:
    """Return a confidence sequence for the mean of such values, -1 to 1."""
    seen = (ups - downs) / trials if trials else 0.0

    def is_too_low(mean: float) -> bool:
        return mean_above_log_e(ups, downs, trials, mean) >= -math.log(level / 2)

    def is_too_high(mean: float) -> bool:
        return mean_above_log_e(downs, ups, trials, -mean) >= -math.log(level / 2)

    if not trials:
        return Interval(-1.0, 1.0)
    edge = 1 - 1e-9
    return Interval(_boundary(is_too_low, -edge, seen), _boundary(is_too_high, edge, seen))


def difference_above_log_e(hits: tuple[int, int], trials: tuple[int, int], tolerance: float) -> float:
    """Return the log e-value against a first rate of at most the second plus `tolerance`.

    For each second rate that may be true, a mixture of alternatives in which the first rate is greater and
    the second no greater; the least of these holds whichever is true (Ramdas, Ruf, Larsson, Koolen:
    "Admissible anytime-valid sequential inference must rely on nonnegative martingales", 2020).
    The two streams need no pairs and no order. Universal inference needs half as many requests again.
    """

    def at(second: float) -> float:
        first = min(1.0, second + tolerance)
        return _odds_log_e(hits[0], trials[0], first, _GREATER) + _odds_log_e(
            hits[1], trials[1], second, _SMALLER
        )

    return _least(at, 0.0, 1.0)


def _odds_log_e(hits: int, trials: int, rate: float, odds: tuple[float, ...]) -> float:
    """Of a rate beside those whose odds are so many times its own. Convex in `rate`; as far as these are
    greater (smaller), evidence against lower (higher) rates too."""
    return log_mean_exp(hits * math.log(times) - trials * math.log1p(rate * (times - 1)) for times in odds)


def log_mean_exp(values: Iterable[float]) -> float:
    """Return log(mean(exp(values))) without overflow."""
    found = list(values)
    largest = max(found)
    return largest + math.log(sum(math.exp(each - largest) for each in found) / len(found))


def _least(function: Callable[[float], float], low: float, high: float) -> float:
    """Of a convex function, by thirds."""
    for _ in range(_STEPS):
        third = (high - low) / 3
        if function(low + third) > function(high - third):
            low += third
        else:
            high -= third
    return function((low + high) / 2)


def _log_likelihood(hits: int, trials: int, rate: float) -> float:
    return _times_log(hits, rate) + _times_log(trials - hits, 1 - rate)


def _times_log(count: int, rate: float) -> float:
    if not count:
        return 0.0
    return count * math.log(rate) if rate > 0 else -math.inf


def _mixture_log_e(hits: int, trials: int, rate: float) -> float:
    against = _log_likelihood(hits, trials, rate)
    if against == -math.inf:
        return math.inf
    return _log_mixture(hits, trials) - against


def _log_mixture(hits: int, trials: int) -> float:
    """The log-likelihood under rates that are drawn from the prior."""
    prior = _log_beta(_PRIOR_HITS, _PRIOR_MISSES)
    return _log_beta(hits + _PRIOR_HITS, trials - hits + _PRIOR_MISSES) - prior


def _log_beta(first: float, second: float) -> float:
    return math.lgamma(first) + math.lgamma(second) - math.lgamma(first + second)


def _boundary(is_out: Callable[[float], bool], outer: float, inner: float) -> float:
    """Where, on the way from `outer` to `inner`, values are not out any more; a little on the outer side."""
    if not is_out(outer):
        return outer
    for _ in range(_STEPS):
        middle = (outer + inner) / 2
        if is_out(middle):
            outer = middle
        else:
            inner = middle
    return outer
