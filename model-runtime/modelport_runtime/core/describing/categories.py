"""The kind of a column, told by the categories that an encoder or booster has learned of it."""

import math
from typing import Any

import numpy as np

from modelport_runtime.core.describing.evidence import Met
from modelport_runtime.core.signature import Kind

_KINDS: dict[type, tuple[Kind, str]] = {
    bool: ("boolean", "bool"),
    int: ("integer", "int64"),
    float: ("number", "float64"),
    str: ("string", "object"),
}


def met_by_encoder(categories: Any, *, strict: bool) -> Met:
    """strict: what is not among the categories makes the encoder raise; others take it, null as well."""
    kept = np.asarray(categories)
    if kept.dtype.kind == "M":
        return _dates(kept)
    everything = kept.astype(object).tolist()
    known = [value for value in everything if not is_missing(value)]
    kind, dtype = kind_of_values(known)
    return Met(
        kind,
        dtype,
        missing=not strict or len(known) < len(everything),
        values=tuple(known) if strict and kind != "any" else None,
        none=any(value is None for value in everything),
    )


def _dates(categories: np.ndarray[Any, Any]) -> Met:
    return Met("string", categories.dtype.name, missing=bool(np.isnat(categories).any()))


def kind_of_values(values: list[Any]) -> tuple[Kind, str]:
    types = {type(value) for value in values}
    if len(types) == 1:
        return _KINDS.get(types.pop(), ("any", "object"))
    return ("number", "float64") if types == {int, float} else ("any", "object")


def is_missing(value: Any) -> bool:
    """True for None, NaN and pandas' NA."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    return type(value).__name__ in ("NAType", "NaTType")
