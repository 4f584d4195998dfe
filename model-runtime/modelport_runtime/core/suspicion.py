"""Which value made the model raise? What it refuses of a caller's row is the caller's error, not the model's.

Found by asking again: with the values of a row that the model has answered in place of the suspicious ones.
"""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modelport_runtime.core.signature import Column, Signature
from modelport_runtime.core.types import Failure, FieldError

_LIBRARIES = {"sklearn", "xgboost", "lightgbm", "pandas", "numpy", "scipy"}
_MAX_SECONDS = 1.0
"""A slow model is not asked for ever: then it is the one that raised."""
_MAX_TRIED = 16

Ask = Callable[[Sequence[Any]], Any]


class _OutOfTime(Exception):
    """Nothing is known yet of what the model refuses."""


class Suspicion:
    """One request that made the model raise. `good` is a row that it has answered."""

    def __init__(self, signature: Signature, good: Any, ask: Ask, error: Exception) -> None:
        """ask: puts rows through the model; it raises what the model raises."""
        self._signature = signature
        self._columns = signature.columns or ()
        self._good = good
        self._ask = ask
        self._error = error
        self._by_library = _is_of_a_library(error)
        self._until = time.monotonic() + _MAX_SECONDS

    def failure(self, rows: Sequence[Any], *, single: bool, says: str) -> Failure | None:
        """Give the 422 that names row and columns; None if the model is at fault, as far as can be told."""
        try:
            at = self._first_refused(rows)
            places = None if at is None else self._refused_in(rows[at])
        except _OutOfTime:
            return None
        if at is None or places is None:
            return None
        where = "input" if single else f"inputs[{at}]"
        errors = [self._field(where, place, rows[at][place], says) for place in places]
        errors = errors or [FieldError(field=where, message=f"is refused by the model: {says}")]
        first = errors[0]
        return Failure(422, "Invalid input", f"{first['field']} {first['message']}", errors=errors)

    def _answers(self, rows: Sequence[Any]) -> bool:
        if time.monotonic() > self._until:
            raise _OutOfTime
        try:
            self._ask(rows)
        except Exception:  # noqa: BLE001  # whatever a model raises
            return False
        return True

    def _first_refused(self, rows: Sequence[Any]) -> int | None:
        """None if each half is answered: then no row alone is what it refuses."""
        start, stop = 0, len(rows)
        while stop - start > 1:
            half = (start + stop) // 2
            start, stop = (half, stop) if self._answers(rows[start:half]) else (start, half)
        return None if len(rows) > 1 and self._answers(rows[start:stop]) else start

    def _refused_in(self, row: Any) -> list[int] | None:
        """Give the places that the model refuses, none if only the row as a whole; None if it is at fault."""
        if not self._columns:
            return [] if self._by_library and self._signature.input == "rows" else None
        suspects = [place for place in range(len(row)) if self._is_suspicious(place, row[place])]
        if not suspects or not self._answers([self._mended(row, suspects)]):
            return None
        alone = [place for place in suspects[:_MAX_TRIED] if self._answers([self._mended(row, [place])])]
        missing = [place for place in suspects if _is_missing(row[place])]
        return alone or (missing if missing == suspects else [])

    def _is_suspicious(self, place: int, value: Any) -> bool:
        good = self._good[place]
        if _is_missing(value):
            return not _is_missing(good)
        if self._by_library:
            return bool(value != good)
        return _is_unknown(self._columns[place]) and _type(value) is not _type(good)

    def _mended(self, row: Any, places: Sequence[int]) -> list[Any]:
        mended = list(row)
        for place in places:
            mended[place] = self._good[place]
        return mended

    def _field(self, where: str, place: int, value: Any, says: str) -> FieldError:
        suffix = f"[{place}]" if self._signature.positional else f".{self._columns[place].name}"
        message = (
            "must not be null: the model takes no missing values here"
            if _is_missing(value)
            else f"is refused by the model: {says}"
        )
        return FieldError(field=where + suffix, message=message)


def _is_missing(value: Any) -> bool:
    return isinstance(value, float | np.floating) and math.isnan(value)


def _is_unknown(column: Column) -> bool:
    return column.kind == "any" and column.dtype == "object"


def _type(value: Any) -> type:
    return float if type(value) is int else type(value)


def _is_of_a_library(error: Exception) -> bool:
    """Raised by what checks values, and not by code of the model's own."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    module = "" if trace is None else str(trace.tb_frame.f_globals.get("__name__"))
    return module.partition(".")[0] in _LIBRARIES
