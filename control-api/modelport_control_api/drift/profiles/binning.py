"""Chooses the bins of a feature from drawn rows of its reference, and what else those rows show of it."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from modelport_telemetry.drift.bins import MAX_CATEGORIES, UNKNOWN, CategoryBins, NumberBins, digest_of


def repetition_of(counts: Mapping[Any, int]) -> float:
    """Return the chance that two rows have the same value. `counts`: how often each came."""
    rows = sum(counts.values())
    return sum(count * (count - 1) for count in counts.values()) / max(1, rows * (rows - 1))


def usual_shares(
    counts: Mapping[str, int], cell_of: Mapping[str, int], cells: int, rows: int
) -> tuple[float, ...]:
    """Return for each cell the share of its most frequent value; of a cell without any, that of one row."""
    most = [1] * cells
    for value, count in counts.items():
        at = cell_of[value]
        most[at] = max(most[at], count)
    return tuple(count / rows for count in most)


def unknown_share(
    bins: NumberBins | CategoryBins, counts: Mapping[str, int], cell_of: Mapping[str, int]
) -> float:
    """Return the share of new rows with a category that is not among the known ones (Good and Turing, 1953).

    To those that came once here, the chance of one that came twice by luck is added.
    """
    if isinstance(bins, NumberBins):
        return 0.0
    rows = sum(counts.values())
    unknown = sum(count for value, count in counts.items() if cell_of[value] == UNKNOWN)
    twice = Counter(counts.values())[2]
    return min(1.0, (unknown + 2 * twice) / rows)


BINS = 20
_LONGEST_CATEGORY = 200
_MAX_OTHERS = 5_000
_ENOUGH = 200
"""Rows: a short reference may be made by hand, with a number for each row."""
_EXPECTED_PAIRS = 10
"""That there is none of so many is a chance of 5 in 100,000."""


def number_bins(values: Sequence[float]) -> NumberBins:
    """Bins that hold about a twentieth of the values each. What is more frequent has a bin of its own.

    So has every value of a feature with at most BINS different ones: values between them are then seen.
    Numbers that somebody gives out, such as ids, share one bin: the next ones are always new.
    """
    if _are_given_out(values):
        return NumberBins(())
    counts = Counter(values)
    limit = 0 if len(counts) <= BINS else len(values) / BINS
    own = {value for value, count in counts.items() if count > limit}
    others = sorted(value for value in values if value not in own)
    edges = {*own, *(_next(value) for value in own)}
    if others:
        edges |= {*_quantiles(others, len(values)), _next(others[-1])}
    return _with_far_edges(sorted(edges))


def category_bins(values: Mapping[str, int]) -> CategoryBins:
    """The most frequent categories; equally frequent ones by name: the same rows give the same bins.

    `values`: how often each came.
    """
    # What came once is as rare as what did not come, and may be a name or a number that is nobody's business.
    repeated = [
        (value, count) for value, count in values.items() if count > 1 and len(value) <= _LONGEST_CATEGORY
    ]
    ordered = [value for value, _ in sorted(repeated, key=lambda item: (-item[1], item[0]))]
    others = {digest_of(value) for value in ordered[MAX_CATEGORIES:][:_MAX_OTHERS]}
    return CategoryBins(
        tuple(ordered[:MAX_CATEGORIES]), b"".join(digest.to_bytes(4) for digest in sorted(others))
    )


def _are_given_out(values: Sequence[float]) -> bool:
    """Return whether these are whole numbers none of which repeats, though chance would have repeated
    some.
    """
    if len(values) < _ENOUGH or len(set(values)) < len(values):
        return False
    if not all(value.is_integer() for value in values):
        return False
    # The birthday problem.
    by_chance = len(values) ** 2 / (2 * (max(values) - min(values) + 1))
    return by_chance >= _EXPECTED_PAIRS


def _with_far_edges(edges: Sequence[float]) -> NumberBins:
    width = edges[-1] - edges[0]
    if width <= _next(edges[0]) - edges[0]:
        # It is constant.
        width = max(1.0, abs(edges[0]))
    return NumberBins((edges[0] - width, *edges, edges[-1] + width), far=True)


def _quantiles(ordered: Sequence[float], total: int) -> list[float]:
    bins = max(1, round(BINS * len(ordered) / total))
    return [ordered[len(ordered) * index // bins] for index in range(bins)]


def _next(value: float) -> float:
    return math.nextafter(value, math.inf)
