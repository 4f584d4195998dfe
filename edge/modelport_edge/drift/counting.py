"""Counts rows into the bins of a reference."""

import math
from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from modelport_edge.drift.bins import (
    FIRST_BIN,
    MISSING,
    UNKNOWN,
    CategoryBins,
    Feature,
    NumberBins,
    ReferenceBins,
)
from modelport_edge.drift.repetition import empty_sketch, note_row

Cell = Callable[[Any], int]
"""Value of a row → the cell that counts it."""


class RowCounter:
    """Counts of one reference's features; `add` row after row. `rows`: how many were added."""

    def __init__(self, bins: ReferenceBins) -> None:
        self.rows = 0
        self.sketch = empty_sketch()
        self._positional = bins.positional
        self._counts = {feature.name: [0] * feature.bins.cells for feature in bins.features}
        self._features = [
            (feature.name, feature.position, cell_of(feature), self._counts[feature.name])
            for feature in bins.features
        ]

    def add(self, row: Any, digest: int) -> None:
        """Count an object or an array of JSON; anything else is no row. `digest`: equal for equal rows."""
        if isinstance(row, dict):
            if self._positional:
                self._add_by_position(list(row.values()))
            else:
                for name, _, cell, counts in self._features:
                    counts[cell(row.get(name))] += 1
        elif isinstance(row, list):
            self._add_by_position(row)
        else:
            return
        self.rows += 1
        note_row(self.sketch, digest)

    def take(self) -> dict[str, list[int]]:
        """Give the counts of each feature's cells."""
        return self._counts

    def _add_by_position(self, row: list[Any]) -> None:
        width = len(row)
        for _, position, cell, counts in self._features:
            counts[cell(row[position]) if position < width else MISSING] += 1


def cell_of(feature: Feature) -> Cell:
    """Give the function that finds a value's cell."""
    match feature.bins:
        case NumberBins(edges=edges):
            return _number_cell(edges)
        case CategoryBins(categories=categories):
            return _category_cell(categories)


def _number_cell(edges: tuple[float, ...]) -> Cell:
    def cell(value: Any) -> int:
        if type(value) is float or type(value) is int:
            # NaN is not in JSON, but it is in the numbers of a reference.
            return FIRST_BIN + bisect_right(edges, value) if value == value else MISSING  # noqa: PLR0124
        if value is None:
            return MISSING
        number = as_number(value)
        return UNKNOWN if number is None else cell(number)

    return cell


def as_number(value: Any) -> float | None:
    """Read a boolean or a text as the number that it says; None: it says none."""
    if not isinstance(value, bool | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _category_cell(categories: tuple[str, ...]) -> Cell:
    cells = {category: FIRST_BIN + index for index, category in enumerate(categories)}

    def cell(value: Any) -> int:
        if value is None:
            return MISSING
        return cells.get(value if type(value) is str else as_category(value), UNKNOWN)

    return cell


def as_category(value: Any) -> str:
    """Write a value as the category that it is: whole numbers as integers, booleans as JSON has them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return str(int(value))
    return str(value)
