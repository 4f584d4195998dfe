"""What a fitted estimator shows of its input: names, kinds, categories, missing values, the form of a row."""

from dataclasses import dataclass, replace
from typing import Any

from modelport_runtime.core.describing import structure as naming
from modelport_runtime.core.describing.evidence import column_of
from modelport_runtime.core.describing.flow import Flow
from modelport_runtime.core.describing.structure import (
    handed_rows,
    is_model,
    is_of_a_library,
    learned_floats,
    takes_dictionaries,
    takes_texts,
)
from modelport_runtime.core.signature import Column, positional_columns

__all__ = ["Description", "describe", "is_model"]


@dataclass(frozen=True)
class Description:
    """`columns` is None where even their number is unknown; `none` holds the places where null is None.

    picks: it is of no library, and may take more columns than the model inside it.
    """

    columns: tuple[Column, ...] | None
    named: bool = False
    texts: bool = False
    dictionaries: bool = False
    blanks_are_lost: bool = False
    none: frozenset[int] = frozenset()
    picks: bool = False


def describe(estimator: Any, sample: Any = None) -> Description:
    """Look into every estimator that is handed the rows. Raises `LoadError` if it contradicts itself.

    sample: a row that the model should take; it decides where the model reveals too little.
    """
    found = naming.feature_names(estimator)
    width = len(found) if found is not None else naming.width(estimator)
    if width is None or (found is None and takes_texts(estimator)):
        return Description(None, texts=takes_texts(estimator), dictionaries=takes_dictionaries(estimator))
    met = Flow(width, values_by_place(sample, found)).follow(estimator)
    columns = [
        column_of(column, reported)
        for column, reported in zip(_blank_columns(estimator, found, width), met, strict=True)
    ]
    none = {place for place, reported in enumerate(met) if any(one.none for one in reported)}
    return Description(
        tuple(columns),
        named=found is not None,
        blanks_are_lost=naming.blanks_are_lost(estimator),
        none=frozenset(none),
        picks=not is_of_a_library(estimator),
    )


def _blank_columns(estimator: Any, found: list[str] | None, width: int) -> list[Column]:
    if found is not None:
        return [Column(name) for name in found]
    learned = {dtype for one in handed_rows(estimator) for dtype in learned_floats(one)}
    dtype = "float32" if learned == {"float32"} else "float64"
    return [replace(column, dtype=dtype) for column in positional_columns(width)]


def values_by_place(row: Any, names: list[str] | None) -> dict[int, Any]:
    """Return the values of a row, an object or list, by the places of their columns."""
    if isinstance(row, dict) and names is not None:
        spelled = {name: place for place, name in enumerate(names)}
        places = [(spelled.get(key, spelled.get(key.replace(" ", "_"))), value) for key, value in row.items()]
        return {place: value for place, value in places if place is not None}
    values = row.values() if isinstance(row, dict) else row if isinstance(row, list) else ()
    return dict(enumerate(values))
