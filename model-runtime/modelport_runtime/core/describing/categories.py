"""The kind of a column, told by the categories that an encoder or booster has learned of it."""

import math
from typing import Any

import numpy as np

from modelport_runtime.core.describing.evidence import Met
from modelport_runtime.core.signature import Kind
from modelport_runtime.core.types import LoadError

_KINDS: dict[type, tuple[Kind, str]] = {
    bool: ("boolean", "bool"),
    int: ("integer", "int64"),
    float: ("number", "float64"),
    str: ("string", "object"),
}


def met_by_encoder(categories: Any, *, strict: bool) -> Met:
    """strict: what is not among the categories makes the encoder raise; others take it, null as well.

    Raises `LoadError` (LoadFailed) where no value of JSON is one of the categories: an encoder that ignores
    what it does not know would answer every row, and never with what it has learned.
    """
    kept = np.asarray(categories)
    if kept.dtype.kind == "M":
        return _dates(kept)
    everything = kept.astype(object).tolist()
    known = [value for value in everything if not is_missing(value)]
    _refuse_what_json_cannot_say(known)
    kind, dtype = kind_of_values(known)
    return Met(
        kind,
        dtype,
        missing=not strict or len(known) < len(everything),
        values=tuple(known) if strict and kind != "any" else None,
        none=any(value is None for value in everything),
    )


def _refuse_what_json_cannot_say(known: list[Any]) -> None:
    for value in known:
        if not isinstance(value, bool | int | float | str | np.bool_ | np.integer | np.floating):
            raise LoadError(
                "LoadFailed",
                f"An encoder has learned categories of the type {type(value).__name__}, which JSON has no "
                "value for. Train it on texts or numbers, such as seconds for a duration.",
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
    if value is None or (isinstance(value, float | np.floating) and math.isnan(value)):
        return True
    return type(value).__name__ in ("NAType", "NaTType")
