"""Counts rows into the bins of a reference."""

import math
from bisect import bisect_right
from collections.abc import Callable
from typing import Any

import msgspec

from modelport_telemetry.drift.bins import (
    FIRST_BIN,
    MISSING,
    UNKNOWN,
    CategoryBins,
    Feature,
    NumberBins,
    ReferenceBins,
    digest_of,
)
from modelport_telemetry.drift.repetition import (
    WHOLE_ROWS,
    Blocks,
    RecentRows,
    digest_of_value,
    empty_sketch,
    note_digest,
)

Cell = Callable[[Any], int]
"""Value of a row → the cell that counts it."""


class Counts(msgspec.Struct):
    """What was counted of some rows. Of each feature: its cells, `repetition`'s sketch, `blocks`' sums.

    `values` has one more, of `WHOLE_ROWS`.
    """

    rows: int
    """All of them, copies too."""
    counted: int
    """Those in the cells: of rows that repeat more than the reference's do, the first copies only."""
    features: dict[str, list[int]]
    values: dict[str, list[int]]
    blocks: dict[str, list[float]]


class RowCounter:
    """Counts rows of one reference's features: `add` row after row, `take` now and then."""

    def __init__(self, bins: ReferenceBins) -> None:
        self.rows = 0
        self._counted = 0
        self._positional = bins.positional
        self._recent = RecentRows()
        self._sketch = empty_sketch()
        self._features = [_FeatureCounter(feature) for feature in bins.features]

    def add(self, row: Any, digest: int) -> None:
        """Count an object, an array or a text of JSON; anything else is no row.

        `digest`: equal for equal rows.
        """
        values = self._values(row)
        if values is None:
            return
        self.rows += 1
        cells = [feature.cell(value) for feature, value in zip(self._features, values, strict=True)]
        usual = min([f.usual[cell] for f, cell in zip(self._features, cells, strict=True)], default=1.0)
        if not self._recent.counts(digest, usual):
            return
        self._counted += 1
        note_digest(self._sketch, digest)
        for feature, value, cell in zip(self._features, values, cells, strict=True):
            feature.count(value, cell)

    def take(self) -> Counts:
        """Return what was counted since the last time."""
        taken = [(feature.name, *feature.take()) for feature in self._features]
        counts = Counts(
            rows=self.rows,
            counted=self._counted,
            features={name: cells for name, cells, _, _ in taken},
            values={WHOLE_ROWS: self._sketch, **{name: sketch for name, _, sketch, _ in taken}},
            blocks={name: sums for name, _, _, sums in taken},
        )
        self.rows, self._counted, self._sketch = 0, 0, empty_sketch()
        return counts

    def _values(self, row: Any) -> list[Any] | None:
        if isinstance(row, dict):
            if not self._positional:
                return [row.get(feature.name) for feature in self._features]
            row = list(row.values())
        elif isinstance(row, str):
            row = [row]
        if not isinstance(row, list):
            return None
        width = len(row)
        return [row[f.position] if f.position < width else None for f in self._features]


class _FeatureCounter:
    def __init__(self, feature: Feature) -> None:
        self.name, self.position = feature.name, feature.position
        self.cell = cell_of(feature)
        self._size = feature.bins.cells
        self.usual = feature.usual or (1.0,) * self._size
        self._scores = feature.scores or (0.5,) * self._size
        self._blocks = Blocks()
        self._cells, self._sketch = [0] * self._size, empty_sketch()

    def count(self, value: Any, cell: int) -> None:
        self._cells[cell] += 1
        self._blocks.add(self._scores[cell])
        # What most values are, without a call.
        note_digest(self._sketch, hash(value) if type(value) is float else digest_of_value(value))

    def take(self) -> tuple[list[int], list[int], list[float]]:
        taken = self._cells, self._sketch, self._blocks.take()
        self._cells, self._sketch = [0] * self._size, empty_sketch()
        return taken


def cell_of(feature: Feature) -> Cell:
    """Return the function that finds a value's cell."""
    match feature.bins:
        case NumberBins(edges=edges):
            return _number_cell(edges)
        case CategoryBins(categories=categories, others=others):
            return _category_cell(categories, others)


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


def _category_cell(categories: tuple[str, ...], others: bytes) -> Cell:
    cells = {category: FIRST_BIN + index for index, category in enumerate(categories)}
    last = FIRST_BIN + len(categories)
    known = frozenset(int.from_bytes(others[at : at + 4]) for at in range(0, len(others), 4))

    def cell_of_category(value: Any) -> int:
        if value is None:
            return MISSING
        category = value if type(value) is str else as_category(value)
        cell = cells.get(category)
        if cell is None:
            cell = last if known and digest_of(category) in known else UNKNOWN
        return cell

    return cell_of_category


def as_category(value: Any) -> str:
    """Write a value as the category that it is: whole numbers as integers, booleans as JSON has them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return str(int(value))
    return str(value)
