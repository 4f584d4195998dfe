"""How many independent rows tell as much as rows that come in runs, or from a few senders."""

from collections.abc import Sequence
from math import sqrt

from modelport_edge.drift.blocks import variances
from modelport_edge.drift.repetition import SKETCH_CELLS, squares

SELDOM = 0.02
"""A chance that two rows have the same value, below which repetition says something. Above, as with a few
categories, it is what the feature is like."""
_SURE = 2.58
"""Of the normal distribution: that blocks vary more than chance has it must be sure to 99.5 %."""
_SKETCH_ERROR = sqrt(2 / SKETCH_CELLS)


def dependence(cells: Sequence[int], scores: Sequence[float], sums: Sequence[float]) -> float:
    """Give how many times fewer rows are independent, by how much means of blocks vary; 1: all of them are.

    `scores` of the cells and `sums`: as `modelport_edge.drift.blocks` has them.
    """
    variance = _variance(cells, scores)
    found, hinted = 1.0, True
    for size, count, of_means in variances(sums) if variance else ():
        ratio, error = size * of_means / variance, sqrt(3 / count)
        # What goes on over a hundred rows shows in thirty too; three blocks alone are soon unlike by chance.
        if hinted and ratio > _most_by_chance(count * 2 / 3):
            # A few blocks may understate it: what runs longer than they do cannot be seen.
            found = max(found, ratio * (1 + error))
        hinted = hinted and ratio > 1 + error
    return found


def collisions(sketch: Sequence[int], rows: int) -> float:
    """Estimate the chance that two of the rows have the same value."""
    return max(0.0, squares(sketch) - rows) / max(1, rows * (rows - 1))


def copies(sketch: Sequence[int], rows: int, repetition: float) -> float:
    """Give how often, on average of rows, a value came because it was repeated; 1: no more than by chance.

    `repetition`: the chance that two rows of the reference have the same value.
    """
    expected = rows + rows * (rows - 1) * repetition
    if not any(sketch) or repetition > SELDOM or squares(sketch) < expected * (1 + 4 * _SKETCH_ERROR):
        return 1.0
    return max(1.0, 1 + (rows - 1) * (collisions(sketch, rows) - repetition))


def _most_by_chance(degrees: float) -> float:
    """A quantile of chi-square over its degrees of freedom (Wilson and Hilferty, 1931)."""
    spread = 2 / (9 * degrees)
    return (1 - spread + _SURE * sqrt(spread)) ** 3


def _variance(cells: Sequence[int], scores: Sequence[float]) -> float:
    rows = sum(cells)
    if not rows:
        return 0.0
    mean = sum(cell * score for cell, score in zip(cells, scores, strict=True)) / rows
    return sum(cell * (score - mean) ** 2 for cell, score in zip(cells, scores, strict=True)) / rows
