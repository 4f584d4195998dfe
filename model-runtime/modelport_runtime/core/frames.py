"""Rows of typed values → the NumPy array, DataFrame or list that the model was trained on the like of."""

import math
from collections.abc import Callable, Collection, Sequence
from itertools import chain
from typing import Any

import numpy as np

from modelport_runtime.core.signature import Column, is_date

Assemble = Callable[[Any], Any]


def as_array(columns: Sequence[Column], none: Collection[int] = ()) -> Assemble:
    """Assemble a 2-D array: of the columns' one dtype where they share it, of objects where mixed.

    none: places of the columns where a missing value is None, not NaN.
    """
    dtypes = {column.dtype for column in columns}
    dtype = dtypes.pop() if len(dtypes) == 1 else "object"
    if is_date(dtype):
        return _dates_array(dtype)
    if dtype == "category" or (np.dtype(dtype).kind in "iub" and any(column.optional for column in columns)):
        # NaN has no integer and no boolean.
        dtype = "object"
    if dtype == "object":
        return _with_none(_mixed_array, none)
    return _array_of(dtype, len(columns))


def _with_none(assemble: Assemble, places: Collection[int]) -> Assemble:
    if not places:
        return assemble
    return lambda rows: assemble([_none_for_nan(row, places) for row in rows])


def _none_for_nan(row: Sequence[Any], places: Collection[int]) -> list[Any]:
    return [
        None if place in places and isinstance(value, float) and math.isnan(value) else value
        for place, value in enumerate(row)
    ]


def _dates_array(dtype: str) -> Assemble:
    build = _date_builder(dtype)
    return lambda rows: np.column_stack([np.asarray(build(values)) for values in zip(*rows, strict=True)])


def _array_of(dtype: str, width: int) -> Assemble:
    def assemble(rows: Any) -> np.ndarray[Any, Any]:
        if isinstance(rows, np.ndarray):
            return rows.astype(dtype, copy=False)
        # Half the time of np.array, which looks into every row for its length first.
        values = np.fromiter(chain.from_iterable(rows), dtype, len(rows) * width)
        return values.reshape(len(rows), width)

    return assemble


def _mixed_array(rows: list[Any]) -> np.ndarray[Any, Any]:
    """Rows of nothing but numbers become floats: NumPy's functions refuse arrays of objects."""
    numeric = all(type(value) in (int, float) for row in rows for value in row)
    return np.array(rows, dtype=np.float64 if numeric else object)


def as_frame(columns: Sequence[Column], none: Collection[int] = ()) -> Assemble:
    """Assemble a DataFrame with these columns, each of its own dtype; for `none` see `as_array`."""
    import pandas as pd

    names = [column.name for column in columns]
    builders = [
        (column.name, _object_series if place in none else _series_builder(column))
        for place, column in enumerate(columns)
    ]
    if all(column.dtype == "float64" for column in columns):
        numbers = _array_of("float64", len(columns))
        return lambda rows: pd.DataFrame(numbers(rows), columns=names, copy=False)

    def assemble(rows: Sequence[Sequence[Any]]) -> Any:
        by_column = zip(*rows, strict=True)
        # dict keys may repeat in no frame that has feature_names_in_: scikit-learn matches by name.
        return pd.DataFrame(
            {name: build(values) for (name, build), values in zip(builders, by_column, strict=True)}
        )

    return _with_none(assemble, none)


def _object_series(values: tuple[Any, ...]) -> Any:
    import pandas as pd

    # Of an array of strings pandas would make a column where None is NaN.
    return pd.Series(values, dtype=object)


def _series_builder(column: Column) -> Callable[[tuple[Any, ...]], Any]:
    if column.dtype == "category":
        return _category_builder(column)
    if is_date(column.dtype):
        return _date_builder(column.dtype)
    if column.kind == "any" and column.dtype == "object":
        return _inferred
    dtype = np.dtype(column.dtype)
    # NaN has no integer or boolean: pandas itself widens such columns, and so did the training data.
    widened = {"i": np.dtype("float64"), "b": np.dtype("object")}.get(dtype.kind)
    if widened is None or not column.optional:
        return lambda values: np.array(values, dtype=dtype)
    return lambda values: np.array(values, dtype=widened if _any_missing(values) else dtype)


def _date_builder(dtype: str) -> Callable[[tuple[Any, ...]], Any]:
    import pandas as pd

    def build(values: tuple[Any, ...]) -> Any:
        known = [pd.NaT if isinstance(value, float) else value for value in values]
        return pd.DatetimeIndex(known).as_unit(dtype[len("datetime64[") :].partition(",")[0].rstrip("]"))

    return build


def _category_builder(column: Column) -> Callable[[tuple[Any, ...]], Any]:
    import pandas as pd

    # The booster aligns categories by value; without a list, those of the batch are enough.
    categories = None if column.values is None else list(column.values)
    return lambda values: pd.Categorical(values, categories=categories)


def _inferred(values: tuple[Any, ...]) -> Any:
    """Type a column that the model declares nothing of: numbers and booleans as NumPy does, else objects."""
    types = {type(value) for value in values}
    if types <= {int, float} or types == {bool}:
        try:
            return np.array(values)
        except OverflowError:
            return np.array(values, dtype=object)
    # Filled, not converted: np.array would turn a mixed column into strings.
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _any_missing(values: tuple[Any, ...]) -> bool:
    return any(type(value) is float and math.isnan(value) for value in values)
