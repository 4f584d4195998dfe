"""What units did before an experiment explains some of what they do in it, and is taken out of comparisons.

CUPED: Deng, Xu, Kohavi, Walker: "Improving the sensitivity of online controlled experiments by utilizing
pre-experiment data", 2013. Chance gave each arm its units, so what they did before differs between arms by
chance alone: taking it out moves no mean, and makes intervals shorter.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from modelport_evidence.means import LEAST, Sums, variance_of_difference

_NOTHING = Sums()


@dataclass(frozen=True, slots=True)
class History:
    """Of those units of an arm of which it is known what they did before: x, and y in the experiment.

    `values`: the sum of y. `products`: of x times y.
    """

    before: Sums = _NOTHING
    values: float = 0.0
    products: float = 0.0

    @classmethod
    def of(cls, pairs: Iterable[tuple[float, float]]) -> "History":
        """pairs: x and y of each unit."""
        found = list(pairs)
        before = Sums.of(x for x, _ in found)
        return cls(before, sum(y for _, y in found), sum(x * y for x, y in found))


_UNKNOWN = History()


@dataclass(frozen=True, slots=True)
class Measured:
    """What an arm's units have of a metric."""

    sums: Sums = _NOTHING
    history: History = _UNKNOWN


@dataclass(frozen=True, slots=True)
class Adjusted:
    """Both arms' sums without what was so before. `explained`: the share of the variance of the difference of
    their means that this took away; None: there is too little history.
    """

    one: Sums
    other: Sums
    explained: float | None = None


def adjusted(one: Measured, other: Measured) -> Adjusted:
    """Take out what both arms' units did before, as far as that explains what they do now."""
    plain = Adjusted(one.sums, other.sums)
    befores = (one.history.before, other.history.before)
    if min(each.count for each in befores) < LEAST or not all(each.variance for each in befores):
        return plain
    arms = [_centred(each, _middle(befores)) for each in (one, other)]
    slope = _slope(arms)
    first, second = (_without(each, slope) for each in arms)
    variance = variance_of_difference(one.sums, other.sums)
    less = variance - variance_of_difference(first, second)
    return Adjusted(first, second, less / variance) if less > 0 else plain


def _middle(befores: Iterable[Sums]) -> float:
    """A unit without history is taken for one that did as much before as others at the mean."""
    both = sum(befores, _NOTHING)
    return both.total / both.count


def _centred(arm: Measured, middle: float) -> Measured:
    history, before = arm.history, arm.history.before
    total = before.total - middle * before.count
    squares = before.squares - 2 * middle * before.total + middle**2 * before.count
    products = history.products - middle * history.values
    return Measured(arm.sums, History(Sums(before.count, total, squares), history.values, products))


def _slope(arms: Iterable[Measured]) -> float:
    """Of y on x, those without history at x = 0: with it the difference of the means varies least."""
    shared = spread = 0.0
    for arm in arms:
        count, before = arm.sums.count, arm.history.before
        shared += (arm.history.products - before.total * arm.sums.total / count) / count**2
        spread += (before.squares - before.total**2 / count) / count**2
    return shared / spread


def _without(arm: Measured, slope: float) -> Sums:
    sums, history = arm.sums, arm.history
    squares = sums.squares - 2 * slope * history.products + slope**2 * history.before.squares
    return Sums(sums.count, sums.total - slope * history.before.total, squares)
