"""What native boosters have in common: one score a row for two classes, one per class for more."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from modelport_runtime.core.backends.base import Backend
from modelport_runtime.core.describing import values_by_place
from modelport_runtime.core.describing.evidence import Met, column_of
from modelport_runtime.core.frames import as_array, as_frame
from modelport_runtime.core.interpretations import refined
from modelport_runtime.core.responses import plain
from modelport_runtime.core.signature import Column, Signature, positional_columns
from modelport_runtime.core.types import Outputs

Scores = np.ndarray[Any, Any]
_NUMBER = Met("number", None, missing=True)


def class_of_each(scores: Scores) -> list[int]:
    """Return each row's class index: the likeliest, and class 1 only above one half, as the wrappers do."""
    classes = np.argmax(scores, axis=1) if scores.ndim == 2 else (scores > 0.5).astype(np.int64)
    listed: list[int] = classes.tolist()
    return listed


def two_columns(scores: Scores) -> Scores:
    """Return n × k probabilities; a lone score is that of class 1."""
    return scores if scores.ndim == 2 else np.column_stack([1 - scores, scores])


def wrapper(held: Any, libraries: dict[str, str]) -> Backend:
    """Return the backend of a booster that scikit-learn's methods wrap. Raises `LoadError` if it is none."""
    from modelport_runtime.core.backends.sklearn import EstimatorBackend

    return EstimatorBackend(held, libraries)


class ScoringBackend(ABC):
    """A booster of which everything is made from its scores: they are computed once for all outputs."""

    blanks_are_lost = False

    @cached_property
    def signature(self) -> Signature:
        return self._signature(self._columns(None))

    def readings(self, row: Any) -> Iterator[tuple[Signature, "ScoringBackend"]]:
        """Return the one signature of a booster: it may need the sample `row` to make sense of its
        columns.
        """
        self.signature = refined(self._signature(self._columns(row)), row)
        yield self.signature, self

    def _columns(self, row: Any) -> tuple[Column, ...]:
        names = self._names()
        blank = positional_columns(self._width()) if names is None else tuple(map(Column, names))
        met = self._met(values_by_place(row, names))
        return tuple(column_of(column, [met.get(place, _NUMBER)]) for place, column in enumerate(blank))

    def assembler(self, signature: Signature) -> Callable[[list[Any]], Any]:
        columns = signature.columns or ()
        categorical = any(column.dtype == "category" for column in columns)
        return as_frame(columns) if categorical else as_array(columns)

    def predict(self, inputs: Any, wanted: tuple[str, ...]) -> Outputs:
        scores = self._scores(inputs)
        read = {"prediction": self._predictions, "probabilities": self._named, "scores": plain}
        arrays = {} if "scores" not in wanted else {"scores": scores}
        return Outputs({name: read[name](scores) for name in wanted}, arrays)

    @abstractmethod
    def _names(self) -> list[str] | None: ...

    @abstractmethod
    def _width(self) -> int: ...

    @abstractmethod
    def _met(self, sample: Mapping[int, Any]) -> Mapping[int, Met]:
        """Return what is known of columns that are no plain numbers; `sample` has values by place."""

    @abstractmethod
    def _signature(self, columns: tuple[Column, ...]) -> Signature: ...

    @abstractmethod
    def _scores(self, inputs: Any) -> Scores: ...

    @abstractmethod
    def _predictions(self, scores: Scores) -> list[Any]: ...

    @abstractmethod
    def _named(self, scores: Scores) -> list[Any]:
        """Return n objects of class → probability."""
