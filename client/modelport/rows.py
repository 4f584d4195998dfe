"""Rows as data scientists have them (NumPy, pandas, polars, NaN, dates) as JSON for the platform, and its
predictions of many at once as pandas has them.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from modelport.errors import InvalidRequest, lacks_extra
from modelport.models import Prediction


def to_body(**members: Any) -> bytes:
    """Return a predict call's JSON; NaN becomes null. Raises `InvalidRequest` for what JSON cannot hold."""
    try:
        return json.dumps(_plain(members), allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise InvalidRequest(f"The input cannot be sent as JSON: {error}.") from error


def as_row(row: Any) -> Any:
    """One row: of a data frame its only one, of a Series with names an object. Raises `InvalidRequest`."""
    if _is_frame(row):
        if len(row) != 1:
            raise InvalidRequest(
                f"One row is wanted here, and the data frame has {len(row)}: "
                "predict_many(model_id, frame) predicts all of them in one request."
            )
        return _records(row)[0]
    return row.to_dict() if _has_names(row) else row


def as_rows(rows: Any) -> list[Any]:
    """A data frame's rows, by name where its columns have names, else what it iterates over.

    Raises `InvalidRequest` for a single row, which iterates over its names or letters.
    """
    if _is_frame(rows):
        return _records(rows)
    if isinstance(rows, Mapping | str | bytes) or _has_names(rows):
        raise InvalidRequest("predict_many takes rows, and this is one: predict(model_id, row), or [row].")
    return list(rows)


def first_row(rows: Any) -> Any:
    """The first of many rows (a data frame, a matrix, a list of rows, a Series of texts); one row as it is.

    Raises `InvalidRequest` where there is none.
    """
    if not _are_many(rows):
        return as_row(rows)
    # Not all of them: a training set has millions.
    few = rows.head(1) if hasattr(rows, "head") else rows[:1]
    first = next(iter(as_rows(few)), None)
    if first is None:
        raise InvalidRequest("The sample holds no row: give one row, or rows of which the first is taken.")
    return as_row(first)


def as_sample(sample: Any) -> Any:
    """One row in JSON's types: of a data frame the first, and all else as `as_row` has it."""
    return _plain(first_row(sample) if _is_frame(sample) else as_row(sample))


def index_of(rows: Any) -> Any:
    """The index of a pandas object, for what is returned of its rows; None of all else."""
    return getattr(rows, "index", None) if hasattr(rows, "iloc") else None


class Predictions(list[Prediction]):
    """One prediction for each row, in the order of the rows: a list, and as pandas has it if wanted.

    `index`: that of the data frame or Series that was predicted, which the results then have too.
    """

    def __init__(self, found: Iterable[Prediction] = (), index: Any = None) -> None:
        super().__init__(found)
        # `index` is a method of every list.
        self._index = index

    def to_series(self) -> Any:
        """Return the predictions alone, as a pandas Series. Raises `ModelportError` without pandas."""
        values = [each.prediction for each in self]
        return _pandas().Series(values, index=self._index, name="prediction")

    def to_frame(self) -> Any:
        """Return a pandas DataFrame of all that was requested. Raises `ModelportError` without pandas.

        Columns are `prediction`, `probability_<class>` and the other outputs by their names; of an output
        with several values one for each, `<name>_<key or place>`.
        """
        return _pandas().DataFrame([dict(_cells(each)) for each in self], index=self._index)


def _is_frame(rows: Any) -> bool:
    """Whether it is a data frame of pandas or polars: neither library is imported to find out."""
    return hasattr(rows, "columns") and hasattr(rows, "to_dict")


def _plain(value: Any) -> Any:
    """Return the value in JSON's types, as far as it has one of them."""
    # NumPy arrays and scalars, pandas series: recognized by their method, so neither library is needed here.
    if hasattr(value, "tolist"):
        value = _listed(value)
    if _is_missing(value):
        return None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [_plain(each) for each in value]
    return value


def _records(frame: Any) -> list[Any]:
    """By name; by position where a pandas frame was made of a bare array, whose columns are numbers."""
    if hasattr(frame, "to_dicts"):
        records: list[Any] = frame.to_dicts()
    elif all(isinstance(name, str) for name in frame.columns):
        records = frame.to_dict(orient="records")
    else:
        records = [list(row) for row in frame.itertuples(index=False, name=None)]
    return records


def _has_names(row: Any) -> bool:
    """Whether it is a pandas Series whose values have names: a row of a data frame."""
    if not hasattr(row, "iloc") or _is_frame(row):
        return False
    return len(row) > 0 and all(isinstance(name, str) for name in row.index)


def _are_many(rows: Any) -> bool:
    if _is_frame(rows) or len(getattr(rows, "shape", ())) > 1:
        return True
    if hasattr(rows, "iloc"):
        return not _has_names(rows) and (len(rows) == 0 or isinstance(rows.iloc[0], str))
    return isinstance(rows, list) and bool(rows) and isinstance(rows[0], list | tuple | Mapping)


def _listed(array: Any) -> Any:
    # NumPy gives nanoseconds as numbers, microseconds as dates.
    if type(array).__module__ == "numpy" and array.dtype.kind == "M":
        array = array.astype("datetime64[us]")
    return array.tolist()


def _is_missing(value: Any) -> bool:
    """NaN, and pandas' own marks for what is missing."""
    if isinstance(value, float):
        return math.isnan(value)
    return type(value).__name__ in {"NaTType", "NAType"}


def _cells(row: Prediction) -> Iterator[tuple[str, Any]]:
    if row.prediction is not None or not (row.probabilities or row.outputs):
        yield from _flat("prediction", row.prediction)
    if row.probabilities is not None:
        yield from _flat("probability", row.probabilities)
    for name, value in row.outputs.items():
        yield from _flat(name, value)


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        parts: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    else:
        yield name, value
        return
    for key, part in parts:
        yield from _flat(f"{name}_{key}", part)


def _pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise lacks_extra("pandas", error) from error
    return pandas
