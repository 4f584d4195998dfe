"""One JSON value → the Python value that a column of its kind holds, or why not."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from modelport_runtime.core.signature import Column

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
_MAX_NAMED_VALUES = 50
_WIDEST = {"float64", "int64", "uint64", "object", "category"}


class Unfit(ValueError):
    """The message completes "<field>: …"."""


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


def _integer(value: Any) -> int:
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int:
        kind = "a fraction" if type(value) is float else json_type(value)
        raise Unfit(f"must be a whole number, not {kind}")
    if not -(2**63) <= value < 2**63:
        raise Unfit("must fit into a signed 64-bit integer")
    return value


def _within(convert: Convert, dtype: str) -> Convert:
    """Refuse what the column's own, narrower type would turn into infinity or overflow."""
    narrow = np.finfo(dtype) if np.dtype(dtype).kind == "f" else np.iinfo(dtype)
    # Compared as float: against a float32 the value itself would be rounded to one first.
    low, high = float(narrow.min), float(narrow.max)

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


def _scalar(value: Any) -> Any:
    if isinstance(value, dict | list):
        raise Unfit(f"must be a single value, not {json_type(value)}")
    return value


def _tensor(shape: tuple[int | None, ...]) -> Convert:
    wanted = "×".join("?" if size is None else str(size) for size in shape)

    def convert(value: Any) -> np.ndarray[Any, Any]:
        try:
            array = np.asarray(value)
        except ValueError:
            raise Unfit("must be nested lists of equal lengths") from None
        if array.dtype.kind not in "iuf" and array.size:
            raise Unfit("must hold numbers only")
        if array.ndim != len(shape) or any(
            size is not None and size != have for size, have in zip(shape, array.shape, strict=True)
        ):
            have = "×".join(map(str, array.shape)) or "a single value"
            raise Unfit(f"must have the shape {wanted}, not {have}")
        return array

    return convert


_CONVERTERS: dict[str, Convert] = {
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "string": _string,
    "any": _scalar,
}


def converter(column: Column) -> Convert:
    """Build what reads this column's values; it raises `Unfit`. A missing value comes out as NaN."""
    convert = _tensor(column.shape or ()) if column.kind == "tensor" else _CONVERTERS[column.kind]
    if column.kind in ("number", "integer") and column.dtype not in _WIDEST:
        convert = _within(convert, column.dtype)
    if column.values is not None:
        convert = _known(convert, column.values)
    return _optional(convert) if column.optional else _required(convert)


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
