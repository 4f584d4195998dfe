"""The tensors that an ONNX graph takes, and rows → feeds of them.

Rows that cannot be one tensor go in several: those of equal shapes together, as many as the graph takes.
"""

from collections.abc import Callable, Iterator, Sequence, Set
from itertools import islice
from typing import Any

import numpy as np

from modelport_runtime.core import signature
from modelport_runtime.core.signature import Column, Kind, TensorSpec

DTYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(string)": "object",
    "tensor(bool)": "bool",
    **{f"tensor({sign}int{bits})": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}
_DATATYPES = {dtype: datatype for datatype, dtype in signature.DTYPES.items()}

Feeds = dict[str, np.ndarray[Any, Any]]
Shape = tuple[int | None, ...]


class Input:
    """One input. `batched`: its first size counts rows; else it is one row's, whole. `any_shape`: rows are
    lists of whatever form."""

    def __init__(self, reported: Any, *, batched: bool, any_shape: bool = False) -> None:
        self.name: str = reported.name
        self.dtype = DTYPES[reported.type]
        self.batched = batched
        sizes = (None, None) if any_shape else sizes_of(reported)
        self._any_shape = any_shape
        self.row_shape: Shape = sizes[1:] if batched else sizes
        self.is_column = self.row_shape in ((), (1,))
        self.rank = len(sizes)

    @property
    def kind(self) -> Kind:
        kinds: dict[str, Kind] = {"f": "number", "b": "boolean", "O": "string"}
        return kinds.get(np.dtype(self.dtype).kind, "integer")

    def column(self, *, may_be_missing: bool) -> Column:
        if self.is_column:
            return Column(self.name, self.kind, self.dtype, may_be_missing and self.kind == "number")
        return Column(self.name, "tensor", self.dtype, shape=self.row_shape)

    def tensor(self, values: Sequence[Any]) -> np.ndarray[Any, Any]:
        """Put the values of some rows together; of one that is not batched there is one row."""
        array = np.array(values if self.batched else values[0], dtype=self.dtype)
        if array.ndim == self.rank or self._any_shape:
            return array
        # A column's values are single ones, also where the graph has a second size of 1.
        return array.reshape(*([-1] if self.batched else []), *(1 for _ in self.row_shape))


def sizes_of(reported: Any) -> Shape:
    """Return the shape; None for a dimension that is free."""
    return tuple(size if isinstance(size, int) and size > 0 else None for size in reported.shape)


def has_any_shape(inputs: Sequence[Any], scalars: Set[str]) -> bool:
    """Return whether the only input takes numbers and declares no shape at all."""
    (only, *others) = inputs
    is_shapeless = not only.shape and only.name not in scalars
    return is_shapeless and not others and DTYPES[only.type] != "object"


def tensor_spec(reported: Any, output: str | None = None) -> TensorSpec:
    """Return the tensor as the file declares it. `output`: its name in the signature, None for an input."""
    return TensorSpec(reported.name, _DATATYPES[DTYPES[reported.type]], sizes_of(reported), output)


def read_inputs(
    inputs: Sequence[Any], outputs: Sequence[Any], scalars: Set[str]
) -> tuple[list[Input], int | None]:
    """Return the inputs, and how many rows the graph takes at once; None: any number.

    A fixed first size is a batch of so many rows if all inputs have it and all outputs may; else it is none.
    """
    if has_any_shape(inputs, scalars):
        return [Input(inputs[0], batched=True, any_shape=True)], None
    firsts = {one.name: 0 if one.name in scalars else (sizes_of(one) or (None,))[0] for one in inputs}
    (fixed, *others) = set(firsts.values())
    if fixed and not others and all(sizes_of(one)[:1] in ((fixed,), (None,)) for one in outputs):
        # Of a vector of fixed length, nobody means a batch of lone numbers.
        batched = fixed == 1 or all(len(one.shape) > 1 for one in inputs)
        return [Input(one, batched=batched) for one in inputs], fixed if batched else 1
    read = [Input(one, batched=firsts[one.name] in (None, 1)) for one in inputs]
    return read, None if set(firsts.values()) == {None} else 1


Rows = list[Any]
Grouped = Iterator[tuple[list[int], Rows]]


def in_groups(rows: Rows, shape_of: Callable[[Any], Any], limit: int | None) -> Grouped:
    """Return the places and rows of each group: of equal shapes, at most `limit` of them."""
    alike: dict[Any, list[int]] = {}
    for place, row in enumerate(rows):
        alike.setdefault(shape_of(row), []).append(place)
    for places in alike.values():
        remaining = iter(places)
        while group := list(islice(remaining, limit)):
            yield group, [rows[place] for place in group]


def shapes_of_values(row: Sequence[Any]) -> tuple[Any, ...]:
    """Return the shape of each value, () for a single one. Raises ValueError for a ragged list."""
    return tuple([np.shape(value) for value in row])
