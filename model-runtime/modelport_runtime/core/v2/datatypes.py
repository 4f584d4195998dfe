"""The protocol's datatypes: what they are in NumPy, which one values have, and whether values fit theirs."""

import math
import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from modelport_runtime.core.signature import Column
from modelport_runtime.core.types import Unfit
from modelport_runtime.core.values import converter_to

DTYPES = {
    "BOOL": "bool",
    "FP16": "float16", "FP32": "float32", "FP64": "float64",
    "INT8": "int8", "INT16": "int16", "INT32": "int32", "INT64": "int64",
    "UINT8": "uint8", "UINT16": "uint16", "UINT32": "uint32", "UINT64": "uint64",
    "BYTES": "object",
}  # fmt: skip
DATATYPES = {dtype: datatype for datatype, dtype in DTYPES.items()}
_OF_KINDS = {"number": "FP64", "integer": "INT64", "boolean": "BOOL", "string": "BYTES"}
_TYPES: dict[str, set[type]] = {"FP": {float}, "INT": {int}, "UINT": {int}, "BOOL": {bool}, "BYTES": {str}}
_MAX_INT64 = 2**63 - 1

Fit = Callable[[Any], Any]


def fitting(values: list[Any], datatype: str) -> list[Any]:
    """Return the values as their datatype has them; None and NaN stay. Raises `Unfit` with an index."""
    if _fit_at_once(values, datatype):
        return values
    fit, fitted = converter_to(DTYPES[datatype]), []
    for index, value in enumerate(values):
        try:
            fitted.append(value if is_missing(value) else _finite(fit, value))
        except Unfit as unfit:
            raise Unfit(str(unfit), index=index) from None
    return fitted


def is_missing(value: Any) -> bool:
    """Return whether the value is None or NaN. NumPy's own floats are not recognized."""
    return value is None or (type(value) is float and math.isnan(value))


def _fit_at_once(values: list[Any], datatype: str) -> bool:
    """Return whether all fit for certain: those of large tensors are not looked at one by one."""
    if set(map(type, values)) != _TYPES[re.sub("[0-9]", "", datatype)]:
        return False
    dtype = np.dtype(DTYPES[datatype])
    if dtype.kind in "bO":
        return True
    bounds: Any = np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)
    low, high = (int(bounds.min), int(bounds.max))
    # Not by min and max: a NaN may hide anything from them.
    return all(low <= value <= high for value in values)


def _finite(fit: Fit, value: Any) -> Any:
    if type(value) is float and math.isinf(value):
        raise Unfit("must be a finite number")
    return fit(value)


def of_values(values: Iterable[Any]) -> str:
    """Return the datatype that JSON values of a result have."""
    held = [value for value in values if value is not None]
    types = set(map(type, held))
    if types == {bool}:
        return "BOOL"
    if types == {int}:
        return "UINT64" if max(held) > _MAX_INT64 else "INT64"
    return "FP64" if types <= {int, float} else "BYTES"


def of_column(column: Column) -> str:
    """Return the datatype that a column's metadata names: what it knows, else what it becomes."""
    if column.kind == "any":
        if column.dtype != "object" and column.dtype in DATATYPES:
            # Numbers and booleans alike, but no texts.
            return DATATYPES[column.dtype]
        return of_values(column.values) if column.values else "BYTES"
    if column.kind in ("number", "integer", "tensor") and column.dtype in DATATYPES:
        return DATATYPES[column.dtype] if column.dtype != "object" else "INT64"
    return _OF_KINDS.get(column.kind, "FP64")
