"""Confidence sequences for means, and for the difference of two arms' means: they hold at every look.

Asymptotic ones, with the boundary of a Gaussian mixture: whatever the values are, for as many that their mean
is about normal (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas: "Time-uniform central limit theory and
asymptotic confidence sequences", 2024, theorems 2.2 and 3.2). From sums, so that they can be added up.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from modelport_evidence.rates import Interval

LEAST = 50
"""So few values of an arm prove nothing: what is about normal in the long run is not yet."""
# For so many values intervals are the shortest; for fewer they are wide, and there they are least normal.
_SHORTEST_AT = 5000
UNKNOWN = Interval(-math.inf, math.inf)


@dataclass(frozen=True, slots=True)
class Sums:
    """All that is kept of some values."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    @classmethod
    def of(cls, values: Iterable[float]) -> "Sums":
        found = list(values)
        return cls(len(found), math.fsum(found), math.fsum(each * each for each in found))

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(self.count + other.count, self.total + other.total, self.squares + other.squares)

    @property
    def mean(self) -> float | None:
        return self.total / self.count if self.count else None

    @property
    def variance(self) -> float:
        """Of the values that these were drawn from."""
        if self.count < 2:
            return 0.0
        return max(0.0, (self.squares - self.total**2 / self.count) / (self.count - 1))


def mean_sequence(sums: Sums, level: float) -> Interval:
    """Return where the mean is; unknown for few values."""
    if sums.mean is None or sums.count < LEAST or not sums.variance:
        return UNKNOWN
    return _around(sums.mean, _radius(sums.count, sums.variance, level))


def difference_sequence(one: Sums, other: Sums, level: float) -> Interval:
    """Return where the first mean less the second is, of units that were assigned at random."""
    if one.mean is None or other.mean is None or min(one.count, other.count) < LEAST:
        return UNKNOWN
    variance = variance_of_difference(one, other)
    if not variance:
        return UNKNOWN
    count = one.count + other.count
    return _around(one.mean - other.mean, _radius(count, count * variance, level))


def variance_of_difference(one: Sums, other: Sums) -> float:
    """Of both means. An arm in which all values are equal yet varies as the other does."""
    variances = [each.variance or max(one.variance, other.variance) for each in (one, other)]
    return variances[0] / one.count + variances[1] / other.count


def _around(middle: float, radius: float) -> Interval:
    return Interval(middle - radius, middle + radius)


def _radius(count: int, variance: float, level: float) -> float:
    """Of an interval around the mean of so many values that vary as much."""
    times = count * _tuning(level)
    return math.sqrt(variance * 2 * (times + 1) / (count * times) * math.log(math.sqrt(times + 1) / level))


def _tuning(level: float) -> float:
    """The variance of the mixture: intervals are the shortest at _SHORTEST_AT (appendix B.2 there)."""
    spread = -2 * math.log(level)
    return (spread + math.log(spread + 1)) / _SHORTEST_AT
