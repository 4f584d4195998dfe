"""One JSON value → the Python value that a column of its kind holds, or why not."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np

from modelport_runtime.core.signature import Column, Kind, is_date
from modelport_runtime.core.tensor_values import tensor_reader
from modelport_runtime.core.types import Unfit

Convert = Callable[[Any], Any]

_NAMES = {
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
    type(None): "null",
}
_KINDS: dict[str, Kind] = {"f": "number", "i": "integer", "u": "integer", "b": "boolean", "O": "string"}
_MAX_NAMED_VALUES = 50


def json_type(value: Any) -> str:
    """Name a parsed JSON value's type as its sender would."""
    return _NAMES.get(type(value), type(value).__name__)


def _number(value: Any) -> float:
    if type(value) is float:
        return value
    if type(value) is not int:
        raise Unfit(f"must be a number, not {json_type(value)}")
    converted = float(value)
    if converted != value:
        raise Unfit("is an integer that a 64-bit float cannot hold exactly")
    return converted


def _whole(value: Any) -> Any:
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int:
        kind = "a fraction" if type(value) is float else json_type(value)
        raise Unfit(f"must be a whole number, not {kind}")
    return value


def _integer(value: Any) -> Any:
    value = _whole(value)
    if not -(2**63) <= value < 2**63:
        raise Unfit("must fit into a signed 64-bit integer")
    return value


def _within(convert: Convert, dtype: str) -> Convert:
    """Refuse what the column's own, narrower type would turn into infinity or overflow."""
    # Compared as Python's: against a float32 the value itself would be rounded to one first.
    if np.dtype(dtype).kind == "f":
        low, high = np.finfo(dtype).min.item(), np.finfo(dtype).max.item()
    else:
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max

    def check(value: Any) -> Any:
        converted = convert(value)
        if not low <= converted <= high:
            raise Unfit(f"must fit into {dtype}: {low} to {high}")
        return converted

    return check


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise Unfit(f"must be true or false, not {json_type(value)}")
    return value


def _string(value: Any) -> str:
    if type(value) is not str:
        raise Unfit(f"must be a string, not {json_type(value)}")
    return value


def _category(value: Any) -> str:
    """CatBoost matches categories by their text. Whether 3.0 was "3" or "3.0" at training nobody knows."""
    if type(value) in (bool, int):
        return str(value)
    if type(value) is not str:
        kind = json_type(value)
        if type(value) is float:
            kind = "a number with a point: send it as the text that it was at training"
        raise Unfit(f"must be a string or a whole number, not {kind}")
    return value


def _scalar(value: Any) -> Any:
    if isinstance(value, dict | list):
        raise Unfit(f"must be a single value, not {json_type(value)}")
    return value


def _number_or_boolean(value: Any) -> Any:
    """Models compute with booleans as with 0 and 1."""
    if type(value) is bool:
        return value
    try:
        return _number(value)
    except Unfit as unfit:
        raise Unfit(str(unfit).replace("must be a number,", "must be a number or a boolean,")) from None


def _date(dtype: str) -> Convert:
    aware = "," in dtype
    wanted = f"{'with' if aware else 'without'} an offset, as 2024-01-31T12:30:00{'Z' if aware else ''}"

    def convert(value: Any) -> datetime:
        try:
            moment = datetime.fromisoformat(_string(value))
        except ValueError:
            raise Unfit(f"must be a date or time in ISO 8601 {wanted}") from None
        if (moment.tzinfo is not None) != aware:
            raise Unfit(f"must be a date or time {wanted}")
        return moment.astimezone(UTC) if aware else moment

    return convert


_CONVERTERS: dict[str, Convert] = {
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "string": _string,
    "any": _scalar,
}


def converter(column: Column, *, booleans_count: bool = False) -> Convert:
    """Build what reads this column's values; it raises `Unfit`. A missing value comes out as NaN.

    booleans_count: in columns of numbers `true` is 1 and `false` is 0, as for all libraries but ONNX Runtime.
    """
    convert = _plain_converter(column)
    if booleans_count and column.kind in ("number", "integer") and column.dtype != "category":
        convert = _counting(convert)
    if column.values is not None:
        convert = _known(convert, column.values)
    return _optional(convert) if column.optional else _required(convert)


def _counting(convert: Convert) -> Convert:
    return lambda value: convert(int(value) if type(value) is bool else value)


def _plain_converter(column: Column) -> Convert:
    if column.kind == "tensor":
        return tensor_reader(column.shape or (), column.dtype, converter_to(column.dtype))
    if is_date(column.dtype):
        return _date(column.dtype)
    if column.dtype == "str":
        return _category
    if column.kind in ("any", "boolean") and column.dtype not in ("object", "bool"):
        return _number_or_boolean
    if column.kind in ("number", "integer") and column.dtype not in ("object", "category", "float64"):
        return converter_to(column.dtype, column.kind)
    return _CONVERTERS[column.kind]


def converter_to(dtype: str, kind: Kind | None = None) -> Convert:
    """Build what reads one number, boolean or string into a NumPy dtype exactly; it raises `Unfit`.

    Floats are rounded to their width, but never to infinity. `tensor_values.array_of` reads many at once.
    """
    convert = _CONVERTERS[kind or _KINDS[np.dtype(dtype).kind]]
    if dtype in ("float64", "int64", "bool", "object"):
        return convert
    return _within(_whole if convert is _integer else convert, dtype)


def _optional(convert: Convert) -> Convert:
    return lambda value: math.nan if value is None else convert(value)


def _required(convert: Convert) -> Convert:
    def required(value: Any) -> Any:
        if value is None:
            raise Unfit("must not be null: the model takes no missing values here")
        return convert(value)

    return required


def _known(convert: Convert, values: tuple[Any, ...]) -> Convert:
    known = frozenset(values)
    shown = ", ".join(repr(value) for value in values[:_MAX_NAMED_VALUES])
    more = ", …" if len(values) > _MAX_NAMED_VALUES else ""

    def check(value: Any) -> Any:
        converted = convert(value)
        if converted not in known:
            raise Unfit(f"is not one of the values that the model knows: {shown}{more}")
        return converted

    return check
