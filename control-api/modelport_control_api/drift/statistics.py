"""Two-sample tests on counts, in closed form: the control API has no SciPy. The tests compare with it.

`reference` and `live` are counts of the same cells, in order where the cells have one. `n` and `m` are how
many independent rows they stand for: fewer than were counted where rows repeat.
"""

import math
from collections.abc import Sequence
from itertools import accumulate

Counts = Sequence[float]

_SMOOTHING = 0.5
_TINY = 1e-300
_PRECISION = 1e-14


def kolmogorov_smirnov(reference: Counts, live: Counts, n: float, m: float) -> float:
    """p of the largest distance between both distribution functions. Binned, p is too large if anything."""
    distance = max(
        (abs(p - q) for p, q in zip(_cumulative(reference), _cumulative(live), strict=True)), default=0.0
    )
    root = math.sqrt(n * m / (n + m))
    return kolmogorov_tail((root + 0.12 + 0.11 / root) * distance)


def rank_sum(reference: Counts, live: Counts, n: float, m: float) -> float:
    """p of the Wilcoxon-Mann-Whitney test: it needs the fewest rows to find a shift. Ties are allowed for."""
    p, q = _shares(reference), _shares(live)
    below, larger, ties = 0.0, 0.0, 0.0
    for of_reference, of_live in zip(p, q, strict=True):
        larger += of_live * (below + of_reference / 2)
        below += of_reference
        ties += (n * of_reference + m * of_live) ** 3
    total = n + m
    variance = n * m / 12 * (total + 1 - (ties - total) / (total * (total - 1)))
    if variance <= 0:
        return 1.0
    return math.erfc(abs(larger - 0.5) * n * m / math.sqrt(2 * variance))


def chi_square(reference: Counts, live: Counts, n: float, m: float) -> float:
    """p of Pearson's test that both samples come from one distribution, in whatever order its cells are."""
    p, q = _shares(reference), _shares(live)
    statistic, cells = 0.0, 0
    for of_reference, of_live in zip(p, q, strict=True):
        if pooled := n * of_reference + m * of_live:
            cells += 1
            statistic += (of_reference - of_live) ** 2 / pooled
    return chi_square_tail(statistic * n * m, cells - 1)


def two_shares(reference: float, live: float, n: float, m: float) -> float:
    """p that two shares are of one: the test of a 2 x 2 table, with Yates' correction."""
    pooled = (reference * n + live * m) / (n + m)
    if pooled >= 1:
        return 1.0
    difference = max(0.0, abs(reference - live) - (1 / n + 1 / m) / 2)
    if not difference:
        return 1.0
    return chi_square_tail(difference**2 / (pooled * (1 - pooled) * (1 / n + 1 / m)), 1)


def more_than_expected(found: float, expected: float) -> float:
    """The chance of so many or more rare events where so many were expected (Poisson)."""
    return 1 - chi_square_tail(2 * expected, round(2 * found)) if found >= 0.5 else 1.0


def share_index(reference: float, live: float, n: float) -> float:
    """The stability index of a share and of its rest. A share of nothing counts as half of one of n rows."""
    least = 0.5 / (n + 1)
    p, q = (min(1 - least, max(least, share)) for share in (reference, live))
    return (q - p) * (math.log(q / p) - math.log((1 - q) / (1 - p)))


def stability_index(reference: Counts, live: Counts, n: float, m: float) -> float:
    """The population stability index, less what chance alone adds to it on average with so few rows."""
    cells = len(reference)
    of_reference, of_live = sum(reference) + cells * _SMOOTHING, sum(live) + cells * _SMOOTHING
    total = 0.0
    for expected, found in zip(reference, live, strict=True):
        p, q = (expected + _SMOOTHING) / of_reference, (found + _SMOOTHING) / of_live
        total += (p - q) * math.log(p / q)
    by_chance = (sum(1 for expected in reference if expected) - 1) * (1 / n + 1 / m)
    return max(0.0, total - max(0.0, by_chance))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust for having looked at all of them, after Holm: each result is compared with alpha itself."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, largest = [1.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, p_values[index] * (len(p_values) - rank)))
        adjusted[index] = largest
    return adjusted


def kolmogorov_tail(distance: float) -> float:
    """The chance that Kolmogorov's variable is above `distance`."""
    if distance < 0.2:
        return 1.0  # To the last digit; the series would need many terms.
    terms = ((-1) ** (k - 1) * math.exp(-2 * (k * distance) ** 2) for k in range(1, 101))
    return min(1.0, max(0.0, 2 * math.fsum(terms)))


def chi_square_tail(statistic: float, degrees: int) -> float:
    """The chance that a chi-square variable is above `statistic`: the regularized upper incomplete gamma."""
    if degrees < 1 or statistic <= 0:
        return 1.0
    a, x = degrees / 2, statistic / 2
    scale = math.exp(a * math.log(x) - x - math.lgamma(a))
    return 1 - scale * _lower_series(a, x) if x < a + 1 else scale * _upper_fraction(a, x)


def _lower_series(a: float, x: float) -> float:
    term = total = 1 / a
    while abs(term) > abs(total) * _PRECISION:
        a += 1
        term *= x / a
        total += term
    return total


def _upper_fraction(a: float, x: float) -> float:
    # Lentz's algorithm for the continued fraction.
    b = x + 1 - a
    c, d = 1 / _TINY, 1 / b
    result = d
    for index in range(1, 10_000):
        factor = -index * (index - a)
        b += 2
        d = 1 / (factor * d + b or _TINY)
        c = b + factor / c or _TINY
        result *= d * c
        if abs(d * c - 1) < _PRECISION:
            break
    return result


def _shares(counts: Counts) -> list[float]:
    total = sum(counts)
    return [count / total for count in counts]


def _cumulative(counts: Counts) -> list[float]:
    return list(accumulate(_shares(counts)))
