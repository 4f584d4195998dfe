"""Tensors → a model's rows: one matrix of all columns, a tensor a column, or texts."""

import math
import re
from typing import Any

import numpy as np

from modelport_runtime.core.rows import Problems, RowDecoder, reject
from modelport_runtime.core.signature import Column, Signature
from modelport_runtime.core.v2.tensors import SHAPE, Tensor

_GENERIC = re.compile(r"(inputs?([-_]?[0-9]+)?|X)", re.ASCII)
"""What clients call a tensor of whole rows; any other name could be a column's, misspelled."""
_MAX_SHOWN = 100


def may_be_matrix(signature: Signature, name: str, shape: list[int]) -> bool:
    """Return whether a tensor that comes alone holds whole rows."""
    columns = signature.columns
    if columns is None:
        return True
    is_wide = len(shape) > 1 and shape[1] > 1
    column = next((each for each in columns if each.name == name), None)
    if column is not None:
        return is_wide and len(columns) > 1 and column.kind != "tensor"
    return is_wide or signature.positional or _GENERIC.fullmatch(name) is not None


class Inputs:
    """Reads rows for one model."""

    def __init__(self, signature: Signature, decoder: RowDecoder) -> None:
        self._signature = signature
        self._decoder = decoder
        columns = signature.columns or ()
        self._columns = {column.name: column for column in columns}
        self._limits = _limits(columns)
        self._whole = whole_shapes(signature)
        self._required = [place for place, column in enumerate(columns) if not column.optional]

    def rows(self, tensors: list[Tensor]) -> Any:
        """Raises `Rejected`: 422."""
        counts = {tensor.rows for tensor in self._of_rows(tensors)}
        if len(counts) > 1:
            raise reject("inputs", "must all have the same number of rows (their shape's first size)")
        if len(tensors) == 1:
            array = self._matrix(tensors[0])
            if array is not None:
                return array
        return self._decoder.read_rows(self._rows(tensors, *counts), None)

    def _matrix(self, tensor: Tensor) -> Any:
        """Return rows as one array, where nothing in it needs a word or a closer look."""
        if self._limits is None or tensor.shape[1:] != [len(self._columns)]:
            return None
        if not may_be_matrix(self._signature, tensor.name, tensor.shape):
            return None
        numbers = tensor.numbers()
        if numbers is None or np.isnan(numbers[:, self._required]).any():
            return None
        low, high = self._limits
        return None if (numbers < low).any() or (numbers > high).any() else numbers

    def _of_rows(self, tensors: list[Tensor]) -> list[Tensor]:
        for index, tensor in enumerate(tensors):
            if not tensor.shape and not self._is_whole(tensor):
                raise reject(f"inputs[{index}].shape", SHAPE)
        return [tensor for tensor in tensors if not self._is_whole(tensor)]

    def _is_whole(self, tensor: Tensor) -> bool:
        """True for an input of a graph that has no rows, as the graph has it: it goes with each row."""
        return len(tensor.shape) == self._whole.get(tensor.name)

    def _rows(self, tensors: list[Tensor], count: int = 1) -> list[Any]:
        first = tensors[0]
        if self._signature.input == "text":
            if len(tensors) > 1 or first.shape[1:] not in ([], [1]):
                raise reject("inputs", "must be one tensor of texts, of the shape [n] or [n, 1]")
            return [without_nan(value) for value in first.values()]
        if len(tensors) == 1 and may_be_matrix(self._signature, first.name, first.shape):
            return self._whole_rows(first)
        return self._by_name(tensors, count)

    def _whole_rows(self, tensor: Tensor) -> list[Any]:
        rows = tensor.each_row()
        if len(tensor.shape) == 1:
            rows = [[value] for value in rows]
        # Where nothing is known of the columns the model itself shows what it makes of NaN.
        return rows if self._signature.columns is None else [without_nan(row) for row in rows]

    def _by_name(self, tensors: list[Tensor], count: int) -> list[Any]:
        self._require_names([tensor.name for tensor in tensors])
        cells = {
            tensor.name: [tensor.whole()] * count if self._is_whole(tensor) else self._cells(tensor)
            for tensor in tensors
        }
        if self._signature.positional:
            return [list(row) for row in zip(*(cells[name] for name in self._columns), strict=True)]
        return [dict(zip(cells, row, strict=True)) for row in zip(*cells.values(), strict=True)]

    def _require_names(self, names: list[str]) -> None:
        problems = Problems()
        for index, name in enumerate(names):
            if name not in self._columns:
                message = (
                    f"is {name[:_MAX_SHOWN]!r}, but the columns of this model are {_shown(self._columns)}"
                )
                problems.add(f"inputs[{index}].name", message)
        problems.raise_if_any()
        optional = () if self._signature.positional else self._optional()
        missing = [name for name in self._columns if name not in names and name not in optional]
        if missing:
            raise reject("inputs", f"must hold a tensor for each column: {_shown(missing)} missing")

    def _optional(self) -> set[str]:
        return {name for name, column in self._columns.items() if column.optional}

    def _cells(self, tensor: Tensor) -> list[Any]:
        """A column may be sent as [n] or as [n, 1]; a tensor column keeps its dimensions."""
        if tensor.shape[1:] == [1] and self._columns[tensor.name].kind != "tensor":
            return [without_nan(value) for value in tensor.values()]
        return [without_nan(row) for row in tensor.each_row()]


def whole_shapes(signature: Signature) -> dict[str, int]:
    """Return the number of dimensions of each input that has no rows, by its name."""
    pairs = zip(signature.columns or (), signature.tensors_in or (), strict=False)
    return {
        column.name: len(spec.shape)
        for column, spec in pairs
        if column.name == spec.name and len(column.shape or ()) == len(spec.shape)
    }


def _limits(columns: tuple[Column, ...]) -> tuple[float, float] | None:
    """What numbers must lie within; None: the columns are not all plain numbers of one type."""
    dtypes = {column.dtype for column in columns}
    plain = all(column.kind == "number" and column.values is None for column in columns)
    if not plain or dtypes not in ({"float64"}, {"float32"}):
        return None
    bounds = np.finfo(dtypes.pop())
    return float(bounds.min), float(bounds.max)


def without_nan(value: Any) -> Any:
    """NaN is how tensors have a missing value, and None how rows have it."""
    if isinstance(value, list):
        return [without_nan(each) for each in value]
    return None if type(value) is float and math.isnan(value) else value


def _shown(names: Any) -> str:
    given = list(names)
    return ", ".join(given) if len(given) < 4 else f"{given[0]}, {given[1]} … {given[-1]}"
