"""What the stages that see a column reveal of it, the categories they learned, and what that makes of the
column.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from modelport_runtime.core.signature import Column, Kind
from modelport_runtime.core.types import LoadError


@dataclass(frozen=True)
class Met:
    """What one stage reveals. `kind` "any" with a numeric dtype: a number or a boolean.

    `missing`: whether it takes missing values, None if others decide; `none`: they must be None, not NaN.
    """

    kind: Kind = "any"
    dtype: str | None = "object"
    missing: bool | None = None
    values: tuple[Any, ...] | None = None
    none: bool = False


NUMBER_OR_BOOLEAN = Met("any", "float64")


def column_of(column: Column, met: Sequence[Met]) -> Column:
    """A column that several stages see must suit them all; one that none sees may hold anything."""
    if not met:
        return replace(column, kind="any", dtype="object", optional=True)
    reported = _strongest(met)
    decided = [one.missing for one in met if one.missing is not None]
    return replace(
        column,
        kind=reported.kind,
        dtype=reported.dtype or column.dtype,
        optional=bool(decided) and all(decided),
        values=_common_values(met) if reported.kind != "any" else None,
    )


def _strongest(met: Sequence[Met]) -> Met:
    certain = {one.kind: one for one in met if one.kind != "any"}
    if "string" in certain and len(certain) > 1:
        return Met()
    with_values = [one for one in certain.values() if one.values is not None]
    order = (
        *with_values,
        *(certain[kind] for kind in ("number", "integer", "boolean", "string") if kind in certain),
    )
    return next(iter(order), None) or next((one for one in met if one.dtype != "object"), Met())


def _common_values(met: Sequence[Met]) -> tuple[Any, ...] | None:
    closed = [one.values for one in met if one.values is not None]
    if not closed:
        return None
    return tuple(value for value in closed[0] if all(value in other for other in closed[1:]))


_KINDS: dict[type, tuple[Kind, str]] = {
    bool: ("boolean", "bool"),
    int: ("integer", "int64"),
    float: ("number", "float64"),
    str: ("string", "object"),
}


def met_by_encoder(categories: Any, *, strict: bool) -> Met:
    """strict: what is not among the categories makes the encoder raise; others take it, null as well.

    Raises `LoadError` (LoadFailed) where no value of JSON is one of the categories: an encoder that ignores
    what it does not know would predict every row, and never with what it has learned.
    """
    kept = np.asarray(categories)
    if kept.dtype.kind == "M":
        return _dates(kept)
    everything = kept.astype(object).tolist()
    known = [value for value in everything if not is_missing(value)]
    _refuse_what_json_cannot_hold(known)
    kind, dtype = kind_of_values(known)
    return Met(
        kind,
        dtype,
        missing=not strict or len(known) < len(everything),
        values=tuple(known) if strict and kind != "any" else None,
        none=any(value is None for value in everything),
    )


def _refuse_what_json_cannot_hold(known: list[Any]) -> None:
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
    """Return the kind and dtype that hold all the values; any object where they differ."""
    types = {type(value) for value in values}
    if len(types) == 1:
        return _KINDS.get(types.pop(), ("any", "object"))
    return ("number", "float64") if types == {int, float} else ("any", "object")


def is_missing(value: Any) -> bool:
    """True for None, NaN and pandas' NA."""
    if value is None or (isinstance(value, float | np.floating) and math.isnan(value)):
        return True
    return type(value).__name__ in ("NAType", "NaTType")
