"""Chooses the bins of a feature from rows of its reference."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from modelport_edge.drift.bins import MAX_CATEGORIES, CategoryBins, NumberBins

BINS = 20
_LONGEST_CATEGORY = 200


def number_bins(values: Sequence[float]) -> NumberBins:
    """Bins that hold about a twentieth of the values each. What is more frequent has a bin of its own.

    So has every value of a feature with at most BINS different ones: values between them are then seen.
    """
    counts = Counter(values)
    limit = 0 if len(counts) <= BINS else len(values) / BINS
    own = {value for value, count in counts.items() if count > limit}
    others = sorted(value for value in values if value not in own)
    edges = {*own, *(_next(value) for value in own)}
    if others:
        edges |= {*_quantiles(others, len(values)), _next(others[-1])}
    return NumberBins(tuple(sorted(edges)))


def category_bins(values: Iterable[str]) -> CategoryBins:
    """The most frequent categories; equally frequent ones by name: the same rows give the same bins."""
    # What came once is as rare as what did not come, and may be a name or a number that is nobody's business.
    repeated = [
        (value, count)
        for value, count in Counter(values).items()
        if count > 1 and len(value) <= _LONGEST_CATEGORY
    ]
    ordered = sorted(repeated, key=lambda item: (-item[1], item[0]))
    return CategoryBins(tuple(value for value, _ in ordered[:MAX_CATEGORIES]))


def _quantiles(ordered: Sequence[float], total: int) -> list[float]:
    bins = max(1, round(BINS * len(ordered) / total))
    return [ordered[len(ordered) * index // bins] for index in range(bins)]


def _next(value: float) -> float:
    return math.nextafter(value, math.inf)
