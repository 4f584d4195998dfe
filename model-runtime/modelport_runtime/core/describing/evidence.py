"""What the stages that see a column say of it, and what that makes of the column."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from modelport_runtime.core.signature import Column, Kind


@dataclass(frozen=True)
class Met:
    """What one stage says. `kind` "any" with a numeric dtype: a number or a boolean.

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
    told = _strongest(met)
    decided = [one.missing for one in met if one.missing is not None]
    return replace(
        column,
        kind=told.kind,
        dtype=told.dtype or column.dtype,
        optional=bool(decided) and all(decided),
        values=_common_values(met) if told.kind != "any" else None,
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
