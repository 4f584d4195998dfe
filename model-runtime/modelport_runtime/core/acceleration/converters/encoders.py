"""Encoders of categories as look-up tables, which the encoder itself fills, value by value."""

import warnings
from typing import Any

import numpy as np

from modelport_runtime.core.acceleration import plan
from modelport_runtime.core.acceleration.converters.blocks import (
    NOTHING,
    Block,
    Matrix,
    NotConverted,
    Raw,
    require,
)
from modelport_runtime.core.acceleration.plan import Lookup, pack

_MAX_CELLS = 4_000_000
_UNMET_NUMBER = -1.2345e300
_UNMET = "\x00a category that no training has met"


def encoded(stage: Any, block: Block) -> Matrix:
    """OneHotEncoder and OrdinalEncoder on raw columns; the latter also on what was computed of them."""
    if isinstance(block, Matrix):
        return _recoded(stage, block)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tables = _Tables(stage)
        lookups = [_lookup(tables, block, place) for place in range(block.width)]
    width = sum(lookup.table.shape[1] for lookup in lookups)
    nan = any(bool(np.isnan(lookup.table.unpack()).any()) for lookup in lookups)
    return Matrix(plan.Part(plan.Lookups(lookups), []), width, nan=nan, infinite=False)


def _recoded(stage: Any, block: Matrix) -> Matrix:
    if type(stage).__name__ != "OrdinalEncoder":
        raise NotConverted(f"A {type(stage).__name__} encodes what another stage has computed.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tables = _Tables(stage)
        columns = [_recoding(tables, place) for place in range(block.width)]
    return block.checked(nan_allowed=True).then(plan.Recode(columns), nan=True, infinite=False)


def _recoding(tables: "_Tables", place: int) -> plan.Recoding:
    keys = [key for key in tables.categories[place] if not _is_missing(key)]
    numbers = {type(key) for key in keys} <= {int, float} and keys == sorted(keys)
    require(bool(keys) and numbers, "An OrdinalEncoder takes computed numbers for something else.")
    codes = tables.rows(place, keys)[:, 0]
    missing, unknown = (tables.row_or_none(place, value) for value in (float("nan"), _UNMET_NUMBER))
    return plan.Recoding(
        pack(keys),
        pack(codes),
        None if missing is None else float(missing[0, 0]),
        None if unknown is None else float(unknown[0, 0]),
    )


class _Tables:
    """Probes an encoder with one column at a time, all others at their first category."""

    def __init__(self, stage: Any) -> None:
        self._stage = stage
        self.categories = [np.asarray(known, dtype=object).tolist() for known in stage.categories_]
        one_hot = hasattr(stage, "_n_features_outs")
        widths = stage._n_features_outs if one_hot else [1] * len(self.categories)
        self._stops = np.cumsum(widths).tolist()
        self._widths = [int(width) for width in widths]
        cells = sum(len(known) * sum(widths) for known in self.categories)
        require(cells <= _MAX_CELLS, "An encoder knows too many categories.")

    def rows(self, column: int, values: list[Any]) -> np.ndarray[Any, Any]:
        """Return what becomes of the values in this column. Raises ValueError where the encoder does."""
        table = np.empty((len(values), len(self.categories)), dtype=object)
        for place, known in enumerate(self.categories):
            table[:, place] = [known[0]] * len(values)
        table[:, column] = values
        given = self._stage.transform(table)
        dense = given.toarray() if hasattr(given, "toarray") else np.asarray(given)
        stop = self._stops[column]
        return dense[:, stop - self._widths[column] : stop].astype(np.float64)

    def row_or_none(self, column: int, value: Any) -> np.ndarray[Any, Any] | None:
        try:
            return self.rows(column, [value])
        except (ValueError, TypeError):
            return None


def _lookup(tables: _Tables, block: Raw, place: int) -> Lookup:
    column, fill = block.columns[place], block.fills[place]
    require(column.kind != "any", f"Column {column.name} may hold anything: a sample would say what.")
    keys = [key for key in tables.categories[place] if not _is_missing(key)]
    require(_plain(keys), f"The categories of column {column.name} are no plain values.")
    known = tables.rows(place, keys) if keys else np.empty((0, 0))
    unknown = tables.row_or_none(place, _UNMET)
    missing = tables.row_or_none(place, float("nan") if fill is NOTHING else fill)
    beyond = [row for row in (missing, unknown) if row is not None]
    table = np.concatenate([row for row in (known, *beyond) if row.size or row.shape[1]] or [known])
    require(table.shape[1] > 0, f"The encoder makes nothing of column {column.name}.")
    at_missing = None if missing is None else len(keys)
    at_unknown = None if unknown is None else len(table) - 1
    return Lookup(block.places[place], keys, pack(table), at_missing, at_unknown)


def _is_missing(value: Any) -> bool:
    return value is None or value != value  # noqa: PLR0124  # only NaN is not itself


def _plain(keys: list[Any]) -> bool:
    return {type(key) for key in keys} <= {str, int, float, bool}
