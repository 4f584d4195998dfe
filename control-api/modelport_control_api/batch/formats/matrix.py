"""Rows of nothing but numbers, as they are in memory: what costs the least to keep, to send and to read."""

import math
from array import array
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

_NUMBER_BYTES = 8


@dataclass(frozen=True, slots=True)
class Matrix:
    """`numbers`: float64 row by row, NaN where a value is missing. Little-endian, as all machines are that
    there are images for."""

    numbers: bytes
    columns: int

    @classmethod
    def of_columns(cls, columns: Sequence[Any], rows: int) -> "Matrix":
        """Each of `columns` has `rows` numbers: a buffer of float64, or a list in which None is missing."""
        width = len(columns)
        numbers = array("d", bytes(_NUMBER_BYTES * rows * width))
        for place, column in enumerate(columns):
            numbers[place::width] = _floats(column)
        return cls(numbers.tobytes(), width)

    def __len__(self) -> int:
        return len(self.numbers) // self._row_bytes

    def __getitem__(self, rows: slice) -> "Matrix":
        start, stop, _ = rows.indices(len(self))
        return Matrix(self.numbers[start * self._row_bytes : stop * self._row_bytes], self.columns)

    def without(self, rows: Collection[int]) -> "Matrix":
        """All rows but these."""
        if not rows:
            return self
        dropped = sorted(rows)
        starts = [0, *(row + 1 for row in dropped)]
        kept = [
            self[slice(start, stop)].numbers
            for start, stop in zip(starts, [*dropped, len(self)], strict=True)
        ]
        return Matrix(b"".join(kept), self.columns)

    @property
    def _row_bytes(self) -> int:
        return _NUMBER_BYTES * self.columns


def _floats(column: Any) -> "array[float]":
    if isinstance(column, list):
        given = [math.nan if value is None else value for value in column] if None in column else column
        return array("d", given)
    found = array("d")
    found.frombytes(column)
    return found
