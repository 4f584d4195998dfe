"""What a reference's drawn rows tell of one column, beside its bins."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from modelport_telemetry.drift.bins import UNKNOWN, CategoryBins, NumberBins


def repetition_of(counts: Mapping[Any, int]) -> float:
    """Give the chance that two rows have the same value. `counts`: how often each came."""
    rows = sum(counts.values())
    return sum(count * (count - 1) for count in counts.values()) / max(1, rows * (rows - 1))


def usual_shares(
    counts: Mapping[str, int], cell_of: Mapping[str, int], cells: int, rows: int
) -> tuple[float, ...]:
    """Give for each cell the share of its most frequent value; of a cell without any, that of one row."""
    most = [1] * cells
    for value, count in counts.items():
        at = cell_of[value]
        most[at] = max(most[at], count)
    return tuple(count / rows for count in most)


def unknown_share(
    bins: NumberBins | CategoryBins, counts: Mapping[str, int], cell_of: Mapping[str, int]
) -> float:
    """Give the share of new rows with a category that is not among the known ones (Good and Turing, 1953).

    To those that came once here, the chance of one that came twice by luck is added.
    """
    if isinstance(bins, NumberBins):
        return 0.0
    rows = sum(counts.values())
    unknown = sum(count for value, count in counts.items() if cell_of[value] == UNKNOWN)
    twice = Counter(counts.values())[2]
    return min(1.0, (unknown + 2 * twice) / rows)
