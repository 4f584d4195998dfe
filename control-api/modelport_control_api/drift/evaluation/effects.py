"""What a feature's drift does to expected performance: if it is all that moves, and rows of a cell are as
often right as they were when the version was calibrated. Pure.
"""

from collections.abc import Mapping, Sequence

Right = Sequence[tuple[int, int]]
"""Of each of a feature's cells: labelled rows, and how many of them were predicted rightly."""
Effects = Mapping[str, Right]
"""By the feature's name."""

_FEWEST_ROWS = 100
_PRIOR_ROWS = 5
"""A cell of few rows is taken to be about as good as all are."""


def expected_change(right: Right, before: Sequence[float], now: Sequence[float]) -> float | None:
    """Return by how much accuracy is to change: from counts of rows in each cell to others.

    None: too few rows are known, or the cells are others.
    """
    rows, hits = sum(each for each, _ in right), sum(each for _, each in right)
    if rows < _FEWEST_ROWS or not len(right) == len(before) == len(now) or not sum(before) or not sum(now):
        return None
    usual = hits / rows
    accuracies = [(good + _PRIOR_ROWS * usual) / (of_cell + _PRIOR_ROWS) for of_cell, good in right]
    moved = (here / sum(now) - there / sum(before) for there, here in zip(before, now, strict=True))
    return sum(accuracy * share for accuracy, share in zip(accuracies, moved, strict=True))
