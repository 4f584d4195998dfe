"""From decoded rows to what a function takes, by its hint and the sample."""

import math
from collections.abc import Callable
from typing import Any

from modelport_runtime.core.backends.own_code.hints import RowsHint
from modelport_runtime.core.frames import as_array, as_frame
from modelport_runtime.core.samples import in_order
from modelport_runtime.core.signature import Column, Kind, Signature, is_date
from modelport_runtime.core.types import LoadError

_SCALARS: dict[type, tuple[Kind, str]] = {
    bool: ("boolean", "bool"),
    int: ("number", "float64"),
    float: ("number", "float64"),
    str: ("string", "object"),
    type(None): ("any", "object"),
}


def signature_of(hint: RowsHint, row: Any, name: str) -> Signature:
    """Return what callers send. `row`: the sample, or None. Raises `LoadError` if there has to be one."""
    if hint.container == "texts" or (
        hint.columns is None and hint.container == "rows" and isinstance(row, str)
    ):
        return Signature("generic", None, input="text")
    if hint.columns is not None:
        return Signature("generic", hint.columns)
    if row is None:
        raise LoadError(
            "SampleFailed",
            f"Nothing says what a row of {name} is. Upload it with a sample, one row of your own data, or "
            f"name the columns by a type: `class Row(TypedDict): age: float` and {name}(rows: list[Row]).",
        )
    return Signature("generic", _columns(hint, row), positional=isinstance(row, list))


def _columns(hint: RowsHint, row: Any) -> tuple[Column, ...] | None:
    """None: rows pass as they are sent, since one of the sample holds more than single values."""
    if not isinstance(row, dict | list) or not row:
        return None
    if isinstance(row, dict) and hint.container in ("array", "frame"):
        row = in_order(row)
    named = row.items() if isinstance(row, dict) else [(f"x{at}", value) for at, value in enumerate(row)]
    if hint.container == "array":
        return tuple(Column(name, optional=value is None) for name, value in named)
    if not all(type(value) in _SCALARS for _, value in named):
        return None
    return tuple(Column(name, *_SCALARS[type(value)], optional=value is None) for name, value in named)


def assembler_of(hint: RowsHint, signature: Signature) -> Callable[[Any], Any]:
    """Return what makes of decoded rows the first argument of the function."""
    columns = signature.columns
    if columns is None:
        return _undescribed(hint)
    if hint.container == "array":
        return as_array(columns)
    if hint.container == "frame":
        return as_frame(columns)
    return _rows_of(hint, columns, positional=signature.positional)


def _undescribed(hint: RowsHint) -> Callable[[Any], Any]:
    if hint.container == "array":
        import numpy as np

        return lambda rows: np.array(list(rows), dtype="float64")
    if hint.container == "frame":
        import pandas as pd

        return lambda rows: pd.DataFrame(list(rows))
    return list


def _rows_of(hint: RowsHint, columns: tuple[Column, ...], *, positional: bool) -> Callable[[Any], Any]:
    names = [column.name for column in columns]
    # Of a body of plain numbers whole ones come as they were sent.
    numbers = [column.kind == "number" and not is_date(column.dtype) for column in columns]

    def values_of(row: Any) -> list[Any]:
        return [_value(value, number) for value, number in zip(row, numbers, strict=True)]

    def object_of(row: Any) -> Any:
        pairs = zip(names, values_of(row), strict=True)
        return {name: value for name, value in pairs if value is not None or name not in hint.may_lack}

    if positional:
        return lambda rows: [values_of(row) for row in rows]
    build = hint.build
    if build is not None:
        return lambda rows: [build(**object_of(row)) for row in rows]
    return lambda rows: [object_of(row) for row in rows]


def _value(value: Any, number: bool) -> Any:
    if isinstance(value, float) and math.isnan(value):
        return None
    return float(value) if number else value
