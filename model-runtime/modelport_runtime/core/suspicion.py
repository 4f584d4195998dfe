"""Which value made the model raise? What it refuses of a caller's row is the caller's error, not the model's.

Found by predicting again: with the values of a row that the model has predicted in place of the suspicious
ones. Where that finds nothing, a model that complains of missing values was sent some.
"""

import re
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from modelport_runtime.core.describing.evidence import is_missing
from modelport_runtime.core.rows import Problems
from modelport_runtime.core.signature import Column, Signature
from modelport_runtime.core.types import Failure, Request

_LIBRARIES = {
    "sklearn", "xgboost", "lightgbm", "catboost", "jax", "river", "statsmodels", "patsy", "formulaic",
    "pandas", "numpy", "scipy", "torch", "tensorflow",
    "transformers", "tokenizers", "autogluon",
}  # fmt: skip
_KERNELS = "modelport_runtime.core.acceleration."
_MAX_SECONDS = 1.0
"""A slow model is not called forever: then it is the one that raised."""
_MAX_TRIED = 16
_OF_MISSING_VALUES = re.compile(r"\bNaN\b|\bNone(Type)?\b|missing value|\bnull\b", re.IGNORECASE)
_MISSING = "must not be null: the model takes no missing values here"

PredictRows = Callable[[Sequence[Any]], Any]


class _OutOfTime(Exception):
    """Nothing is known yet of what the model refuses."""


class Suspicion:
    """One request that made the model raise. `good` is a row that it has predicted, if there is one."""

    def __init__(
        self,
        signature: Signature,
        good: Any,
        predict: PredictRows,
        error: BaseException,
        *,
        refuses: bool = False,
    ) -> None:
        """predict: puts rows through the model; it raises what the model raises.

        refuses: the error is how code of the model's own refuses a row.
        """
        self._signature = signature
        self._columns = signature.columns or ()
        self._good = good
        self._predict = predict
        self._error = error
        self._refuses = refuses
        self._by_library = refuses or _is_of_a_library(error)
        self._until = time.monotonic() + _MAX_SECONDS

    def failure(self, request: Request, *, description: str) -> Failure | None:
        """Return the 422 that names row and columns; None if the model is at fault, as far as is known."""
        problems = Problems()
        if self._good is not None and isinstance(self._error, Exception):
            self._find_refused(request, description, problems)
        if not problems.errors and _complains_of_missing_values(self._error):
            for row, place in _missing_places(request.rows):
                problems.add(self._field(request, row, place), _MISSING)
        return problems.failure() if problems.errors else None

    def _find_refused(self, request: Request, description: str, problems: Problems) -> None:
        rows, refused = request.rows, f"is refused by the model: {description}"
        try:
            at = self._first_refused(rows)
            places = None if at is None else self._refused_in(rows[at])
        except _OutOfTime:
            return
        if at is None or places is None:
            return
        for place in places:
            problems.add(
                self._field(request, at, place), _MISSING if is_missing(rows[at][place]) else refused
            )
        if not places:
            problems.add(_row(request, at), refused)

    def _predicts(self, rows: Sequence[Any]) -> bool:
        if time.monotonic() > self._until:
            raise _OutOfTime
        try:
            self._predict(rows)
        except Exception:  # noqa: BLE001  # whatever a model raises
            return False
        return True

    def _first_refused(self, rows: Sequence[Any]) -> int | None:
        """None if each half is predicted: then no row alone is what it refuses."""
        start, stop = 0, len(rows)
        while stop - start > 1:
            half = (start + stop) // 2
            start, stop = (half, stop) if self._predicts(rows[start:half]) else (start, half)
        return None if len(rows) > 1 and self._predicts(rows[start:stop]) else start

    def _refused_in(self, row: Any) -> list[int] | None:
        """Return the places that the model refuses, none if only the row as a whole; None if it is at
        fault.
        """
        if not self._columns:
            by_library = self._by_library and self._signature.input == "rows"
            return [] if by_library or self._refuses else None
        suspects = [place for place in range(len(row)) if self._is_suspicious(place, row[place])]
        if not suspects or not self._predicts([self._mended(row, suspects)]):
            return None
        alone = [place for place in suspects[:_MAX_TRIED] if self._predicts([self._mended(row, [place])])]
        missing = [place for place in suspects if is_missing(row[place])]
        return alone or (missing if missing == suspects else [])

    def _is_suspicious(self, place: int, value: Any) -> bool:
        good = self._good[place]
        if is_missing(value):
            return not is_missing(good)
        if self._by_library:
            return not np.array_equal(value, good)
        return _is_unknown(self._columns[place]) and _type(value) is not _type(good)

    def _mended(self, row: Any, places: Sequence[int]) -> list[Any]:
        mended = list(row)
        for place in places:
            mended[place] = self._good[place]
        return mended

    def _field(self, request: Request, row: int, place: int) -> str:
        is_named = self._columns and not self._signature.positional
        return _row(request, row) + (f".{self._columns[place].name}" if is_named else f"[{place}]")


def _row(request: Request, row: int) -> str:
    return "input" if request.single else f"inputs[{row}]"


def _complains_of_missing_values(error: BaseException) -> bool:
    return isinstance(error, ValueError | TypeError) and bool(_OF_MISSING_VALUES.search(str(error)))


def _missing_places(rows: Iterable[Any]) -> Iterable[tuple[int, int]]:
    for row, values in enumerate(rows):
        if isinstance(values, list | tuple | np.ndarray):
            yield from ((row, place) for place, value in enumerate(values) if is_missing(value))


def _is_unknown(column: Column) -> bool:
    return column.kind == "any" and column.dtype == "object"


def _type(value: Any) -> type:
    return float if type(value) is int else type(value)


def _is_of_a_library(error: BaseException) -> bool:
    """Raised by what checks values, and not by code of the model's own."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    module = "" if trace is None else str(trace.tb_frame.f_globals.get("__name__"))
    return module.partition(".")[0] in _LIBRARIES or module.startswith(_KERNELS)
