"""Nested lists of JSON values → one array of a tensor's dtype, or which value does not fit and why."""

from collections.abc import Callable
from functools import cache
from itertools import chain
from typing import Any

import numpy as np

from modelport_runtime.core.types import Unfit

Array = np.ndarray[Any, Any]
Fit = Callable[[Any], Any]
_EXACT = 2**53
_TYPES: dict[str, set[type]] = {"b": {bool}, "O": {str}, "i": {int}, "u": {int}, "f": {int, float}}


def tensor_reader(shape: tuple[int | None, ...], dtype: str, fit: Fit) -> Callable[[Any], Array]:
    """Build what reads one tensor; `fit` is what a single value must pass. It raises `Unfit`."""
    wanted = "×".join("?" if size is None else str(size) for size in shape) or "a single value"

    def read(value: Any) -> Array:
        leaves, have = flattened(value, len(shape))
        if len(have) != len(shape) or any(
            size is not None and size != given for size, given in zip(shape, have, strict=True)
        ):
            shown = "×".join(map(str, have)) or "a single value"
            raise Unfit(f"must have the shape {wanted}, not {shown}")
        try:
            return array_of(leaves, dtype, fit).reshape(have)
        except Unfit as unfit:
            raise Unfit(str(unfit), _place(unfit.index, have)) from None

    return read


def flattened(value: Any, levels: int) -> tuple[list[Any], tuple[int, ...]]:
    """Return the values of nested lists row by row, and the shape, of at most one level more than
    expected. Raises `Unfit` unless all lists of a level are of one length.
    """
    level, shape = [value], list[int]()
    while list in (types := set(map(type, level))) and len(shape) <= levels:
        sizes = set(map(len, level)) if types == {list} else set()
        if len(sizes) != 1:
            raise Unfit("must be nested lists of equal lengths")
        shape.append(sizes.pop())
        level = list(chain.from_iterable(level))
    return level, tuple(shape)


def array_of(values: list[Any], dtype: str, fit: Fit) -> Array:
    """Return JSON values as an array of `dtype`. Raises `Unfit` with the index of the first unfit."""
    array = _all_at_once(values, dtype)
    if array is not None:
        return array
    fitting = []
    for index, value in enumerate(values):
        try:
            fitting.append(fit(value))
        except Unfit as unfit:
            raise Unfit(str(unfit), index=index) from None
    return np.array(fitting, dtype=dtype)


def _all_at_once(values: list[Any], dtype: str) -> Array | None:
    """Return the array if all values fit for certain: those of large tensors are not looked at one by one."""
    kind = np.dtype(dtype).kind
    if not values or not _TYPES[kind].issuperset(map(type, values)):
        return None
    if kind in "bO":
        return np.array(values, dtype=dtype)
    try:
        wide = np.fromiter(values, "float64" if kind == "f" else "int64", len(values))
    except OverflowError:
        return None
    low, high = _bounds(dtype)
    return wide.astype(dtype) if low <= wide.min() and wide.max() <= high else None


@cache
def _bounds(dtype: str) -> tuple[int, int]:
    """Beyond 2⁵³ not every integer is a float, and the first that is none is rounded to it."""
    if np.dtype(dtype).kind == "f":
        high = min(_EXACT - 1, int(np.finfo(dtype).max))
        return -high, high
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def _place(index: int | None, shape: tuple[int, ...]) -> str:
    """Return `[0][2]` of a value's index."""
    if index is None:
        return ""
    return "".join(f"[{place}]" for place in np.unravel_index(index, shape))
